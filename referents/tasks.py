"""Background work about people. A task loads by id and calls one service; its timetable is in config/celery.py."""

from celery import shared_task

from audit.journal import trace
from referents.services.letters import send_stand_in


@shared_task(name="referents.tell_stand_in", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def tell_stand_in(stand_in_id: int) -> None:
    with trace.tracing():
        send_stand_in(stand_in_id=stand_in_id)
