"""Who read, from the journal: function, organisation, day and purpose, never a name."""

import pytest
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.subject_access.readers import readers_of
from referents.days import long_day
from referents.models import Role
from tests.cast import Cast, make_exceptional_access, make_user
from tests.pre_cases.views.reach import url

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


class TestReadersOf:
    def test_tells_pages_lists_and_documents_without_a_name(self, cast: Cast, signed_in) -> None:
        with acting_as(system_account()):
            cast.benoit.employer = "Caisse des écoles"
            cast.benoit.save()
        benoit = signed_in(cast.benoit)
        for _ in range(2):
            benoit.get(url("parcours_detail", cast.ines_parcours.pk))
        benoit.get(url("my_parcours"))
        signed_in(cast.chloe).get(url("my_parcours"))
        today, function = long_day(timezone.localdate()), "référent de parcours, équipe A"
        line = {"on": today, "function": function, "organisation": "Caisse des écoles"}
        assert readers_of(cast.ines) == [
            line | {"purpose": "dans une liste", "times": 1},
            line | {"purpose": "consultation", "times": 2},
        ]

    def test_says_nothing_of_a_refusal(self, cast: Cast, signed_in) -> None:
        signed_in(cast.chloe).get(url("parcours_detail", cast.ines_parcours.pk))
        assert readers_of(cast.ines) == []

    def test_tells_a_reading_by_an_exceptional_access(self, cast: Cast, signed_in) -> None:
        lise = make_user("Lise", Role.COORDINATOR, cast.team_b)
        make_exceptional_access(cast.ines_parcours, lise)
        signed_in(lise).get(url("parcours_detail", cast.ines_parcours.pk))
        (line,) = readers_of(cast.ines)
        assert line["function"] == "coordination, équipe B"
