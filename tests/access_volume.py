"""A country for the bench: parcours by the thousand, made by the database itself, every constraint checked.

The child table has ``parcours`` rows, one per child, a tenth of them in one big team. The others share teams of
900 parcours, of which 120 are open, 60 for each of two référents; each team has a coordinator and a reader, to whom
40 are shared today. The big team keeps half of its parcours open, 60 for each of its référents: it grows with the
country, so that its list is 50 parcours long in a town of 1,000 and 50,000 in a country of 1,000,000.

What is over is there too: closed parcours with their ended assignments, changes of référent, shares that ended or
were revoked. And one row of ParcoursShare, and one of guardian's own table, say to guardian what each référent and each
coordinator may open: the same answer as the dated facts give, written row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from guardian.models import UserObjectPermission

from audit.encryption.base import EncryptedField
from partners.models import School
from pre_cases.models import (
    Agreement,
    Assignment,
    Child,
    Family,
    Objective,
    Parcours,
    ParcoursShare,
    Residence,
    Review,
    Saisine,
    Schooling,
)
from referents.models import Arrondissement, CharterSignature, Membership, Team, User

FILLED: tuple[type[models.Model], ...] = (
    User,
    Team,
    Membership,
    CharterSignature,
    School,
    Family,
    Child,
    Schooling,
    Residence,
    Saisine,
    Agreement,
    Parcours,
    Assignment,
    Objective,
    Review,
    ParcoursShare,
    UserObjectPermission,
)
TEAM_SIZE = 900  # parcours of a team, all its years together
BIG_TEAM, FIRST_TEAM = 1, 10
BIG_COORDINATOR, FIRST_OF_TEAM, FIRST_OF_BIG = 2, 1_000, 10_000_000
OPEN_EACH = 60
SEALED = "decode(repeat('5a', 60), 'hex')"  # as long as a short sealed value
TODAY = "current_date"

# Of parcours i: ``b`` its number in the big team or NULL; ``t`` and ``r`` its team and its number there.
PLACES = """
SELECT i, today, ordinary, b, t, r,
    CASE WHEN b IS NULL THEN {first_team} + t ELSE {big_team} END AS team,
    CASE WHEN b IS NULL THEN r % 15 < 2 ELSE b % 2 = 0 END AS is_open,
    CASE WHEN b IS NOT NULL THEN {first_of_big} + (b / 2) % {big_referents}
         WHEN r % 15 < 2 THEN {first_of_team} + 4 * t + r % 15
         ELSE {first_of_team} + 4 * t + r % 2 END AS referent,
    CASE WHEN b IS NULL THEN {first_of_team} + 4 * t + 2 ELSE {big_coordinator} END AS coordinator,
    {first_of_team} + 4 * t + 3 AS reader
