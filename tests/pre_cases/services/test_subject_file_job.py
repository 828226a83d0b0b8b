"""The worker's part: taken once, resumed after a kill, given up in words; nothing for who is no longer entitled."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from audit.history import system_account
from audit.pdf import PdfFailed
from pre_cases.models import FileState, SubjectFile
from pre_cases.querysets.family_request import STALE_AFTER
from pre_cases.services import subject_file_job as job
from pre_cases.services.erasure import erase_child
from pre_cases.services.subject_file import approve_file, prepare_file
from pre_cases.services.subject_file_job import make_file, sweep_subject_files
from pre_cases.tasks import make_subject_file
from tests.cast import Cast, make_child, make_parcours
from tests.erasures import Killed
from tests.family_requests import again, ask, submitted
from tests.pre_cases.facts import close, leave, suspend

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

Work = SubjectFile.Work


def queued(cast: Cast) -> SubjectFile:
    return prepare_file(request=ask(cast.ines, cast.amina), by=cast.amina)


def silent(file: SubjectFile) -> None:
    SubjectFile.objects.filter(pk=file.pk).update(heartbeat_at=timezone.now() - STALE_AFTER - timedelta(seconds=1))


class TestMakeFile:
    def test_takes_what_is_queued_and_nothing_else(self, cast: Cast) -> None:
        file = queued(cast)
        make_file(file_id=file.pk)
        first = again(file).collected_at
        make_file(file_id=file.pk)
        assert again(file).collected_at == first

    @pytest.mark.parametrize("change", [leave, suspend])
    def test_serves_nobody_who_has_left(self, cast: Cast, change: Any) -> None:
        file = queued(cast)
        change(cast.amina)
        make_file(file_id=file.pk)
        assert (again(file).state, again(file).content) == (FileState.FAILED, None)

    def test_prints_for_who_still_approves(self, cast: Cast) -> None:
        file = approve_file(file=submitted(ask(cast.ines, cast.amina), cast.amina), by=cast.gaelle)
        leave(cast.gaelle)
        make_file(file_id=file.pk)
        assert (again(file).state, again(file).archive) == (FileState.FAILED, None)

    def test_says_that_it_failed_and_logs_no_value(self, cast: Cast, caplog: Any) -> None:
        file = approve_file(file=submitted(ask(cast.ines, cast.amina), cast.amina), by=cast.gaelle)
        with mock.patch.object(job, "archive_of", side_effect=PdfFailed("Inès")):
            make_file(file_id=file.pk)
        assert again(file).state == FileState.FAILED
        assert "PdfFailed" in caplog.text
        assert "Inès" not in caplog.text

    def test_ignores_a_child_erased_before_it_began(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        close(make_parcours(cast.team_a, child=zoe), by=cast.amina)
        file = prepare_file(request=ask(zoe, cast.amina), by=cast.amina)
        erase_child(child=zoe, by=system_account())
        make_file(file_id=file.pk)
        assert not SubjectFile.objects.exists()

    def test_writes_nothing_about_a_child_erased_while_it_worked(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        close(make_parcours(cast.team_a, child=zoe), by=cast.amina)
        file = prepare_file(request=ask(zoe, cast.amina), by=cast.amina)

        def erased_meanwhile(request: object) -> dict[str, object]:
            erase_child(child=zoe, by=system_account())
            return {"child": "", "sections": [], "readers": [], "flagged": []}

        with mock.patch.object(job, "collect", erased_meanwhile):
            make_file(file_id=file.pk)
        assert not SubjectFile.objects.exists()
        assert not SubjectFile.history.exists()


class TestSweepSubjectFiles:
    @pytest.mark.parametrize("step", ["collect", "archive_of"])
    def test_resumes_after_a_kill(self, cast: Cast, step: str) -> None:
        if step == "collect":
            file, after = queued(cast), FileState.READING
        else:
            file = approve_file(file=submitted(ask(cast.ines, cast.amina), cast.amina), by=cast.gaelle)
            after = FileState.READY
        with mock.patch.object(job, step, side_effect=Killed), pytest.raises(Killed):
            make_file(file_id=file.pk)
        assert again(file).work == Work.RUNNING
        assert sweep_subject_files() == 0, "it may still be at work"
        silent(file)
        with mock.patch.object(make_subject_file, "delay"):
            assert sweep_subject_files() == 1
        make_file(file_id=file.pk)
        assert again(file).state == after

    def test_gives_up_after_two_attempts_more(self, cast: Cast) -> None:
        file = queued(cast)
        for _ in range(3):
            silent(file)
            sweep_subject_files()
        assert again(file).state == FileState.FAILED
        assert sweep_subject_files() == 0

    def test_lets_a_run_given_to_another_write_nothing(self, cast: Cast) -> None:
        file = queued(cast)

        def swept_meanwhile(request: object) -> dict[str, object]:
            silent(file)
            sweep_subject_files()
            return {"child": "", "sections": [], "readers": [], "flagged": []}

        with mock.patch.object(job, "collect", swept_meanwhile):
            make_file(file_id=file.pk)
        assert (again(file).work, again(file).content) == (Work.QUEUED, None)
