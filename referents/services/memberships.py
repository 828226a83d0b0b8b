"""Roles given and ended: dated, never overwritten, and always given by somebody else."""

from datetime import date

from django.utils import timezone

from audit.history import SYSTEM_EMAIL
from audit.journal.record import record_change
from audit.services import Overreach, Refused, service
from referents.days import long_day
from referents.models import Membership, Role, Team, User
from referents.models.user import COORDINATED_ROLES, NOMINATIVE_ROLES

KIND = "referents.membership"


class NotYoursToGive(Overreach):
    """The person may not give or end this role."""


class RoleAlreadyHeld(Refused):
    """The role is held, in that team, on one of these days."""


class SeparateDuties(Refused):
    """The technical administration sees no child: it never meets a nominative role on the same day."""


class DayRefused(Refused):
    """The day of the beginning or of the end cannot be that one."""


class NobodyLeft(Overreach):
    """A team would have no coordination, or Marelle no administration, earlier than it has today."""

    kind = Membership._meta.label_lower


def roles_given_by(person: User) -> tuple[Role, ...]:
    """The roles that a person may give: all for the administration, two for a coordination."""
    if person.standing.holds(Role.ADMINISTRATOR):
        return tuple(Role)
    return COORDINATED_ROLES if person.standing.holds(Role.COORDINATOR) else ()


@service
def grant_membership(
    *,
    user: User,
    role: Role,
    team: Team | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    by: User,
) -> Membership:
    """Give a role from a day on (today by default), in a team or for the whole programme."""
    _require_right(by, user, role, team)
    starts_on = starts_on or timezone.localdate()
    _require_days(starts_on, ends_on)
    locked = User.objects.select_for_update(no_key=True).get(
        pk=user.pk
    )  # two roles given at once to one person wait here
    membership = Membership(user=locked, role=role, team=team, starts_on=starts_on, ends_on=ends_on)
    _require_free(membership)
    _require_separate_duties(membership)
    membership.full_clean()
    membership.save()
    record_change(membership, "grant")
    return membership


@service
def end_membership(*, membership: Membership, ends_on: date, by: User) -> Membership:
    """Close the access of a role from a day on, today at the earliest; one that has not begun may be cancelled."""
    if by.email != SYSTEM_EMAIL and not Membership.objects.endable_by(by).filter(pk=membership.pk).exists():
        raise NotYoursToGive("Vous ne pouvez pas mettre fin à ce rôle.", kind=KIND)
    lock_cover({(membership.role, membership.team_id)})
    current = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
    if current.is_over:
        raise DayRefused("Ce rôle est déjà terminé.", field="ends_on")
    if ends_on < max(timezone.localdate(), current.starts_on):
        raise DayRefused(_too_early(current), field="ends_on")
    if current.ends_on is not None and ends_on >= current.ends_on:
        raise DayRefused(
            f"L’accès ferme déjà le {long_day(current.ends_on)} : pour prolonger, ajoutez un rôle à la suite.",
            field="ends_on",
        )
    require_cover([current], ends_on)
    return close(current, ends_on)


def close(membership: Membership, ends_on: date) -> Membership:
    """Write the end of a role, by the service that has checked it; what has not begun ends on its first day."""
    membership.ends_on = max(ends_on, membership.starts_on)
    membership.save()
    record_change(membership, "revoke")
    return membership


# -- rules --------------------------------------------------------------------------------------------------------


def _require_right(person: User, user: User, role: Role, team: Team | None) -> None:
    if person.email == SYSTEM_EMAIL:  # the command that makes the first administrator
        return
    if person.pk == user.pk:
        raise NotYoursToGive("Personne ne se donne un rôle : demandez-le à quelqu’un d’autre.", field="role", kind=KIND)
    if role not in roles_given_by(person):
        raise NotYoursToGive("Ce rôle ne se donne que par l’administration technique.", field="role", kind=KIND)
    if team is not None and not Team.objects.staffed_by(person).filter(pk=team.pk).exists():
        raise NotYoursToGive("Vous ne coordonnez pas cette équipe.", field="team", kind=KIND)


