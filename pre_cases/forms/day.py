"""A professional's day: an exchange about several children, meetings, questions, templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from pre_cases.forms.fields import DayField, RecordsField, short_text
from pre_cases.forms.timeline import EntryForm
from pre_cases.models import AppointmentMeans, Entry, EntryKind, EntryWith, Parcours
from pre_cases.search.words import plain


class ChildrenField(forms.MultipleChoiceField):
    """Some of the parcours that the page has just listed, by the name of the child; gives the parcours themselves."""

    widget = forms.CheckboxSelectMultiple

    def offer(self, parcours_list: Sequence[Parcours]) -> None:
        self.offered = {str(parcours.pk): parcours for parcours in parcours_list}
        names = [(plain(parcours.child.full_name), pk) for pk, parcours in self.offered.items()]
        self.choices = [(pk, self.offered[pk].child.full_name) for _, pk in sorted(names)]

    def clean(self, value: Any) -> list[Parcours]:
        return [self.offered[pk] for pk in super().clean(value)]


class SeveralEntryForm(EntryForm):
    """The quick entry of the day: the same, and about whom."""

    parcours_list = ChildrenField(label="Pour qui", error_messages={"required": "Choisissez au moins un enfant."})

    field_order = ["parcours_list"]

    def __init__(self, *args: Any, parcours_list: Sequence[Parcours], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parcours_list"].offer(parcours_list)  # type: ignore[attr-defined]
        self.fields["text"].widget.attrs["rows"] = 2  # it stands above everything else of the day


class OtherEntriesField(RecordsField):
    """The same exchange in the parcours of the other children, by their names."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Entry) -> str:
        return obj.parcours.child.full_name if obj.parcours is not None else ""


class CorrectionForm(EntryForm):
    others = OtherEntriesField(
        Entry.objects.none(),
        label="Corriger aussi pour",
        required=False,
        help_text="Cet échange a été noté pour plusieurs enfants.",
    )

    def __init__(self, *args: Any, others: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if others:
            self.fields["others"].queryset = others  # type: ignore[attr-defined]
        else:
            del self.fields["others"]


class MomentForm(forms.Form):
    """When a meeting takes place."""

    on = DayField(label="Le", today=True)
    starts_at = forms.TimeField(
        label="À",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": "Une heure s’écrit 14:30."},
    )


class AppointmentForm(MomentForm):
    means = forms.ChoiceField(label="Où", choices=AppointmentMeans.choices)
    place = forms.CharField(
        label="Précision", max_length=120, required=False, help_text="L’adresse, la salle, le numéro à appeler."
    )
    with_whom = forms.ChoiceField(label="Avec", choices=EntryWith.choices)


class QuestionForm(forms.Form):
    question = short_text(
        "Votre question", 500, rows=3, help_text="Lue par le référent, qui y répond ; la famille peut la lire aussi."
    )


class AnswerForm(forms.Form):
    answer = short_text("Votre réponse", 1000, help_text="Des faits, en peu de mots : la famille peut lire ce texte.")


class EntryTemplateForm(forms.Form):
    label = forms.CharField(label="Nom du modèle", max_length=60)
    kind = forms.ChoiceField(label="Nature", choices=EntryKind.choices, initial=EntryKind.PHONE)
    with_whom = forms.ChoiceField(label="Avec", choices=EntryWith.choices, initial=EntryWith.FAMILY)
    text = short_text("Texte", 1000, rows=3, help_text="Sans nom : un modèle sert pour tous les enfants.")
