"""Preparing the programme's files in the background: nothing is lost, nobody without the right is served."""

from collections.abc import Callable
from datetime import date, timedelta
from unittest import mock

import pytest
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import ReleasedTable, StatisticsExport
from pre_cases.querysets.release import STALE_AFTER
from pre_cases.services import ledger, release
from pre_cases.services.release import (
    NotAWholeYear,
    YearNotOver,
    make_export,
    request_export,
    sweep_exports,
)
from pre_cases.statistics.period import Period
from pre_cases.statistics.protection import CONTRADICTORY, GIVEN_AWAY, UNPROVED, Unprotected
from pre_cases.statistics.writing.archive import read_grids
from pre_cases.tasks import make_statistics_export, sweep_stale_exports
from tests.cast import Cast, make_child
from tests.pre_cases.statistics.invented import add_parcours

YEAR = Period.civil_year(2014)
State = StatisticsExport.State

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def ask(cast: Cast, **values: object) -> StatisticsExport:
    return StatisticsExport.objects.create(
        requested_by=cast.esther, starts_on=YEAR.starts_on, ends_on=YEAR.ends_on, **values
    )


def silent_for(export: StatisticsExport, how_long: timedelta) -> None:
    StatisticsExport.objects.filter(pk=export.pk).update(heartbeat_at=timezone.now() - how_long)


class TestRequestExport:
    def test_queues_the_id_once_the_row_is_there(
        self, cast: Cast, django_capture_on_commit_callbacks: Callable
    ) -> None:
        with mock.patch.object(make_statistics_export, "delay") as delay:
            with django_capture_on_commit_callbacks(execute=True):
                export = request_export(period=YEAR, by=cast.esther)
                delay.assert_not_called()
            delay.assert_called_once_with(str(export.pk))
        assert export.state == State.QUEUED
        assert Event.objects.get(action="export").record_ids == [str(export.pk)]

    def test_gives_the_one_under_way(self, cast: Cast) -> None:
        first = request_export(period=YEAR, by=cast.esther)
        assert request_export(period=YEAR, by=cast.esther) == first
        assert request_export(period=Period.school_year(2013), by=cast.esther) != first

    def test_gives_the_one_already_released(self, cast: Cast) -> None:
        first = ask(cast)
        make_export(export_id=first.pk)
        assert request_export(period=YEAR, by=cast.esther) == first

    def test_makes_another_once_the_first_has_failed(self, cast: Cast) -> None:
        first = ask(cast, state=State.FAILED)
        assert request_export(period=YEAR, by=cast.esther) != first

    def test_refuses_free_dates(self, cast: Cast) -> None:
        with pytest.raises(NotAWholeYear):
            request_export(period=Period(date(2014, 1, 1), date(2014, 6, 30)), by=cast.esther)

    def test_refuses_a_running_year(self, cast: Cast) -> None:
        with pytest.raises(YearNotOver):
            request_export(period=Period.civil_year(timezone.localdate().year), by=cast.esther)


