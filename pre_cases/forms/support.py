"""Objectives, their results, and actions."""

from django import forms

from partners.models import Nomenclature, Organisation, TimeSlot
from pre_cases.forms.fields import DayField, TermField
from pre_cases.models import ActionMode, ActionNature, ObjectiveResult


class ObjectiveForm(forms.Form):
    text = forms.CharField(label="Objectif", max_length=300, help_text="Avec les mots convenus avec la famille.")
    domain = TermField(Nomenclature.DOMAIN, label="Domaine")
    priority = TermField(Nomenclature.PRIORITY, label="Priorité")
    set_on = DayField(label="Fixé le", today=True)


class ResultForm(forms.Form):
    result = forms.ChoiceField(label="Résultat", choices=ObjectiveResult.choices, widget=forms.RadioSelect)
    on = DayField(label="Constaté le", today=True)


class ActionForm(forms.Form):
    label = forms.CharField(label="Action", max_length=200)
    domain = TermField(Nomenclature.DOMAIN, label="Domaine")
    mode = forms.ChoiceField(label="Mode", choices=ActionMode.choices)
    nature = forms.ChoiceField(
        label="Nature",
        choices=ActionNature.choices,
        initial=ActionNature.PRE,
        help_text="Le PRE complète le droit commun, il ne le remplace pas.",
    )
    partner = forms.ModelChoiceField(Organisation.objects.all(), label="Partenaire", required=False)
    time_slot = forms.ChoiceField(label="Créneau", choices=[("", "—"), *TimeSlot.choices], required=False)
    starts_on = DayField(label="Commence le", required=False, help_text="Vide : l’action est seulement prévue.")


class ActionEndForm(forms.Form):
    on = DayField(label="Dernier jour", today=True)
