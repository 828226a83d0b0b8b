import io
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit.history import MissingActor, system_account
from audit.journal import purge, sealing
from audit.journal.models import Event
from audit.journal.seals import PurgedMonth, Seal
from audit.journal.triggers import missing_triggers
from audit.journal.verify import verify_journal
from tests.audit.journal import tampering

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]

# The last instants of July and August 2025 in Paris, which are still 31 July and 31 August in UTC.
JULY, AUGUST = datetime(2025, 7, 31, 21, 59, tzinfo=UTC), datetime(2025, 8, 31, 21, 59, tzinfo=UTC)
FIRST_OF_AUGUST = datetime(2025, 7, 31, 22, 0, tzinfo=UTC)


@pytest.fixture
def today(settings, tmp_path):
    settings.JOURNAL_CHECKPOINTS = str(tmp_path / "checkpoints")
    with time_machine.travel(datetime(2026, 8, 1, 12, tzinfo=UTC), tick=False), tampering.everything_is_committed():
        yield


def events(*instants: datetime) -> None:
    """Written, and sealed."""
    for instant in instants:
        Event.objects.create(action="read", at=instant)
    sealing.seal_committed()


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

    def test_refuses_a_month_that_is_not_sealed(self):
        Event.objects.create(action="read", at=JULY)
        with pytest.raises(purge.MonthNotSealed):
            purge.purge_month(year=2025, month=7, by=system_account())
        assert Event.objects.filter(action="read").exists()

    def test_leaves_a_journal_that_is_still_verified(self):
        """The roots stay, the table that named the events goes, and what follows is chained to them."""
        events(JULY, JULY, AUGUST)
        purge.purge_month(year=2025, month=7, by=system_account())
        left = Seal.objects.get(month=date(2025, 7, 1))
        assert (left.count, bytes(left.index)) == (2, b"")
        sealing.seal_committed()
        report = verify_journal()
        assert (report.fault, report.events, report.unsealed) == ("", 2, 0)
        assert report.months == [date(2025, 7, 1)]

    def test_may_take_everything_that_was_sealed(self):
        events(JULY, AUGUST)
        for month in (7, 8):
            with time_machine.travel(datetime(2026, 9, 2, tzinfo=UTC), tick=False):
                purge.purge_month(year=2025, month=month, by=system_account())
        assert sealing.seal_committed() == 1  # the two events that say so
        assert verify_journal().is_sound

    def test_is_believed_of_nobody_else(self):
        """An attacker deletes the events of a month, and says that it was time."""
        events(JULY, AUGUST)
        with tampering.attacked():
            tampering.run(f"DELETE FROM {tampering.EVENT} WHERE at < %s", FIRST_OF_AUGUST)
            assert verify_journal().fault == "deleted"
            PurgedMonth.objects.create(
                month=date(2025, 7, 1), count=1, key_id=Seal.objects.last().key_id, signature=b"s" * 64
            )
            assert verify_journal().fault == "forged_seal"

    def test_is_not_forgotten_unseen(self):
        events(JULY, AUGUST)
        purge.purge_month(year=2025, month=7, by=system_account())
        with tampering.attacked():
            PurgedMonth.objects.all().delete()
            assert verify_journal().fault == "broken_chain"

    def test_is_not_believed_before_its_time(self):
        """Even signed: a month that leaves too soon hides something."""
        events(JULY, AUGUST)
        with tampering.attacked():
            tampering.run(f"DELETE FROM {tampering.EVENT} WHERE at >= %s", FIRST_OF_AUGUST)
            early = PurgedMonth(month=date(2025, 8, 1), count=1)
            early.sign()
            early.save(force_insert=True)
            assert verify_journal().fault == "forged_seal"

    def test_does_not_let_its_events_come_back(self):
        events(JULY, AUGUST)
        former = Event.objects.filter(at=JULY).values().get()
        purge.purge_month(year=2025, month=7, by=system_account())
        with tampering.attacked():
            if connection.vendor == "sqlite":
                tampering.run(f"UPDATE {tampering.EVENT} SET rowid = rowid + 1000")
            Event.objects.create(**former | {"transaction_id": 0})
            if connection.vendor == "sqlite":
                tampering.run(f"UPDATE {tampering.EVENT} SET rowid = 1 WHERE id = %s", former["id"].hex)
            assert verify_journal().fault == "inserted"

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


class TestDueMonths:
    def test_are_those_whose_retention_is_over_the_oldest_first(self):
        events(FIRST_OF_AUGUST, JULY, datetime(2025, 2, 3, tzinfo=UTC))
        assert purge.due_months() == [date(2025, 2, 1), date(2025, 7, 1)]


class TestPurgeJournal:
    def run(self, *options: str) -> str:
        said = io.StringIO()
        call_command("purge_journal", *options, stdout=said)
        return said.getvalue()

    def test_says_what_would_leave(self):
        events(JULY, AUGUST)
        assert "07/2025" in self.run()
        assert Event.objects.count() == 2

    def test_lets_every_due_month_leave(self):
        events(datetime(2025, 2, 3, tzinfo=UTC), JULY, AUGUST)
        assert "1 événement" in self.run("--confirm")
        assert set(Event.objects.filter(action="read").values_list("at", flat=True)) == {AUGUST}
        sealing.seal_committed()
        assert verify_journal().months == [date(2025, 2, 1), date(2025, 7, 1)]
        assert "Aucun mois" in self.run("--confirm")

    def test_lets_nothing_leave_a_journal_that_was_touched(self):
        """What leaves can no longer be verified."""
        events(JULY, AUGUST)
        with tampering.attacked():
            tampering.run(f"UPDATE {tampering.EVENT} SET actor_id = 7 WHERE at < %s", FIRST_OF_AUGUST)
            with pytest.raises(CommandError, match="Événement modifié"):
                self.run("--confirm")
            assert Event.objects.count() == 2

    def test_says_why_a_month_stays(self):
        Event.objects.create(action="read", at=JULY)
        with pytest.raises(CommandError, match="pas scellé"):
            self.run("--confirm")


class TestRetentionMonths:
    @pytest.mark.parametrize(("asked", "months"), [(12, 12), (1, 12), (24, 24), (60, 36)])
    def test_stays_between_one_and_three_years(self, settings, asked: int, months: int):
        settings.JOURNAL_RETENTION_MONTHS = asked
        assert purge.retention_months() == months
