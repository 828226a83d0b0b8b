"""The EPRE: planning a session, inviting, putting a situation on the agenda, deciding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms

from pre_cases.forms.fields import DayField, PeopleForm, PersonField, short_text
from pre_cases.models import EpreDecision, EpreParticipant, EprePurpose, EpreSession
from pre_cases.services.epre_decision import NextStep
from pre_cases.sheets import hour
from referents.models import User

ANONYMOUS = "Sans nom ni prénom : les membres de l’EPRE ne savent pas de qui il s’agit."


class HourField(forms.TimeField):
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class SessionField(forms.ModelChoiceField):
    """A session among those that the form offers, by its day, hour and place."""

    def label_from_instance(self, obj: EpreSession) -> str:
        return f"{obj.title}, {hour(obj.starts_at)}, {obj.place}"


class SessionForm(forms.Form):
    on = DayField(label="Jour")
    starts_at = HourField(label="De")
    ends_at = HourField(label="À")
    place = forms.CharField(label="Lieu", max_length=120)


class PlanForm(SessionForm):
    invite_again = forms.BooleanField(
        label="Inviter les mêmes personnes qu’à la séance précédente", required=False, initial=True
    )


class MemberForm(PeopleForm):
    user = PersonField(
        label="Personne de l’équipe",
        required=False,
        help_text="Elle lira les fiches de la séance depuis son compte, quelques jours avant et après.",
    )
    name = forms.CharField(label="Ou son nom, sans compte", max_length=120, required=False)
    institution = forms.CharField(label="Institution", max_length=120, required=False)
    function = forms.CharField(label="Fonction", max_length=120, required=False)


class AttendanceForm(forms.Form):
    """Two fields for each person invited: present, and the day the charter was signed on the sheet."""

    def __init__(self, *args: Any, participants: Sequence[EpreParticipant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.participants = participants
        for one in participants:
            self.fields[f"attended-{one.pk}"] = forms.BooleanField(
                label=f"{one.name} était là", required=False, initial=bool(one.attended)
            )
            self.fields[f"charter-{one.pk}"] = DayField(
                label=f"Charte signée sur la feuille par {one.name} le", required=False, initial=one.charter_on
            )

    def rows(self) -> Iterator[tuple[EpreParticipant, Any, Any]]:
        for one in self.participants:
            yield one, self[f"attended-{one.pk}"], self[f"charter-{one.pk}"]

    def values(self) -> dict[str, dict[UUID, Any]]:
        """What ``hold_session`` takes."""
        return {
            "attended": {one.pk: self.cleaned_data[f"attended-{one.pk}"] for one in self.participants},
            "charters": {one.pk: self.cleaned_data[f"charter-{one.pk}"] for one in self.participants},
        }


class SheetForm(forms.Form):
    purpose = forms.ChoiceField(label="Objet", choices=EprePurpose.choices, widget=forms.RadioSelect)
    question = short_text("Question posée à l’EPRE", 500, rows=3, required=False, help_text=ANONYMOUS)
    resources = short_text("Points d’appui", 1000, rows=3, required=False)
    tried = short_text("Déjà mis en place", 1000, rows=3, required=False)


class ItemForm(SheetForm):
    session = SessionField(EpreSession.objects.none(), label="Séance", empty_label=None)

    def __init__(self, *args: Any, sessions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["session"].queryset = sessions  # type: ignore[attr-defined]
        self.order_fields(["session", "purpose", "question", "resources", "tried"])


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label="L’EPRE décide",
        choices=EpreDecision.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Dites ce que l’EPRE a décidé."},
    )
    reason = short_text(
        "Motif ou préconisation",
        500,
        rows=3,
        required=False,
        help_text="Demandé pour une réorientation, un sans suite, une préconisation. Sans nom.",
    )
    adjourned_to = SessionField(
        EpreSession.objects.none(), label="Si ajournée : à quelle séance", required=False, empty_label="—"
    )
    until = DayField(label="Si reconduite : dernier jour de l’accord", required=False)
    follow_up = short_text(
        "Suite à donner", 200, rows=2, required=False, help_text="Sans nom : le compte rendu la dit."
    )
    follow_up_by = forms.ChoiceField(label="Qui s’en charge", required=False)
    follow_up_on = DayField(label="Pour le", required=False)
    family_told_on = DayField(label="Famille informée le", required=False)

    def __init__(
        self, *args: Any, sessions: Any, participants: Iterable[EpreParticipant], people: Iterable[User], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.members = {f"membre-{one.pk}": one for one in participants}
        invited = {one.user_id for one in self.members.values()}
        self.people = {f"compte-{person.pk}": person for person in people if person.pk not in invited}
        choices = [("", "—"), *((key, person.get_full_name()) for key, person in self.people.items())]
        choices += [
            (key, f"{one.name} ({one.institution})" if one.institution else one.name)
            for key, one in self.members.items()
        ]
        self.fields["follow_up_by"].choices = choices  # type: ignore[attr-defined]
        self.fields["adjourned_to"].queryset = sessions  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        asked = {name: values.get(name) for name in ("follow_up", "follow_up_by", "follow_up_on")}
        if any(asked.values()):
            for name, sentence in (
                ("follow_up", "Dites ce qui est à faire."),
                ("follow_up_by", "Dites qui s’en charge."),
                ("follow_up_on", "Dites pour quand."),
            ):
                if not asked[name] and name not in self.errors:
                    self.add_error(name, sentence)
        return values

    def values(self) -> dict[str, Any]:
        """What ``decide_item`` takes; what does not go with the decision is left aside."""
        typed = self.cleaned_data
        decision = EpreDecision(typed["decision"])
        until: date | None = typed["until"] if decision == EpreDecision.RENEWAL else None
        return {
            "decision": decision,
            "reason": typed["reason"],
            "adjourned_to": typed["adjourned_to"] if decision == EpreDecision.ADJOURNED else None,
            "renewed_until_on": until + timedelta(days=1) if until else None,
            "follow_up": self._follow_up(),
            "family_told_on": typed["family_told_on"],
        }

    def _follow_up(self) -> NextStep | None:
        typed, chosen = self.cleaned_data, self.cleaned_data["follow_up_by"]
        if not chosen:
            return None
        return NextStep(typed["follow_up"], typed["follow_up_on"], self.people.get(chosen), self.members.get(chosen))


class ToldForm(forms.Form):
    family_told_on = DayField(label="Famille informée le", today=True)
