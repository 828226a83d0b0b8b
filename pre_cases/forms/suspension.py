"""Suspending a parcours, and going on."""

from django import forms

from pre_cases.forms.fields import DayField, short_text


class SuspendForm(forms.Form):
    starts_on = DayField(label="Suspendu à partir du", today=True)
    ends_on = DayField(label="Reprise le", required=False, help_text="Vide si la date n’est pas connue.")
    reason = short_text("Motif", 300, rows=2, help_text="Des faits, lisibles par la famille.")


class ResumeForm(forms.Form):
    on = DayField(label="Le parcours reprend le", today=True)
