"""The worker's part of a child's file: gathering the data, then printing what was approved; resumed after a kill."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.encryption.keys import key_ring, load_keys
from audit.history import acting_as
from pre_cases.models import FamilyRequest, SubjectFile
from pre_cases.models.subject_file import KEPT_FOR
from pre_cases.querysets.family_request import STALE_AFTER
from pre_cases.services.preconditions import lock_child
from pre_cases.services.subject_file import queue_file
from pre_cases.subject_access.collecting import collect
from pre_cases.subject_access.document import archive_of
from referents.models import User

logger = logging.getLogger(__name__)

Work = SubjectFile.Work
MAX_REQUEUES = 2


class FileLost(Exception):
    """This run no longer carries the file: another one does, or it was replaced or erased meanwhile."""


@key_ring()
def make_file(*, file_id: UUID) -> None:
    """Do what a queued file waits for; what is already taken, replaced or erased is left alone.

    The right of the person who asked is checked again. An unexpected error is logged by its kind, never by its text,
    which could hold a value, and the page says that it failed.
    """
    file = _claim(file_id)
    if file is None:
        return
    person = User.objects.get(pk=file.approved_by_id or file.prepared_by_id)
    try:
        with acting_as(person):
            if not _may(person, file):
                logger.warning("subject file %s: the person is no longer entitled", file_id)
                _give_up(file)
            elif file.collected_at is None:
                _collect(file)
            else:
                _print(file)
    except FileLost:
        logger.warning("subject file %s is carried by another run", file_id)
    except Exception as error:  # noqa: BLE001 - whatever happens, the person must see that it failed
        logger.error("subject file %s failed: %s", file_id, type(error).__name__)
        _give_up(file)


def _may(person: User, file: SubjectFile) -> bool:
    if not person.is_active:
        return False
    if file.approved_by_id is not None:
        return SubjectFile.objects.overseen_by(person).filter(pk=file.pk).exists()
    return FamilyRequest.objects.decidable_by(person).filter(pk=file.request_id).exists()


def _claim(file_id: UUID) -> SubjectFile | None:
    """Take a queued file; None when another run has it, or it is over, or gone."""
    with transaction.atomic():
        waiting = SubjectFile.objects.kept().filter(pk=file_id, work=Work.QUEUED)
        if not waiting.exists() or not waiting.update(work=Work.RUNNING, heartbeat_at=timezone.now()):
            return None
    return SubjectFile.objects.select_related("request").get(pk=file_id)


def _held(file: SubjectFile) -> Any:
    """The row, as long as this run carries it: a file given to another run has one more attempt."""
    return SubjectFile.objects.kept().filter(pk=file.pk, work=Work.RUNNING, attempts=file.attempts)


def _collect(file: SubjectFile) -> None:
    load_keys([file.data_key_id])
    content = collect(file.request)
    with transaction.atomic():
        current = _still_held(file)
        current.content, current.collected_at, current.work = content, timezone.now(), ""
        current.save()


def _print(file: SubjectFile) -> None:
    load_keys([file.data_key_id])
    archive = archive_of(file.gathered, file.decisions.all(), file.request)
    with transaction.atomic():
        current = _still_held(file)
        current.archive, current.ready_at, current.work = archive, timezone.now(), ""
        current.expires_at = current.ready_at + KEPT_FOR
        current.save()


def _still_held(file: SubjectFile) -> SubjectFile:
    lock_child(file.request.child_id)
    current: SubjectFile | None = _held(file).select_for_update(of=("self",)).first()
    if current is None:
        raise FileLost
    return current


def _give_up(file: SubjectFile) -> None:
    _held(file).update(work=Work.FAILED, heartbeat_at=timezone.now())


def sweep_subject_files() -> int:
    """Queue again the files that no worker carries any more, twice at most, then give them up; how many there were."""
    swept = 0
    for file in SubjectFile.objects.stale().defer("content", "archive").order_by("heartbeat_at"):
        with transaction.atomic():
            taken = SubjectFile.objects.kept().filter(
                pk=file.pk, work=file.work, attempts=file.attempts, heartbeat_at__lt=timezone.now() - STALE_AFTER
            )
            if file.attempts >= MAX_REQUEUES:
                swept += taken.update(work=Work.FAILED)
            elif taken.update(work=Work.QUEUED, attempts=F("attempts") + 1, heartbeat_at=timezone.now()):
                swept += 1
                queue_file(file.pk)
    return swept
