"""A draft, its transmission, and a saisine that lacks something: computed from the facts, counted once transmitted."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from partners.models import Term
from pre_cases.models import Saisine, SaisineOutcome, SaisineStage
from pre_cases.services.agreement import AgreementRefused, present_agreement
from pre_cases.services.saisine import NewChild, OutcomeRefused, SaisineRefused, decide_outcome, receive_saisine
from pre_cases.services.saisine_content import SaisineContent, ask_completion, change_saisine
from pre_cases.services.timeline import SaisineIsOver
from tests.cast import Cast, make_child, make_saisine

DAY = timedelta(days=1)


def sign(code: str) -> Term:
    return Term.objects.get(pk=f"sign:{code}")


def content(saisine: Saisine, **values: Any) -> SaisineContent:
    typed: dict[str, Any] = {"received_on": saisine.received_on, "source": saisine.source, "signs": []}
    return SaisineContent(**typed | values)


def stage(saisine: Saisine) -> SaisineStage:
    return Saisine.objects.with_stage().get(pk=saisine.pk).stage


@pytest.fixture
def draft(cast: Cast) -> Saisine:
    return receive_saisine(
        team=cast.team_a,
        received_on=timezone.localdate(),
        source=Term.objects.get(pk="source:college"),
        signs=[sign("absences")],
        main_sign=sign("absences"),
        new_child=NewChild(first_name="Zoé", family_name="Roy"),
        is_draft=True,
        by=cast.benoit,
    )


class TestDraft:
    def test_waits_for_its_author_and_for_nobody_else(self, cast: Cast, draft: Saisine) -> None:
        assert stage(draft) is SaisineStage.DRAFT
        with pytest.raises(AgreementRefused, match="brouillon"):
            present_agreement(
                saisine=draft, on=timezone.localdate(), form_version="1", covers_school=True, covers_partners=True,
                by=cast.benoit,
            )  # fmt: skip
        with pytest.raises(OutcomeRefused, match="brouillon"):
            decide_outcome(
                saisine=draft, outcome=SaisineOutcome.NO_FOLLOW_UP, on=timezone.localdate(), reason="x", by=cast.amina
            )

    def test_becomes_a_saisine_with_what_was_typed_last(self, cast: Cast, draft: Saisine) -> None:
        typed = content(
            draft,
            signs=[sign("absences"), sign("resultats")],
            main_sign=sign("resultats"),
            child_words="« J’aime pas la cantine. »",
            parents_words="« Elle dort mal. »",
        )
        change_saisine(saisine=draft, content=typed, submit=True, by=cast.benoit)
        now = Saisine.objects.with_stage().get(pk=draft.pk)
        assert (now.stage, now.submitted_on) == (SaisineStage.RECEIVED, timezone.localdate())
        assert (now.child_words, now.parents_words) == ("« J’aime pas la cantine. »", "« Elle dort mal. »")
        assert {(row.sign.code, row.is_main) for row in now.signs.all()} == {("absences", False), ("resultats", True)}


class TestCompletion:
    def test_is_asked_then_given(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        ask_completion(saisine=saisine, needed="La classe et l’école.", by=cast.benoit)
        assert stage(saisine) is SaisineStage.TO_COMPLETE
        change_saisine(saisine=saisine, content=content(saisine, situation="CE2, rue Neuve."), by=cast.benoit)
        assert stage(saisine) is SaisineStage.TO_COMPLETE, "typing again is not saying that all is there"
        change_saisine(saisine=saisine, content=content(saisine), submit=True, by=cast.benoit)
        assert stage(saisine) is SaisineStage.RECEIVED

    def test_holds_back_neither_the_agreement_nor_the_urgent(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        ask_completion(saisine=saisine, needed="La classe.", by=cast.benoit)
        present_agreement(
            saisine=saisine, on=timezone.localdate(), form_version="1", covers_school=True, covers_partners=True,
            by=cast.benoit,
        )  # fmt: skip
        assert stage(saisine) is SaisineStage.AGREEMENT_AWAITED

    def test_says_what_is_missing(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        with pytest.raises(SaisineRefused) as refusal:
            ask_completion(saisine=saisine, needed="  ", by=cast.benoit)
        assert refusal.value.field == "needed"


class TestChangeSaisine:
    def test_refuses_a_day_to_come_or_after_what_is_noted(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        with pytest.raises(SaisineRefused, match="futur"):
            change_saisine(
                saisine=saisine, content=content(saisine, received_on=timezone.localdate() + DAY), by=cast.benoit
            )
        present_agreement(
            saisine=saisine, on=saisine.received_on, form_version="1", covers_school=True, covers_partners=True,
            by=cast.benoit,
        )  # fmt: skip
        with pytest.raises(SaisineRefused, match="précède"):
            change_saisine(
                saisine=saisine, content=content(saisine, received_on=saisine.received_on + DAY), by=cast.benoit
            )

    def test_refuses_once_the_parcours_is_open(self, cast: Cast) -> None:
        saisine = cast.ines_parcours.saisine
        with pytest.raises(SaisineIsOver):
            change_saisine(saisine=saisine, content=content(saisine), by=cast.benoit)