class TestMakeExport:
    def test_leaves_the_files_ready(self, cast: Cast) -> None:
        export = ask(cast)
        make_export(export_id=export.pk)
        export.refresh_from_db()
        assert (export.state, export.progress, export.failure) == (State.DONE, 100, "")
        assert read_grids(bytes(export.archive))[0].code == "movement"

    def test_checks_the_right_again(self, cast: Cast) -> None:
        export = ask(cast)
        membership = cast.esther.memberships.get()
        membership.ends_on = timezone.localdate()
        with acting_as(system_account()):
            membership.save()
        make_export(export_id=export.pk)
        export.refresh_from_db()
        assert (export.state, export.failure, export.archive) == (State.FAILED, "not_entitled", None)

    def test_serves_no_closed_account(self, cast: Cast) -> None:
        export = ask(cast)
        cast.esther.is_active = False
        with acting_as(system_account()):
            cast.esther.save()
        make_export(export_id=export.pk)
        export.refresh_from_db()
        assert export.failure == "not_entitled"

    @pytest.mark.parametrize("state", [State.RUNNING, State.FAILED])
    def test_takes_only_what_is_queued(self, cast: Cast, state: str) -> None:
        export = ask(cast, state=state)
        make_export(export_id=export.pk)
        export.refresh_from_db()
        assert (export.state, export.archive) == (state, None)

    def test_ignores_a_request_that_is_gone(self, cast: Cast) -> None:
        export = ask(cast)
        export_id = export.pk
        export.delete()
        make_export(export_id=export_id)

    def test_shows_its_progress_and_its_heart(self, cast: Cast) -> None:
        export = ask(cast)
        silent_for(export, timedelta(hours=1))
        seen: list[int] = []

        def report(period: Period, progress: Callable[[int, str], None]) -> None:
            progress(42, "")
            export.refresh_from_db()
            seen.append(export.progress)
            assert timezone.now() - export.heartbeat_at < timedelta(minutes=1)
            raise ValueError("Inès Morel")

        with mock.patch.object(release, "prepare", report):
            make_export(export_id=export.pk)
        assert seen == [42]

    def test_says_a_failure_by_a_code_and_never_by_its_text(self, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
        export = ask(cast)
        with mock.patch.object(release, "prepare", side_effect=ValueError("Inès Morel")):
            make_export(export_id=export.pk)
        export.refresh_from_db()
        assert (export.state, export.failure) == (State.FAILED, "error")
        assert "ValueError" in caplog.text
        assert "Morel" not in caplog.text

    @pytest.mark.parametrize("code", [GIVEN_AWAY, UNPROVED, CONTRADICTORY])
    def test_writes_nothing_when_no_pattern_is_proved(self, cast: Cast, code: str) -> None:
        export = ask(cast)
        with mock.patch.object(ledger, "protected_report", side_effect=Unprotected(code, "tie_movement")):
            make_export(export_id=export.pk)
        export.refresh_from_db()
        assert (export.state, export.failure, export.archive) == (State.FAILED, code, None)
        assert release.FAILURES[code]
        assert not ReleasedTable.objects.exists()

    def test_leaves_no_files_without_their_place_in_the_ledger(self, cast: Cast) -> None:
        export = ask(cast)
        with mock.patch.object(release, "enter", side_effect=ValueError):
            make_export(export_id=export.pk)
        export.refresh_from_db()
        assert (export.state, export.archive) == (State.FAILED, None)

    def test_gives_a_year_already_released_the_same_bytes(self, cast: Cast) -> None:
        first, second = ask(cast), ask(cast)
        make_export(export_id=first.pk)
        add_parcours(make_child(), cast.team_a, date(2014, 2, 1), date(2014, 3, 1))
        make_export(export_id=second.pk)
        first.refresh_from_db()
        second.refresh_from_db()
        assert bytes(first.archive) == bytes(second.archive)
        assert not second.released_tables.exists()
        ledger.verify(second)

    def test_stops_when_the_job_was_given_to_another(self, cast: Cast) -> None:
        export = ask(cast)

        def report(period: Period, progress: Callable[[int, str], None]) -> None:
            silent_for(export, STALE_AFTER * 2)
            assert sweep_exports() == 1
            progress(50, "")
            raise AssertionError("went on")

        with mock.patch.object(release, "prepare", report):
            make_export(export_id=export.pk)
        export.refresh_from_db()
        assert (export.state, export.attempts, export.failure) == (State.QUEUED, 1, "")


class TestSweepExports:
    def test_leaves_a_living_job_alone(self, cast: Cast) -> None:
        export = ask(cast, state=State.RUNNING)
        silent_for(export, STALE_AFTER / 2)
        assert sweep_exports() == 0

    @pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
    def test_queues_a_silent_job_again(
        self, cast: Cast, state: str, django_capture_on_commit_callbacks: Callable
    ) -> None:
        export = ask(cast, state=state, progress=60)
        silent_for(export, STALE_AFTER * 2)
        with mock.patch.object(make_statistics_export, "delay") as delay:
            with django_capture_on_commit_callbacks(execute=True):
                sweep_stale_exports()
            delay.assert_called_once_with(str(export.pk))
        export.refresh_from_db()
        assert (export.state, export.attempts, export.progress) == (State.QUEUED, 1, 0)

    def test_finishes_the_job_of_a_killed_worker(
        self, cast: Cast, django_capture_on_commit_callbacks: Callable
    ) -> None:
        export = ask(cast, state=State.RUNNING, progress=60)
        silent_for(export, STALE_AFTER * 2)
        with django_capture_on_commit_callbacks(execute=True):
            sweep_stale_exports()
        export.refresh_from_db()
        assert (export.state, export.progress) == (State.DONE, 100)

    def test_gives_up_after_two_times(self, cast: Cast) -> None:
        export = ask(cast, state=State.RUNNING)
        for _ in range(3):
            silent_for(export, STALE_AFTER * 2)
            sweep_exports()
        export.refresh_from_db()
        assert (export.state, export.failure, export.attempts) == (State.FAILED, "lost", 2)

    @pytest.mark.parametrize("state", [State.FAILED])
    def test_never_wakes_what_is_over(self, cast: Cast, state: str) -> None:
        silent_for(ask(cast, state=state), STALE_AFTER * 2)
        assert sweep_exports() == 0
