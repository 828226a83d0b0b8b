"""Loading the invented city: the same facts for the same seed, on any day, all of it or nothing."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.management import CommandError, call_command

from audit.encryption.keys import key_ring, load_keys
from audit.history import acting_as, system_account
from partners.models import School
from pre_cases.demo.calendar import Targets
from pre_cases.demo.load import is_loaded, load
from pre_cases.models import Child, Entry, Parcours
from referents.models import Team, User
from tests.pre_cases.demo_days import children_followed, on, rolled_back

TODAY = date(2026, 11, 24)
SINCE_2007 = (date(2007, 10, 1), date(2014, 6, 30))
SMALL = Targets().scaled(0.02)

pytestmark = pytest.mark.django_db


def facts() -> list[tuple[object, ...]]:
    """What is told of every child, in an order that does not depend on random ids."""
    rows = list(Parcours.objects.select_related("child", "team", "saisine"))
    load_keys([row.child.data_key_id for row in rows])
    return sorted(
        (
            (
                row.child.full_name,
                str(row.child.birth_date),
                row.child.sex,
                row.team.code,
                str(row.saisine.received_on),
                row.saisine.situation or "",
                str(row.opened_on),
                str(row.entered_on),
                str(row.closed_on),
                str(row.due_on),
                str(row.last_contact_on),
            )
            for row in rows
        ),
    )


class TestLoad:
    def told(self, seed: int, today: date = TODAY) -> list[tuple[object, ...]]:
        with rolled_back(), on(TODAY), key_ring():
            load(seed=seed, today=today, targets=SMALL)
            return facts()

    def test_tells_the_same_facts_for_the_same_seed(self) -> None:
        first = self.told(7)
        assert first == self.told(7)
        assert first != self.told(8)

    @pytest.mark.parametrize("today", [date(2026, 9, 1), date(2024, 8, 31), date(2020, 2, 29)], ids=str)
    def test_holds_on_any_day_of_the_year(self, today: date) -> None:
        with on(today), key_ring():
            load(seed=1, today=today, targets=SMALL)
            year = today.year if today.month >= 9 else today.year - 1
            assert children_followed((date(year, 9, 1), today)) == SMALL.this_year
            assert children_followed(SINCE_2007) == SMALL.since_2007
            assert not Entry.objects.filter(on__gt=today).exists()

    def test_places_the_city_in_the_past(self) -> None:
        with on(TODAY), key_ring():
            load(seed=1, today=date(2025, 3, 14), targets=SMALL)
            assert children_followed((date(2024, 9, 1), date(2025, 3, 14))) == SMALL.this_year
            assert not Parcours.objects.filter(opened_on__gt=date(2025, 3, 14)).exists()

    def test_refuses_a_database_with_an_account(self) -> None:
        with acting_as(system_account()):
            User.objects.create_user("quelqu.un@paris.example", None, first_name="Quelqu’un", last_name="De Réel")
        with pytest.raises(CommandError, match="contient déjà des comptes"):
            call_command("load_demo", "--scale", "0.01")
        assert not Team.objects.exists()

    def test_refuses_a_database_with_schools(self) -> None:
        School.objects.create(uai="0940176F", name="École élémentaire")
        with pytest.raises(CommandError, match="établissements scolaires"):
            call_command("load_demo", "--scale", "0.01")

    def test_leaves_nothing_behind_when_interrupted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*args: object, **kwargs: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("pre_cases.demo.load.Mailbox.fill", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(seed=1, today=TODAY, targets=SMALL)
        assert not Child.objects.exists()
        assert not User.objects.exists()
        assert not is_loaded()

    @pytest.mark.parametrize(
        ("option", "value", "sentence"),
        [
            ("--today", "hier", "AAAA-MM-JJ"),
            ("--today", "2999-01-01", "aujourd’hui"),
            ("--today", "2010-01-01", "01/09/2017"),
            ("--scale", "2", "0.01"),
        ],
    )
    def test_refuses_what_it_cannot_invent(self, option: str, value: str, sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("load_demo", option, value)
