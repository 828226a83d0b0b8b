"""The day's round: an agreement that ends and a birthday, once each, for whoever follows."""

from datetime import timedelta

import pytest
import time_machine
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import Parcours, ReminderKind, Task
from pre_cases.querysets.parcours import ParcoursFlag
from pre_cases.services.dates import wrong_dates
from pre_cases.services.reminders import remind_team
from pre_cases.tasks import remind_agreements
from tests.cast import Cast, make_child, make_parcours

DAY = timedelta(days=1)


def round_of(cast: Cast) -> int:
    return remind_team(team=cast.team_a, by=system_account())


def ending_in(cast: Cast, days: int) -> None:
    agreement = cast.ines_parcours.agreement
    with acting_as(system_account()):
        agreement.agreed_until_on = timezone.localdate() + (days + 1) * DAY  # the day after the last one
        agreement.save()


def tasks(kind: ReminderKind) -> list[Task]:
    return list(Task.objects.filter(reminder=kind))


class TestAgreement:
    @pytest.mark.parametrize(("days", "made"), [(61, 0), (60, 1), (0, 1), (-1, 0)])
    def test_is_reminded_of_within_sixty_days(self, cast: Cast, days: int, made: int) -> None:
        ending_in(cast, days)
        assert round_of(cast) == made
        assert Parcours.objects.flagged(ParcoursFlag.AGREEMENT_ENDING).count() == (1 if days <= 60 else 0)

    def test_is_one_task_of_the_referent_however_often_the_round_runs(self, cast: Cast) -> None:
        ending_in(cast, 30)
        remind_agreements()
        remind_agreements()
        (task,) = tasks(ReminderKind.AGREEMENT)
        assert (task.assignee, task.due_on) == (cast.benoit, timezone.localdate() + 30 * DAY)
        assert "accord" in task.label
        assert list(wrong_dates(Parcours.objects.all())) == []

    def test_renewed_is_reminded_of_again_the_next_year(self, cast: Cast) -> None:
        ending_in(cast, 30)
        round_of(cast)
        ending_in(cast, 50)
        round_of(cast)
        former, latest = sorted(tasks(ReminderKind.AGREEMENT), key=lambda task: task.due_on)
        assert former.done_at is not None
        assert latest.done_at is None

    def test_without_a_referent_is_for_the_coordination(self, cast: Cast) -> None:
        make_parcours(cast.team_a, child=make_child("Zoé"), opened_on=timezone.localdate() - timedelta(days=340))
        round_of(cast)
        assert [task.assignee for task in tasks(ReminderKind.AGREEMENT)] == [cast.amina]


class TestMajority:
    def test_is_reminded_of_sixty_days_before_and_makes_the_tile(self, cast: Cast) -> None:
        today = timezone.localdate()
        born_on = today + 40 * DAY - relativedelta(years=18)
        parcours = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Léo", birth_date=born_on))
        assert round_of(cast) == 1
        (task,) = tasks(ReminderKind.MAJORITY)
        assert (task.parcours, task.due_on) == (parcours, born_on + relativedelta(years=18))
        assert list(Parcours.objects.flagged(ParcoursFlag.COMING_OF_AGE)) == [parcours]

    def test_waits_until_then(self, cast: Cast) -> None:
        born_on = timezone.localdate() + 61 * DAY - relativedelta(years=18)
        make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Léo", birth_date=born_on))
        assert round_of(cast) == 0
        with time_machine.travel(timezone.now() + DAY, tick=False):
            assert round_of(cast) == 1
