"""A family's request: recording it, prolonging it, answering it; and the reading of the file of a child's data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from pre_cases.forms.fields import DayField, short_text
from pre_cases.models import (
    Adult,
    ChildAdult,
    Enrolment,
    FileDecision,
    IdentityMeans,
    ParcoursShare,
    RequestKind,
    RequestOutcome,
)

YOUNG = "jeune"
AGREEMENT = "accord"


class RequestForm(forms.Form):
    kind = forms.ChoiceField(
        label="La famille demande à",
        choices=RequestKind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Dites ce que la famille demande."},
    )
    asker = forms.ChoiceField(label="Qui demande", error_messages={"required": "Dites qui demande."})
    received_on = DayField(label="Reçue le", today=True, help_text="Le délai d’un mois part de ce jour.")
    text = short_text("Ce qui est demandé", 1000, help_text="Avec les mots de la famille.")
    identity_means = forms.ChoiceField(
        label="Identité vérifiée",
        choices=[("", "pas encore"), *IdentityMeans.choices],
        required=False,
        help_text="Sans garder de copie de la pièce.",
    )

    def __init__(self, *args: Any, links: Sequence[ChildAdult], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.adults: dict[str, Adult] = {str(link.adult_id): link.adult for link in links}
        people = [(str(link.adult_id), f"{link.adult.full_name} ({link.get_relation_display()})") for link in links]
        self.fields["asker"].choices = [*people, (YOUNG, "l’enfant ou le jeune lui-même")]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What ``record_request`` takes."""
        values = dict(self.cleaned_data)
        return values | {"adult": self.adults.get(values.pop("asker"))}


class IdentityForm(forms.Form):
    means = forms.ChoiceField(
        label="Identité vérifiée",
        choices=IdentityMeans.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Dites comment."},
    )


class ExtendForm(forms.Form):
    told_on = DayField(label="Famille prévenue le", today=True)
    reason = short_text("Pourquoi un mois ne suffit pas", 500, rows=3, help_text="Ce qui a été dit à la famille.")


class AnswerForm(forms.Form):
    """Which fields it has depends on what was asked: corrections made, or what stops."""

    outcome = forms.ChoiceField(
        label="La demande est",
        choices=RequestOutcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Dites ce qui est décidé."},
    )
    answered_on = DayField(label="Répondu le", today=True)
    answer = short_text(
        "Réponse à la famille", 1000, help_text="D’un refus : la raison, et qu’elle peut saisir la CNIL ou le juge."
    )


class CorrectionForm(AnswerForm):
    corrections = forms.MultipleChoiceField(
        label="Ce qui a été corrigé",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Cette correction n’est plus dans la liste : relisez-la."},
    )
    statement = short_text(
        "Déclaration de la famille", 1000, required=False, help_text="Sa version des faits, gardée avec le parcours."
    )

    def __init__(self, *args: Any, changes: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["corrections"].choices = changes  # type: ignore[attr-defined]
        self.order_fields(["outcome", "corrections", "answer", "statement", "answered_on"])


class OppositionForm(AnswerForm):
    stopped = forms.MultipleChoiceField(
        label="Ce qui s’arrête",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Ce partage ou cette inscription vient de se terminer : relisez la liste."},
    )

    def __init__(
        self,
        *args: Any,
        shares: Iterable[ParcoursShare],
        enrolments: Iterable[Enrolment],
        has_agreement: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.shares = {str(share.pk): share for share in shares}
        self.enrolments = {str(enrolment.pk): enrolment for enrolment in enrolments}
        choices = [
            *((pk, f"Partage avec {share.user.get_full_name()}") for pk, share in self.shares.items()),
            *((pk, f"Inscription : {enrolment.project.title}") for pk, enrolment in self.enrolments.items()),
        ]
        if has_agreement:
            choices.append((AGREEMENT, "Accord de la famille : le parcours est clos le jour de la réponse"))
        self.fields["stopped"].choices = choices  # type: ignore[attr-defined]
        self.order_fields(["outcome", "stopped", "answer", "answered_on"])

    def stops(self) -> dict[str, Any]:
        """The shares and enrolments chosen, and whether the agreement is."""
        chosen = self.cleaned_data["stopped"]
        return {
            "shares": [self.shares[pk] for pk in chosen if pk in self.shares],
            "enrolments": [self.enrolments[pk] for pk in chosen if pk in self.enrolments],
            "agreement": AGREEMENT in chosen,
        }


class MaskForm(forms.Form):
    motive = forms.ChoiceField(
        label="Ce passage",
        choices=[
            (motive.value, motive.label) for motive in FileDecision.Motive if motive is not FileDecision.Motive.NONE
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Dites ce qui est à protéger."},
    )
    words = forms.CharField(
        label="Mots à masquer",
        max_length=300,
        required=False,
        help_text="Séparés par des virgules. Vide : tout le passage est masqué.",
    )
    reason = short_text(
        "Pourquoi", 300, rows=2, help_text="Le délégué à la protection des données le lira : n’y nommez personne."
    )


class NameForm(forms.Form):
    reason = short_text("Pourquoi ce nom est communiqué", 300, rows=2, help_text="Sa fonction l’est déjà.")


class SubmitForm(forms.Form):
    has_read = forms.BooleanField(
        label="J’ai relu le fichier en entier : rien n’y dit ce qui concerne d’autres personnes.", required=False
    )


class ReturnForm(forms.Form):
    reason = short_text("Ce qui est à revoir", 500, rows=3)
