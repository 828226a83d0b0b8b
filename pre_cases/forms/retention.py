"""Keeping a file longer, asking for an erasure, deciding it."""

from datetime import date, timedelta

from django import forms
from django.utils import timezone

from pre_cases.forms.fields import DayField, short_text
from pre_cases.models import ErasureMotive, HoldReason
from pre_cases.models.retention import a_year_after


def in_six_months() -> date:
    return timezone.localdate() + timedelta(days=182)


class HoldForm(forms.Form):
    motive = forms.ChoiceField(
        label="Pourquoi",
        choices=HoldReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une raison."},
    )
    reason = short_text("Motif", 500, rows=3, help_text="Les faits, en une phrase : la famille peut la lire.")
    until = DayField(label="Dernier jour", initial=in_six_months, help_text="Ce jour est compris ; un an au plus.")

    def clean_until(self) -> date:
        until: date = self.cleaned_data["until"]
        if until >= a_year_after(timezone.localdate()):
            raise forms.ValidationError("Une prolongation dure un an au plus ; elle se renouvelle.")
        return until


class ErasureForm(forms.Form):
    motive = forms.ChoiceField(
        label="Pourquoi",
        choices=ErasureMotive.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une raison."},
    )
    reason = short_text("Motif", 500, rows=3, help_text="Une phrase ; elle sera effacée avec le reste.")
    archive_visa = forms.CharField(
        label="Visa des archives",
        max_length=40,
        required=False,
        help_text="Son numéro, s’il est déjà donné : « 2026-114 » (Code du patrimoine, article L. 212-2).",
    )


class DecisionForm(forms.Form):
    APPROVE, REFUSE = "approve", "refuse"
    decision = forms.ChoiceField(
        label="Décision",
        choices=[(APPROVE, "Approuver : l’effacement commence, sans retour"), (REFUSE, "Refuser : tout reste")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une décision."},
    )
    reason = short_text("Raison du refus", 300, rows=2, required=False, help_text="La coordination la lira.")
