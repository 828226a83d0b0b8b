"""The évaluation de la situation: one need."""

from django import forms

from partners.models import Nomenclature
from pre_cases.forms.fields import DayField, TermField


class NeedForm(forms.Form):
    text = forms.CharField(
        label="Besoin", max_length=300, help_text="Ce dont l’enfant ou la famille a besoin, en faits, sans jugement."
    )
    domain = TermField(Nomenclature.DOMAIN, label="Domaine")
    priority = TermField(Nomenclature.PRIORITY, label="Priorité")
    noted_on = DayField(label="Noté le", today=True)
