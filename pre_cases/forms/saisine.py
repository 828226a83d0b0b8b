"""Recording a saisine on one page, saying who follows it, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from partners.models import Nomenclature, Sex, Term
from pre_cases.forms.family import LevelField, WithLevel, clean_phone
from pre_cases.forms.fields import DayField, PeopleForm, PersonField, TermField, short_text
from pre_cases.models import ChildAdult, LivesWith, Relation, SaisineOutcome
from pre_cases.search.words import plain
from referents.models import Role, Team, User
from referents.models.territory import TeamQuerySet

ADULTS = (1, 2)
ADULT_FIELDS = ("first_name", "family_name", "relation", "holds_authority", "lives_with", "phone")
ADULT_TYPED = ("first_name", "family_name", "relation", "phone", "holds_authority")  # one of them: somebody
TEXTS = ("situation", "child_words", "parents_words", "strengths", "already_done")
FACTUAL = "Des faits, sans jugement : la famille peut lire ce texte."


class TeamChoiceField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Team) -> str:
        return f"{obj.name} ({obj.arrondissement.label})"


def teams_of(person: User) -> TeamQuerySet:
    """The teams in which the person records saisines."""
    own = person.standing.team_ids(Role.REFERENT, Role.COORDINATOR)
    return Team.objects.select_related("arrondissement").filter(pk__in=own)


class SituationForm(forms.Form):
    """What a saisine says of the situation, whoever the child is."""

    team = TeamChoiceField(Team.objects.none(), label="Équipe", empty_label=None)
    received_on = DayField(label="Reçue le", today=True)
    source = TermField(Nomenclature.SOURCE, label="Prescripteur")
    is_urgent = forms.BooleanField(
        label="Urgente",
        required=False,
        help_text="Elle passe en tête de liste ; l’accord de la famille reste nécessaire.",
    )
    signs = forms.ModelMultipleChoiceField(
        Term.objects.none(), label="Signes de fragilité", required=False, widget=forms.CheckboxSelectMultiple
    )
    main_sign = forms.ModelChoiceField(
        Term.objects.none(),
        label="Signe principal",
        required=False,
        empty_label="—",
        help_text="Un seul, parmi les signes cochés.",
    )
    situation = short_text("La situation", 1000, required=False, help_text=FACTUAL)
    child_words = short_text(
        "Ce qu’en dit l’enfant", 500, rows=2, required=False, help_text="Avec ses mots à lui, entre guillemets."
    )
    parents_words = short_text(
        "Ce qu’en disent les parents", 500, rows=2, required=False, help_text="Avec leurs mots, entre guillemets."
    )
    strengths = short_text(
        "Points d’appui", 1000, rows=3, required=False, help_text="Ce qui va bien, sur quoi s’appuyer."
    )
    already_done = short_text(
        "Déjà mis en place",
        1000,
        rows=3,
        required=False,
        help_text="Le PRE complète l’existant, il ne le remplace pas.",
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams_of(person)  # type: ignore[attr-defined]
        self.headings = sign_headings()
        signs = Term.objects.of(Nomenclature.SIGN).valid()
        self.fields["signs"].queryset = signs  # type: ignore[attr-defined]
        self.fields["main_sign"].queryset = signs  # type: ignore[attr-defined]
        self.fields["main_sign"].choices = [  # type: ignore[attr-defined]
            ("", "—"),
            *[(heading.label, [(sign.pk, label) for sign, label in signs]) for heading, signs in self.headings],
        ]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        main_sign = values.get("main_sign")
        if main_sign is not None and main_sign not in (values.get("signs") or []):
            self.add_error("main_sign", "Cochez aussi ce signe dans la liste.")
        return values

    @property
    def sign_groups(self) -> list[dict[str, Any]]:
        """The boxes to tick under their headings: legend, then value, label and whether it is ticked."""
        ticked = {str(getattr(value, "pk", value)) for value in self["signs"].value() or []}
        return [
            {
                "legend": heading.label,
                "boxes": [{"value": s.pk, "label": label, "checked": s.pk in ticked} for s, label in signs],
            }
            for heading, signs in self.headings
        ]

    @property
    def receipt_fields(self) -> list[BoundField]:
        return self._bound("team", "received_on", "source", "is_urgent")

    @property
    def situation_fields(self) -> list[BoundField]:
        return self._bound("situation", "child_words", "parents_words", "strengths", "already_done")

    def _bound(self, *names: str) -> list[BoundField]:
        return [self[name] for name in names if name in self.fields]

    def situation_values(self) -> dict[str, Any]:
        """What ``receive_saisine`` takes of the situation; ``ContentForm`` leaves the team as it is."""
        names = ("team", "received_on", "source", "is_urgent", "main_sign", *TEXTS)
        values = {name: self.cleaned_data[name] for name in names if name in self.fields}
        return values | {"signs": list(self.cleaned_data["signs"])}


def sign_headings() -> list[tuple[Term, list[tuple[Term, str]]]]:
    """Each heading with its signs; the heading itself comes last, for what no sign says."""
    terms = list(Term.objects.of(Nomenclature.SIGN).valid())
    return [
        (
            heading,
            [(term, term.label) for term in terms if term.parent_id == heading.pk]
            + [(heading, f"Autre ({heading.label.lower()})")],
        )
        for heading in terms
        if heading.parent_id is None
    ]


class ContentForm(SituationForm):
    """The same, typed again: the team does not change here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["team"]


