"""What the journal points out: days, never a measure of somebody's work."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.history import acting_as
from audit.journal.models import Event
from referents.alerts import Alert, pointed_out
from referents.models import Membership, Role
from tests.cast import Cast

TUESDAY = datetime(2026, 11, 24, 15, tzinfo=timezone.get_default_timezone())


def read(cast: Cast, **values: Any) -> Event:
    """Chloé, of team B, opens a file on a Tuesday afternoon."""
    values = {
        "action": "read",
        "actor_id": cast.chloe.pk,
        "team_id": cast.team_b.pk,
        "subject_id": uuid4(),
        "subject_team_id": cast.team_b.pk,
        "at": TUESDAY,
    } | values
    return Event.objects.create(**values)


def days(alert: Alert) -> list[tuple[int, int]]:
    return [(line.actor_id, line.files) for line in pointed_out(Event.objects.all(), alert)]


class TestPointedOut:
    def test_says_nothing_of_an_ordinary_day(self, cast: Cast) -> None:
        read(cast)
        assert [days(alert) for alert in Alert] == [[], [], []]

    def test_points_out_who_reads_a_file_of_another_team(self, cast: Cast) -> None:
        read(cast, subject_team_id=cast.team_a.pk)
        assert days(Alert.OUTSIDE) == [(cast.chloe.pk, 1)]
        assert pointed_out(Event.objects.all(), Alert.OUTSIDE)[0].team == cast.team_b.name

    def test_knows_that_a_person_may_have_several_teams(self, cast: Cast) -> None:
        with acting_as(cast.hugo):
            Membership.objects.create(
                user=cast.chloe, role=Role.COORDINATOR, team=cast.team_a, starts_on=TUESDAY.date()
            )
        read(cast, subject_team_id=cast.team_a.pk)
        assert days(Alert.OUTSIDE) == []
        read(cast, subject_team_id=cast.team_a.pk, at=TUESDAY - timedelta(days=1))
        assert days(Alert.OUTSIDE) == [(cast.chloe.pk, 1)]

    @pytest.mark.parametrize(("files", "found"), [(4, []), (5, [5])])
    def test_points_out_many_files_in_one_day(self, cast: Cast, settings, files: int, found: list[int]) -> None:
        settings.UNUSUAL_FILES_A_DAY = 5
        for _ in range(files):
            event = read(cast)
            read(cast, subject_id=event.subject_id)  # the same file twice is one file
        read(cast, at=TUESDAY - timedelta(days=1))
        assert [line.files for line in pointed_out(Event.objects.all(), Alert.VOLUME)] == found

    @pytest.mark.parametrize(
        ("hour", "is_odd"), [("05:59", True), ("06:00", False), ("21:59", False), ("22:00", True), ("00:30", True)]
    )
    def test_points_out_the_hours_of_paris_outside_the_usual_ones(self, cast: Cast, hour: str, is_odd: bool) -> None:
        hours, minutes = map(int, hour.split(":"))
        read(cast, at=TUESDAY.replace(hour=hours, minute=minutes))
        assert bool(days(Alert.HOURS)) is is_odd

    def test_points_out_a_sunday(self, cast: Cast) -> None:
        read(cast, at=TUESDAY + timedelta(days=5))
        assert days(Alert.HOURS) == [(cast.chloe.pk, 1)]

    def test_leaves_lists_and_changes_alone(self, cast: Cast) -> None:
        for action in ("list", "search", "change"):
            read(cast, action=action, subject_team_id=cast.team_a.pk, at=TUESDAY.replace(hour=3))
        assert days(Alert.OUTSIDE) == days(Alert.HOURS) == []
