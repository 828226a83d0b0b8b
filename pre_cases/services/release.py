"""The programme's files: asked for by the pilotage, made in the background, and never lost with their worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.history import acting_as
from audit.journal.models import Action
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import StatisticsExport
from pre_cases.querysets.release import STALE_AFTER
from pre_cases.services.ledger import UnsafeRelease, enter, prepare, released, verify
from pre_cases.statistics.extent import reaches_programme
from pre_cases.statistics.period import Period
from pre_cases.statistics.protection import CONTRADICTORY, GIVEN_AWAY, UNPROVED, Unprotected
from referents.models import User

logger = logging.getLogger(__name__)

State = StatisticsExport.State
MAX_REQUEUES = 2
NOT_ENTITLED, LOST, ERROR, UNSAFE_BEFORE = "not_entitled", "lost", "error", "unsafe_before"
FAILURES = {
    NOT_ENTITLED: "La personne qui les a demandés ne fait plus partie du pilotage.",
    LOST: "La préparation s’est interrompue plusieurs fois. Demandez les fichiers à nouveau ; si cela se reproduit, "
    "prévenez l’administration technique.",
    GIVEN_AWAY: "Des chiffres déjà diffusés sur une période qui recouvre celle-ci laisseraient retrouver de petits "
    "effectifs, quoi qu’on masque. Rien n’a été écrit.",
    UNPROVED: "La protection des petits effectifs n’a pas pu être prouvée dans le temps prévu. Rien n’a été écrit : "
    "demandez les fichiers à nouveau ; si cela se reproduit, prévenez l’administration technique.",
    CONTRADICTORY: "Les tableaux ne s’accordent pas entre eux. Rien n’a été écrit : prévenez l’administration "
    "technique.",
    UNSAFE_BEFORE: "Une diffusion précédente ne passe plus la vérification. Rien n’a été écrit : prévenez "
    "l’administration technique.",
    ERROR: "La préparation a échoué. Prévenez l’administration technique.",
}


class NotAWholeYear(Refused):
    """Only whole civil or school years leave: two other intervals subtract."""


class YearNotOver(Refused):
    """Figures of a running year change every day, and two extractions subtract."""


class ExportLost(Exception):
    """This run no longer carries the job: it was given to another worker, or ended."""


@service
def request_export(*, period: Period, by: User) -> StatisticsExport:
    """Ask for the files of a whole year that is over. A year is released once: a second request gives the same files,
    or those under way."""
    _require_finished(period)
    kept = [State.QUEUED, State.RUNNING, State.DONE]
    same = StatisticsExport.objects.of(period).filter(state__in=kept).defer("archive").order_by("-requested_at").first()
    if same is not None:
        return same
    export = StatisticsExport.objects.create(requested_by=by, starts_on=period.starts_on, ends_on=period.ends_on)
    record_change(export, Action.EXPORT)
    _queue(export.pk)
    return export


def _require_finished(period: Period) -> None:
    if not period.is_whole_year:
        raise NotAWholeYear("Choisissez une année civile ou scolaire entière.", field="annee")
    if period.ends_on >= timezone.localdate():
        raise YearNotOver("Cette année n’est pas terminée : choisissez une année passée.", field="annee")


def _queue(export_id: UUID) -> None:
    """Tell the worker once the row is there; the message holds the id and nothing else."""
    from pre_cases.tasks import make_statistics_export  # which calls make_export() of this module

    transaction.on_commit(lambda: make_statistics_export.delay(str(export_id)))


def make_export(*, export_id: UUID) -> None:
    """Make the files of a queued request; what is already taken, done or gone is left alone.

    Run by the worker. The right of the person who asked is checked again. An unexpected error is logged by its kind,
    never by its text, which could hold a value, and the request is marked as failed.
    """
    export = _claim(export_id)
    if export is None:
        return
    person = User.objects.get(pk=export.requested_by_id)
    if not person.is_active or not reaches_programme(person):
        _finish(export, state=State.FAILED, failure=NOT_ENTITLED)
        return
    try:
        with acting_as(person):
            _make(export)
    except ExportLost:
        logger.warning("statistics export %s is carried by another run", export_id)
    except Unprotected as refusal:
        logger.error("statistics export %s refused: %s", export_id, refusal)
        _finish(export, state=State.FAILED, failure=refusal.code)
    except UnsafeRelease:
        logger.error("statistics export %s: an earlier release is unsafe", export_id)
        _finish(export, state=State.FAILED, failure=UNSAFE_BEFORE)
    except Exception as error:  # noqa: BLE001 - whatever happens, the person must see that it failed
        logger.error("statistics export %s failed: %s", export_id, type(error).__name__)
        _finish(export, state=State.FAILED, failure=ERROR)


def _make(export: StatisticsExport) -> None:
    """The files and their place in the ledger, in one transaction; those of a year already released are the same."""
    period = Period(export.starts_on, export.ends_on)
    former = released(period)
    if former is not None:
        verify(former)
        _finish(export, state=State.DONE, archive=former.archive, progress=100)
        return
    report, archive = prepare(period, lambda percent, step: _beat(export, percent))
    with transaction.atomic():
        if not _finish(export, state=State.DONE, archive=archive, progress=100):
            raise ExportLost
        enter(export, report)


def release_year(*, period: Period, by: User, progress: Callable[[int, str], None]) -> StatisticsExport:
    """Release a whole year that is over at once, without the worker; or give it as it was released.

    Raises Refused (NotAWholeYear, YearNotOver, UnsafeRelease) and Unprotected; nothing is written then.
    """
    _require_finished(period)
    former = released(period)
    if former is None:
        report, archive = prepare(period, progress)
        with transaction.atomic():
            former = StatisticsExport.objects.create(
                requested_by=by,
                starts_on=period.starts_on,
                ends_on=period.ends_on,
                state=State.DONE,
                progress=100,
                archive=archive,
                finished_at=timezone.now(),
            )
            enter(former, report)
    verify(former)
    return former


def _claim(export_id: UUID) -> StatisticsExport | None:
    """Take a queued request; None when another run has it, or it is over."""
    with transaction.atomic():
        export = StatisticsExport.objects.select_for_update().defer("archive").filter(pk=export_id).first()
        if export is None or export.state != State.QUEUED:
            return None
        export.state, export.heartbeat_at = State.RUNNING, timezone.now()
        export.save(update_fields=["state", "heartbeat_at"])
    return export


def _held(export: StatisticsExport) -> Any:
    """The row, as long as this run carries it: a job given to another worker has one more attempt."""
    return StatisticsExport.objects.filter(pk=export.pk, state=State.RUNNING, attempts=export.attempts)


def _beat(export: StatisticsExport, percent: int) -> None:
    """Say how far it is, and that the worker lives; raises ExportLost when the job is no longer this run's."""
    if not _held(export).update(progress=min(percent, 99), heartbeat_at=timezone.now()):
        raise ExportLost


def _finish(export: StatisticsExport, **values: Any) -> bool:
    """False when the job is no longer this run's: nothing was written."""
    return bool(_held(export).update(finished_at=timezone.now(), heartbeat_at=timezone.now(), **values))


def sweep_exports() -> int:
    """Queue again the requests that no worker carries any more, twice at most, then give them up; how many there were.

    Covers a worker killed in the middle (the filesystem broker loses its message) and a message lost before it.
    """
    swept = 0
    for export in StatisticsExport.objects.stale().defer("archive").order_by("requested_at"):
        with transaction.atomic():
            taken = StatisticsExport.objects.filter(
                pk=export.pk,
                state=export.state,
                attempts=export.attempts,
                heartbeat_at__lt=timezone.now() - STALE_AFTER,
            )
            if export.attempts >= MAX_REQUEUES:
                swept += taken.update(state=State.FAILED, failure=LOST, finished_at=timezone.now())
            elif taken.update(state=State.QUEUED, attempts=F("attempts") + 1, progress=0, heartbeat_at=timezone.now()):
                swept += 1
                _queue(export.pk)
    return swept
