"""Quick entry, comment and task."""

from django import forms

from pre_cases.forms.fields import DayField, PeopleForm, PersonField, short_text
from pre_cases.models import EntryKind, EntryWith


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


class TaskForm(PeopleForm):
    label = forms.CharField(label="À faire", max_length=200)
    due_on = DayField(label="Pour le", today=True)
    assignee = PersonField(label="Pour qui")
