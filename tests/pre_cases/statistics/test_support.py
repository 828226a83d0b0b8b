"""Signs, objectives and actions: each value once a child, planned actions left out."""

from datetime import date
from typing import Any

import pytest

from audit.disclosure.cells import TOTAL
from partners.models import Organisation, Term
from pre_cases.models import Action, Child, Objective, Parcours, SaisineSign
from pre_cases.statistics.support import actions, objectives, signs
from pre_cases.statistics.tables import SHARE
from tests.pre_cases.statistics.invented import PARIS, Programme, add_parcours, column, day, saved

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def programme() -> Programme:
    return Programme()


def the_parcours(child: Child) -> Parcours:
    return child.parcours_list.order_by("-entered_on")[0]


def set_objective(parcours: Parcours, domain: str = "educatif", priority: str = "sante", result: str = "") -> Objective:
    return saved(
        Objective,
        parcours=parcours,
        text="Lire",
        domain=Term.objects.get(pk=f"domain:{domain}"),
        priority=Term.objects.get(pk=f"priority:{priority}"),
        set_on=parcours.entered_on,
        result=result,
        result_on=parcours.closed_on if result else None,
        data_key_id=parcours.data_key_id,
    )


def act(parcours: Parcours, starts_on: date | None, ends_on: date | None = None, **values: Any) -> Action:
    values.setdefault("mode", "individual")
    values.setdefault("nature", "pre")
    return saved(
        Action,
        objective=set_objective(parcours),
        label="Aide",
        domain=Term.objects.get(pk=f"domain:{values.pop('domain', 'educatif')}"),
        starts_on=starts_on,
        ends_on=ends_on,
        data_key_id=parcours.data_key_id,
        **values,
    )


def found(tables: list[Any], code: str, measure: str = "") -> dict[str, Any]:
    return column(next(table for table in tables if table.spec.code == code), PARIS, measure)


class TestActions:
    @pytest.mark.parametrize(
        ("starts_on", "ends_on", "counted"),
        [
            (None, None, False),  # planned
            (date(2015, 1, 1), None, False),
            (day(12, 31), None, True),
            (date(2013, 3, 1), date(2014, 1, 1), False),  # its last day is 31 December 2013
            (date(2013, 3, 1), day(1, 2), True),
            (day(5, 1), day(5, 1), False),  # true of no day
        ],
    )
    def test_count_when_they_overlap_the_period(
        self, programme: Programme, starts_on: date | None, ends_on: date | None, counted: bool
    ) -> None:
        act(the_parcours(programme.follow((date(2013, 1, 7), None))), starts_on, ends_on)
        assert found(actions(programme.population()), "actions_per_child") == {"*": 1, "1" if counted else "0": 1}

    def test_count_on_followed_days_only(self, programme: Programme) -> None:
        parcours = the_parcours(programme.follow((day(3, 1), day(4, 30))))
        act(parcours, day(5, 1))
        act(parcours, day(1, 1), day(3, 1))
        assert found(actions(programme.population()), "actions_per_child") == {"*": 1, "0": 1}
        act(parcours, day(4, 30))
        assert found(actions(programme.population()), "actions_per_child") == {"*": 1, "1": 1}

    def test_count_once_a_value_with_base_and_missing(self, programme: Programme) -> None:
        first = the_parcours(programme.follow((day(1, 6), None)))
        act(first, day(2, 1), domain="educatif")
        act(first, day(2, 1), domain="educatif")
        act(first, day(2, 1), domain="social")
        act(the_parcours(programme.follow((day(1, 6), None))), day(2, 1), domain="social")
        programme.follow((day(1, 6), None))
        tables = actions(programme.population())
        assert found(tables, "actions_domain") == {TOTAL: 2, "educatif": 1, "social": 2, "nr": 1}
        assert found(tables, "actions_domain", SHARE.code) == {"educatif": 50, "social": 100}
        assert found(tables, "actions_per_child") == {TOTAL: 3, "3": 1, "1": 1, "0": 1}

    def test_take_a_missing_slot_or_partner_for_no_value(self, programme: Programme) -> None:
        parcours = the_parcours(programme.follow((day(1, 6), None)))
        act(parcours, day(2, 1))
        tables = actions(programme.population())
        assert found(tables, "actions_time_slot") == found(tables, "actions_partner") == {"nr": 1}
        act(parcours, day(2, 1), time_slot="evening", partner=Organisation.objects.create(name="Le Préau"))
        tables = actions(programme.population())
        assert found(tables, "actions_time_slot") == {TOTAL: 1, "evening": 1}
        assert found(tables, "actions_partner") == {TOTAL: 1, "association": 1}

    def test_make_a_band_of_four_and_more(self, programme: Programme) -> None:
        parcours = the_parcours(programme.follow((day(1, 6), None)))
        for _ in range(5):
            act(parcours, day(2, 1))
        assert found(actions(programme.population()), "actions_per_child") == {TOTAL: 1, "4_over": 1}


class TestSigns:
    def test_come_from_the_saisine_of_the_last_parcours(self, programme: Programme) -> None:
        child = programme.follow((day(1, 6), day(2, 1)))
        add_sign(the_parcours(child), "sommeil")
        add_sign(add_parcours(child, programme.north, day(5, 1), None), "resultats", "absences", "isolement")
        tables = signs(programme.population())
        assert found(tables, "signs") == {TOTAL: 1, "resultats": 1, "absences": 1, "isolement": 1}
        assert found(tables, "signs_heading") == {TOTAL: 1, "scolarite": 1, "ouverture": 1}


def add_sign(parcours: Parcours, *codes: str) -> None:
    for code in codes:
        saved(SaisineSign, saisine=parcours.saisine, sign=Term.objects.get(pk=f"sign:{code}"))


class TestObjectives:
    def test_are_those_of_parcours_closed_in_the_period(self, programme: Programme) -> None:
        closed = the_parcours(programme.follow((day(1, 6), day(6, 30))))
        set_objective(closed, "educatif", "sante", "reached")
        set_objective(closed, "social", "parents")
        set_objective(the_parcours(programme.follow((day(1, 6), None))))
        set_objective(the_parcours(programme.follow((day(1, 6), date(2015, 1, 1)))), result="reached")
        domain, priority, _ = objectives(programme.population())
        assert column(domain)[("*", "*")] == 2
        assert column(domain)[("educatif", "reached")] == column(domain)[("social", "nr")] == 1
        assert column(priority)[("parents", "*")] == 1
