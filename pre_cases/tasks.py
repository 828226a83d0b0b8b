"""Background work of the case files. A task loads by id and calls one service; its timetable is in config/celery.py."""

from uuid import UUID

from celery import shared_task

from audit.journal import trace
from pre_cases.services.release import make_export, sweep_exports


@shared_task(name="pre_cases.make_statistics_export")
def make_statistics_export(export_id: str) -> None:
    with trace.tracing():
        make_export(export_id=UUID(export_id))


@shared_task(name="pre_cases.sweep_stale_exports")
def sweep_stale_exports() -> None:
    sweep_exports()