FROM (
    SELECT i, current_date AS today, b IS NULL AS ordinary, b, m % {teams} AS t, m / {teams} AS r
    FROM (
        SELECT i, CASE WHEN i % 10 = 0 THEN i / 10 - 1 END AS b, (i / 10) * 9 + i % 10 - 1 AS m
        FROM generate_series(1, {parcours}) AS i
    ) numbered
) placed
"""


class Country:
    """The volume now in the database, and who is measured in it."""

    def __init__(self, parcours: int) -> None:
        self.parcours = parcours
        self.teams = max(1, parcours * 9 // 10 // TEAM_SIZE)
        self.big_referents = max(1, -(-parcours // 20 // OPEN_EACH))
        self.team = FIRST_TEAM + self.teams // 2
        first = FIRST_OF_TEAM + 4 * (self.teams // 2)
        self.referent, self.coordinator, self.reader = (first, first + 2, first + 3)

    def load(self) -> None:
        """Replace whatever was loaded before."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off; SET LOCAL maintenance_work_mem = '512MB'")
            cursor.execute(f"TRUNCATE {', '.join(model._meta.db_table for model in FILLED)} CASCADE")
            with rebuilt_after(cursor, [model._meta.db_table for model in FILLED]):
                self._people(cursor)
                self._files(cursor)
                self._grants(cursor)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")

    def _people(self, cursor: Any) -> None:
        Arrondissement.objects.get_or_create(number=18, defaults={"name": "18e"})
        teams = (
            f"(SELECT {BIG_TEAM} AS id UNION ALL SELECT {FIRST_TEAM} + t FROM generate_series(0, {self.teams - 1}) t)"
        )
        insert(cursor, Team, f"{teams} x", id="id", code="'t' || id", name="'T' || id", arrondissement="18")
        roles = f"""(
            SELECT {FIRST_OF_TEAM} + 4 * t + k AS id, {FIRST_TEAM} + t AS team,
                (ARRAY['referent', 'referent', 'coordinator', 'epre_member'])[k + 1] AS role
            FROM generate_series(0, {self.teams - 1}) t, generate_series(0, 3) k
            UNION ALL SELECT {BIG_COORDINATOR}, {BIG_TEAM}, 'coordinator'
            UNION ALL SELECT {FIRST_OF_BIG} + k, {BIG_TEAM}, 'referent'
                FROM generate_series(0, {self.big_referents - 1}) k
        ) x"""
        insert(cursor, User, roles, id="id", email="id || '@bench.example'", first_name="'A'", last_name="'B'")
        insert(cursor, Membership, roles, id="id", user="id", team="team", role="role", starts_on=f"{TODAY} - 400")
        insert(
            cursor,
            CharterSignature,
            roles,
            id="id",
            user="id",
            signed_on=f"{TODAY} - 30",
            expires_on=f"{TODAY} + 300",
        )
        schools = "generate_series(1, 300) i"
        insert(cursor, School, schools, id="i", uai="lpad(i::text, 7, '0') || 'X'", name="'E' || i", search_name="'e'")

    def _files(self, cursor: Any) -> None:
        places = PLACES.format(
            parcours=self.parcours,
            teams=self.teams,
            big_referents=self.big_referents,
            first_team=FIRST_TEAM,
            big_team=BIG_TEAM,
            first_of_team=FIRST_OF_TEAM,
            first_of_big=FIRST_OF_BIG,
            big_coordinator=BIG_COORDINATOR,
        )
        cursor.execute(f"CREATE TEMPORARY TABLE place ON COMMIT DROP AS {places}")
        rows = "place"
        insert(cursor, Family, rows, id=uuid(1))
        insert(cursor, Child, rows, id=uuid(2), family=uuid(1), sex="'girl'")
        insert(
            cursor,
            Schooling,
            rows,
            id=uuid(3),
            child=uuid(2),
            school="1 + i % 300",
            school_year="2025",
            level="'level:ce2'",
            starts_on="today - 100",
            ends_on="today + 200",
            confirmed_on="CASE WHEN i % 9 > 0 THEN today - 90 END",
        )
        insert(cursor, Residence, rows, id=uuid(4), child=uuid(2), starts_on="today - 900", determined_on="today - 900")
        insert(
            cursor,
            Saisine,
            rows,
            id=uuid(5),
            child=uuid(2),
            team="team",
            author="referent",
            source="'source:ecole-elementaire'",
            received_on="today - 500",
        )
        insert(
            cursor,
            Agreement,
            rows,
            id=uuid(6),
            child=uuid(2),
            saisine=uuid(5),
            presented_on="today - 490",
            signed_on="today - 480",
            agreed_until_on="today + 200",
        )
        insert(
            cursor,
            Parcours,
            rows,
            id=uuid(7),
            child=uuid(2),
            team="team",
            saisine=uuid(5),
            agreement=uuid(6),
            number="lpad(to_hex(i), 9, '0')",
            opened_on="today - 470",
            entered_on="CASE WHEN i % 11 > 0 THEN today - 460 END",
            closed_on="CASE WHEN NOT is_open THEN today - (i % 300)::int END",
            exit_reason="CASE WHEN NOT is_open THEN 'exit_reason:contact-perdu' END",
            due_on="CASE WHEN is_open THEN today - 20 + (i::bigint * 7919 % 120)::int ELSE '9999-12-31'::date END",
            last_contact_on="today - (i % 90)::int",
        )
        insert(
            cursor,
            Assignment,
            rows,
            id=uuid(8),
            parcours=uuid(7),
            referent="referent",
            starts_on="today - 300",
            ends_on="CASE WHEN NOT is_open THEN today - (i % 300)::int END",
        )
        changed = "place WHERE i % 3 = 0"
        insert(
            cursor,
            Assignment,
            changed,
            id=uuid(9),
            parcours=uuid(7),
            referent="CASE WHEN ordinary THEN referent # 1 ELSE referent END",
            starts_on="today - 470",
            ends_on="today - 300",
        )
        terms = {"domain": "'domain:educatif'", "priority": "'priority:decrochage'"}
        insert(cursor, Objective, "place WHERE i % 8 > 0", id=uuid(10), parcours=uuid(7), set_on="today - 450", **terms)
        review = {"parcours": uuid(7), "author": "referent", "on": "today - (20 + i % 200)::int"}
        insert(cursor, Review, "place WHERE i % 4 > 0", id=uuid(11), **review)

    def _grants(self, cursor: Any) -> None:
        permission = Permission.objects.get(content_type__app_label="pre_cases", codename="view_parcours").pk
        common = {"content_object": uuid(7), "permission": str(permission), "granted_by": "coordinator"}
        lasting = common | {"starts_on": "today - 30", "ends_on": "today + 60"}
        shared = "place WHERE ordinary AND r % 45 < 2"
        insert(cursor, ParcoursShare, shared, id=uuid(12), user="reader", membership="reader", **lasting)
        ended = common | {"starts_on": "today - 90", "ends_on": "today - 10"}
        insert(
            cursor,
            ParcoursShare,
            "place WHERE ordinary AND r % 15 = 8",
            id=uuid(13),
            user="reader",
            membership="reader",
            **ended,
        )
        revoked = lasting | {"revoked_at": "now()"}
        insert(
            cursor,
            ParcoursShare,
            "place WHERE ordinary AND r % 15 = 7",
            id=uuid(14),
            user="reader",
            membership="reader",
            **revoked,
        )
        parcours = ContentType.objects.get_for_model(Parcours).pk
        for kind, who in ((15, "referent"), (16, "coordinator")):
            granted = {"user": who, "permission": str(permission)}
            insert(cursor, ParcoursShare, "place WHERE is_open", id=uuid(kind), membership=who, **(lasting | granted))
            own = granted | {"content_type": str(parcours), "object_pk": f"{uuid(7)}::text"}
            insert(cursor, UserObjectPermission, "place WHERE is_open", **own)


