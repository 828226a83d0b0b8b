"""The number of a parcours: read as it is heard by telephone, and never guessed, since wrong ones are counted."""

import random
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.journal.models import Action, Event
from audit.journal.record import record_event
from pre_cases.models import ExceptionalAccess, ExceptionalReason
from pre_cases.models.access import NUMBER_ALPHABET, make_number
from pre_cases.services.exceptional import (
    KIND,
    WRONG_NUMBERS_A_DAY,
    ExceptionalAccessRefused,
    UnknownNumber,
    note_wrong_number,
    open_exceptional_access,
    read_number,
)
from referents.models import Role, User
from tests.cast import Cast, make_user


@pytest.fixture
def lise(cast: Cast) -> User:
    """The coordination of team B."""
    return make_user("Lise", Role.COORDINATOR, cast.team_b)


@pytest.fixture
def open_access(cast: Cast, lise: User):
    """Lise opens Inès's parcours by its number, unless told otherwise."""

    def run(number: str = cast.ines_parcours.number) -> ExceptionalAccess:
        return open_exceptional_access(
            number=number, motive=ExceptionalReason.ARRIVAL, reason="La mère est dans nos locaux", by=lise
        )

    return run


class TestWrongNumbers:
    def test_are_journalled_without_the_number(self, lise: User) -> None:
        note_wrong_number(lise)
        event = Event.objects.get(action="refusal", kind=KIND)
        assert (event.actor_id, event.record_ids, event.subject_id) == (lise.pk, [], None)
        assert (event.detail, event.purpose) == ({"asked": "grant"}, "")

    def test_are_five_a_day_then_even_the_right_one_is_refused(self, open_access, lise: User) -> None:
        for _ in range(WRONG_NUMBERS_A_DAY):
            with pytest.raises(UnknownNumber):
                open_access(number="0000-0000")
            note_wrong_number(lise)
        with pytest.raises(ExceptionalAccessRefused, match="Trop de numéros inconnus aujourd’hui") as refusal:
            open_access()
        assert refusal.value.field == "number"
        assert not isinstance(refusal.value, UnknownNumber)
        with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
            assert open_access()

    def test_are_counted_for_each_person(self, cast: Cast, open_access, lise: User) -> None:
        for _ in range(WRONG_NUMBERS_A_DAY):
            note_wrong_number(make_user("Rose", Role.COORDINATOR, cast.team_b))
        assert open_access()

    def test_are_no_page_that_was_out_of_reach(self, open_access, lise: User) -> None:
        """An access reviewed meanwhile answers 404: in an emergency, that counts against nobody."""
        for _ in range(WRONG_NUMBERS_A_DAY):
            record_event(Action.REFUSAL, kind=KIND, actor=lise, detail={"asked": "read"})
        assert open_access()


class TestReadNumber:
    def test_knows_what_make_number_draws(self) -> None:
        for _ in range(200):
            number = make_number()
            assert read_number(number) == number

    @settings(max_examples=200, deadline=None)
    @given(
        number=st.text(NUMBER_ALPHABET, min_size=8, max_size=8),
        noise=st.lists(st.sampled_from([" ", "-", "\u00a0", ".", ""]), min_size=9, max_size=9),
        seed=st.randoms(use_true_random=False),
    )
    def test_forgives_case_spaces_and_letters_misheard(
        self, number: str, noise: list[str], seed: random.Random
    ) -> None:
        misheard = {"0": "0oO", "1": "1iIlL"}
        typed = "".join(
            f"{space}{seed.choice(misheard.get(sign, sign + sign.lower()))}"
            for space, sign in zip(noise, number, strict=False)
        )
        assert read_number(typed + noise[-1]) == f"{number[:4]}-{number[4:]}"

    @settings(max_examples=100, deadline=None)
    @given(typed=st.text(max_size=40))
    def test_reads_anything_at_all_without_a_fault(self, typed: str) -> None:
        assert "-" in read_number(typed)
