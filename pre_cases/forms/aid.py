"""The fonds exceptionnel: asking, deciding, paying, and the envelope of the year."""

from __future__ import annotations

from typing import Any

from django import forms

from pre_cases.forms.document import DocumentForm
from pre_cases.forms.fields import DayField, short_text
from pre_cases.models import AidDecision


def amount_field(label: str, **options: Any) -> forms.DecimalField:
    """Euros and cents, typed with a comma or a point."""
    return forms.DecimalField(
        label=label,
        max_digits=8,
        decimal_places=2,
        min_value=0,
        localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"min_value": "Un montant n’est jamais négatif.", "invalid": "Donnez un montant, « 45,50 »."},
        **options,
    )


class AidForm(forms.Form):
    purpose = short_text(
        "Objet de l’aide", 300, rows=2, help_text="Ce qui sera payé, et pourquoi rien d’autre ne le paie."
    )
    requested = amount_field("Montant demandé (€)")


class AidDecisionForm(forms.Form):
    decision = forms.ChoiceField(label="Décision", choices=AidDecision.choices, widget=forms.RadioSelect)
    granted = amount_field("Montant accordé (€)", required=False, help_text="Au plus le montant demandé.")
    reason = short_text("Motif", 300, rows=2, required=False, help_text="Demandé en cas de refus.")

    def clean(self) -> dict[str, Any]:
        """A refusal carries no amount, whatever was left in its field."""
        values = super().clean() or self.cleaned_data
        if values.get("decision") == AidDecision.REFUSED:
            values["granted"] = None
        return values


class AidPaymentForm(forms.Form):
    on = DayField(label="Versée le", today=True)
    file = forms.FileField(
        label="Justificatif",
        required=False,
        help_text="Gardé chiffré parmi les documents du parcours. Il peut être ajouté plus tard.",
        widget=DocumentForm.base_fields["file"].widget,
        error_messages={"empty": "Ce fichier est vide."},
    )

    def clean_file(self) -> Any:
        return DocumentForm.clean_file(self) if self.cleaned_data["file"] else None  # type: ignore[arg-type]


class EnvelopeForm(forms.Form):
    amount = amount_field("Enveloppe de l’année (€)")
