"""Point d'étape and bilan."""

from typing import Any

from django import forms

from partners.models import Nomenclature
from pre_cases.forms.fields import DayField, TermField, short_text
from pre_cases.models import Objective, ObjectiveResult


class ReviewForm(forms.Form):
    on = DayField(label="Fait le", today=True)
    family_present = forms.BooleanField(label="La famille était présente", required=False)
    child_present = forms.BooleanField(label="L’enfant était présent", required=False)
    text = short_text("Ce qui a changé", 1000, help_text="Des faits, lisibles par la famille.")
    next_steps = short_text("Suite prévue", 500, rows=2, required=False)


class BilanForm(forms.Form):
    """One result per objective stands beside the texts; their field names are ``result_<id>``."""

    on = DayField(label="Établi le", today=True)
    text = short_text("Bilan", 1000, help_text="Le chemin parcouru, en faits lisibles par la famille.")
    family_word = short_text("Parole de la famille", 500, rows=2, required=False)
    relay = short_text("Relais vers le droit commun", 300, rows=2, required=False)
    exit_reason = TermField(Nomenclature.EXIT_REASON, label="Motif de sortie proposé")

    def __init__(self, *args: Any, objectives: list[Objective], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.objectives = objectives
        for objective in objectives:
            self.fields[f"result_{objective.pk}"] = forms.ChoiceField(
                label=objective.text,
                choices=[("", "—"), *ObjectiveResult.choices],
                initial=objective.result,
                error_messages={"required": "Dites si l’objectif est atteint."},
            )

    def service_arguments(self) -> dict[str, Any]:
        """The typed values, results gathered by objective."""
        values = {name: value for name, value in self.cleaned_data.items() if not name.startswith("result_")}
        values["results"] = {o.pk: ObjectiveResult(self.cleaned_data[f"result_{o.pk}"]) for o in self.objectives}
        return values
