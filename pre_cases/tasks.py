"""Background work of the case files. A task loads by id and calls one service; its timetable is in config/celery.py."""

from uuid import UUID

from celery import shared_task

from audit.encryption import reencryption
from audit.encryption.keys import key_ring
from audit.history import system_account
from audit.journal import trace
from audit.journal.page import LARGEST_INTEGER
from pre_cases.services import letters
from pre_cases.services.digest import readers, send_digest
from pre_cases.services.document import sweep_files
from pre_cases.services.draft import sweep_drafts
from pre_cases.services.duplicates import send_notice
from pre_cases.services.erasure import replay_tombstones
from pre_cases.services.erasure_job import run_erasure, sweep_erasures
from pre_cases.services.release import make_export, sweep_exports
from pre_cases.services.reminders import remind_team
from pre_cases.services.retention import announce_team
from pre_cases.services.search_index import complete_index
from pre_cases.services.search_index import rotate_index as rotate
from pre_cases.services.subject_file import expire_files
from pre_cases.services.subject_file_job import make_file, sweep_subject_files
from referents.models import Team, User


@shared_task(name="pre_cases.make_statistics_export")
def make_statistics_export(export_id: str) -> None:
    with trace.tracing():
        make_export(export_id=UUID(export_id))


@shared_task(name="pre_cases.sweep_stale_exports")
def sweep_stale_exports() -> None:
    sweep_exports()


@shared_task(name="pre_cases.send_duplicate_notice", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def send_duplicate_notice(notice_id: str) -> None:
    with trace.tracing():
        send_notice(notice_id=UUID(notice_id))


@shared_task(name="pre_cases.finish_reencryptions")
def finish_reencryptions() -> None:
    """Go on with the re-encryptions that a killed process left, and destroy the former keys once nobody holds them."""
    reencryption.finish_reencryptions(by=system_account())


@shared_task(name="pre_cases.erase")
def erase(erasure_id: str) -> None:
    with trace.tracing():
        run_erasure(erasure_id=UUID(erasure_id))


@shared_task(name="pre_cases.sweep_stale_erasures")
def sweep_stale_erasures() -> None:
    sweep_erasures()


@shared_task(name="pre_cases.finish_erasures")
def finish_erasures() -> None:
    """Delete the rows of children whose key is destroyed and whom no job carries: what a restoration brought back."""
    replay_tombstones(by=system_account())


@shared_task(name="pre_cases.announce_due")
def announce_due() -> None:
    """Tell each team of the files that have come to their term."""
    for team in Team.objects.order_by("pk"):
        announce_team(team=team, by=system_account())


@shared_task(name="pre_cases.tell_retention", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def tell_retention(team_id: int) -> None:
    with trace.tracing():
        if int(team_id) <= LARGEST_INTEGER:
            letters.send_retention_announced(team_id=team_id)


@shared_task(name="pre_cases.make_subject_file")
def make_subject_file(file_id: str) -> None:
    with trace.tracing():
        make_file(file_id=UUID(file_id))


@shared_task(name="pre_cases.sweep_stale_subject_files")
def sweep_stale_subject_files() -> None:
    sweep_subject_files()


@shared_task(name="pre_cases.expire_subject_files")
@key_ring()
def expire_subject_files() -> None:
    """Destroy the files of children's data that nobody came to take within seven days."""
    expire_files(by=system_account())


@shared_task(name="pre_cases.remind_agreements")
def remind_agreements() -> None:
    """Remind each référent of the agreements that end, and of the young people who come of age."""
    for team in Team.objects.order_by("pk"):
        remind_team(team=team, by=system_account())


@shared_task(name="pre_cases.sweep_orphan_files")
def sweep_orphan_files() -> None:
    sweep_files()


@shared_task(name="pre_cases.complete_index")
def complete_search_index() -> None:
    complete_index()


@shared_task(name="pre_cases.rotate_index")
def rotate_index() -> None:
    rotate(by=system_account())


@shared_task(name="pre_cases.alert_exceptional_access", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def alert_exceptional_access(access_id: str) -> None:
    with trace.tracing():
        letters.send_exceptional_alert(access_id=UUID(access_id))


@shared_task(name="pre_cases.alert_again")
def alert_again() -> None:
    with trace.tracing():
        letters.alert_again()


@shared_task(name="pre_cases.tell_access_request", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def tell_access_request(request_id: str, *, answered: bool) -> None:
    with trace.tracing():
        letters.send_access_request(request_id=UUID(request_id), answered=answered)


@shared_task(name="pre_cases.tell_hand_over", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def tell_hand_over(hand_over_id: str, *, answered: bool) -> None:
    with trace.tracing():
        letters.send_hand_over(hand_over_id=UUID(hand_over_id), answered=answered)


@shared_task(name="pre_cases.tell_ended_grants")
def tell_ended_grants() -> None:
    with trace.tracing():
        letters.tell_ended_grants()


@shared_task(name="pre_cases.sweep_drafts")
def sweep_own_drafts() -> None:
    sweep_drafts()


@shared_task(name="pre_cases.send_digests")
def send_digests() -> None:
    """One task for each reader: a mail server that refuses one address keeps nobody else waiting."""
    for reader_id in readers():
        send_one_digest.delay(reader_id)


@shared_task(name="pre_cases.send_digest", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def send_one_digest(reader_id: int) -> None:
    with trace.tracing():
        reader = User.objects.filter(pk=reader_id).first() if int(reader_id) <= LARGEST_INTEGER else None
        if reader is not None:
            send_digest(reader=reader, by=system_account())
