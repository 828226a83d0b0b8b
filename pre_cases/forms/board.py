"""Assigning several parcours at once from the team's list."""

from typing import Any

from django import forms

from pre_cases.forms.fields import RecordsField
from pre_cases.models import Parcours
from referents.models import User


class BulkAssignForm(forms.Form):
    parcours_list = RecordsField(Parcours.objects.none(), error_messages={"required": "Cochez au moins un parcours."})
    referent = forms.ModelChoiceField(
        User.objects.none(), label="Référent", error_messages={"required": "Choisissez un référent."}
    )

    def __init__(self, *args: Any, parcours_list: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parcours_list"].queryset = parcours_list  # type: ignore[attr-defined]
        field = self.fields["referent"]
        field.queryset = people  # type: ignore[attr-defined]
        field.label_from_instance = User.get_full_name  # type: ignore[attr-defined]