def _require_days(starts_on: date, ends_on: date | None) -> None:
    if starts_on < timezone.localdate():
        raise DayRefused("Un rôle commence aujourd’hui ou plus tard.", field="starts_on")
    if ends_on is not None and ends_on <= starts_on:
        raise DayRefused("La fin vient après le début.", field="ends_on")


def _require_free(wanted: Membership) -> None:
    held = Membership.objects.filter(user=wanted.user, role=wanted.role, team=wanted.team)
    if held.meeting(wanted.starts_on, wanted.ends_on).exists():
        where = " dans cette équipe" if wanted.team else ""
        raise RoleAlreadyHeld(f"Cette personne tient déjà ce rôle{where} à ces dates.", field="role")


def _require_separate_duties(wanted: Membership) -> None:
    if wanted.role == Role.ADMINISTRATOR:
        opposite: tuple[Role, ...] = NOMINATIVE_ROLES
    elif wanted.role in NOMINATIVE_ROLES:
        opposite = (Role.ADMINISTRATOR,)
    else:
        return
    held = Membership.objects.filter(user=wanted.user, role__in=opposite)
    if held.meeting(wanted.starts_on, wanted.ends_on).exists():
        raise SeparateDuties(
            "L’administration technique ne voit aucune situation : elle ne se cumule pas, le même jour, avec un rôle "
            "auprès des enfants. Mettez d’abord fin à l’autre.",
            field="role",
        )


def _too_early(membership: Membership) -> str:
    if membership.is_to_come:
        return f"Ce rôle commence le {long_day(membership.starts_on)} : l’accès ferme ce jour-là au plus tôt."
    return "L’accès ferme aujourd’hui au plus tôt : le passé ne se change pas."


# -- nobody left ----------------------------------------------------------------------------------------------------


def lock_cover(held: set[tuple[str, int | None]]) -> None:
    """Two people who would both be the last to leave wait for each other, on the team or on the administrators."""
    teams = {team for role, team in held if role == Role.COORDINATOR and team is not None}
    list(Team.objects.select_for_update(no_key=True).filter(pk__in=teams).order_by("pk"))
    if (Role.ADMINISTRATOR, None) in held:
        list(Membership.objects.select_for_update().filter(role=Role.ADMINISTRATOR).order_by("pk"))


def require_cover(leaving: list[Membership], ends_on: date) -> None:
    """Refuse when closing these roles on a day brings forward the day on which nobody holds one of them."""
    for role, team_id in {(row.role, row.team_id) for row in leaving}:
        if role not in (Role.COORDINATOR, Role.ADMINISTRATOR):
            continue
        held = Membership.objects.filter(role=role, team=team_id, user__is_active=True).lasting()
        left = {row.pk for row in leaving}
        spans = [(row.starts_on, row.ends_on) for row in held]
        kept = [(row.starts_on, row.ends_on) for row in held if row.pk not in left]
        kept += [(row.starts_on, ends_on) for row in held if row.pk in left and row.starts_on < ends_on]
        before, after = _first_empty_day(spans), _first_empty_day(kept)
        if after is not None and (before is None or after < before):
            raise NobodyLeft(_nobody(role), field="ends_on")


def _first_empty_day(spans: list[tuple[date, date | None]]) -> date | None:
    """The first day, from today on, that no span covers; None when there is none."""
    day = timezone.localdate()
    for starts_on, ends_on in sorted(spans, key=lambda span: span[0]):
        if starts_on > day:
            return day
        if ends_on is None:
            return None
        day = max(day, ends_on)
    return day


def _nobody(role: str) -> str:
    if role == Role.ADMINISTRATOR:
        return "Plus personne ne tiendrait l’administration technique : donnez d’abord ce rôle à quelqu’un d’autre."
    return "L’équipe n’aurait plus de coordination : donnez d’abord ce rôle à quelqu’un d’autre, dès ce jour."