class CompletionForm(forms.Form):
    needed = short_text("Ce qui manque", 300, rows=2, help_text="Une phrase pour qui a enregistré la saisine.")


class ChildSearchForm(forms.Form):
    """Who the child is, before anything else is typed."""

    first_name = forms.CharField(label="Prénom", max_length=80)
    family_name = forms.CharField(label="Nom", max_length=80)
    birth_date = DayField(label="Date de naissance", required=False, help_text="Si vous la connaissez.")
    team = TeamChoiceField(Team.objects.none(), label="Équipe", empty_label=None)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams_of(person)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for name in ("first_name", "family_name"):
            if values.get(name) and not plain(values[name]):
                self.add_error(name, "Écrivez ce nom avec des lettres.")
        return values


class NewChildForm(SituationForm, WithLevel):
    """A saisine about a child met for the first time, with up to two adults."""

    searched = forms.CharField(widget=forms.HiddenInput, max_length=200, required=False)
    first_name = forms.CharField(label="Prénom", max_length=80)
    family_name = forms.CharField(label="Nom", max_length=80)
    birth_date = DayField(label="Date de naissance", required=False)
    sex = forms.ChoiceField(label="Sexe", choices=[("", "non renseigné"), *Sex.choices], required=False)
    address = forms.CharField(label="Adresse de l’enfant", max_length=240, required=False)
    level = LevelField(label="Classe", empty_label="—", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in ADULTS:
            self.fields |= {
                f"adult{number}_first_name": forms.CharField(label="Prénom", max_length=80, required=False),
                f"adult{number}_family_name": forms.CharField(label="Nom", max_length=80, required=False),
                f"adult{number}_relation": relation_field(),
                f"adult{number}_holds_authority": authority_field(),
                f"adult{number}_lives_with": lives_with_field(),
                f"adult{number}_phone": forms.CharField(label="Téléphone", max_length=30, required=False),
            }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("school") is not None and values.get("level") is None and "level" not in self.errors:
            self.add_error("level", "Choisissez la classe.")
        self.check_level(values.get("birth_date"), values.get("received_on"))
        for number in ADULTS:
            self._clean_adult(number)
        return values

    def _clean_adult(self, number: int) -> None:
        typed = self._adult(number)
        try:
            self.cleaned_data[f"adult{number}_phone"] = clean_phone(typed["phone"] or "")
        except forms.ValidationError as error:
            self.add_error(f"adult{number}_phone", error)
        if not any(typed[name] for name in ADULT_TYPED):
            return
        if not typed["family_name"]:
            self.add_error(f"adult{number}_family_name", "Donnez le nom de cet adulte.")
        if not typed["relation"]:
            self.add_error(f"adult{number}_relation", "Dites qui est cet adulte pour l’enfant.")

    def _adult(self, number: int) -> dict[str, Any]:
        return {name: self.cleaned_data.get(f"adult{number}_{name}") for name in ADULT_FIELDS}

    def adults_typed(self) -> Iterator[dict[str, Any]]:
        """The values of each adult typed, by field."""
        for number in ADULTS:
            typed = self._adult(number)
            if any(typed[name] for name in ADULT_TYPED):
                yield typed | {"lives_with": typed["lives_with"] or LivesWith.MAIN}

    @property
    def child_fields(self) -> list[BoundField]:
        return self._bound("first_name", "family_name", "birth_date", "sex", "address")

    @property
    def school_fields(self) -> list[BoundField]:
        return self._bound("school_text", "school", "level")

    @property
    def adult_groups(self) -> list[dict[str, Any]]:
        return [
            {
                "legend": legend,
                "fields": self._bound(*(f"adult{number}_{name}" for name in ADULT_FIELDS)),
                "is_open": number == 1 or any(self[f"adult{number}_{name}"].value() for name in ADULT_TYPED),
            }
            for number, legend in zip(ADULTS, ("Un adulte", "Un autre adulte"), strict=True)
        ]


class SiblingForm(NewChildForm):
    """A saisine about a sister or brother: the adults around the known child are offered, each with its own link."""

    def __init__(self, *args: Any, links: list[ChildAdult], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.links = links
        for link in links:
            key = link.adult_id.hex
            self.fields |= {
                f"known_{key}": forms.BooleanField(label="Est aussi un adulte de cet enfant", required=False),
                f"known_{key}_relation": relation_field(link.relation),
                f"known_{key}_holds_authority": authority_field(link.holds_authority),
                f"known_{key}_lives_with": lives_with_field(link.lives_with),
            }

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for link in self.links:
            name = f"known_{link.adult_id.hex}"
            if values.get(name) and not values.get(f"{name}_relation"):
                self.add_error(f"{name}_relation", "Dites qui est cet adulte pour l’enfant.")
        return values

    @property
    def known_groups(self) -> list[dict[str, Any]]:
        names = ("", "_relation", "_holds_authority", "_lives_with")
        return [
            {
                "legend": link.adult.full_name,
                "fields": self._bound(*(f"known_{link.adult_id.hex}{name}" for name in names)),
            }
            for link in self.links
        ]

    def known_ticked(self) -> Iterator[tuple[ChildAdult, dict[str, Any]]]:
        """The adults ticked, each with what was said of the link to the new child."""
        for link in self.links:
            name = f"known_{link.adult_id.hex}"
            if self.cleaned_data[name]:
                said = {
                    part: self.cleaned_data[f"{name}_{part}"] for part in ("relation", "holds_authority", "lives_with")
                }
                yield link, said | {"lives_with": said["lives_with"] or LivesWith.MAIN}


def relation_field(initial: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Lien avec l’enfant", choices=[("", "—"), *Relation.choices], initial=initial, required=False
    )


def authority_field(initial: bool = False) -> forms.BooleanField:
    return forms.BooleanField(label="Titulaire de l’autorité parentale", initial=initial, required=False)


def lives_with_field(initial: str = LivesWith.MAIN) -> forms.ChoiceField:
    return forms.ChoiceField(label="Résidence", choices=LivesWith.choices, initial=initial, required=False)


class AssigneeForm(PeopleForm):
    assignee = PersonField(label="Suivie par")


class ToldForm(forms.Form):
    family_told_on = DayField(label="Famille informée le", required=False)
    requester_told_on = DayField(
        label="Prescripteur informé le",
        required=False,
        help_text="Il apprend seulement si la saisine est prise en compte, réorientée ou sans suite.",
    )


class OutcomeForm(ToldForm):
    outcome = forms.ChoiceField(label="Suite donnée", choices=SaisineOutcome.choices, widget=forms.RadioSelect)
    on = DayField(label="Décidée le", today=True)
    reason = short_text("Motif", 500, rows=3, help_text=FACTUAL)
    redirected_to = forms.CharField(
        label="Orientée vers",
        max_length=160,
        required=False,
        help_text="Un service ou un organisme, jamais une personne.",
    )
    field_order = ["outcome", "on", "reason", "redirected_to", "family_told_on", "requester_told_on"]

    def __init__(self, *args: Any, is_followed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [o for o in SaisineOutcome if (o is SaisineOutcome.ATTACHED) == is_followed]
        self.fields["outcome"].choices = [(o.value, o.label) for o in offered]  # type: ignore[attr-defined]
        if is_followed:
            self.fields["outcome"].initial = SaisineOutcome.ATTACHED
            del self.fields["redirected_to"]
