"""A page that only asks to confirm."""

from django import forms


class ConfirmForm(forms.Form):
    """Nothing to type: sent is confirmed."""
