"""Facts in force on a day, and which children a person reaches through a parcours or a saisine."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from audit.history import acting_as, system_account
from partners.models import Term
from pre_cases.models import Child, Residence
from pre_cases.services.parcours import close_parcours
from referents.models import User
from tests.cast import Cast, make_child, make_residence, make_saisine

DAY = timedelta(days=1)
STARTS, ENDS = date(2025, 3, 1), date(2025, 6, 1)


class TestDated:
    @pytest.fixture
    def home(self, cast: Cast) -> Residence:
        """One home from 1 March, left on 1 June."""
        return make_residence(make_child("Zoé"), starts_on=STARTS, ends_on=ENDS)

    def held(self, home: Residence) -> Residence:
        return Residence.objects.filter(pk=home.pk)

    def test_is_in_force_from_its_first_day_until_the_day_it_ends(self, home: Residence) -> None:
        days = {STARTS - DAY: False, STARTS: True, ENDS - DAY: True, ENDS: False}
        assert {day: self.held(home).current(day).exists() for day in days} == days

    def test_is_in_force_for_ever_without_an_end(self, cast: Cast) -> None:
        endless = make_residence(make_child("Zoé"), starts_on=STARTS)
        assert self.held(endless).current(date(2099, 1, 1)).exists()
        assert self.held(endless).current().exists()

    @pytest.mark.parametrize(
        ("starts_on", "ends_on", "meets"),
        [
            (date(2025, 1, 1), STARTS, False),
            (date(2025, 1, 1), STARTS + DAY, True),
            (ENDS - DAY, None, True),
            (ENDS, None, False),
            (date(2025, 1, 1), None, True),
        ],
    )
    def test_meets_an_interval_that_shares_a_day(self, home: Residence, starts_on, ends_on, meets: bool) -> None:
        assert self.held(home).overlapping(starts_on, ends_on).exists() is meets


class TestChildren:
    """Inès has an open parcours in A, Zoé a saisine in A that nobody follows, Tom a parcours in B."""

    @pytest.fixture(autouse=True)
    def _zoe(self, cast: Cast) -> None:
        self.zoe = make_child("Zoé")
        self.saisine = make_saisine(self.zoe, cast.team_a)

    def names(self, scope: str, user: User) -> set[str]:
        return {child.first_name for child in getattr(Child.objects, scope)(User.objects.get(pk=user.pk))}

    def test_are_visible_to_who_follows_coordinates_or_was_given_the_parcours(self, cast: Cast) -> None:
        visible = {person.first_name: self.names("visible_to", person) for person in cast}
        assert visible == {
            "Amina": {"Inès", "Zoé"},
            "Benoît": {"Inès", "Zoé"},
            "Chloé": {"Tom"},
            "David": {"Inès"},
            "Esther": set(),
            "Farid": set(),
            "Gaëlle": set(),
            "Hugo": set(),
            "Yann": set(),
        }

    def test_are_editable_by_who_writes_in_the_parcours_or_the_saisine(self, cast: Cast) -> None:
        editable = {person.first_name: self.names("editable_by", person) for person in cast}
        assert {name: children for name, children in editable.items() if children} == {
            "Amina": {"Inès", "Zoé"},
            "Benoît": {"Inès", "Zoé"},
            "Chloé": {"Tom"},
        }

    def test_are_referable_by_their_teams_and_not_through_a_share(self, cast: Cast) -> None:
        referable = {person.first_name: self.names("referable_by", person) for person in cast}
        assert {name: children for name, children in referable.items() if children} == {
            "Amina": {"Inès", "Zoé"},
            "Benoît": {"Inès", "Zoé"},
            "Chloé": {"Tom"},
        }

    def test_leave_the_reach_of_the_referent_when_the_parcours_closes(self, cast: Cast) -> None:
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        with acting_as(system_account()):
            cast.ines_parcours.saisine.assignee = cast.amina
            cast.ines_parcours.saisine.save()
        close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)
        assert self.names("visible_to", cast.amina) == {"Inès", "Zoé"}
        assert self.names("editable_by", cast.amina) == {"Zoé"}
        assert self.names("referable_by", cast.amina) == {"Inès", "Zoé"}
        assert self.names("visible_to", cast.benoit) == {"Zoé"}
        assert self.names("visible_to", cast.david) == set()

    def test_leave_the_reach_of_a_referent_when_a_colleague_follows_the_saisine(self, cast: Cast) -> None:
        with acting_as(cast.amina):
            self.saisine.assignee = cast.amina
            self.saisine.save()
        assert self.names("visible_to", cast.benoit) == {"Inès"}

    def test_are_given_once_however_many_ways_lead_to_them(self, cast: Cast) -> None:
        make_saisine(cast.ines, cast.team_a)
        assert Child.objects.visible_to(cast.amina).filter(pk=cast.ines.pk).count() == 1
