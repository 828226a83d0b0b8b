"""The opposition of one holder of authority while a parcours runs, and how it is settled."""

from __future__ import annotations

from typing import Any

from django import forms

from pre_cases.forms.agreement import holder_choices
from pre_cases.forms.fields import DayField, short_text
from pre_cases.models import Adult, ChildAdult


class ObjectionForm(forms.Form):
    adult = forms.ModelChoiceField(Adult.objects.none(), label="Qui s’oppose, ou retire sa signature")
    on = DayField(label="Reçue le", today=True, help_text="Le jour de l’écrit.")

    def __init__(self, *args: Any, links: list[ChildAdult], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        holder_choices(self.fields["adult"], links)


class SettleForm(forms.Form):
    on = DayField(label="Tranchée le", today=True)
    how = short_text("Comment", 500, rows=3, help_text="L’accord trouvé entre les titulaires, en faits.")
