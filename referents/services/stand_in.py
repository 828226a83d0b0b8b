"""Replacing an absent référent: the whole caseload of one team, from a day to another, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from dateutil.relativedelta import relativedelta
from django.db import transaction
from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Overreach, service
from referents.letters import write_to
from referents.models import Membership, Role, StandIn, StandInReason, User
from referents.models.grant import stand_in_permission

STAND_IN_MONTHS = 6  # beyond, the caseload is handed over

MAY_HOLD_A_CASELOAD = (Role.REFERENT, Role.COORDINATOR)


class StandInRefused(Overreach):
    """This person cannot replace that one, or not on these days."""

    kind = StandIn._meta.label_lower


@service
def start_stand_in(
    *, membership: Membership, user: User, reason: StandInReason, starts_on: date, ends_on: date, by: User
) -> StandIn:
    """Give somebody of the team the caseload of a référent, in ``[starts_on, ends_on)``.

    Both people are locked: of two replacements that would make a circle, the second is told.
    """
    if user.pk == membership.user_id:
        raise StandInRefused("Personne ne se remplace soi-même.", field="user")
    _require_days(starts_on, ends_on)
    list(User.objects.select_for_update(no_key=True).filter(pk__in=[user.pk, membership.user_id]).order_by("pk"))
    held = _require_members(membership, user, starts_on)
    _require_free(membership, user, starts_on, ends_on)
    stand_in = StandIn.objects.create(
        content_object=membership,
        membership=held,
        user=user,
        permission=stand_in_permission(),
        reason=reason,
        granted_by=by,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    record_change(stand_in, "grant", detail={"user": user.pk, "for": membership.user_id})
    transaction.on_commit(_telling(stand_in), robust=True)  # a broker that is away stops nobody
    return stand_in


def _require_days(starts_on: date, ends_on: date) -> None:
    if starts_on < timezone.localdate():
        raise StandInRefused("Ce jour est passé : un remplacement commence aujourd’hui ou après.", field="starts_on")
    if ends_on <= starts_on:
        raise StandInRefused("Le dernier jour ne peut pas précéder le premier.", field="ends_on")
    if ends_on > starts_on + relativedelta(months=STAND_IN_MONTHS, days=1):
        raise StandInRefused(
            f"Un remplacement dure {STAND_IN_MONTHS} mois au plus : au-delà, passez le relais.", field="ends_on"
        )


def _require_members(membership: Membership, user: User, starts_on: date) -> Membership:
    """The membership of the team under which the person replaces; refuses when either has left by the first day."""
    memberships = Membership.objects.current(starts_on)
    if membership.role != Role.REFERENT or not memberships.filter(pk=membership.pk).exists():
        raise StandInRefused("La personne remplacée n’est pas référente dans l’équipe ce jour-là.", field="starts_on")
    held = memberships.filter(user=user, team=membership.team_id, role__in=MAY_HOLD_A_CASELOAD)
    first = held.order_by("starts_on", "pk").first()
    if not user.is_active or first is None:
        raise StandInRefused("Cette personne ne suit pas de parcours dans l’équipe ce jour-là.", field="user")
    return first


def _require_free(membership: Membership, user: User, starts_on: date, ends_on: date) -> None:
    """One replacement at a time for a caseload, and no chain: a chain that closes is a circle, where nobody is left."""
    meanwhile = StandIn.objects.unrevoked().overlapping(starts_on, ends_on)
    if meanwhile.filter(content_object=membership).exists():
        raise StandInRefused(
            "Un remplacement est déjà prévu pendant ces jours : terminez-le d’abord.", field="starts_on"
        )
    if meanwhile.of_person(user).filter(user=membership.user_id).exists():
        raise StandInRefused(
            "Ces deux personnes se remplaceraient l’une l’autre : choisissez quelqu’un d’autre.", field="user"
        )
    if meanwhile.of_person(user).exists():
        raise StandInRefused("Cette personne est elle-même remplacée pendant ces jours.", field="user")
    if meanwhile.filter(user=membership.user_id).exists():
        raise StandInRefused(
            "La personne à remplacer remplace elle-même quelqu’un ces jours-là : organisez d’abord ce remplacement."
        )


@service
def end_stand_in(*, stand_in: StandIn, by: User) -> StandIn:
    """The référent is back, or the replacement will not take place: it ends now."""
    current = StandIn.objects.select_for_update(of=("self",)).get(pk=stand_in.pk)
    if current.revoked_at is not None or current.ends_on <= timezone.localdate():
        raise StandInRefused("Ce remplacement est déjà terminé.")
    current.revoked_at = timezone.now()
    current.save()
    record_change(current, "revoke", detail={"user": current.user_id})
    return current


def _telling(stand_in: StandIn) -> Callable[[], object]:
    from referents.tasks import tell_stand_in  # which calls a service of this layer

    return lambda: tell_stand_in.delay(stand_in.pk)


def send_stand_in(*, stand_in_id: int) -> int:
    """Tell the person replaced and the one who replaces, unless it was ended meanwhile."""
    found = StandIn.objects.not_over().select_related("user", "content_object__user").filter(pk=stand_in_id).first()
    if found is None:
        return 0
    return write_to([found.user, found.content_object.user], "stand_in", stand_in=found)
