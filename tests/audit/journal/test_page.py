import base64
import json
from datetime import UTC, datetime

import pytest
from django.db.models import Exists, F, OuterRef, Q
from uuid_utils.compat import uuid7

from audit.journal.models import Event
from audit.journal.page import capped_counts, read_page
from referents.models import Arrondissement, Team

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def events() -> list[Event]:
    """Five events, the newest first; three of the same instant."""
    made = [Event.objects.create(action="read", at=NOON.replace(hour=hour)) for hour in (9, 10, 10, 10, 11)]
    return made[::-1]


def cursor_of(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


class TestReadPage:
    def test_follows_an_order_that_goes_down(self, events: list[Event]):
        seen, cursor = [], ""
        while True:
            page = read_page(Event.objects.all(), order=("-at", "-id"), cursor=cursor, size=2)
            seen += page.records
            if not page.has_next:
                break
            cursor = page.next_cursor
        assert seen == events

    def test_has_no_next_when_the_last_row_fills_it(self, events: list[Event]):
        assert not read_page(Event.objects.all(), order=("-at", "-id"), cursor="", size=5).has_next

    def test_follows_three_columns(self):
        for number, name in [(3, "a"), (1, "b"), (2, "b"), (4, "b")]:
            Arrondissement.objects.create(number=number, name=name)
        page = read_page(Arrondissement.objects.all(), order=("name", "-number"), cursor="", size=2)
        rest = read_page(Arrondissement.objects.all(), order=("name", "-number"), cursor=page.next_cursor, size=2)
        assert [record.number for record in [*page, *rest]] == [3, 4, 2, 1]

    def test_follows_an_annotation(self):
        for number in (5, 6, 7):
            Arrondissement.objects.create(number=number, name="x")
        rows = Arrondissement.objects.annotate(weight=F("number") * 2)
        page = read_page(rows, order=("-weight", "number"), cursor="", size=2)
        rest = read_page(rows, order=("-weight", "number"), cursor=page.next_cursor, size=2)
        assert [record.number for record in [*page, *rest]] == [7, 6, 5]

    def test_is_not_disturbed_by_a_row_that_arrives(self, events: list[Event]):
        page = read_page(Event.objects.all(), order=("-at", "-id"), cursor="", size=2)
        Event.objects.create(action="read", at=NOON)
        following = read_page(Event.objects.all(), order=("-at", "-id"), cursor=page.next_cursor, size=3)
        assert following.records == events[2:]

    @pytest.mark.parametrize(
        "cursor",
        [
            "x",
            "é",
            "====",
            "A" * 10_000,
            "W" * 499,
            cursor_of(),
            cursor_of("2026-03-01T12:00:00+00:00"),
            cursor_of("2026-03-01T12:00:00", str(uuid7())),
            cursor_of("2026-03-01", str(uuid7())),
            cursor_of("0001-01-01T00:00:00+23:00", str(uuid7())),
            cursor_of("9999-12-31T23:59:59-23:00", str(uuid7())),
            cursor_of("2026-03-01T12:00:00+00:00", "1"),
            cursor_of("2026-03-01T12:00:00+00:00", 1),
            cursor_of(None, None),
            cursor_of("\0", "\0"),
            cursor_of("2026-03-01T12:00:00+00:00", str(uuid7()), "more"),
            base64.urlsafe_b64encode(b'{"at": 1}').decode(),
            base64.urlsafe_b64encode(b"[" * 300).decode(),
        ],
    )
    def test_gives_the_first_page_for_a_cursor_it_cannot_read(self, events: list[Event], cursor: str):
        page = read_page(Event.objects.all(), order=("-at", "-id"), cursor=cursor, size=2)
        assert page.records == events[:2]
        assert page.is_first

    def test_leaves_aside_a_number_that_no_column_holds(self, events: list[Event]):
        page = read_page(
            Event.objects.all(), order=("transaction_id", "id"), cursor=cursor_of("9" * 30, str(uuid7())), size=2
        )
        assert page.is_first


class TestCappedCounts:
    @pytest.fixture(autouse=True)
    def arrondissements(self):
        for number in range(1, 11):
            record = Arrondissement.objects.create(number=number, name="pair" if number % 2 == 0 else "impair")
            if number > 7:
                Team.objects.create(code=str(number), name="x", arrondissement=record)

    def counts(self, **options: int) -> dict[str, int]:
        teams = Team.objects.filter(arrondissement=OuterRef("pk"))
        conditions = {
            "all": Q(),
            "even": Q(name="pair"),
            "late": Q(number__gt=8) | Q(number=1),
            "with_team": Exists(teams),
            "without_team": ~Exists(teams),
            "none": Q(name="x"),
        }
        return capped_counts(Arrondissement.objects.order_by("name"), conditions, **options)

    def test_counts_each_condition_in_one_query(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            counted = self.counts()
        assert counted == {"all": 10, "even": 5, "late": 3, "with_team": 3, "without_team": 7, "none": 0}

    def test_stops_at_the_cap(self):
        assert self.counts(cap=4)["all"] == 4
        assert self.counts(cap=4)["with_team"] + self.counts(cap=4)["without_team"] == 4

    def test_counts_over_an_annotated_and_filtered_scope(self):
        rows = (
            Arrondissement.objects.annotate(double=F("number") * 2, first=F("teams__code"))
            .select_related()
            .filter(number__gt=4)
        )
        assert capped_counts(rows, {"all": Q(), "big": Q(double__gt=16)}) == {"all": 6, "big": 2}

    def test_is_zero_over_nothing(self):
        assert capped_counts(Arrondissement.objects.none(), {"all": Q(), "even": Q(name="pair")}) == {
            "all": 0,
            "even": 0,
        }
        assert capped_counts(Arrondissement.objects.filter(name="x"), {"all": Q()}) == {"all": 0}

    def test_refuses_rows_that_it_would_miscount(self):
        for rows in (Arrondissement.objects.distinct(), Arrondissement.objects.union(Arrondissement.objects.all())):
            with pytest.raises(ValueError, match="plain queryset"):
                capped_counts(rows, {"all": Q()})
