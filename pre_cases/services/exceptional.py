"""Exceptional access (*bris de glace*): 24 hours, a reason, an alert to the team and the DPO, then a review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.models import Action, Event
from audit.journal.record import record_change, record_event
from audit.services import Refused, service
from pre_cases.models import ExceptionalAccess, ExceptionalOutcome, ExceptionalReason, Parcours
from pre_cases.services.access import reading_permission, revoke
from pre_cases.services.preconditions import locked
from referents.models import Membership, Role, User

KIND = ExceptionalAccess._meta.label_lower
CLOSED_FOR = timedelta(days=30)  # after a review « non justifié »
WRONG_NUMBERS_A_DAY = 5  # then the person is told to telephone again; no number can be guessed (40 bits)


class ExceptionalAccessRefused(Refused):
    """The access cannot be opened like this, or has its end or its review already."""


class UnknownNumber(ExceptionalAccessRefused):
    """No open parcours of another team bears this number: an attempt, which the journal keeps."""


def read_number(typed: str) -> str:
    """A number as it may be typed, « 7qk2m4xd » or « 7QK2 M4XD », as it is kept, « 7QK2-M4XD »."""
    drawn = "".join(character for character in typed.upper() if character.isalnum())
    return f"{drawn[:4]}-{drawn[4:]}".translate(str.maketrans("OIL", "011"))


@service
def open_exceptional_access(*, number: str, motive: ExceptionalReason, reason: str, by: User) -> ExceptionalAccess:
    """Open to a coordinator, for 24 hours, the parcours whose number another team has given by telephone."""
    if not reason.strip():
        raise ExceptionalAccessRefused("Dites pourquoi cet accès ne peut pas attendre.", field="reason")
    if _wrong_numbers(by) >= WRONG_NUMBERS_A_DAY:
        raise ExceptionalAccessRefused(
            "Trop de numéros inconnus aujourd’hui : faites confirmer le numéro par l’équipe, et réessayez demain.",
            field="number",
        )
    found = Parcours.objects.open().filter(number=read_number(number)).first()
    if found is None:
        raise UnknownNumber(
            "Aucun parcours ouvert ne porte ce numéro : faites-le répéter par l’équipe qui suit l’enfant.",
            field="number",
        )
    parcours = locked(found)
    if Parcours.objects.visible_to(by).filter(pk=parcours.pk).exists():
        raise ExceptionalAccessRefused("Vous voyez déjà ce parcours : ouvrez-le depuis vos pages.", field="number")
    _require_not_ended_by_the_team(parcours, by)
    membership = Membership.objects.current().filter(user=by, role=Role.COORDINATOR).order_by("starts_on", "pk").first()
    if membership is None:
        raise ExceptionalAccessRefused("Seule une coordination ouvre un accès exceptionnel.")
    load_keys([parcours.data_key_id])
    access = ExceptionalAccess.objects.create(
        user=by,
        membership=membership,
        permission=reading_permission(),
        content_object=parcours,
        motive=motive,
        reason=reason.strip(),
        granted_by=by,
        data_key_id=parcours.data_key_id,
    )
    record_change(access, "grant", purpose=f"exceptional-{motive}", detail={"user": by.pk})
    transaction.on_commit(_alerting(access), robust=True)  # a broker that is away stops no emergency
    return access


def _require_not_ended_by_the_team(parcours: Parcours, person: User) -> None:
    """What the team has closed, or found unjustified, does not open again by the same person with the same number."""
    own = ExceptionalAccess.objects.filter(content_object=parcours, user=person)
    refused = own.filter(outcome=ExceptionalOutcome.UNJUSTIFIED, reviewed_at__gt=timezone.now() - CLOSED_FOR)
    ended = Event.objects.filter(
        subject_id=parcours.pk, kind=KIND, action=Action.REVOKE, at__gt=timezone.now() - timedelta(days=1)
    ).exclude(actor_id=person.pk)
    own_ids = {str(pk) for pk in own.values_list("pk", flat=True)}
    if refused.exists() or any(own_ids & set(event.record_ids) for event in ended):
        raise ExceptionalAccessRefused(
            "L’équipe a mis fin à votre accès, ou l’a jugé non justifié : appelez sa coordination.", field="number"
        )


def _wrong_numbers(person: User) -> int:
    """How many in a day; a page about an access that was out of reach is a refusal too, and is not one of them."""
    since = timezone.now() - timedelta(days=1)
    refusals = Event.objects.filter(action=Action.REFUSAL, kind=KIND, actor_id=person.pk, at__gte=since)
    return refusals.filter(detail__asked=Action.GRANT).count()


def note_wrong_number(person: User) -> None:
    """The journal keeps the attempt, never the number: the change itself was rolled back."""
    with transaction.atomic(durable=True):
        record_event(Action.REFUSAL, kind=KIND, actor=person, detail={"asked": Action.GRANT})


def _alerting(access: ExceptionalAccess) -> Callable[[], object]:
    from pre_cases.tasks import alert_exceptional_access  # which calls a service of this layer

    return lambda: alert_exceptional_access.delay(str(access.pk))


def _locked(access: ExceptionalAccess) -> ExceptionalAccess:
    return ExceptionalAccess.objects.select_for_update(of=("self",)).get(pk=access.pk)


@service
def end_exceptional_access(*, access: ExceptionalAccess, by: User) -> ExceptionalAccess:
    """Close it before its 24 hours, by the reader who has finished or by the team."""
    current = _locked(access)
    if current.revoked_at is not None or current.ends_at <= timezone.now():
        raise ExceptionalAccessRefused("Cet accès est déjà terminé.")
    revoke(current)
    return current


@service
def review_exceptional_access(
    *, access: ExceptionalAccess, outcome: ExceptionalOutcome, note: str = "", by: User
) -> ExceptionalAccess:
    """Say whether the access was justified; without a justification the reason why is asked for."""
    current = _locked(access)
    if current.outcome:
        raise ExceptionalAccessRefused("Cet accès est déjà examiné.")
    if current.user_id == by.pk:
        raise ExceptionalAccessRefused("Personne n’examine son propre accès.")
    if outcome == ExceptionalOutcome.UNJUSTIFIED and not note.strip():
        raise ExceptionalAccessRefused("Dites pourquoi cet accès n’était pas justifié.", field="note")
    load_keys([current.data_key_id])
    current.outcome, current.review_note = outcome, note.strip() or None
    current.reviewed_at, current.reviewed_by = timezone.now(), by
    current.save()
    record_change(current, "review", purpose=outcome)
    return current
