"""Sharing a parcours, asking to read one, the exceptional access and its review."""

from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django import forms
from django.utils import timezone

from pre_cases.forms.fields import DayField, PeopleForm, PersonField, short_text
from pre_cases.models import ExceptionalOutcome, ExceptionalReason


def end_of_next_month() -> date:
    return timezone.localdate() + relativedelta(months=1, day=31)


class LastDayField(DayField):
    """The last day, typed included; its clean value is the day after, the first one without access."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label="Dernier jour", help_text="Ce jour est compris.", **kwargs)

    def clean(self, value: Any) -> date | None:
        last_day: date | None = super().clean(value)
        if last_day is None:
            return None
        if last_day > timezone.localdate() + relativedelta(years=1):
            raise forms.ValidationError("Cette date est trop lointaine.")
        return last_day + timedelta(days=1)


class ShareForm(PeopleForm):
    user = PersonField(
        label="Partager avec",
        empty_label="Choisissez une personne de l’équipe",
        error_messages={
            "required": "Choisissez une personne de l’équipe.",
            "invalid_choice": "Cette personne ne fait pas partie de l’équipe, ou voit déjà le parcours.",
        },
    )
    reason = short_text(
        "Motif", 300, rows=3, help_text="Pourquoi cette personne a besoin de lire le parcours, en une phrase factuelle."
    )
    ends_on = LastDayField(initial=end_of_next_month)


class AccessRequestForm(forms.Form):
    reason = short_text("Motif", 300, rows=3, help_text="Pourquoi vous avez besoin de lire ce parcours, en une phrase.")


class AcceptAccessForm(forms.Form):
    ends_on = LastDayField(initial=end_of_next_month)


class RefusalForm(forms.Form):
    reason = short_text("Raison du refus", 300, rows=2, help_text="La personne qui demande lira cette raison.")


class ExceptionalForm(forms.Form):
    number = forms.CharField(
        label="Numéro du parcours",
        max_length=12,
        help_text="Huit signes, donnés par téléphone par l’équipe qui suit l’enfant, par exemple 7QK2-M4XD.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    motive = forms.ChoiceField(
        label="Situation",
        choices=ExceptionalReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Dites ce qui ne peut pas attendre."},
    )
    reason = short_text(
        "Motif",
        500,
        rows=3,
        help_text="Qui demande quoi, et pourquoi cela ne peut attendre ; l’équipe le lira, et qui contrôle les accès.",
    )


class ReviewForm(forms.Form):
    outcome = forms.ChoiceField(
        label="Cet accès était-il justifié ?",
        choices=[(value, label.capitalize()) for value, label in ExceptionalOutcome.choices],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une réponse."},
    )
    note = short_text("Remarque", 500, rows=3, required=False, help_text="Nécessaire quand l’accès n’est pas justifié.")
