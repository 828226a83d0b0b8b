"""The fonds exceptionnel: an aid is asked by who follows, decided by the coordination within the year's envelope."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import AidDecision, AidEnvelope, Document, ExceptionalAid, Parcours
from pre_cases.services.preconditions import locked, not_in_future, require_no_objection
from referents.days import long_day
from referents.models import Team, User

LARGEST = Decimal("999999.99")  # euros: what the column holds


class AidRefused(Refused):
    """The aid, its decision or its payment does not fit the rules of the fund."""


@service
def ask_aid(*, parcours: Parcours, purpose: str, requested: Decimal, by: User) -> ExceptionalAid:
    """Ask the coordination for an amount, in euros."""
    current = locked(parcours)
    require_no_objection(current, AidRefused)
    if current.entered_on is None:
        raise AidRefused("La situation est encore en évaluation : l’entrée en parcours doit d’abord être décidée.")
    _require_amount(requested, "requested")
    aid = ExceptionalAid.objects.create(
        parcours=current,
        team_id=current.team_id,
        purpose=purpose,
        requested=requested,
        asked_by=by,
        asked_on=timezone.localdate(),
        data_key_id=current.data_key_id,
    )
    record_change(aid, "create")
    return aid


def _require_amount(amount: Decimal, field: str) -> None:
    if not Decimal(0) < amount <= LARGEST:
        raise AidRefused("Donnez un montant supérieur à zéro, en euros.", field=field)


@service
def decide_aid(
    *, aid: ExceptionalAid, decision: AidDecision, reason: str, by: User, granted: Decimal | None = None
) -> ExceptionalAid:
    """Grant an aid, wholly or partly, or refuse it; what is granted within a year never exceeds the envelope.

    The envelope is locked before the sum is read: of two decisions taken together, the second one is told.
    """
    parcours = locked(aid.parcours)
    load_keys([parcours.data_key_id])
    current = ExceptionalAid.objects.select_for_update(of=("self",)).get(pk=aid.pk)
    if current.decision:
        raise AidRefused("Cette aide est déjà décidée.")
    if decision == AidDecision.REFUSED and not reason.strip():
        raise AidRefused("Dites en une phrase pourquoi l’aide est refusée.", field="reason")
    if decision == AidDecision.GRANTED:
        current.granted = _require_grantable(parcours, current, granted)
    current.decision, current.decision_reason = decision, reason
    current.decided_by, current.decided_on, current.team_id = by, timezone.localdate(), parcours.team_id
    current.save()
    record_change(current, "decide")
    return current


def _require_grantable(parcours: Parcours, aid: ExceptionalAid, granted: Decimal | None) -> Decimal:
    if granted is None:
        raise AidRefused("Donnez le montant accordé.", field="granted")
    _require_amount(granted, "granted")
    if granted > aid.requested:
        raise AidRefused("Le montant accordé dépasse celui qui est demandé.", field="granted")
    year = timezone.localdate().year
    envelope = AidEnvelope.objects.select_for_update().filter(team=parcours.team_id, year=year).first()
    if envelope is None:
        raise AidRefused(f"L’enveloppe de l’équipe pour {year} n’est pas fixée : fixez-la d’abord.", field="granted")
    left = envelope.amount - ExceptionalAid.objects.granted_in(parcours.team_id, year).total()
    if granted > left:
        raise AidRefused(f"L’enveloppe de {year} ne le permet pas : il reste {euros(left)}.", field="granted")
    return granted


def euros(amount: Decimal) -> str:
    """« 1 250,50 € », as a French sentence writes it."""
    return f"{amount:,.2f} €".replace(",", "\u202f").replace(".", ",").replace(" €", "\u00a0€")


@service
def pay_aid(*, aid: ExceptionalAid, on: date, by: User, receipt: Document | None = None) -> ExceptionalAid:
    """Note the day on which an aid was paid, with the receipt kept on the parcours; the receipt may come later."""
    locked(aid.parcours)
    not_in_future(on, AidRefused, field="on")
    current = ExceptionalAid.objects.select_for_update(of=("self",)).get(pk=aid.pk)
    if current.decision != AidDecision.GRANTED or current.decided_on is None:
        raise AidRefused("Seule une aide accordée peut être versée.")
    if on < current.decided_on:
        raise AidRefused(f"L’aide n’a été accordée que le {long_day(current.decided_on)}.", field="on")
    current.paid_on = on
    current.receipt = receipt or current.receipt
    current.save()
    record_change(current, "change")
    return current


@service
def set_envelope(*, team: Team, year: int, amount: Decimal, by: User) -> AidEnvelope:
    """Say how much a team may grant within a civil year; never less than what it has granted already."""
    if not Decimal(0) <= amount <= LARGEST:
        raise AidRefused("Une enveloppe ne peut pas être négative.", field="amount")
    Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
    envelope = AidEnvelope.objects.select_for_update().filter(team=team, year=year).first()
    granted = ExceptionalAid.objects.granted_in(team.pk, year).total()
    if amount < granted:
        raise AidRefused(f"L’équipe a déjà accordé {euros(granted)} cette année.", field="amount")
    action = "create" if envelope is None else "change"
    envelope = envelope or AidEnvelope(team=team, year=year)
    envelope.amount = amount
    envelope.save()
    record_change(envelope, action)
    return envelope
