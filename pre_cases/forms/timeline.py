"""Quick entry, comment and task."""

from typing import Any

from django import forms

from pre_cases.forms.fields import DayField, short_text
from pre_cases.models import EntryKind, EntryWith
from referents.models import User


class EntryForm(forms.Form):
    """Three choices and a sentence: written between two families."""

    kind = forms.ChoiceField(label="Nature", choices=EntryKind.choices, initial=EntryKind.PHONE)
    with_whom = forms.ChoiceField(label="Avec", choices=EntryWith.choices, initial=EntryWith.FAMILY)
    on = DayField(label="Le", today=True)
    text = short_text(
        "Ce qui s’est échangé",
        1000,
        required=False,
        help_text="Des faits, en peu de mots : la famille peut lire ce texte.",
    )


class CommentForm(forms.Form):
    text = short_text("Commentaire", 1000, help_text="Lu par le référent et par la coordination.")


class TaskForm(forms.Form):
    label = forms.CharField(label="À faire", max_length=200)
    due_on = DayField(label="Pour le", today=True)
    assignee = forms.ModelChoiceField(User.objects.none(), label="Pour qui")

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["assignee"]
        field.queryset = people  # type: ignore[attr-defined]
        field.label_from_instance = User.get_full_name  # type: ignore[attr-defined]
