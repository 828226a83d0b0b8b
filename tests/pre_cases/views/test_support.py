"""The forms of objectives and actions: what they keep, what they refuse and say, and whom they answer."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from partners.models import Organisation, Term
from pre_cases.models import Action, Objective, Parcours
from pre_cases.services.parcours import close_parcours
from pre_cases.services.support import add_action, add_objective
from referents.models import User
from tests.cast import Cast
from tests.pre_cases.views.reach import assert_hidden, url

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


def make_objective(parcours: Parcours, by: User, text: str = "Lire seule") -> Objective:
    return add_objective(
        parcours=parcours,
        text=text,
        domain=Term.objects.get(pk="domain:educatif"),
        priority=Term.objects.get(pk="priority:decrochage"),
        set_on=timezone.localdate() - 10 * DAY,
        by=by,
    )


def make_action(objective: Objective, by: User) -> Action:
    return add_action(
        objective=objective,
        label="Étude du mardi",
        domain=Term.objects.get(pk="domain:educatif"),
        mode="individual",
        nature="pre",
        starts_on=timezone.localdate() - 5 * DAY,
        by=by,
    )


def refused(client: Client, address: str, typed: dict[str, str], field: str, sentence: str) -> str:
    """The page that says ``sentence`` beside ``field`` with everything that was typed still there."""
    response = client.post(address, typed)
    assert response.status_code == 422
    assert sentence in " ".join(response.context["form"].errors[field])
    page = response.content.decode()
    assert f'id="id_{field}_error"' in page
    for value in typed.values():
        assert value in page
    return page


class TestObjectiveCreate:
    def typed(self, **values: str) -> dict[str, str]:
        return {
            "text": "Arriver à l’heure",
            "domain": "domain:educatif",
            "priority": "priority:decrochage",
            "set_on": timezone.localdate().isoformat(),
        } | values

    def test_adds_the_objective_and_comes_back_to_the_parcours(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(url("objective_create", cast.ines_parcours.pk), self.typed())
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        assert cast.ines_parcours.objectives.get().text == "Arriver à l’heure"

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"text": ""}, "text", "obligatoire"),
            ({"text": "é" * 301}, "text", "300"),
            ({"domain": "priority:sante"}, "domain", "choix valide"),
            ({"priority": "domain:social"}, "priority", "choix valide"),
            ({"set_on": "hier"}, "set_on", "date valide"),
            ({"set_on": "2099-01-01"}, "set_on", "futur"),
            ({"set_on": "1999-01-01"}, "set_on", "n’était pas ouvert"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, values, field, sentence) -> None:
        client = signed_in(cast.benoit)
        typed = self.typed(**values)
        foreign = {"domain", "priority"} & values.keys()  # a choice that does not exist cannot be shown again
        response = client.post(url("objective_create", cast.ines_parcours.pk), typed)
        assert response.status_code == 422
        assert sentence in " ".join(response.context["form"].errors[field])
        page = response.content.decode()
        assert all(value in page for name, value in typed.items() if name not in foreign)
        assert not Objective.objects.exists()

    def test_no_longer_offers_a_word_that_has_ended(self, cast: Cast, signed_in, today) -> None:
        Term.objects.filter(pk="domain:social").update(valid_to=today)
        refused_word = self.typed(domain="domain:social")
        response = signed_in(cast.benoit).post(url("objective_create", cast.ines_parcours.pk), refused_word)
        assert response.status_code == 422
        assert "domain:social" not in response.content.decode()

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "objective_create", cast.ines_parcours.pk)


class TestObjectiveResult:
    def test_keeps_the_result_and_comes_back(self, cast: Cast, signed_in, today) -> None:
        objective = make_objective(cast.ines_parcours, cast.benoit)
        response = signed_in(cast.benoit).post(
            url("objective_result", objective.pk), {"result": "partly", "on": today.isoformat()}
        )
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        objective.refresh_from_db()
        assert (objective.result, objective.result_on) == ("partly", today)

    @pytest.mark.parametrize(
        ("result", "on", "field", "sentence"),
        [
            ("", None, "result", "obligatoire"),
            ("excellent", None, "result", "choix valide"),
            ("reached", "2099-01-01", "on", "futur"),
            ("reached", "1999-01-01", "on", "pas encore fixé"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(
        self, cast: Cast, signed_in, today, result: str, on: str | None, field: str, sentence: str
    ) -> None:
        objective = make_objective(cast.ines_parcours, cast.benoit)
        typed = {"result": result, "on": on or today.isoformat()}
        response = signed_in(cast.benoit).post(url("objective_result", objective.pk), typed)
        assert response.status_code == 422
        assert sentence in " ".join(response.context["form"].errors[field])
        page = response.content.decode()
        assert typed["on"] in page
        assert "Lire seule" in page
        objective.refresh_from_db()
        assert objective.result == ""

    def test_is_hidden_for_an_objective_of_another_team(self, cast: Cast, signed_in) -> None:
        foreign = make_objective(cast.tom_parcours, cast.chloe)
        for person in (cast.benoit, cast.amina, cast.david):
            assert_hidden(signed_in(person), "objective_result", foreign.pk)
        foreign.refresh_from_db()
        assert foreign.result == ""


class TestActionCreate:
    def typed(self, **values: str) -> dict[str, str]:
        return {
            "label": "Étude du mardi",
            "domain": "domain:periscolaire",
            "mode": "collective",
            "nature": "common",
            "starts_on": timezone.localdate().isoformat(),
        } | values

    def test_adds_the_action_with_its_partner(self, cast: Cast, signed_in, today) -> None:
        objective = make_objective(cast.ines_parcours, cast.benoit)
        partner = Organisation.objects.get(name="Les Amis du square")
        response = signed_in(cast.benoit).post(url("action_create", objective.pk), self.typed(partner=str(partner.pk)))
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        action = objective.actions.get()
        assert (action.label, action.partner, action.starts_on) == ("Étude du mardi", partner, today)

    def test_plans_an_action_without_a_day(self, cast: Cast, signed_in) -> None:
        objective = make_objective(cast.ines_parcours, cast.benoit)
        signed_in(cast.benoit).post(url("action_create", objective.pk), self.typed(starts_on=""))
        assert objective.actions.get().starts_on is None

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"label": ""}, "label", "obligatoire"),
            ({"starts_on": "1999-01-01"}, "starts_on", "n’était pas ouvert"),
            ({"starts_on": "demain"}, "starts_on", "date valide"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, values, field, sentence) -> None:
        objective = make_objective(cast.ines_parcours, cast.benoit)
        page = refused(
            signed_in(cast.benoit), url("action_create", objective.pk), self.typed(**values), field, sentence
        )
        assert "Lire seule" in page
        assert not Action.objects.exists()

    def test_refuses_a_mode_and_a_partner_that_do_not_exist(self, cast: Cast, signed_in) -> None:
        objective = make_objective(cast.ines_parcours, cast.benoit)
        response = signed_in(cast.benoit).post(
            url("action_create", objective.pk), self.typed(mode="magique", partner="999999")
        )
        assert response.status_code == 422
        assert set(response.context["form"].errors) == {"mode", "partner"}

    def test_is_hidden_for_an_objective_of_another_team(self, cast: Cast, signed_in) -> None:
        foreign = make_objective(cast.tom_parcours, cast.chloe)
        for person in (cast.benoit, cast.amina, cast.david):
            assert_hidden(signed_in(person), "action_create", foreign.pk)
        assert not Action.objects.exists()


class TestActionEnd:
    def test_ends_the_action_after_its_last_day(self, cast: Cast, signed_in, today) -> None:
        action = make_action(make_objective(cast.ines_parcours, cast.benoit), cast.benoit)
        response = signed_in(cast.benoit).post(url("action_end", action.pk), {"on": today.isoformat()})
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        action.refresh_from_db()
        assert action.ends_on == today + DAY

    @pytest.mark.parametrize(
        ("on", "sentence"), [("2099-01-01", "futur"), ("1999-01-01", "n’avait pas commencé"), ("jeudi", "date valide")]
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, on: str, sentence: str) -> None:
        action = make_action(make_objective(cast.ines_parcours, cast.benoit), cast.benoit)
        refused(signed_in(cast.benoit), url("action_end", action.pk), {"on": on}, "on", sentence)
        action.refresh_from_db()
        assert action.ends_on is None

    def test_says_above_the_form_that_it_has_ended_already(self, cast: Cast, signed_in, today) -> None:
        action = make_action(make_objective(cast.ines_parcours, cast.benoit), cast.benoit)
        client = signed_in(cast.benoit)
        client.post(url("action_end", action.pk), {"on": today.isoformat()})
        again = client.post(url("action_end", action.pk), {"on": today.isoformat()})
        assert again.status_code == 422
        assert "déjà terminée" in again.content.decode()

    def test_is_hidden_for_an_action_of_another_team(self, cast: Cast, signed_in) -> None:
        foreign = make_action(make_objective(cast.tom_parcours, cast.chloe), cast.chloe)
        for person in (cast.benoit, cast.amina, cast.david):
            assert_hidden(signed_in(person), "action_end", foreign.pk)
        foreign.refresh_from_db()
        assert foreign.ends_on is None

    def test_is_hidden_once_the_parcours_is_closed(self, cast: Cast, signed_in, today) -> None:
        action = make_action(make_objective(cast.ines_parcours, cast.benoit), cast.benoit)
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=cast.ines_parcours, on=today, reason=lost, by=cast.amina)
        for person in (cast.benoit, cast.amina):
            assert_hidden(signed_in(person), "action_end", action.pk)
