"""Assigning several parcours at once from the team's list."""

from typing import Any

from pre_cases.forms.fields import PeopleForm, PersonField, RecordsField
from pre_cases.models import Parcours


class BulkAssignForm(PeopleForm):
    parcours_list = RecordsField(Parcours.objects.none(), error_messages={"required": "Cochez au moins un parcours."})
    referent = PersonField(label="Référent", error_messages={"required": "Choisissez un référent."})

    def __init__(self, *args: Any, parcours_list: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parcours_list"].queryset = parcours_list  # type: ignore[attr-defined]
