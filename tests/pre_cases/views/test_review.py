"""The forms of the point d'étape and of the bilan."""

from datetime import timedelta

import pytest
from django.utils import timezone

from partners.models import Term
from pre_cases.models import Bilan, Objective, Review
from pre_cases.services.parcours import close_parcours
from pre_cases.services.support import add_objective
from tests.cast import Cast, make_child, make_parcours
from tests.pre_cases.views.reach import assert_hidden, url

DAY = timedelta(days=1)
REACHED = "exit_reason:objectifs-atteints"


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def objective(cast: Cast) -> Objective:
    return add_objective(
        parcours=cast.ines_parcours,
        text="Lire seule",
        domain=Term.objects.get(pk="domain:educatif"),
        priority=Term.objects.get(pk="priority:decrochage"),
        set_on=timezone.localdate() - 10 * DAY,
        by=cast.benoit,
    )


class TestReviewCreate:
    def typed(self, **values: str) -> dict[str, str]:
        return {
            "on": timezone.localdate().isoformat(),
            "text": "Elle lit un chapitre par soir.",
            "next_steps": "Continuer",
            "family_present": "on",
        } | values

    def test_keeps_the_review_and_comes_back(self, cast: Cast, signed_in, today) -> None:
        response = signed_in(cast.benoit).post(url("review_create", cast.ines_parcours.pk), self.typed())
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        review = cast.ines_parcours.reviews.get()
        assert (review.on, review.text, review.author_id) == (today, "Elle lit un chapitre par soir.", cast.benoit.pk)
        assert (review.family_present, review.child_present) == (True, False)

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"text": ""}, "text", "obligatoire"),
            ({"text": "é" * 1001}, "text", "1000 signes au plus"),
            ({"on": "2099-01-01"}, "on", "futur"),
            ({"on": "1999-01-01"}, "on", "précède l’entrée"),
            ({"on": "lundi"}, "on", "date valide"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, values, field, sentence) -> None:
        typed = self.typed(**values)
        response = signed_in(cast.benoit).post(url("review_create", cast.ines_parcours.pk), typed)
        assert response.status_code == 422
        assert sentence in " ".join(response.context["form"].errors[field])
        page = response.content.decode()
        assert f'id="id_{field}_error"' in page
        assert all(typed[name] in page for name in ("on", "text", "next_steps"))
        assert not Review.objects.exists()

    def test_refuses_a_second_one_on_the_same_day(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.post(url("review_create", cast.ines_parcours.pk), self.typed())
        again = client.post(url("review_create", cast.ines_parcours.pk), self.typed(text="Une autre version"))
        assert again.status_code == 422
        assert "déjà enregistré" in " ".join(again.context["form"].errors["on"])
        assert "Une autre version" in again.content.decode()

    def test_says_above_the_form_that_the_entry_comes_first(self, cast: Cast, signed_in) -> None:
        waiting = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"), entered_on=None)
        response = signed_in(cast.benoit).post(url("review_create", waiting.pk), self.typed())
        assert response.status_code == 422
        assert "encore en évaluation" in " ".join(response.context["form"].non_field_errors())
        assert "Elle lit un chapitre par soir." in response.content.decode()

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "review_create", cast.ines_parcours.pk)
        assert_hidden(signed_in(cast.benoit), "review_create", cast.tom_parcours.pk)


class TestBilanWrite:
    def typed(self, **values: str) -> dict[str, str]:
        return {
            "on": timezone.localdate().isoformat(),
            "text": "Un an de chemin.",
            "family_word": "Elle est contente.",
            "relay": "Centre social",
            "exit_reason": REACHED,
        } | values

    def test_keeps_the_bilan_with_one_result_per_objective(self, cast: Cast, signed_in, objective, today) -> None:
        typed = self.typed(**{f"result_{objective.pk}": "partly"})
        response = signed_in(cast.benoit).post(url("bilan_write", cast.ines_parcours.pk), typed)
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        bilan = Bilan.objects.get()
        assert (bilan.text, bilan.family_word, bilan.relay) == (
            "Un an de chemin.",
            "Elle est contente.",
            "Centre social",
        )
        objective.refresh_from_db()
        assert (objective.result, objective.result_on) == ("partly", today)

    def test_shows_what_was_written_to_be_corrected(self, cast: Cast, signed_in, objective) -> None:
        client = signed_in(cast.benoit)
        address = url("bilan_write", cast.ines_parcours.pk)
        client.post(address, self.typed(**{f"result_{objective.pk}": "partly"}))
        page = client.get(address).content.decode()
        assert all(text in page for text in ("Un an de chemin.", "Elle est contente.", "Centre social"))
        assert '<option value="partly" selected>' in page
        client.post(address, self.typed(text="Mieux dit.", **{f"result_{objective.pk}": "reached"}))
        assert Bilan.objects.get().text == "Mieux dit."
        objective.refresh_from_db()
        assert objective.result == "reached"

    def test_asks_for_the_result_beside_its_objective(self, cast: Cast, signed_in, objective) -> None:
        response = signed_in(cast.benoit).post(url("bilan_write", cast.ines_parcours.pk), self.typed())
        assert response.status_code == 422
        assert response.context["form"].errors == {f"result_{objective.pk}": ["Dites si l’objectif est atteint."]}
        page = response.content.decode()
        assert f'id="id_result_{objective.pk}_error"' in page
        assert "Un an de chemin." in page
        assert not Bilan.objects.exists()

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"text": ""}, "text", "obligatoire"),
            ({"exit_reason": ""}, "exit_reason", "obligatoire"),
            ({"exit_reason": "domain:social"}, "exit_reason", "choix valide"),
            ({"on": "2099-01-01"}, "on", "futur"),
            ({"on": "1999-01-01"}, "on", "précède l’entrée"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, values, field, sentence) -> None:
        typed = self.typed(**values)
        response = signed_in(cast.benoit).post(url("bilan_write", cast.ines_parcours.pk), typed)
        assert response.status_code == 422
        assert sentence in " ".join(response.context["form"].errors[field])
        page = response.content.decode()
        assert all(typed[name] in page for name in ("on", "text", "family_word", "relay"))
        assert not Bilan.objects.exists()

    def test_ignores_the_objective_of_another_parcours(self, cast: Cast, signed_in) -> None:
        foreign = add_objective(
            parcours=cast.tom_parcours,
            text="Nager",
            domain=Term.objects.get(pk="domain:culturel"),
            priority=Term.objects.get(pk="priority:sante"),
            set_on=timezone.localdate(),
            by=cast.chloe,
        )
        smuggled = self.typed(**{f"result_{foreign.pk}": "reached"})
        response = signed_in(cast.benoit).post(url("bilan_write", cast.ines_parcours.pk), smuggled)
        assert response.status_code == 302
        foreign.refresh_from_db()
        assert foreign.result == ""

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "bilan_write", cast.ines_parcours.pk)

    def test_is_hidden_once_the_parcours_is_closed(self, cast: Cast, signed_in, today) -> None:
        client = signed_in(cast.amina)
        client.post(url("bilan_write", cast.ines_parcours.pk), self.typed())
        reason = Term.objects.get(pk=REACHED)
        close_parcours(parcours=cast.ines_parcours, on=today, reason=reason, by=cast.amina)
        assert_hidden(client, "bilan_write", cast.ines_parcours.pk)
