"""Two persons for an erasure: a coordination prepares it with its reason, the data protection officer decides."""

from __future__ import annotations

import re
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Overreach, Refused, service
from pre_cases.models import Child, Erasure, ErasureMotive, ErasureReason, ErasureStep, Family, FamilyRequest
from pre_cases.retention import RetentionState, annotated
from pre_cases.services.erasure import ErasureRefused, erasure_obstacle, plan_erasure
from referents.models import User

State = Erasure.State
VISA = re.compile(r"([A-Z]{0,6}[ /-]?\d[\d ./-]{0,30})?")  # a number and a date, where no name fits


class DecisionRefused(Refused):
    """This erasure can no longer be decided like this."""


class OwnErasure(Overreach):
    """Nobody approves what they asked for themselves."""

    kind = "pre_cases.erasure"


def term_obstacle(child: Child) -> str:
    """Why the term of a file is not a reason to erase it today, in French; "" when it is."""
    read = Child.objects.with_retention().get(pk=child.pk)
    return {
        RetentionState.ACTIVE.value: "L’enfant est encore suivi, ou une saisine attend une réponse.",
        RetentionState.CLOSED.value: "Le terme de la conservation n’est pas atteint.",
        RetentionState.ON_HOLD.value: "Une conservation prolongée court encore.",
        RetentionState.DUE.value: "L’équipe n’a pas encore été prévenue.",
        RetentionState.ANNOUNCED.value: "L’équipe a été prévenue : le délai n’est pas encore passé.",
    }.get(annotated(read, "term_code"), "")


@service
def request_erasure(
    *, child: Child, motive: ErasureMotive | str, reason: str, by: User, archive_visa: str = ""
) -> Erasure:
    """Prepare the erasure of a child, for somebody else to approve; nothing is changed yet. The key is loaded."""
    Family.objects.select_for_update().get(pk=child.family_id)
    Child.objects.select_for_update(of=("self",)).only("pk").get(pk=child.pk)
    current = Child.objects.with_retention().get(pk=child.pk)
    obstacle = erasure_obstacle(current)
    if not obstacle and motive == ErasureMotive.TERM:
        obstacle = term_obstacle(current)
    if obstacle:
        raise ErasureRefused(obstacle)
    if not reason.strip():
        raise ErasureRefused("Dites pourquoi ce parcours doit être effacé.", field="reason")
    if not VISA.fullmatch(archive_visa.strip()):
        raise ErasureRefused(
            "Un numéro de visa ne tient que des chiffres, des tirets et quelques lettres : il reste au certificat.",
            field="archive_visa",
        )
    plan = plan_erasure(current)
    erasure = Erasure.objects.create(
        subject_id=current.pk,
        team_id=current.last_team_id,
        motive=motive,
        archive_visa=archive_visa.strip(),
        counts=plan.counts() | {"fichiers": len(plan.files), "clés": len(plan.data_keys)},
        requested_by=by,
    )
    reason_row = ErasureReason.objects.create(
        erasure=erasure, child=current, text=reason.strip(), data_key_id=current.data_key_id
    )
    record_change(erasure, "erasure_requested")
    record_change(reason_row, "create")
    return erasure


@service
def approve_erasure(*, erasure: Erasure, by: User) -> Erasure:
    """Decide that the job runs, or that one stopped by an obstacle tries again; never by the person who asked."""
    current = _locked(erasure)
    if by.pk == current.requested_by_id:
        raise OwnErasure("Qui demande un effacement ne l’approuve pas : une autre personne doit le faire.")
    child = Child.objects.filter(pk=current.subject_id).first()
    if child is None:
        raise DecisionRefused("Cet enfant n’est plus dans Marelle : il n’y a plus rien à effacer.")
    obstacle = erasure_obstacle(child)
    if not obstacle and current.motive == ErasureMotive.TERM:
        obstacle = term_obstacle(child)
    if obstacle:
        raise DecisionRefused(obstacle)
    current.state, current.obstacle = State.APPROVED, ""
    current.decided_by, current.decided_at, current.heartbeat_at = by, timezone.now(), timezone.now()
    current.save()
    record_change(current, "erasure_approved")
    queue_erasure(current.pk)
    return current


@service
def refuse_erasure(*, erasure: Erasure, reason: str, by: User) -> Erasure:
    """The file stays; the reason is told to the coordination that asked, and the family's request waits again."""
    Child.objects.select_for_update(of=("self",)).only("pk").filter(pk=erasure.subject_id).first()
    current = _locked(erasure)
    if by.pk == current.requested_by_id:
        raise OwnErasure("Qui demande un effacement n’en décide pas : une autre personne doit le faire.")
    if not reason.strip():
        raise DecisionRefused("Dites pourquoi l’effacement est refusé.", field="reason")
    current.state, current.obstacle = State.REFUSED, ""
    current.decided_by, current.decided_at = by, timezone.now()
    current.plan, current.facts = {}, []
    current.save()
    note = ErasureReason.objects.filter(erasure=current).first()
    if note is not None:
        note.refusal = reason.strip()
        note.save()
    _wait_again(current)
    record_change(current, "erasure_refused")
    return current


def _wait_again(erasure: Erasure) -> None:
    """What the family was answered is not what happens: its request, by which this erasure came, has no answer yet."""
    for request in FamilyRequest.objects.select_for_update(of=("self",)).filter(erasure=erasure):
        request.outcome, request.answer, request.statement = "", None, None
        request.answered_on, request.answered_by = None, None
        request.save()
        record_change(request, "reopen")


def queue_erasure(erasure_id: UUID) -> None:
    """Tell the worker once the decision is there; the message holds the id and nothing else."""
    from pre_cases.tasks import erase  # which calls the job

    transaction.on_commit(lambda: erase.delay(str(erasure_id)))


def _locked(erasure: Erasure) -> Erasure:
    """The request as it stands once nobody else can decide it; what has begun to be erased is decided for good."""
    current = Erasure.objects.select_for_update(of=("self",)).get(pk=erasure.pk)
    if current.state not in (State.REQUESTED, State.BLOCKED) or current.has_done(ErasureStep.ERASE):
        raise DecisionRefused("Cet effacement est déjà décidé.")
    return current
