"""Choosing a project, ending an enrolment."""

from typing import Any

from django import forms

from partners.models import Nomenclature, Project
from partners.models.project import ProjectQuerySet
from pre_cases.forms.fields import DayField, TermField


class ProjectSearchForm(forms.Form):
    text = forms.CharField(label="Projet ou organisme", max_length=100, required=False)
    domain = TermField(Nomenclature.DOMAIN, label="Domaine", required=False, empty_label="Tous")


class EnrolmentForm(forms.Form):
    project = forms.ModelChoiceField(
        Project.objects.none(),
        label="Projet",
        error_messages={
            "required": "Choisissez un projet.",
            "invalid_choice": "Ce projet n’est pas proposé à cette équipe cette année : choisissez-en un autre.",
        },
    )
    on = DayField(label="Inscrit à partir du", today=True)

    def __init__(self, *args: Any, projects: ProjectQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]


class EnrolmentEndForm(forms.Form):
    on = DayField(label="Place libre à partir du", today=True, help_text="Ce jour n’est plus compris.")
