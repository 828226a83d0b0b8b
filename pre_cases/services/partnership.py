"""What partners carry of a parcours: places in projects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Project
from partners.models.project import school_year_of
from pre_cases.models import Enrolment, Parcours
from pre_cases.services.preconditions import locked, not_in_future, require_agreement
from referents.days import long_day
from referents.models import User


class EnrolmentRefused(Refused):
    """The child cannot hold a place in this project from that day, or no longer holds it."""


class ProjectIsFull(EnrolmentRefused):
    """Every place is taken."""


def places_taken(project: Project, on: date | None = None) -> int:
    """How many places are held together, at most, from a day on (today by default)."""
    since = on or timezone.localdate()
    held = Enrolment.objects.filter(project=project).overlapping(since, None).values_list("starts_on", "ends_on")
    return _most_held(list(held), since)


def _most_held(intervals: Sequence[tuple[date, date | None]], since: date) -> int:
    """The largest number of half-open intervals that hold a same day, from a day on."""
    days = {since, *(starts_on for starts_on, _ in intervals if starts_on > since)}
    return max(
        sum(starts_on <= day and (ends_on is None or ends_on > day) for starts_on, ends_on in intervals) for day in days
    )


def places_left(project: Project, on: date | None = None) -> int:
    """Places that a child may still take from a day on (today by default), never below zero."""
    return max(0, project.places - places_taken(project, on))


def enrolment_obstacle(parcours: Parcours) -> str:
    """Why no project can be chosen for this parcours today, "" when one can."""
    try:
        _require_enrollable(parcours, timezone.localdate())
    except Refused as refusal:
        return str(refusal)
    return ""


@service
def enrol_child(*, parcours: Parcours, project: Project, by: User, on: date | None = None) -> Enrolment:
    """Give the child a place in a project from a day on (today by default).

    The project is locked before its places are counted: of two people who take the last one, the second is told.
    """
    day = on or timezone.localdate()
    not_in_future(day, EnrolmentRefused, field="on")
    current = locked(parcours)
    _require_enrollable(current, day)
    offered = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
    _require_admission(current, offered, day)
    if places_left(offered, day) == 0:
        raise ProjectIsFull(full_sentence(offered), field="project")
    enrolment = Enrolment.objects.create(parcours=current, project=offered, starts_on=day)
    record_change(enrolment, "create")
    return enrolment


def full_sentence(project: Project) -> str:
    """What is said of a project without a place left."""
    taken = "la seule place est prise" if project.places == 1 else f"les {project.places} places sont prises"
    return f"Le projet est complet : {taken}. Choisissez-en un autre, ou attendez qu’une place se libère."


def _require_enrollable(parcours: Parcours, day: date) -> None:
    if parcours.entered_on is None:
        raise EnrolmentRefused(
            "La situation est encore en évaluation : l’entrée en parcours doit d’abord être décidée."
        )
    if day < parcours.entered_on:
        raise EnrolmentRefused("Cette date précède l’entrée en parcours.", field="on")
    require_agreement(parcours, EnrolmentRefused)
    if not parcours.agreement.covers_partners:
        raise EnrolmentRefused(
            "L’accord de la famille ne couvre pas les associations partenaires : faites-en signer un qui les couvre."
        )


def _require_admission(parcours: Parcours, project: Project, day: date) -> None:
    """The project admits the team's children that school year, and the child does not hold a place in it already."""
    if not project.project_teams.filter(team=parcours.team_id).exists():
        raise EnrolmentRefused("Ce projet n’accueille pas les enfants de cette équipe.", field="project")
    if project.school_year != school_year_of(timezone.localdate()):
        raise EnrolmentRefused(
            f"Ce projet est celui de l’année scolaire {project.school_year_label} : "
            "choisissez un projet de l’année en cours.",
            field="project",
        )
    if day < project.starts_on:
        raise EnrolmentRefused(
            f"Le projet commence le {long_day(project.starts_on)} : choisissez ce jour-là ou un jour suivant.",
            field="on",
        )
    enrolments = Enrolment.objects.filter(parcours=parcours, project=project).overlapping(day, None)
    if enrolments.filter(ends_on__isnull=True).exists():
        raise EnrolmentRefused("L’enfant est déjà inscrit à ce projet.", field="project")
    if enrolments.exists():
        raise EnrolmentRefused("L’enfant était encore inscrit à ce projet ce jour-là.", field="on")


@service
def end_enrolment(*, enrolment: Enrolment, by: User, on: date | None = None) -> Enrolment:
    """Free the place from a day on (today by default): that day is no longer the child's."""
    day = on or timezone.localdate()
    not_in_future(day, EnrolmentRefused, field="on")
    locked(enrolment.parcours)
    current = Enrolment.objects.select_for_update(of=("self",)).get(pk=enrolment.pk)
    if current.ends_on is not None:
        raise EnrolmentRefused("Cette inscription est déjà terminée.")
    if day < current.starts_on:
        raise EnrolmentRefused("L’inscription n’avait pas commencé ce jour-là.", field="on")
    current.ends_on = day
    current.save()
    record_change(current, "change")
    return current
