"""What the coordination asks about an exchange, and the answer of whoever follows the parcours."""

from __future__ import annotations

from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import Entry, FollowUp
from pre_cases.services.preconditions import locked
from referents.models import User


class FollowUpRefused(Refused):
    """A question waits already, or has its answer."""


@service
def ask_follow_up(*, entry: Entry, question: str, by: User) -> FollowUp:
    """Ask for a follow-up of an exchange; one question at a time on each."""
    assert entry.parcours is not None  # noqa: S101 - a caller's mistake, not a person's
    current = locked(entry.parcours)
    if not question.strip():
        raise FollowUpRefused("Écrivez votre question.", field="question")
    if FollowUp.objects.waiting().filter(entry=entry).exists():
        raise FollowUpRefused("Une question attend déjà sa réponse sur cet échange.")
    asked = FollowUp.objects.create(
        entry=entry, asked_by=by, question=question.strip(), data_key_id=current.data_key_id
    )
    record_change(asked, "create")
    return asked


@service
def answer_follow_up(*, follow_up: FollowUp, answer: str, by: User) -> FollowUp:
    """Answer it: the question no longer waits, and who asked reads the answer."""
    assert follow_up.entry.parcours is not None  # noqa: S101
    locked(follow_up.entry.parcours)
    current = FollowUp.objects.select_for_update(of=("self",)).select_related("entry").get(pk=follow_up.pk)
    if current.answered_at is not None:
        raise FollowUpRefused("Cette question a déjà sa réponse.")
    if not answer.strip():
        raise FollowUpRefused("Écrivez votre réponse.", field="answer")
    current.answer, current.answered_by, current.answered_at = answer.strip(), by, timezone.now()
    current.save()
    record_change(current, "answer")
    return current
