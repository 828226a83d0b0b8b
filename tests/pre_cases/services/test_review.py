"""The point d'étape and the bilan: in their order, never ahead of time, and never half said."""

from datetime import timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import Bilan, Objective, ObjectiveResult, Parcours, Review
from pre_cases.services.parcours import close_parcours
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.services.review import BilanRefused, ReviewRefused, record_review, write_bilan
from pre_cases.services.support import add_objective, record_result
from tests.cast import Cast, make_child, make_parcours

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


def review(cast: Cast, **values) -> Review:
    values = {"parcours": cast.ines_parcours, "on": timezone.localdate(), "text": "Elle lit seule."} | values
    return record_review(**{"family_present": True, "child_present": False, "by": cast.benoit} | values)


def write(cast: Cast, **values) -> Bilan:
    values = {"parcours": cast.ines_parcours, "on": timezone.localdate(), "text": "Un an de chemin."} | values
    return write_bilan(**{"exit_reason": reached(), "by": cast.benoit} | values)


def reached() -> Term:
    return Term.objects.get(pk="exit_reason:objectifs-atteints")


def close(cast: Cast) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)


def evaluated(cast: Cast) -> Parcours:
    return make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"), entered_on=None)


class TestRecordReview:
    def test_puts_the_next_one_off_and_counts_as_a_contact(self, cast: Cast, today) -> None:
        review(cast)
        parcours = Parcours.objects.get(pk=cast.ines_parcours.pk)
        agreed_until = parcours.agreement.agreed_until_on
        assert parcours.due_on == min(today + relativedelta(months=settings.REVIEW_EVERY_MONTHS), agreed_until)
        assert parcours.last_contact_on == today

    def test_is_no_contact_when_nobody_of_the_family_was_there(self, cast: Cast) -> None:
        review(cast, family_present=False)
        assert Parcours.objects.get(pk=cast.ines_parcours.pk).last_contact_on is None

    def test_keeps_its_words_under_the_key_of_the_child(self, cast: Cast) -> None:
        kept = Review.objects.get(pk=review(cast, next_steps="Voir l’orthophoniste").pk)
        assert (kept.text, kept.next_steps) == ("Elle lit seule.", "Voir l’orthophoniste")
        assert kept.data_key_id == cast.ines.data_key_id
        event = Event.objects.get(kind="pre_cases.review")
        assert (event.action, event.actor_id) == ("create", cast.benoit.pk)

    def test_waits_for_the_entry(self, cast: Cast) -> None:
        with pytest.raises(ReviewRefused, match="encore en évaluation"):
            review(cast, parcours=evaluated(cast))

    def test_is_possible_from_the_day_of_the_entry_to_today(self, cast: Cast, today) -> None:
        entered = cast.ines_parcours.entered_on
        for day, sentence in ((entered - DAY, "précède l’entrée"), (today + DAY, "futur")):
            with pytest.raises(ReviewRefused, match=sentence) as refusal:
                review(cast, on=day)
            assert refusal.value.field == "on"
        assert review(cast, on=entered).on == entered

    def test_happens_once_a_day(self, cast: Cast) -> None:
        review(cast)
        with pytest.raises(ReviewRefused, match="déjà enregistré") as refusal:
            review(cast)
        assert refusal.value.field == "on"
        assert cast.ines_parcours.reviews.count() == 1

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            review(cast)


class TestWriteBilan:
    def objective(self, cast: Cast, **values) -> Objective:
        return add_objective(
            parcours=cast.ines_parcours,
            text="Lire seule",
            domain=Term.objects.get(pk="domain:educatif"),
            priority=Term.objects.get(pk="priority:decrochage"),
            set_on=values.pop("set_on", timezone.localdate() - 20 * DAY),
            by=cast.benoit,
        )

    def test_opens_the_way_to_the_closing(self, cast: Cast, today) -> None:
        write(cast, family_word="Merci", relay="Centre social")
        bilan = Bilan.objects.get()
        assert (bilan.text, bilan.family_word, bilan.relay) == ("Un an de chemin.", "Merci", "Centre social")
        close_parcours(parcours=cast.ines_parcours, on=today, reason=reached(), by=cast.amina)
        assert Parcours.objects.get(pk=cast.ines_parcours.pk).is_closed

    def test_is_written_again_until_the_closing(self, cast: Cast) -> None:
        first = write(cast)
        second = write(cast, text="Mieux dit.", by=cast.amina)
        assert first.pk == second.pk
        assert (Bilan.objects.get().text, Bilan.objects.get().author_id) == ("Mieux dit.", cast.amina.pk)
        actions = Event.objects.filter(kind="pre_cases.bilan").order_by("at", "id").values_list("action", flat=True)
        assert list(actions) == ["create", "change"]

    def test_asks_how_far_every_objective_got(self, cast: Cast) -> None:
        one, other = self.objective(cast), self.objective(cast)
        with pytest.raises(BilanRefused, match="pour chaque objectif"):
            write(cast, results={one.pk: ObjectiveResult.REACHED})
        one.refresh_from_db()
        assert one.result == ""
        assert not Bilan.objects.exists()
        write(cast, results={one.pk: ObjectiveResult.REACHED, other.pk: ObjectiveResult.NOT_REACHED})
        assert set(Objective.objects.values_list("pk", "result")) == {
            (one.pk, ObjectiveResult.REACHED),
            (other.pk, ObjectiveResult.NOT_REACHED),
        }

    def test_dates_a_new_result_and_leaves_the_day_of_an_unchanged_one(self, cast: Cast, today) -> None:
        known, new = self.objective(cast), self.objective(cast)
        record_result(objective=known, result=ObjectiveResult.PARTLY, on=today - 9 * DAY, by=cast.benoit)
        write(cast, results={known.pk: ObjectiveResult.PARTLY, new.pk: ObjectiveResult.REACHED})
        assert Objective.objects.get(pk=known.pk).result_on == today - 9 * DAY
        assert Objective.objects.get(pk=new.pk).result_on == today

    def test_needs_no_answer_for_an_objective_that_has_its_result(self, cast: Cast, today) -> None:
        record_result(objective=self.objective(cast), result=ObjectiveResult.REACHED, on=today, by=cast.benoit)
        assert write(cast)

    def test_never_dates_a_result_before_its_objective(self, cast: Cast, today) -> None:
        objective = self.objective(cast, set_on=today)
        write(cast, on=today - DAY, results={objective.pk: ObjectiveResult.NOT_APPLICABLE})
        assert Objective.objects.get().result_on == today

    def test_touches_no_objective_of_another_parcours(self, cast: Cast) -> None:
        foreign = add_objective(
            parcours=cast.tom_parcours,
            text="Nager",
            domain=Term.objects.get(pk="domain:culturel"),
            priority=Term.objects.get(pk="priority:sante"),
            set_on=timezone.localdate(),
            by=cast.chloe,
        )
        write(cast, results={foreign.pk: ObjectiveResult.REACHED})
        assert Objective.objects.get(pk=foreign.pk).result == ""

    def test_waits_for_the_entry(self, cast: Cast) -> None:
        with pytest.raises(BilanRefused, match="encore en évaluation"):
            write(cast, parcours=evaluated(cast))

    def test_is_possible_from_the_day_of_the_entry_to_today(self, cast: Cast, today) -> None:
        entered = cast.ines_parcours.entered_on
        for day, sentence in ((entered - DAY, "précède l’entrée"), (today + DAY, "futur")):
            with pytest.raises(BilanRefused, match=sentence) as refusal:
                write(cast, on=day)
            assert refusal.value.field == "on"
        assert write(cast, on=entered).on == entered

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            write(cast)
