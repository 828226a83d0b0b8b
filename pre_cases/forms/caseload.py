"""Passing a caseload on, and having it replaced."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from pre_cases.forms.access import LastDayField
from pre_cases.forms.fields import DayField, PeopleForm, PersonField, RecordsField, short_text
from pre_cases.models import HandOver, Parcours
from referents.models import StandInReason


class HandOverForm(PeopleForm):
    parcours_list = RecordsField(
        Parcours.objects.none(),
        label="Parcours",
        error_messages={
            "required": "Cochez au moins un parcours.",
            "invalid_choice": "Un de ces parcours n’est plus dans cette file active : relisez la liste.",
        },
    )
    to_referent = PersonField(
        label="Passer à",
        empty_label="Choisissez un référent de l’équipe",
        error_messages={
            "required": "Choisissez un référent de l’équipe.",
            "invalid_choice": "Cette personne n’est pas référente dans l’équipe.",
        },
    )
    message = short_text(
        "Mot de passage", 500, rows=3, required=False, help_text="Lu par la personne à qui vous passez le relais."
    )

    def __init__(self, *args: Any, parcours_list: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parcours_list"].queryset = parcours_list  # type: ignore[attr-defined]


class HandOverAcceptForm(forms.Form):
    hand_over_list = RecordsField(
        HandOver.objects.none(),
        error_messages={
            "required": "Cochez au moins un parcours.",
            "invalid_choice": "Une de ces propositions a changé entre-temps : relisez la liste.",
        },
    )

    def __init__(self, *args: Any, offered: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hand_over_list"].queryset = offered.select_related("parcours")  # type: ignore[attr-defined]


def in_a_week() -> date:
    return timezone.localdate() + timedelta(days=7)


class StandInForm(PeopleForm):
    user = PersonField(
        label="Remplacé par",
        empty_label="Choisissez une personne de l’équipe",
        error_messages={
            "required": "Choisissez une personne de l’équipe.",
            "invalid_choice": "Cette personne ne suit pas de parcours dans l’équipe.",
        },
    )
    reason = forms.ChoiceField(
        label="Motif",
        choices=StandInReason.choices,
        help_text="Rien d’autre n’est demandé : ni santé, ni vie privée.",
    )
    starts_on = DayField(label="Premier jour", today=True)
    ends_on = LastDayField(initial=in_a_week)
