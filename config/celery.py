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
    # one that waited for a busy worker is worth nothing: the next one seals the same events
    "seal-journal": {"task": "audit.seal_journal", "schedule": 5.0, "options": {"expires": 5}},
    "verify-journal": {"task": "audit.verify_journal", "schedule": crontab(hour=4, minute=20)},
    "sweep-orphan-keys": {"task": "audit.sweep_orphan_keys", "schedule": crontab(hour=3, minute=10)},
    "scrub-keystore": {"task": "audit.scrub_keystore", "schedule": crontab(hour=3, minute=50)},
    "resume-rotation": {"task": "audit.resume_rotation", "schedule": crontab(minute="*/5")},
    "finish-reencryptions": {"task": "pre_cases.finish_reencryptions", "schedule": crontab(minute="*/5")},
    "finish-erasures": {"task": "pre_cases.finish_erasures", "schedule": crontab(minute=20)},
    "sweep-stale-erasures": {"task": "pre_cases.sweep_stale_erasures", "schedule": crontab(minute="*/2")},
    "announce-due": {"task": "pre_cases.announce_due", "schedule": crontab(hour=6, minute=10)},
    "remind-agreements": {"task": "pre_cases.remind_agreements", "schedule": crontab(hour=6, minute=20)},
    "sweep-orphan-files": {"task": "pre_cases.sweep_orphan_files", "schedule": crontab(hour=3, minute=30)},
    "complete-index": {"task": "pre_cases.complete_index", "schedule": crontab(hour=3, minute=40)},
    "rotate-index": {"task": "pre_cases.rotate_index", "schedule": crontab(month_of_year=8, day_of_month=1, hour=4)},
    "alert-again": {"task": "pre_cases.alert_again", "schedule": crontab(minute="*/5")},
    "tell-ended-grants": {"task": "pre_cases.tell_ended_grants", "schedule": crontab(hour=6, minute=30)},
    "recall-charters": {"task": "referents.recall_charters", "schedule": crontab(hour=7, minute=30)},
    "expire-subject-files": {"task": "pre_cases.expire_subject_files", "schedule": crontab(minute=40)},
    "sweep-stale-subject-files": {"task": "pre_cases.sweep_stale_subject_files", "schedule": 60.0},
    "sweep-drafts": {"task": "pre_cases.sweep_drafts", "schedule": crontab(hour=3, minute=20)},
    "send-digests": {"task": "pre_cases.send_digests", "schedule": crontab(day_of_week=1, hour=7, minute=0)},
    "sweep-stale-exports": {"task": "pre_cases.sweep_stale_exports", "schedule": 60.0},
}


@worker_init.connect
def refuse_to_work_without_a_key(**kwargs: object) -> None:
    """A worker that could open or seal nothing says so at its start, not at its first task."""
    from audit import signing
    from audit.encryption.witness import require_keys_at_start

    require_keys_at_start()
    signing.key_id()  # raises SigningKeyUnavailable
