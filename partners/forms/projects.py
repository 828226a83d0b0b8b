"""What is said of a project."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils import timezone

from partners.models import Nomenclature, Project, Term
from partners.models.project import school_year_of
from referents.models import Team


class TeamsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Team) -> str:
        return f"{obj.name} ({obj.arrondissement.label})"

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError:  # a number that no column holds is nobody's
            raise forms.ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice", params={"value": "…"}
            ) from None


def school_years(*also: int) -> list[tuple[int, str]]:
    """The last, the current and the next school year, and those asked for, the latest first."""
    current = school_year_of(timezone.localdate())
    years = sorted({current - 1, current, current + 1, *also}, reverse=True)
    return [(year, f"{year}-{year + 1}") for year in years]


def amount(label: str) -> forms.DecimalField:
    """Euros, typed with a comma or a dot."""
    return forms.DecimalField(
        label=f"{label} (en euros)",
        min_value=0,
        max_digits=10,
        decimal_places=2,
        initial=0,
        localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )


class ProjectForm(forms.ModelForm):
    """``offered`` are the teams that the person may give or take; ``kept`` those that stay whatever is ticked."""

    school_year = forms.TypedChoiceField(label="Année scolaire", coerce=int)
    teams = TeamsField(
        Team.objects.none(),
        label="Équipes dont le projet accueille les enfants",
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    requested = amount("Montant demandé")
    granted = amount("Montant accordé")
    spent = amount("Montant dépensé")

    class Meta:
        model = Project
        fields = [
            "organisation",
            "title",
            "domain",
            "priority",
            "time_slot",
            "school_year",
            "places",
            "teams",
            "requested",
            "granted",
            "spent",
        ]

    def __init__(self, *args: Any, offered: Any, kept: Collection[Team] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = list(kept)
        fields: dict[str, Any] = self.fields
        fields["teams"].queryset = offered.select_related("arrondissement")
        year = self.instance.school_year
        fields["school_year"].choices = school_years(*([year] if year else []))
        fields["school_year"].initial = year or school_year_of(timezone.localdate())
        fields["places"].widget.attrs["min"] = 1
        fields["organisation"].empty_label = fields["domain"].empty_label = "À choisir"
        fields["priority"].empty_label = "Aucune en particulier"
        for name, nomenclature in (("domain", Nomenclature.DOMAIN), ("priority", Nomenclature.PRIORITY)):
            held = Term.objects.filter(pk=getattr(self.instance, f"{name}_id"))
            fields[name].queryset = Term.objects.of(nomenclature).valid() | held

    def clean_teams(self) -> list[Team]:
        return [*self.cleaned_data["teams"], *self.kept]
