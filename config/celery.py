"""The background worker and its only timetable."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("marelle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "sweep-orphan-keys": {"task": "audit.sweep_orphan_keys", "schedule": crontab(hour=3, minute=10)},
    "sweep-stale-exports": {"task": "pre_cases.sweep_stale_exports", "schedule": 60.0},
}


@worker_init.connect
def refuse_to_work_without_a_key(**kwargs: object) -> None:
    """A worker that could open nothing says so at its start, not at its first task."""
    from audit.encryption.providers import provider

    provider().health()
