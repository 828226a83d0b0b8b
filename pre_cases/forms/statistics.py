"""Which year of the programme, or which days of a team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from pre_cases.forms.fields import DayField
from pre_cases.statistics.period import Period, PeriodKind

KINDS = {PeriodKind.CIVIL: "Années civiles", PeriodKind.SCHOOL: "Années scolaires"}


class YearForm(forms.Form):
    """One of the years given; ``cleaned_data["annee"]`` is its Period."""

    annee = forms.TypedChoiceField(
        label="Année",
        coerce=Period.from_code,
        error_messages={
            "required": "Choisissez une année.",
            "invalid_choice": "Choisissez une année de la liste : civile ou scolaire, entière et terminée.",
        },
    )

    def __init__(self, *args: Any, years: Sequence[Period], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["annee"]
        field.choices = [  # type: ignore[attr-defined]
            (name, [(year.code, year.label) for year in years if year.kind is kind]) for kind, name in KINDS.items()
        ]


class PeriodForm(forms.Form):
    """Free days, for a team's own figures; ``period`` once valid."""

    du = DayField(label="Du", error_messages={"required": "Indiquez le premier jour."})
    au = DayField(label="Au (compris)", error_messages={"required": "Indiquez le dernier jour."})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("du"), cleaned.get("au")
        if first and last and last < first:
            self.add_error("au", "Le dernier jour doit suivre le premier.")
        return cleaned

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["du"], self.cleaned_data["au"])
