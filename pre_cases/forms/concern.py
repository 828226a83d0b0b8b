"""An information préoccupante: the fact only. There is no text, on purpose."""

from django import forms

from pre_cases.forms.fields import DayField
from pre_cases.models import ConcernAddressee


class ConcernForm(forms.Form):
    reported_on = DayField(label="Transmise le", today=True)
    addressee = forms.ChoiceField(label="À", choices=ConcernAddressee.choices, widget=forms.RadioSelect)
