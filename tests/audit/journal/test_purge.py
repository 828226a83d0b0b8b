from datetime import UTC, datetime

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from audit.history import MissingActor, system_account
from audit.journal import purge
from audit.journal.models import Event
from audit.journal.triggers import missing_triggers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]

# The last instants of July and August 2025 in Paris, which are still 31 July and 31 August in UTC.
JULY, AUGUST = datetime(2025, 7, 31, 21, 59, tzinfo=UTC), datetime(2025, 8, 31, 21, 59, tzinfo=UTC)
FIRST_OF_AUGUST = datetime(2025, 7, 31, 22, 0, tzinfo=UTC)


@pytest.fixture
def today():
    with time_machine.travel(datetime(2026, 8, 1, 12, tzinfo=UTC), tick=False):
        yield


def events(*instants: datetime) -> None:
    for instant in instants:
        Event.objects.create(action="read", at=instant)


class TestPurgeMonth:
    def test_deletes_that_month_of_paris_only(self):
        events(JULY, FIRST_OF_AUGUST, AUGUST)
        assert purge.purge_month(year=2025, month=7, by=system_account()) == 1
        assert set(Event.objects.filter(action="read").values_list("at", flat=True)) == {FIRST_OF_AUGUST, AUGUST}

    def test_leaves_an_event_with_the_number(self):
        account = system_account()
        events(JULY, JULY)
        purge.purge_month(year=2025, month=7, by=account)
        event = Event.objects.get(action="purge")
        assert event.detail == {"year": 2025, "month": 7, "count": 2}
        assert event.actor_id == account.pk

    def test_closes_the_journal_again(self):
        events(JULY, AUGUST)
        purge.purge_month(year=2025, month=7, by=system_account())
        assert missing_triggers(connection) == []
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Event.objects.all().delete()

    def test_refuses_a_month_still_kept(self):
        events(AUGUST)
        with pytest.raises(purge.MonthStillKept, match="12 mois"):
            purge.purge_month(year=2025, month=8, by=system_account())
        assert Event.objects.filter(action="read").exists()

    def test_refuses_a_month_before_the_earlier_ones(self):
        events(datetime(2025, 6, 30, tzinfo=UTC), JULY)
        with pytest.raises(purge.EarlierMonthRemains):
            purge.purge_month(year=2025, month=7, by=system_account())

    def test_needs_a_person(self):
        with pytest.raises(MissingActor):
            purge.purge_month(year=2025, month=7, by=None)

    @pytest.mark.django_db(transaction=True)
    def test_deletes_nothing_when_its_event_cannot_be_written(self, monkeypatch: pytest.MonkeyPatch):
        def fail(*args, **kwargs):
            raise DatabaseError

        account = system_account()
        events(JULY)
        monkeypatch.setattr(purge, "record_event", fail)
        with pytest.raises(DatabaseError):
            purge.purge_month(year=2025, month=7, by=account)
        assert Event.objects.filter(action="read").count() == 1
        assert missing_triggers(connection) == []


class TestRetentionMonths:
    @pytest.mark.parametrize(("asked", "months"), [(12, 12), (1, 12), (24, 24), (60, 36)])
    def test_stays_between_one_and_three_years(self, settings, asked: int, months: int):
        settings.JOURNAL_RETENTION_MONTHS = asked
        assert purge.retention_months() == months