def uuid(kind: int) -> str:
    """The id of row ``i`` of one kind; in the order of their making, as UUIDv7 are."""
    return f"('0190{kind:04x}-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid"


def insert(cursor: Any, model: type[models.Model], rows: str, **values: str) -> None:
    """One row per row of ``rows``; what a column must hold and was not said is empty, false, now or sealed bytes."""
    columns, selected = [], []
    for field in model._meta.concrete_fields:
        expression = values.pop(field.name, None) or _neutral(field, values_of=model)
        if expression is not None:
            columns.append(f'"{field.column}"')
            selected.append(expression)
    assert not values, values
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(selected)} FROM {rows}"
    )


def _neutral(field: Any, values_of: type[models.Model]) -> str | None:
    if isinstance(field, models.AutoField):
        return None  # the database numbers them
    if field.name == "data_key_id":
        return uuid(99)
    if field.null:
        return None
    if isinstance(field, EncryptedField):
        return SEALED
    kinds: tuple[tuple[type[models.Field[Any, Any]], str], ...] = (
        (models.BooleanField, "true" if field.name == "is_active" else "false"),
        (models.DateTimeField, "now()"),
        (models.CharField, "''"),
        (models.IntegerField, "0"),
    )
    for kind, expression in kinds:
        if isinstance(field, kind):
            return expression
    raise AssertionError(f"{values_of.__name__}.{field.name} has no value")


@contextmanager
def rebuilt_after(cursor: Any, tables: Iterable[str]) -> Iterator[None]:
    """Without their foreign keys and free-standing indexes meanwhile; made again, they check every row at once."""
    names = list(tables)
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
        [names],
    )
    foreign_keys = cursor.fetchall()
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s) "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        [names],
    )
    indexes = cursor.fetchall()
    for table, name, _ in foreign_keys:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in foreign_keys:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
