"""The steps of the family's agreement, and the opening that it allows."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from pre_cases.forms.fields import DayField, PeopleForm, PersonField, short_text
from pre_cases.models import Adult, AgreementHolder, ChildAdult, InformedMeans


class PresentForm(forms.Form):
    on = DayField(label="Présenté le", today=True)
    form_version = forms.CharField(
        label="Version du formulaire", max_length=20, help_text="Elle est imprimée au bas du formulaire."
    )
    covers_school = forms.BooleanField(label="Couvre les échanges avec l’école", required=False, initial=True)
    covers_partners = forms.BooleanField(
        label="Couvre les échanges avec les associations partenaires",
        required=False,
        initial=True,
        help_text="Sans cela, l’enfant ne peut pas être inscrit à un projet.",
    )


class OralForm(forms.Form):
    on = DayField(label="Donné le", today=True)
    given_by = forms.ModelChoiceField(Adult.objects.none(), label="Donné par")

    def __init__(self, *args: Any, links: list[ChildAdult], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        holder_choices(self.fields["given_by"], links)


def holder_choices(field: Any, links: list[ChildAdult]) -> None:
    """Offer these holders of authority, by name and by what they are to the child."""
    field.queryset = Adult.objects.filter(pk__in=[link.adult_id for link in links])
    field.choices = [
        ("", "À choisir"),
        *[(link.adult_id, f"{link.adult.full_name} ({link.get_relation_display()})") for link in links],
    ]


class SignForm(forms.Form):
    """One answer for each holder of authority; the fields of a holder end with the adult's id."""

    SIGNED, INFORMED, NOT_INFORMED, OBJECTED = "signed", "informed", "not_informed", "objected"
    ANSWERS = [
        (SIGNED, "a signé"),
        (INFORMED, "a été informé, sans signer"),
        (NOT_INFORMED, "n’a pas pu être informé"),
        (OBJECTED, "s’est opposé par écrit"),
    ]

    def __init__(self, *args: Any, links: list[ChildAdult], answered: list[AgreementHolder], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.links = links
        known = {holder.adult_id: holder for holder in answered}
        for link in links:
            self._add_holder(link.adult_id.hex, known.get(link.adult_id))

    def _add_holder(self, key: str, holder: AgreementHolder | None) -> None:
        answer, on = answer_of(holder)
        self.fields |= {
            f"answer_{key}": forms.ChoiceField(
                label="Réponse",
                choices=self.ANSWERS,
                widget=forms.RadioSelect,
                initial=answer,
                error_messages={"required": "Dites ce que ce titulaire a répondu."},
            ),
            f"on_{key}": DayField(
                label="Quel jour",
                required=False,
                initial=on or timezone.localdate,
                help_text="Celui de la signature, de l’information ou de l’opposition.",
            ),
            f"means_{key}": forms.ChoiceField(
                label="Informé par quel moyen",
                choices=[("", "—"), *InformedMeans.choices],
                required=False,
                initial=holder.informed_means if holder else "",
            ),
            f"reason_{key}": forms.CharField(
                label="Pourquoi pas informé",
                max_length=300,
                required=False,
                initial=holder.not_informed_reason if holder else "",
            ),
            f"restriction_{key}": forms.CharField(
                label="Restriction demandée",
                max_length=300,
                required=False,
                initial=holder.restriction if holder else "",
                help_text="Ce que ce titulaire ne veut pas voir partagé, et avec qui.",
            ),
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for link in self.links:
            self._clean_holder(link.adult_id.hex)
        answers = {values.get(f"answer_{link.adult_id.hex}") for link in self.links}
        if self.links and not self.errors and self.SIGNED not in answers:
            raise forms.ValidationError(
                "Au moins un titulaire de l’autorité parentale doit signer ; sinon, attendez ou enregistrez le refus."
            )
        return values

    def _clean_holder(self, key: str) -> None:
        values = self.cleaned_data
        answer = values.get(f"answer_{key}")
        needs_day = answer in (self.SIGNED, self.INFORMED, self.OBJECTED)
        if needs_day and values.get(f"on_{key}") is None and f"on_{key}" not in self.errors:
            self.add_error(f"on_{key}", "Dites quel jour.")
        if answer == self.INFORMED and not values.get(f"means_{key}"):
            self.add_error(f"means_{key}", "Dites par quel moyen.")
        if answer == self.NOT_INFORMED and not values.get(f"reason_{key}"):
            self.add_error(f"reason_{key}", "Dites pourquoi ce titulaire n’a pas pu être informé.")

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The fields of each holder under the holder's name."""
        return [
            {
                "legend": f"{link.adult.full_name} ({link.get_relation_display()})",
                "fields": [
                    self[f"{name}_{link.adult_id.hex}"] for name in ("answer", "on", "means", "reason", "restriction")
                ],
            }
            for link in self.links
        ]

    def answers(self) -> list[dict[str, Any]]:
        """For each holder what ``HolderAnswer`` takes; only the fields of the answer chosen are kept."""
        return [
            {"adult": link.adult, "restriction": self.cleaned_data[f"restriction_{link.adult_id.hex}"]}
            | self._answer(link.adult_id.hex)
            for link in self.links
        ]

    def _answer(self, key: str) -> dict[str, Any]:
        values = {name: self.cleaned_data[f"{name}_{key}"] for name in ("answer", "on", "means", "reason")}
        if values["answer"] == self.SIGNED:
            return {"signed_on": values["on"]}
        if values["answer"] == self.OBJECTED:
            return {"objected_on": values["on"]}
        if values["answer"] == self.INFORMED:
            return {"informed_on": values["on"], "informed_means": values["means"]}
        return {"not_informed_reason": values["reason"]}

    def signed_on(self) -> date:
        """The day of the first signature."""
        return min(answer["signed_on"] for answer in self.answers() if "signed_on" in answer)


def answer_of(holder: AgreementHolder | None) -> tuple[str, date | None]:
    """The answer already recorded for a holder, and its day."""
    if holder is None:
        return "", None
    if holder.is_objecting:
        return SignForm.OBJECTED, holder.objected_on
    if holder.signed_on is not None:
        return SignForm.SIGNED, holder.signed_on
    if holder.informed_on is not None:
        return SignForm.INFORMED, holder.informed_on
    return (SignForm.NOT_INFORMED if holder.not_informed_reason else ""), None


class RefuseForm(forms.Form):
    on = DayField(label="Refusé ou retiré le", today=True)
    reason = short_text("Motif", 500, rows=3, required=False, help_text="Seulement si la famille souhaite le dire.")


class WithdrawForm(forms.Form):
    on = DayField(label="Retiré le", today=True)
    reason = short_text("Motif", 500, rows=3, required=False, help_text="Seulement si la famille souhaite le dire.")


class OpenForm(PeopleForm):
    on = DayField(label="Ouvert le", today=True, help_text="Au plus tôt le jour de la signature.")
    referent = PersonField(label="Référent", required=False, empty_label="À décider par la coordination")
