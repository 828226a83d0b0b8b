"""Référent, entry, end and reopening of a parcours."""

from django import forms

from partners.models import Nomenclature
from pre_cases.forms.fields import DayField, PeopleForm, PersonField, TermField, short_text
from pre_cases.search.words import plain


class NameSearchForm(forms.Form):
    """A name, or its beginning: accents, order and spelling do not matter."""

    name = forms.CharField(
        label="Nom ou prénom de l’enfant",
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if not plain(typed):
            raise forms.ValidationError("Tapez un nom ou un prénom, ou leur début.")
        return typed


class AssignForm(PeopleForm):
    referent = PersonField(label="Référent")
    on = DayField(label="À partir du", today=True)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)  # whom the page showed as référent


class EnterForm(forms.Form):
    on = DayField(
        label="Entrée décidée le", today=True, help_text="Le jour de l’EPRE, ou celui de la décision en urgence."
    )


class CloseForm(forms.Form):
    on = DayField(label="Dernier jour suivi", today=True, help_text="Ce jour est compris.")
    reason = TermField(Nomenclature.EXIT_REASON, label="Motif de sortie")


class ReopenForm(forms.Form):
    reason = short_text("Pourquoi la clôture est-elle corrigée ?", 500, rows=3)
