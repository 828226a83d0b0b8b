"""What partners carry of a parcours: places in projects, and named reading access given for a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from dateutil.relativedelta import relativedelta
from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Project
from partners.models.project import school_year_of
from pre_cases.models import Assignment, Enrolment, Parcours, ParcoursShare
from pre_cases.services.parcours import locked, not_in_future
from referents.days import long_day
from referents.models import Membership, Role, User
from referents.models.user import TEAM_ROLES

SHARE_MONTHS = 6  # a share lasts at most; to be confirmed by the DPO


class EnrolmentRefused(Refused):
    """The child cannot hold a place in this project from that day, or no longer holds it."""


class ProjectIsFull(EnrolmentRefused):
    """Every place is taken."""


class ShareRefused(Refused):
    """The parcours cannot be shared with this person, for this reason or until that day."""


# -- agreement ----------------------------------------------------------------------------------------------------


def _require_agreement(parcours: Parcours, refusal: type[Refused]) -> None:
    """Nothing leaves the team without the family's agreement, in force today and opposed by no holder."""
    agreement = parcours.agreement
    if agreement.signed_on is None or agreement.withdrawn_on is not None:
        raise refusal("La famille a retiré son accord : rien ne peut plus être transmis hors de l’équipe.")
    if agreement.agreed_until_on is not None and agreement.agreed_until_on <= timezone.localdate():
        raise refusal("L’accord de la famille a expiré : faites-le d’abord reconduire.")
    if agreement.holders.filter(objected_on__isnull=False).exists():
        raise refusal(
            "Un titulaire de l’autorité parentale s’est opposé par écrit : la coordination doit trancher ou clore."
        )


# -- places -------------------------------------------------------------------------------------------------------


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
    _require_agreement(parcours, EnrolmentRefused)
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


# -- shares -------------------------------------------------------------------------------------------------------


def share_candidates(parcours: Parcours, sharer: User) -> QuerySet[User]:
    """Who may be given the parcours to read: people of its team who do not see it today."""
    team = Membership.objects.current().filter(user=OuterRef("pk"), team=parcours.team_id, role__in=TEAM_ROLES)
    coordinators = team.filter(role=Role.COORDINATOR)
    referents = Assignment.objects.current().filter(referent=OuterRef("pk"), parcours=parcours.pk)
    shares = ParcoursShare.objects.in_force().filter(user=OuterRef("pk"), content_object=parcours.pk)
    seeing = Exists(coordinators) | Exists(referents) | Exists(shares)
    people = User.objects.filter(Exists(team), ~seeing, is_active=True).exclude(pk=sharer.pk)
    return people.order_by("last_name", "first_name", "pk")


def share_obstacle(parcours: Parcours) -> str:
    """Why the parcours cannot be shared with anybody today, "" when it can."""
    try:
        _require_agreement(parcours, ShareRefused)
    except Refused as refusal:
        return str(refusal)
    return ""


@service
def share_parcours(*, parcours: Parcours, user: User, reason: str, ends_on: date, by: User) -> ParcoursShare:
    """Give a professional of the team the parcours to read, from today until a day that is no longer included.

    A former share of the same person that has run out is closed on its own last day: a renewal is a new row.
    """
    current = locked(parcours)
    _require_agreement(current, ShareRefused)
    if not reason.strip():
        raise ShareRefused("Dites pourquoi cette personne a besoin de lire le parcours.", field="reason")
    _require_share_end(ends_on)
    _require_reader(current, user, by)
    for former in ParcoursShare.objects.unrevoked().filter(user=user, content_object=current):
        former.revoked_at = timezone.make_aware(datetime.combine(former.ends_on, time.min))
        former.save()
        record_change(former, "revoke")
    permission = Permission.objects.select_related("content_type").get(
        content_type__app_label="pre_cases", content_type__model="parcours", codename="view_parcours"
    )
    share = ParcoursShare.objects.create(
        user=user,
        permission=permission,
        content_object=current,
        reason=reason.strip(),
        granted_by=by,
        starts_on=timezone.localdate(),
        ends_on=ends_on,
        data_key_id=current.data_key_id,
    )
    record_change(share, "grant", detail={"user": user.pk})
    return share


def _require_share_end(ends_on: date) -> None:
    today = timezone.localdate()
    if ends_on <= today:
        raise ShareRefused("Le dernier jour du partage est passé : choisissez aujourd’hui ou après.", field="ends_on")
    if ends_on > today + relativedelta(months=SHARE_MONTHS, days=1):
        raise ShareRefused(f"Un partage dure {SHARE_MONTHS} mois au plus : il pourra être renouvelé.", field="ends_on")


def _require_reader(parcours: Parcours, user: User, sharer: User) -> None:
    if user.pk == sharer.pk:
        raise ShareRefused("Vous ne pouvez pas partager le parcours avec vous-même.", field="user")
    memberships = Membership.objects.current().filter(user=user, team=parcours.team_id, role__in=TEAM_ROLES)
    if not user.is_active or not memberships.exists():
        raise ShareRefused("Cette personne ne fait pas partie de l’équipe aujourd’hui.", field="user")
    if Parcours.objects.visible_to(user).filter(pk=parcours.pk).exists():
        raise ShareRefused("Cette personne voit déjà le parcours.", field="user")


@service
def revoke_share(*, share: ParcoursShare, by: User) -> ParcoursShare:
    """End a share now: the person no longer sees the parcours at the next request."""
    current = ParcoursShare.objects.select_for_update(of=("self",)).get(pk=share.pk)
    if current.revoked_at is not None:
        raise ShareRefused("Ce partage est déjà retiré.")
    current.revoked_at = timezone.now()
    current.save()
    record_change(current, "revoke", detail={"user": current.user_id})
    return current
