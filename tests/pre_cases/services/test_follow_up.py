"""A question of the coordination on an exchange: one at a time, answered once, by whoever follows the parcours."""

import pytest
from django.utils import timezone

from pre_cases.models import Entry, FollowUp
from pre_cases.services.follow_up import FollowUpRefused, answer_follow_up, ask_follow_up
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.services.timeline import add_entry
from tests.cast import Cast
from tests.pre_cases.facts import close


@pytest.fixture
def entry(cast: Cast) -> Entry:
    return add_entry(
        parcours=cast.ines_parcours,
        kind="phone",
        on=timezone.localdate(),
        with_whom="family",
        text="La mère hésite.",
        by=cast.benoit,
    )


def ask(cast: Cast, entry: Entry, question: str = "Qui la rappelle ?") -> FollowUp:
    return ask_follow_up(entry=entry, question=question, by=cast.amina)


class TestAskFollowUp:
    def test_waits_for_who_follows_the_parcours(self, cast: Cast, entry: Entry) -> None:
        asked = ask(cast, entry)
        assert asked.data_key_id == cast.ines.data_key_id
        assert list(FollowUp.objects.answerable_by(cast.benoit)) == [asked]
        assert not FollowUp.objects.answerable_by(cast.amina).exists()
        assert list(FollowUp.objects.overseen_by(cast.amina)) == [asked]
        assert not FollowUp.objects.overseen_by(cast.benoit).exists()

    def test_is_asked_one_at_a_time(self, cast: Cast, entry: Entry) -> None:
        ask(cast, entry)
        with pytest.raises(FollowUpRefused, match="attend déjà"):
            ask(cast, entry, "Et l’école ?")

    def test_says_something(self, cast: Cast, entry: Entry) -> None:
        with pytest.raises(FollowUpRefused) as refusal:
            ask(cast, entry, "  ")
        assert refusal.value.field == "question"

    def test_is_refused_on_a_closed_parcours(self, cast: Cast, entry: Entry) -> None:
        close(cast.ines_parcours, cast.amina)
        with pytest.raises(ParcoursIsClosed):
            ask(cast, entry)


class TestAnswerFollowUp:
    def test_resolves_it_and_lets_another_be_asked(self, cast: Cast, entry: Entry) -> None:
        asked = ask(cast, entry)
        answered = answer_follow_up(follow_up=asked, answer="Je la rappelle jeudi.", by=cast.benoit)
        assert (answered.answer, answered.answered_by_id) == ("Je la rappelle jeudi.", cast.benoit.pk)
        assert not FollowUp.objects.answerable_by(cast.benoit).exists()
        assert ask(cast, entry, "C’est fait ?").pk != asked.pk

    def test_is_given_once_and_says_something(self, cast: Cast, entry: Entry) -> None:
        asked = ask(cast, entry)
        with pytest.raises(FollowUpRefused, match="Écrivez"):
            answer_follow_up(follow_up=asked, answer="", by=cast.benoit)
        answer_follow_up(follow_up=asked, answer="Oui.", by=cast.benoit)
        with pytest.raises(FollowUpRefused, match="déjà sa réponse"):
            answer_follow_up(follow_up=asked, answer="Non.", by=cast.benoit)
