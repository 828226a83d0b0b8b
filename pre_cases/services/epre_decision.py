"""What a session decides of a situation, what follows from it, and the day the family is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.anonymity import require_anonymous
from pre_cases.models import (
    Agreement,
    Child,
    EpreDecision,
    EpreItem,
    EpreParticipant,
    EpreSession,
    EpreState,
    Task,
)
from pre_cases.services.dates import refresh_dates
from pre_cases.services.epre_agenda import add_item, locked_item
from pre_cases.services.epre_session import locked_session
from pre_cases.services.parcours import decide_entry
from pre_cases.services.preconditions import not_in_future
from pre_cases.services.timeline import add_task, complete_task
from referents.models import User

WITH_A_REASON = (EpreDecision.REDIRECTED, EpreDecision.NO_FOLLOW_UP, EpreDecision.ADVICE)


class DecisionRefused(Refused):
    """The session cannot decide this of the situation."""


@dataclass(frozen=True)
class NextStep:
    """What is to be done, by whom and for when: an account, which gets a task, or a member without one."""

    text: str
    due_on: date
    user: User | None = None
    participant: EpreParticipant | None = None


@service
def decide_item(
    *,
    item: EpreItem,
    decision: EpreDecision,
    by: User,
    reason: str = "",
    adjourned_to: EpreSession | None = None,
    renewed_until_on: date | None = None,
    follow_up: NextStep | None = None,
    family_told_on: date | None = None,
) -> EpreItem:
    """Write down what the session decided of one situation; once, and not before its day.

    An entry begins the parcours on the day of the session, or ratifies that of an urgent one; an adjournment puts the
    sheet on another agenda; a renewal extends the family's agreement until ``renewed_until_on``, not included.
    """
    current = locked_item(item)
    not_in_future(current.session.on, DecisionRefused, field="decision")
    reason = reason.strip()
    if decision in WITH_A_REASON and not reason:
        raise DecisionRefused("Dites pourquoi, ou ce que l’EPRE préconise.", field="reason")
    texts = {"reason": reason, "follow_up": follow_up.text if follow_up else ""}
    require_anonymous(Child.objects.get(pk=current.parcours.child_id), texts)
    current.decision, current.reason = decision, reason or None
    current.decided_on, current.decided_by = timezone.localdate(), by
    if family_told_on is not None:
        _require_told(current, family_told_on)
        current.family_told_on = family_told_on
    if decision == EpreDecision.ENTRY:
        _enter(current, by)
    elif decision == EpreDecision.RENEWAL:
        _renew(current, renewed_until_on)
    elif decision == EpreDecision.ADJOURNED:
        current.adjourned_to = _later(current, adjourned_to)
    if follow_up is not None:
        _entrust(current, follow_up, by)
    current.save()
    record_change(current, "decide")
    if current.adjourned_to is not None:
        sheet = {name: getattr(current, name) for name in ("purpose", "question", "resources", "tried")}
        add_item(current.adjourned_to, current.parcours, by, **sheet)
    return current


def _enter(item: EpreItem, person: User) -> None:
    parcours = item.parcours
    if parcours.entered_on is None:
        decide_entry(parcours=parcours, on=item.session.on, by=person)
        return
    decided = parcours.epre_items.filter(decision=EpreDecision.ENTRY).exists()
    if decided or not parcours.saisine.is_urgent:
        raise DecisionRefused("L’entrée en parcours est déjà décidée.", field="decision")


def _renew(item: EpreItem, until_on: date | None) -> None:
    """Longer than it was, and for ``AGREEMENT_MONTHS`` at most."""
    parcours = item.parcours
    if parcours.entered_on is None:
        raise DecisionRefused("Seul un parcours où l’enfant est entré se reconduit.", field="decision")
    agreement = Agreement.objects.select_for_update(of=("self",)).get(pk=parcours.agreement_id)
    load_keys([agreement.data_key_id])
    until = agreement.agreed_until_on or item.session.on
    latest = max(until, item.session.on) + relativedelta(months=settings.AGREEMENT_MONTHS)
    if until_on is None or until_on <= max(until, item.session.on):
        raise DecisionRefused("La reconduction prolonge l’accord : choisissez un jour après son terme.", field="until")
    if until_on > latest:
        raise DecisionRefused(f"Un accord se reconduit pour {settings.AGREEMENT_MONTHS} mois au plus.", field="until")
    agreement.agreed_until_on = item.renewed_until_on = until_on
    agreement.save()
    record_change(agreement, "renew")
    parcours.agreement = agreement
    refresh_dates(parcours)


def _later(item: EpreItem, session: EpreSession | None) -> EpreSession:
    if session is None:
        raise DecisionRefused("Dites à quelle séance la situation est ajournée.", field="adjourned_to")
    later = locked_session(session)
    day = max(item.session.on, timezone.localdate())
    if later.team_id != item.session.team_id or later.pk == item.session.pk or later.on < day:
        raise DecisionRefused("Choisissez une séance à venir de la même équipe.", field="adjourned_to")
    if later.state != EpreState.PLANNED:
        raise DecisionRefused("Cette séance est déjà tenue.", field="adjourned_to")
    return later


def _entrust(item: EpreItem, follow_up: NextStep, person: User) -> None:
    participant, user = follow_up.participant, follow_up.user
    if participant is not None and participant.session_id != item.session_id:
        raise DecisionRefused("Cette personne n’est pas de la séance.", field="follow_up_by")
    user = user or (participant.user if participant is not None else None)
    if participant is None and user is None:
        raise DecisionRefused("Dites qui s’en charge.", field="follow_up_by")
    if follow_up.due_on < item.session.on:
        raise DecisionRefused("La suite se donne après la séance.", field="follow_up_on")
    item.follow_up, item.follow_up_on, item.follow_up_by = follow_up.text.strip(), follow_up.due_on, participant
    if user is not None:
        due_on = max(follow_up.due_on, timezone.localdate())
        item.task = add_task(assignee=user, label=item.follow_up, due_on=due_on, by=person, parcours=item.parcours)


@service
def complete_follow_up(*, item: EpreItem, by: User) -> Task:
    """The person to whom it was entrusted says that it is done."""
    if item.task is None:
        raise DecisionRefused("Cette suite n’est confiée à aucun compte.")
    return complete_task(task=item.task, by=by)


@service
def tell_family(*, item: EpreItem, on: date, by: User) -> EpreItem:
    """The day the family was told of the decision."""
    current = EpreItem.objects.select_for_update(of=("self",)).select_related("session").get(pk=item.pk)
    load_keys([current.data_key_id])
    if not current.decision:
        raise DecisionRefused("L’EPRE n’a pas encore décidé.")
    _require_told(current, on)
    current.family_told_on = on
    current.save()
    record_change(current, "change")
    return current


def _require_told(item: EpreItem, on: date) -> None:
    not_in_future(on, DecisionRefused, field="family_told_on")
    if on < item.session.on:
        raise DecisionRefused("La famille apprend la décision après la séance.", field="family_told_on")
