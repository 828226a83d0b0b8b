"""Passing parcours on (*passage de relais*): asked, then accepted or refused with a reason; a caseload at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import HandOver, HandOverOutcome, Parcours
from pre_cases.services.assignment import assign, referent_id
from pre_cases.services.dates import refresh_dates
from pre_cases.services.preconditions import ParcoursIsClosed, locked
from referents.models import Membership, Role, User


class HandOverRefused(Refused):
    """The parcours cannot be passed on like this, or the request has its answer already."""


@service
def ask_hand_over(
    *, parcours_list: Sequence[Parcours], from_referent: User, to_referent: User, by: User, message: str = ""
) -> list[HandOver]:
    """Ask a référent of the team to take on the parcours of another: all of them, or none.

    Nothing changes before the answer: the present référent goes on, the other sees the limited cards.
    """
    if not parcours_list:
        raise HandOverRefused("Choisissez au moins un parcours.")
    if to_referent.pk == from_referent.pk:
        raise HandOverRefused("Choisissez une autre personne : c’est déjà son parcours.", field="to_referent")
    load_keys(parcours.data_key_id for parcours in parcours_list)
    asked = [
        _ask(parcours, from_referent, to_referent, message.strip(), by)
        for parcours in sorted(parcours_list, key=lambda parcours: parcours.pk)  # everybody locks in the same order
    ]
    transaction.on_commit(_telling(asked[0]), robust=True)  # one letter, however many parcours
    return asked


def _ask(parcours: Parcours, from_referent: User, to_referent: User, message: str, person: User) -> HandOver:
    current = locked(parcours)
    if referent_id(current) != from_referent.pk:
        raise HandOverRefused("Un de ces parcours vient de changer de référent : relisez la liste.")
    memberships = Membership.objects.current().filter(user=to_referent, team=current.team_id, role=Role.REFERENT)
    if not to_referent.is_active or not memberships.exists():
        raise HandOverRefused("Cette personne n’est pas référente dans l’équipe.", field="to_referent")
    if HandOver.objects.pending().filter(parcours=current).exists():
        raise HandOverRefused("Un passage de relais est déjà demandé pour un de ces parcours : décochez-le.")
    hand_over = HandOver.objects.create(
        parcours=current,
        from_referent=from_referent,
        to_referent=to_referent,
        asked_by=person,
        message=message or None,
        data_key_id=current.data_key_id,
    )
    record_change(hand_over, "create", detail={"user": to_referent.pk})
    return hand_over


@service
def accept_hand_over(*, hand_over: HandOver, by: User, tell: bool = True) -> HandOver:
    """Take the parcours on from today: the former référent is released, and keeps the limited card only.

    ``tell=False`` sends no letter: of several parcours accepted together one letter is enough.
    """
    parcours, current = _locked(hand_over)
    if referent_id(parcours) != current.from_referent_id:
        raise HandOverRefused("Le parcours a changé de référent entre-temps.")
    _answer(current, HandOverOutcome.ACCEPTED, "accept", tell=tell)
    assign(parcours, current.to_referent, timezone.localdate())
    refresh_dates(parcours)
    return current


@service
def refuse_hand_over(*, hand_over: HandOver, reason: str, by: User) -> HandOver:
    """Say no, and why: who asked reads the reason, and the référent stays the same."""
    _, current = _locked(hand_over)
    if not reason.strip():
        raise HandOverRefused(
            "Dites pourquoi : la personne qui vous passe le relais lira cette raison.", field="reason"
        )
    current.refusal = reason.strip()
    _answer(current, HandOverOutcome.REFUSED, "refuse")
    return current


@service
def cancel_hand_over(*, hand_over: HandOver, by: User) -> HandOver:
    """Take the request back before its answer."""
    _, current = _locked(hand_over)
    _answer(current, HandOverOutcome.CANCELLED, "cancel", tell=False)
    return current


def _locked(hand_over: HandOver) -> tuple[Parcours, HandOver]:
    """The parcours and the request, locked in that order; refuses an answered one."""
    try:
        parcours = locked(hand_over.parcours)
    except ParcoursIsClosed:
        raise HandOverRefused("Le parcours est clos entre-temps : il n’y a plus rien à passer.") from None
    people = HandOver.objects.select_related("to_referent", "from_referent")
    current = people.select_for_update(of=("self",)).get(pk=hand_over.pk)
    load_keys([current.data_key_id])
    if current.outcome:
        raise HandOverRefused(f"Cette demande est déjà close : {current.get_outcome_display()}.")
    return parcours, current


def _answer(hand_over: HandOver, outcome: HandOverOutcome, action: str, *, tell: bool = True) -> None:
    hand_over.outcome, hand_over.answered_at = outcome, timezone.now()
    hand_over.save()
    record_change(hand_over, action)
    if tell:
        transaction.on_commit(_telling(hand_over), robust=True)


def _telling(hand_over: HandOver) -> Callable[[], object]:
    from pre_cases.tasks import tell_hand_over  # which calls a service of this layer

    answered = bool(hand_over.outcome)
    return lambda: tell_hand_over.delay(str(hand_over.pk), answered=answered)
