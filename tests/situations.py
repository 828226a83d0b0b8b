"""Other children's situations, complete: what a foreign id may lead to.

A ``Situation`` looks like the cast, about somebody else: its ``ines`` is another child, its ``benoit`` who follows that
child, its ``amina`` who coordinates that team, its ``david`` with whom it is shared; whatever it does not say is the
cast's. So what is written once about Inès (the arguments of the access matrix) serves for every situation.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import Adult, Child, Family
from pre_cases.services.erasure import erase_child
from referents.models import Role, Team, User
from tests.cast import (
    Cast,
    make_child,
    make_parcours,
    make_project,
    make_residence,
    make_schooling,
    make_share,
    make_team,
    make_user,
)
from tests.whole_file import end, make_whole_file, models_about_a_child

FIRST_NAME, FAMILY_NAME = "Zéphyrin", "Quetzalcoatl"  # names that stand nowhere else: a page with one told too much


class Situation:
    """One child of a team, with everything that a file may hold, seen from the people of the cast."""

    def __init__(self, cast: Cast, *, team: Team, coordinator: User, referent: User, reader: User) -> None:
        self.cast = cast
        self.team_a, self.amina, self.benoit, self.david = team, coordinator, referent, reader
        self.ines = make_child(FIRST_NAME, family_name=FAMILY_NAME)
        self.ines_parcours = make_parcours(team, referent=referent, child=self.ines)
        make_schooling(self.ines)
        make_residence(self.ines)
        self.share = make_share(self.ines_parcours, reader)
        self.project = cast.project if team == cast.team_a else make_project(team, title="Chorale")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cast, name)


def colleague_of(cast: Cast) -> Situation:
    """In team A, followed by Ibrahim; shared with a reader whom no test plays."""
    ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)
    reader = make_user("Lucie", Role.EPRE_MEMBER, cast.team_a)
    return Situation(cast, team=cast.team_a, coordinator=cast.amina, referent=ibrahim, reader=reader)


def elsewhere(cast: Cast) -> Situation:
    """In another team, where nobody of the cast holds a role."""
    team = make_team("c", 20)
    coordinator, referent = make_user("Mona", Role.COORDINATOR, team), make_user("Nadir", Role.REFERENT, team)
    reader = make_user("Odile", Role.EPRE_MEMBER, team)
    return Situation(cast, team=team, coordinator=coordinator, referent=referent, reader=reader)


def to_be_erased(cast: Cast) -> Situation:
    """Followed by Benoît, coordinated by Amina, shared with David, until ``erase()``."""
    return Situation(cast, team=cast.team_a, coordinator=cast.amina, referent=cast.benoit, reader=cast.david)


def erase(child: Child) -> None:
    """Destroy the keys and the rows of a child, as the law asks."""
    for parcours in child.parcours_list.filter(closed_on__isnull=True):
        end(parcours)
    with acting_as(system_account()):
        for hold in child.holds.current():
            hold.ends_on = timezone.localdate()
            hold.save()
    erase_child(child=child, by=system_account())


def ids_of(situation: Situation) -> dict[str, Any]:
    """An id of every model that leads to a child, all of this situation, by the label of the model."""
    make_whole_file(situation.ines_parcours, situation.benoit)
    child = situation.ines
    found: dict[type[models.Model], Any] = {
        Child: child.pk,
        Family: child.family_id,
        Adult: child.family.adults.get().pk,
    }
    left = models_about_a_child() - set(found)
    while True:
        reached = {model: pk for model in left if (pk := _id_through(model, found)) is not None}
        if not reached:
            break
        found |= reached
        left -= set(reached)
    return {model._meta.label: pk for model, pk in found.items()}


def _id_through(model: type[models.Model], found: dict[type[models.Model], Any]) -> Any:
    for field in model._meta.concrete_fields:
        if field.related_model in found and not getattr(model, "is_made_by_history", False):
            pk = model._base_manager.filter(**{field.name: found[field.related_model]}).values_list("pk", flat=True)
            if pk.exists():
                return pk.first()
    return None
