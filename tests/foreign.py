"""What is foreign to the cast, for the proof by substitution: every id of it, and what a page may not do with one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.test import Client
from django.urls import reverse

from partners.models import School
from referents import standing
from referents.models import Role, User
from referents.services.invitations import send_invitation
from referents.standing import standing_of
from tests.cast import Cast, make_stand_in, make_user
from tests.situations import FAMILY_NAME, FIRST_NAME, Situation, elsewhere, ids_of
from tests.test_access_matrix import PEOPLE, WITHOUT_ARGUMENT, argument
from tests.watch import Watch

AT_LEAST = {"paths": 3_700, "queries": 400, "fields": 7_000, "sent": 240, "tasks": 600}
SAMPLE = 12 if connection.vendor == "postgresql" else 1  # on PostgreSQL, one substitution in so many
CANARIES = (FIRST_NAME.encode(), FAMILY_NAME.encode())
ACTIVE = [person for person in PEOPLE if person not in ("yann", "anonyme")]
GARBAGE = ("0x10", "1e3", "NaN", "-1", "0", "9" * 19, "9" * 40, "nulle-part", "None", "..", "%00", "{}", "1 OR 1=1")
OUR_APPS = ("audit", "referents", "partners", "pre_cases")
ROOT = Path(settings.BASE_DIR)


@dataclass
class World:
    """The cast, the foreign situation, and every id that is not the cast's."""

    cast: Cast
    foreign: Situation
    client_of: Callable[[User], Client]
    clients: dict[str, Client] = field(default_factory=dict)  # signed in before anything is watched
    asked: dict[str, Any] = field(default_factory=dict)  # what each address is asked about, of the cast's own

    def __post_init__(self) -> None:
        self.ids = ids_of(self.foreign)  # by model
        self.strangers = (self.foreign.amina, self.foreign.benoit, self.foreign.david)
        self.invitation = send_invitation(
            user=make_user("Sacha", Role.REFERENT, self.foreign.team_a), by=self.cast.hugo
        )
        people = {person: getattr(self.cast, person) for person in ACTIVE}
        people["bea"] = make_user("Béa", Role.COORDINATOR, self.cast.team_b)
        self.clients = {person: self.client_of(user) for person, user in people.items()}
        self.others = [*self.ids.values(), *self.numbers(), *self.spellings()]
        self.secrets = {str(pk) for pk in (*self.ids.values(), *(person.pk for person in self.strangers))}

    def numbers(self) -> list[Any]:
        """Accounts, memberships, a replacement, an invitation, a team and its project: ids that are counted."""
        memberships = [person.memberships.get().pk for person in self.strangers]
        stand_in = make_stand_in(self.foreign.benoit, self.foreign.amina)
        team, project = self.foreign.team_a, self.foreign.project
        own = [stand_in.pk, self.invitation.pk, self.invitation.user_id, team.pk, team.code, project.pk]
        return [*(person.pk for person in self.strangers), *memberships, *own]

    def spellings(self) -> list[Any]:
        """Nobody's id, another way of writing one, and what is none."""
        parcours = self.ids["pre_cases.Parcours"]
        return [uuid4(), str(parcours).upper(), parcours.hex, *GARBAGE]

    def argument(self, name: str) -> Any:
        if name not in self.asked:
            self.asked[name] = argument(name, self.cast)
        return self.asked[name]

    def url(self, name: str) -> str:
        return reverse(name, args=[] if name in WITHOUT_ARGUMENT else [self.argument(name)])


def number_apart() -> None:
    """From here on no two models give the same number: a foreign membership is never the cast's account."""
    tables = set(connection.introspection.table_names())  # the keystore is another database
    everything = (model for model in apps.get_models() if model._meta.db_table in tables)
    counted = [model for model in everything if isinstance(model._meta.pk, models.AutoField)]
    with connection.cursor() as cursor:
        for position, model in enumerate(counted, start=1):
            table, first = model._meta.db_table, position * 10_000
            if connection.vendor == "postgresql":
                # a sequence forgets nothing between two tests: it only goes forward
                forward = "SELECT setval(name, GREATEST(%s, nextval(name))) FROM pg_get_serial_sequence(%s, %s) AS name"
                cursor.execute(forward, [first, table, model._meta.pk.column])
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first])


@pytest.fixture
def world(cast: Cast, signed_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch) -> World:
    """What each person holds is read once here, and not at each of the thousands of requests."""
    read = {}
    monkeypatch.setattr(
        standing, "standing_of", lambda user: read.get(user.pk) or read.setdefault(user.pk, standing_of(user))
    )
    replaced: dict[int, Any] = {}
    read_replacements = User.__dict__["replacements"].func
    monkeypatch.setattr(
        User,
        "replacements",
        property(
            lambda user: (
                replaced[user.pk] if user.pk in replaced else replaced.setdefault(user.pk, read_replacements(user))
            )
        ),
    )
    School.objects.bulk_create(
        School(uai=f"075000{n}D", name=f"École Neuve {n}", search_name=f"ecole neuve {n}") for n in range(3)
    )
    number_apart()
    return World(cast, elsewhere(cast), signed_in)


def faults(world: World, watch: Watch, what: str, response: Any, expected: tuple[int, ...]) -> list[str]:
    """What a request to the person's own page should not have shown, read or written."""
    found = []
    if response.status_code not in expected:
        found.append(f"{what} answers {response.status_code}")
    if any(canary in response.content for canary in CANARIES):
        found.append(f"{what} shows the foreign child")
    if read := watch.ids_read() & world.secrets:
        found.append(f"{what} reads {read}")
    if watch.writes:
        found.append(f"{what} writes {watch.writes}")
    return found


def read_from(method: str) -> set[str]:
    """The literal keys of ``request.GET`` (or ``POST``) in the code of the applications."""
    key = rf"request\.{method}(?:\.get|\.getlist)?[\[(]f?[\"']([^\"'{{]*)|[\"'](\w+)[\"'] in request\.{method}"
    code = "".join(path.read_text() for app in OUR_APPS for path in (ROOT / app).rglob("*.py"))
    return {one or other for one, other in re.findall(key, code)}
