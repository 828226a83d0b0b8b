"""In cities drawn at random, the rights say the same thing everywhere, and what the dated facts say.

For every person and every record: what a permission answers, what its scope holds, and a rule written here in plain
Python from the rows (``RULES``), which knows no queryset. What a person may read is the union of the person's lists.

To add a grant: draw some in ``RandomCity`` (one method of ``GRANTS``), write its rule in ``LISTS`` under the name of
its scope, and use it in ``RULES`` where it opens something. A model that gains ``permission_scopes`` fails until
``RULES`` has a line for each of its permissions.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.history import acting_as, system_account
from partners.models import Organisation, Project, Term
from pre_cases.models import Assignment, Parcours, ParcoursShare, Saisine, SaisineOutcome
from pre_cases.querysets.parcours import ParcoursQuerySet
from referents.models import CharterSignature, Membership, Role, User
from referents.models.user import NOMINATIVE_ROLES, TEAM_ROLES
from tests.cast import make_child, make_parcours, make_project, make_saisine, make_share, make_team, make_user

SEEDS = range(4)
PEOPLE, CHILDREN = 9, 10


class RandomCity:
    """Three teams, people with several dated roles, children with open and closed parcours, and what was granted."""

    GRANTS = ("draw_assignments", "draw_shares")

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.today = timezone.localdate()
        self.teams = [make_team(code, 17 + number) for number, code in enumerate("abc")]
        for count in range(3):
            make_project(*self.rng.sample(self.teams, count), title=f"Projet {count}")
        with acting_as(system_account()):
            self.people = [self.draw_person(number) for number in range(PEOPLE)]
            for number in range(CHILDREN):
                self.draw_child(number)
            for parcours in Parcours.objects.all():
                for grant in self.GRANTS:
                    getattr(self, grant)(parcours)

    def interval(self) -> dict[str, date | None]:
        """Over, ended today, in force with or without an end, or still to come."""
        started, ends = self.rng.choice([(-90, -30), (-90, 0), (-90, 1), (-30, None), (0, None), (-1, 30), (1, None)])
        return {
            "starts_on": self.today + timedelta(days=started),
            "ends_on": None if ends is None else self.today + timedelta(days=ends),
        }

    def draw_person(self, number: int) -> User:
        user = make_user(f"Personne{number}")
        roles = self.rng.sample([*TEAM_ROLES, *TEAM_ROLES, Role.PILOTAGE, Role.DPO], self.rng.randint(0, 4))
        for role, team in {(role, self.rng.choice(self.teams) if role in TEAM_ROLES else None) for role in roles}:
            Membership.objects.create(user=user, role=role, team=team, **self.interval())
        if self.rng.random() < 0.2:
            CharterSignature.objects.filter(user=user).delete()
        if self.rng.random() < 0.15:
            user.is_active = False
            user.save()
        return user

    def draw_child(self, number: int) -> None:
        child, team = make_child(f"Enfant{number}"), self.rng.choice(self.teams)
        drawn = self.rng.random()
        if drawn < 0.65:
            closed = {
                "closed_on": self.today - timedelta(days=self.rng.randint(0, 20)),
                "exit_reason": Term.objects.get(pk="exit_reason:contact-perdu"),
            }
            make_parcours(team, child=child, **(closed if drawn < 0.2 else {}))
            Saisine.objects.filter(child=child).update(assignee=self.rng.choice([None, *self.people]))
            return
        ended = {"outcome": SaisineOutcome.NO_FOLLOW_UP, "outcome_on": self.today}
        make_saisine(
            child, team, assignee=self.rng.choice([None, *self.people]), **(ended if self.rng.random() < 0.3 else {})
        )

    def draw_assignments(self, parcours: Parcours) -> None:
        """One at a time, as the service asks; by anybody, whatever the role."""
        for _ in range(self.rng.randint(0, 2)):
            dates = self.interval()
            if parcours.assignments.overlapping(**dates).exists():
                continue
            Assignment.objects.create(parcours=parcours, referent=self.rng.choice(self.people), **dates)

    def draw_shares(self, parcours: Parcours) -> None:
        for user in self.rng.sample(self.people, self.rng.randint(0, 4)):
            dates = self.interval() | {"revoked_at": self.rng.choice([None, None, timezone.now()])}
            dates["ends_on"] = dates["ends_on"] or self.today + timedelta(days=60)
            make_share(parcours, user, **dates)


# -- the same rules, in plain Python ----------------------------------------------------------------------------------


def in_force(row: Any) -> bool:
    today = timezone.localdate()
    return bool(row.starts_on <= today and (row.ends_on is None or row.ends_on > today))


def holds(user: User, team_id: int, *roles: Role) -> bool:
    rows = Membership.objects.filter(user=user, team=team_id, role__in=roles)
    return any(in_force(row) for row in rows)


def follows(user: User, parcours: Parcours) -> bool:
    assigned = Assignment.objects.filter(parcours=parcours, referent=user)
    return any(in_force(row) for row in assigned) and holds(user, parcours.team_id, Role.REFERENT)


def coordinates(user: User, record: Parcours | Saisine) -> bool:
    return holds(user, record.team_id, Role.COORDINATOR)


def is_shared_with(user: User, parcours: Parcours) -> bool:
    shares = ParcoursShare.objects.filter(content_object=parcours, user=user, revoked_at=None)
    still_there = parcours.closed_on is None and holds(user, parcours.team_id, *TEAM_ROLES)
    return still_there and any(in_force(row) for row in shares)


Rule = Callable[[User, Any], bool]

# The lists of parcours of a person: the union of them is what the person may read.
LISTS: dict[str, Rule] = {
    "followed_by": follows,
    "coordinated_by": coordinates,
    "shared_with": is_shared_with,
}


def reads(user: User, parcours: Parcours) -> bool:
    return any(rule(user, parcours) for rule in LISTS.values())


def changes(user: User, parcours: Parcours) -> bool:
    return parcours.closed_on is None and (follows(user, parcours) or coordinates(user, parcours))


def sees(user: User, saisine: Saisine) -> bool:
    parcours = Parcours.objects.filter(saisine=saisine).first()
    if coordinates(user, saisine) or (parcours is not None and follows(user, parcours)):
        return True
    own = saisine.assignee_id == user.pk or (saisine.assignee_id is None and saisine.outcome == "")
    return parcours is None and own and holds(user, saisine.team_id, Role.REFERENT)


def edits(user: User, saisine: Saisine) -> bool:
    waits = saisine.outcome == "" and not Parcours.objects.filter(saisine=saisine).exists()
    return waits and sees(user, saisine)


def instructs(user: User, saisine: Saisine) -> bool:
    return edits(user, saisine) and (saisine.assignee_id == user.pk or coordinates(user, saisine))


def holds_anywhere(user: User, *roles: Role) -> bool:
    return any(in_force(row) for row in Membership.objects.filter(user=user, role__in=roles))


def is_open_to(user: User, project: Project, *roles: Role) -> bool:
    in_own_team = any(holds(user, team.pk, *roles) for team in project.teams.all())
    return in_own_team or holds_anywhere(user, Role.PILOTAGE)


def keeps_the_directory(user: User, organisation: Organisation) -> bool:
    return holds_anywhere(user, Role.COORDINATOR, Role.PILOTAGE)


RULES: dict[str, Rule] = {
    "pre_cases.view_parcours": reads,
    "pre_cases.change_parcours": changes,
    "pre_cases.decide_parcours": coordinates,
    "pre_cases.view_saisine": sees,
    "pre_cases.change_saisine": edits,
    "pre_cases.instruct_saisine": instructs,
    "pre_cases.decide_saisine": coordinates,
    "partners.view_project": lambda user, project: is_open_to(user, project, Role.REFERENT, Role.COORDINATOR),
    "partners.change_project": lambda user, project: is_open_to(user, project, Role.COORDINATOR),
    "partners.change_organisation": keeps_the_directory,
}


def may_act(user: User) -> bool:
    """An active account, whose charter covers today when a role asks for one."""
    roles = {row.role for row in Membership.objects.filter(user=user) if in_force(row)}
    charters = CharterSignature.objects.filter(user=user, expires_on__gt=timezone.localdate())
    return user.is_active and (not roles & set(NOMINATIVE_ROLES) or charters.exists())


def protected_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if getattr(model, "permission_scopes", None)]


def fresh(user: User) -> User:
    """As a request reads it: what the person holds is read anew."""
    return User.objects.get(pk=user.pk)


@pytest.fixture(params=SEEDS)
def city(request: pytest.FixtureRequest, db: None) -> RandomCity:
    return RandomCity(request.param)


class TestRights:
    def test_have_a_rule_each(self) -> None:
        assert {perm for model in protected_models() for perm in model.permission_scopes} == set(RULES)

    def test_of_reading_come_from_the_lists(self) -> None:
        """``visible_to`` unites the scopes of ``LISTS`` and no other."""
        source = inspect.getsource(ParcoursQuerySet.visible_to)
        assert set(re.findall(r'"([a-z_]+)"', re.sub(r'""".*?"""', "", source))) == set(LISTS)

    def test_agree_with_their_scope_and_with_the_facts(self, city: RandomCity) -> None:
        granted = 0
        for model in protected_models():
            records = list(model._default_manager.all())
            for person in map(fresh, city.people):
                allowed = may_act(person)
                for permission, scope in model.permission_scopes.items():
                    with CaptureQueriesContext(connection) as queries:
                        held = set(getattr(model._default_manager.all(), scope)(person).values_list("pk", flat=True))
                    assert len(queries) <= 2, permission  # what the person holds, and the scope
                    for record in records:
                        in_scope, ruled = record.pk in held, RULES[permission](person, record)
                        case = (permission, person.first_name, record.pk)
                        assert in_scope == ruled, case
                        assert person.has_perm(permission, record) == (in_scope and allowed), case
                        granted += in_scope
        assert granted

    def test_of_reading_are_the_union_of_the_lists(self, city: RandomCity) -> None:
        for person in map(fresh, city.people):
            lists = {name: getattr(Parcours.objects, name)(person).values_list("pk", flat=True) for name in LISTS}
            held = {name: list(ids) for name, ids in lists.items()}
            for name, ids in held.items():
                assert len(ids) == len(set(ids)), f"{name} shows a parcours twice"
                assert set(ids) == {p.pk for p in Parcours.objects.all() if LISTS[name](person, p)}, name
            visible = set(Parcours.objects.visible_to(person).values_list("pk", flat=True))
            assert visible == {pk for ids in held.values() for pk in ids}

    def test_on_a_whole_model_belong_to_nobody(self, city: RandomCity) -> None:
        assert not any(person.has_perm(permission) for person in city.people for permission in RULES)

    def test_ask_one_query_for_a_record(self, city: RandomCity) -> None:
        record = Parcours.objects.all()[0]
        for person in filter(may_act, map(fresh, city.people)):
            assert person.standing is not None
            with CaptureQueriesContext(connection) as queries:
                person.has_perm("pre_cases.view_parcours", record)
            assert len(queries) == 1
