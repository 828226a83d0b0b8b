"""In cities drawn at random, the rights say the same thing everywhere, and what the dated facts say.

For every person and every record: what a permission answers, what its scope holds, and a rule written in plain Python
from the rows (``tests/plain_rules.py``), which knows no queryset. What a person may read is the union of the person's
lists.

To add a grant: draw some in ``tests/random_city.py`` (one method of ``GRANTS``), write its rule in ``LISTS`` under the
name of its scope, and use it in ``RULES`` where it opens something. A model that gains ``permission_scopes`` fails
until ``RULES`` has a line for each of its permissions; so does a new scope of a person, until it has its line in
``SCOPES`` (``tests/plain_scopes.py``).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pre_cases.models import ExceptionalAccess, Parcours, ParcoursShare
from pre_cases.querysets import parcours as querysets
from pre_cases.querysets.parcours import ParcoursQuerySet
from referents.models import Membership, StandIn, User
from tests.plain_rules import LISTS, RULES, in_force, may_act, read_again
from tests.plain_scopes import SCOPES
from tests.random_city import RandomCity

SEEDS = range(8)
OUR_APPS = ("audit", "referents", "partners", "pre_cases")


def protected_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if getattr(model, "permission_scopes", None)]


def personal_scopes() -> set[tuple[type[models.Model], str]]:
    """Every method of a queryset of ours that asks for ``user`` and nothing else."""
    found = set()
    for model in apps.get_models():
        if model._meta.app_label in OUR_APPS:
            for name, method in inspect.getmembers(type(model._default_manager.all()), inspect.isfunction):
                _, *asked = inspect.signature(method).parameters.values()
                alone = all(parameter.default is not parameter.empty for parameter in asked[1:])
                if asked and asked[0].name == "user" and alone and not name.startswith(("_", "may_be_")):
                    found.add((model, name))
    return found


def fresh(user: User) -> User:
    """As a request reads it: what the person holds is read anew."""
    return User.objects.get(pk=user.pk)


def queries_of(action: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        action()
    return len(queries)


@pytest.fixture(params=SEEDS)
def city(request: pytest.FixtureRequest, db: None) -> Iterator[RandomCity]:
    drawn = RandomCity(request.param)
    read_again()
    yield drawn
    read_again()


class TestRights:
    def test_have_a_rule_each(self) -> None:
        assert {perm for model in protected_models() for perm in model.permission_scopes} == set(RULES)

    def test_of_every_scope_have_a_rule(self) -> None:
        """Those of a permission, those of the lists, and those that pages read by themselves."""
        permitted = {(model, scope) for model in protected_models() for scope in model.permission_scopes.values()}
        listed = {(Parcours, name) for name in LISTS}
        assert personal_scopes() - permitted - listed - set(SCOPES) == set()

    def test_of_reading_come_from_the_lists(self) -> None:
        """``visible_to`` unites the scopes of ``LISTS`` and no other."""
        source = inspect.getsource(ParcoursQuerySet.visible_to)
        named = set(re.findall(r'"([a-z_]+)"', re.sub(r'""".*?"""', "", source)))
        assert "*CARRYING" in source
        assert named | set(querysets.CARRYING) == set(LISTS)

    def test_agree_with_their_scope_and_with_the_facts(self, city: RandomCity) -> None:
        granted = 0
        for model in protected_models():
            records = list(model._default_manager.all())
            for person in map(fresh, city.people):
                allowed = may_act(person)
                assert queries_of(lambda person=person: (person.standing, person.replacements)) <= 2
                for permission, scope in model.permission_scopes.items():
                    with CaptureQueriesContext(connection) as queries:
                        held = set(getattr(model._default_manager.all(), scope)(person).values_list("pk", flat=True))
                    assert len(queries) <= 1, permission  # the scope alone
                    for record in records:
                        in_scope, ruled = record.pk in held, RULES[permission](person, record)
                        case = (permission, person.first_name, record.pk)
                        assert in_scope == ruled, case
                        assert person.has_perm(permission, record) == (in_scope and allowed), case
                        granted += in_scope
        assert granted

    def test_of_the_pages_agree_with_the_facts(self, city: RandomCity) -> None:
        """Scopes that are no permission: the limited card, what was granted, what waits for an answer."""
        for (model, scope), rule in SCOPES.items():
            records = list(model._default_manager.all())
            for person in map(fresh, city.people):
                held = list(getattr(model._default_manager.all(), scope)(person).values_list("pk", flat=True))
                assert len(held) == len(set(held)), f"{scope} shows a row twice"
                assert set(held) == {row.pk for row in records if rule(person, row)}, (scope, person.first_name)

    def test_of_reading_are_the_union_of_the_lists(self, city: RandomCity) -> None:
        everything = list(Parcours.objects.all())
        for person in map(fresh, city.people):
            lists = {name: getattr(Parcours.objects, name)(person).values_list("pk", flat=True) for name in LISTS}
            held = {name: list(ids) for name, ids in lists.items()}
            for name, ids in held.items():
                assert len(ids) == len(set(ids)), f"{name} shows a parcours twice"
                assert set(ids) == {p.pk for p in everything if LISTS[name](person, p)}, name
            visible = set(Parcours.objects.visible_to(person).values_list("pk", flat=True))
            assert visible == {pk for ids in held.values() for pk in ids}

    def test_on_a_whole_model_belong_to_nobody(self, city: RandomCity) -> None:
        assert not any(person.has_perm(permission) for person in city.people for permission in RULES)

    def test_ask_one_query_for_a_record(self, city: RandomCity) -> None:
        """And once in a request, one for what the person holds, and one for whom the person replaces if anything."""
        first, second = Parcours.objects.all()[:2]
        for person in filter(may_act, map(fresh, city.people)):
            assert queries_of(lambda person=person: person.standing) == 1
            replacements = 1 if person.standing.memberships else 0  # no grant survives the memberships
            for record, expected in ((first, 1 + replacements), (second, 1), (first, 1)):
                asked = queries_of(lambda p=person, record=record: p.has_perm("pre_cases.view_parcours", record))
                assert asked == expected


class TestCities:
    def test_hold_every_kind_of_right_and_of_end(self, db: None) -> None:
        """The proof is worth what was drawn: each rule opens something to somebody, and each end of a grant is met."""
        met: set[str] = set()
        for seed in SEEDS:
            with transaction.atomic():
                met |= kinds_met(RandomCity(seed))
                transaction.set_rollback(True)
        read_again()
        assert met == KINDS


RULES_OF_ROWS = (
    SCOPES
    | {(Parcours, name): rule for name, rule in LISTS.items()}
    | {(model, permission): RULES[permission] for model in protected_models() for permission in model.permission_scopes}
)
KINDS = {
    *map(str, RULES_OF_ROWS),
    *(f"{grant} {state}" for grant in ("share", "standin") for state in ("runs", "to come", "ended", "revoked")),
    *(f"exceptional {state}" for state in ("runs", "ended", "revoked")),
    *(f"{grant} of an ended membership" for grant in ("share", "standin", "exceptional")),
    "replaced has left",
    "membership begun again",
    "suspended",
    "without a charter",
}


def kinds_met(city: RandomCity) -> set[str]:
    """Which of ``KINDS`` a city holds."""
    read_again()
    met = set()
    for (model, name), rule in RULES_OF_ROWS.items():
        if any(rule(person, row) for row in model._default_manager.all() for person in city.people):
            met.add(str((model, name)))
    for kind, model in (("share", ParcoursShare), ("standin", StandIn), ("exceptional", ExceptionalAccess)):
        for grant in model._default_manager.select_related("membership"):
            ended = grant.membership.ends_on is not None and grant.membership.ends_on <= city.today
            met.add(f"{kind} of an ended membership" if ended else f"{kind} {state_of(grant, city)}")
    replaced = Membership.objects.filter(stand_ins__revoked_at=None, stand_ins__ends_on__gt=city.today)
    met |= {"replaced has left" for row in replaced if not in_force(row) and row.starts_on < city.today}
    former = Membership.objects.filter(ends_on__lte=city.today)
    again = Membership.objects.filter(ends_on=None).values_list("user", "team", "role")
    met |= {"membership begun again" for row in former if (row.user_id, row.team_id, row.role) in again}
    met |= {"suspended" for person in city.people if not person.is_active}
    return met | {"without a charter" for person in city.people if person.is_active and not may_act(person)}


def state_of(grant: Any, city: RandomCity) -> str:
    if grant.revoked_at is not None:
        return "revoked"
    if isinstance(grant, ExceptionalAccess):
        return "runs" if timezone.now() - grant.granted_at < timedelta(hours=24) else "ended"
    if grant.starts_on > city.today:
        return "to come"
    return "runs" if grant.ends_on > city.today else "ended"
