"""Choosing a project, ending an enrolment, sharing a parcours."""

from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django import forms
from django.utils import timezone

from partners.models import Nomenclature, Project
from partners.models.project import ProjectQuerySet
from pre_cases.forms.fields import DayField, TermField, short_text
from referents.models import User


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


def end_of_next_month() -> date:
    return timezone.localdate() + relativedelta(months=1, day=31)


class ShareForm(forms.Form):
    """The last day is typed included; ``cleaned_data["ends_on"]`` is the day after."""

    user = forms.ModelChoiceField(
        User.objects.none(),
        label="Partager avec",
        empty_label="Choisissez une personne de l’équipe",
        error_messages={
            "required": "Choisissez une personne de l’équipe.",
            "invalid_choice": "Cette personne ne fait pas partie de l’équipe, ou voit déjà le parcours.",
        },
    )
    reason = short_text(
        "Motif", 300, rows=3, help_text="Pourquoi cette personne a besoin de lire le parcours, en une phrase factuelle."
    )
    ends_on = DayField(label="Dernier jour", initial=end_of_next_month, help_text="Ce jour est compris.")

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["user"]
        field.queryset = people  # type: ignore[attr-defined]
        field.label_from_instance = name_and_employer  # type: ignore[attr-defined]

    def clean_ends_on(self) -> date:
        last_day: date = self.cleaned_data["ends_on"]
        if last_day > timezone.localdate() + relativedelta(years=1):
            raise forms.ValidationError("Cette date est trop lointaine.")
        return last_day + timedelta(days=1)


class ShareRevokeForm(forms.Form):
    """Nothing to type: the page asks to confirm."""


def name_and_employer(person: User) -> str:
    return f"{person.get_full_name()} ({person.employer})" if person.employer else person.get_full_name()
