"""Which month of the journal a page looks through."""

from datetime import date

from django import forms
from django.utils import timezone


class UntilForm(forms.Form):
    """``?jusqu=2026-10-31``: the last day shown; a day to come, or what is no day, is today."""

    until = forms.DateField(required=False)

    def add_prefix(self, field_name: str) -> str:
        return "jusqu"

    def clean_until(self) -> date | None:
        day: date | None = self.cleaned_data["until"]
        if day is not None and not date(2000, 1, 1) <= day <= timezone.localdate():
            raise forms.ValidationError("Ce jour n’est pas dans le journal.")
        return day
