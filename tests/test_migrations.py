"""Rows of before the grants of access: each parcours gets a number, each share the membership it was made under."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from pre_cases.models import Parcours, ParcoursShare
from referents.models import Role, User
from tests.cast import Cast, make_child, make_parcours, make_share, make_team, make_user

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])
BEFORE = [("pre_cases", "0003_access")]  # the columns are there, empty and free: as they find the rows of before


def migrate(targets: list[tuple[str, str]]) -> None:
    MigrationExecutor(connection).migrate(targets)


def empty_the_columns() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Parcours._meta.db_table} SET number = NULL")
        cursor.execute(f"UPDATE {ParcoursShare._meta.db_table} SET membership_id = NULL, end_told_at = NULL")


@pytest.fixture
def forward():
    """Forward again, whatever happens: the other tests need the last schema."""
    leaves = [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] == "pre_cases"]
    done = []
    yield lambda: done.append(migrate(leaves))
    if not done:
        migrate(leaves)


def former_member(team: Any) -> User:
    """Held two memberships in the team, one after the other; the share was made under the first."""
    today = timezone.localdate()
    user = make_user("Léa", Role.EPRE_MEMBER, team, since=today - timedelta(days=900))
    user.memberships.all().update(ends_on=today - timedelta(days=300))
    user.memberships.model.objects.bulk_create(
        [user.memberships.model(user=user, role=Role.EPRE_MEMBER, team=team, starts_on=today - timedelta(days=100))]
    )
    return user


class TestRowsOfBefore:
    def test_get_a_distinct_number_and_their_membership(self, forward) -> None:
        cast, today = Cast(), timezone.localdate()
        for number in range(5):
            make_parcours(cast.team_a, child=make_child(f"Enfant{number}"))
        lea = former_member(cast.team_a)
        under_first = make_share(
            cast.ines_parcours, lea, starts_on=today - timedelta(days=400), ends_on=today - timedelta(days=310)
        )
        elsewhere = make_share(cast.tom_parcours, make_user("Malik", Role.EPRE_MEMBER, make_team("c", 20)))
        expected = {
            cast.share.pk: cast.david.memberships.get().pk,
            under_first.pk: lea.memberships.order_by("starts_on").first().pk,
            elsewhere.pk: elsewhere.user.memberships.get().pk,
        }
        migrate(BEFORE)
        empty_the_columns()
        forward()
        numbers = list(Parcours.objects.values_list("number", flat=True))
        assert len(numbers) == len(set(numbers)) == 7
        assert all(len(number) == 9 for number in numbers)
        assert dict(ParcoursShare.objects.values_list("pk", "membership")) == expected
        told = dict(ParcoursShare.objects.values_list("pk", "end_told_at"))
        assert [told[cast.share.pk], told[under_first.pk] is None] == [None, False], (
            "only what was over is not told now"
        )
