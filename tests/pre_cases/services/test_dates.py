"""The two stored dates are what the facts give, whatever was done."""

from datetime import date, timedelta
from io import StringIO

import pytest
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from pre_cases.models import NOTHING_DUE, Parcours
from pre_cases.services.dates import derived_dates, due_date, last_contact
from pre_cases.services.parcours import decide_entry
from pre_cases.services.review import record_review
from pre_cases.services.timeline import add_entry, add_task, complete_task
from tests.cast import Cast, make_child, make_parcours

OPENED = date(2026, 1, 10)


def due(**facts: date | None) -> date:
    nothing = dict.fromkeys(("entered_on", "closed_on", "last_review_on", "next_task_on", "agreed_until_on"))
    return due_date(opened_on=OPENED, **(nothing | facts))


class TestDueDate:
    def test_is_the_entry_to_decide_during_the_evaluation(self) -> None:
        assert due() == OPENED + timedelta(days=settings.EVALUATION_DAYS)

    def test_is_the_next_review_after_the_entry_then_after_the_last_review(self) -> None:
        months = relativedelta(months=settings.REVIEW_EVERY_MONTHS)
        assert due(entered_on=OPENED) == OPENED + months
        assert due(entered_on=OPENED, last_review_on=date(2026, 3, 1)) == date(2026, 3, 1) + months

    def test_is_the_earliest_of_what_is_expected(self) -> None:
        assert due(entered_on=OPENED, next_task_on=date(2026, 1, 12)) == date(2026, 1, 12)
        assert due(entered_on=OPENED, agreed_until_on=date(2026, 2, 1)) == date(2026, 2, 1)

    def test_is_nothing_once_closed(self) -> None:
        assert due(entered_on=OPENED, next_task_on=OPENED, closed_on=date(2026, 2, 1)) == NOTHING_DUE


class TestLastContact:
    def test_is_the_latest_day_or_none(self) -> None:
        assert last_contact(None, OPENED, None) == OPENED
        assert last_contact(None, None) is None


class TestRefreshDates:
    def test_follows_every_service(self, cast: Cast) -> None:
        today = timezone.localdate()
        parcours = make_parcours(
            cast.team_a, referent=cast.benoit, child=make_child("Zoé"), entered_on=None, opened_on=today
        )

        def check() -> Parcours:
            stored = Parcours.objects.select_related("agreement").get(pk=parcours.pk)
            assert (stored.due_on, stored.last_contact_on) == derived_dates(stored)
            return stored

        task = add_task(parcours=parcours, assignee=cast.benoit, label="Appeler", due_on=today, by=cast.benoit)
        assert check().due_on == today
        complete_task(task=task, by=cast.benoit)
        assert check().due_on == today + timedelta(days=settings.EVALUATION_DAYS)
        add_entry(parcours=parcours, kind="attempt", on=today, with_whom="family", by=cast.benoit)
        assert check().last_contact_on is None
        add_entry(parcours=parcours, kind="phone", on=today, with_whom="family", text="Appel", by=cast.benoit)
        assert check().last_contact_on == today
        decide_entry(parcours=parcours, on=today, by=cast.amina)
        record_review(
            parcours=parcours, on=today, family_present=True, child_present=False, text="Bien", by=cast.benoit
        )
        check()


class TestCheckDates:
    def test_says_and_corrects_what_is_wrong(self, cast: Cast) -> None:
        call_command("check_dates", stdout=StringIO())
        Parcours.objects.filter(pk=cast.ines_parcours.pk).update(due_on=date(2020, 1, 1))
        told = StringIO()
        with pytest.raises(SystemExit):
            call_command("check_dates", stdout=told)
        assert str(cast.ines_parcours.pk) in told.getvalue()
        call_command("check_dates", "--fix", stdout=StringIO())
        call_command("check_dates", stdout=StringIO())
