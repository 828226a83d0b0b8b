"""Django's administration holds reference data only: no account, no case, no deletion, and every save is signed."""

import pytest
from django.contrib.admin import site as django_s_own
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from audit.encryption.fields import EncryptedField
from audit.history import acting_as, system_account
from audit.journal.models import Event
from audit.services import Overreach
from partners.admin import reference
from partners.models import Term
from partners.models.nomenclature import Nomenclature
from referents.models import Arrondissement, Team
from referents.services.reference import save_reference
from tests.cast import Cast
from tests.test_consistency import has_path_to_child

ALLOWED = {"referents.Arrondissement", "referents.Team", "partners.Term"}
MODELS = list(reference._registry)


def term(cast: Cast, **values) -> dict:
    return {
        "nomenclature": Nomenclature.SIGN,
        "code": "nouveau-signe",
        "label": "Nouveau signe",
        "parent": "",
        "position": 40,
        "survey_code": "",
        "valid_from": "01/09/2026",
        "valid_to": "",
    } | values


class TestRegistry:
    def test_holds_reference_data_and_nothing_else(self) -> None:
        assert {model._meta.label for model in MODELS} == ALLOWED
        assert not django_s_own._registry

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_holds_nothing_about_anybody(self, model) -> None:
        assert not has_path_to_child(model)
        fields = model._meta.get_fields()
        assert not [field for field in fields if isinstance(field, EncryptedField) or field.name == "data_key_id"]
        points_to = {field.related_model._meta.label for field in fields if field.concrete and field.is_relation}
        assert points_to <= ALLOWED

    @pytest.mark.parametrize("name", ["login", "logout", "password_change", "autocomplete", "view_on_site"])
    def test_has_no_door_of_its_own(self, name: str) -> None:
        with pytest.raises(NoReverseMatch):
            reverse(f"reference:{name}")

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_deletes_nothing(self, model) -> None:
        with pytest.raises(NoReverseMatch):
            reverse(f"reference:{model._meta.app_label}_{model._meta.model_name}_delete", args=[1])
        assert not reference._registry[model].has_delete_permission(None)


class TestReferenceSite:
    def test_stands_behind_the_sign_in_and_the_charter_like_every_page(self, cast: Cast, signed_in, settings) -> None:
        with acting_as(system_account()):
            cast.amina.memberships.create(role="pilotage")
        assert signed_in(cast.amina).get(reverse("reference:index")).status_code == 200
        settings.CHARTER_VERSION = "2099-1"
        assert signed_in(cast.amina).get(reverse("reference:index"))["Location"] == reverse("charter_sign")

    def test_shows_the_pilotage_the_lists_only(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.esther).get(reverse("reference:index")).content.decode()
        assert "Nomenclatures" in page
        assert "Équipes" not in page
        assert signed_in(cast.esther).get(reverse("reference:referents_team_changelist")).status_code == 404

    def test_lets_the_dpo_read_and_change_nothing(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.gaelle)
        url = reverse("reference:referents_team_change", args=[cast.team_a.pk])
        assert 'name="name"' not in client.get(url).content.decode()
        assert client.post(url, {"name": "Autre"}).status_code == 404
        assert Team.objects.get(pk=cast.team_a.pk).name == "A"

    def test_answers_404_about_what_does_not_exist(self, cast: Cast, signed_in) -> None:
        for missing in ("987654", "nulle-part"):
            url = reverse("reference:referents_team_change", args=[missing])
            assert signed_in(cast.hugo).get(url).status_code == 404

    def test_speaks_french(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.hugo).get(reverse("reference:partners_term_changelist")).content.decode()
        assert '<html lang="fr"' in page
        assert "Revenir à Marelle" in page


class TestTermAdmin:
    ADD = "reference:partners_term_add"

    def test_adds_a_word_whose_id_is_made_of_its_list_and_code(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.esther).post(reverse(self.ADD), term(cast)).status_code == 302
        assert Term.objects.get(pk="sign:nouveau-signe").label == "Nouveau signe"
        event = Event.objects.get(action="create", kind="partners.term")
        assert (event.actor_id, event.record_ids) == (cast.esther.pk, ["sign:nouveau-signe"])

    def test_ends_a_word_and_keeps_it(self, cast: Cast, signed_in) -> None:
        url = reverse("reference:partners_term_change", args=[quote("level:cap")])
        typed = term(cast, label="CAP", parent="level:lycee", valid_from="01/01/2005", valid_to="01/09/2026")
        assert signed_in(cast.hugo).post(url, typed).status_code == 302
        ended = Term.objects.get(pk="level:cap")
        assert str(ended.valid_to) == "2026-09-01"
        assert "valid_to" in Event.objects.get(action="change", kind="partners.term").detail["fields"]

    def test_never_changes_the_code_that_past_years_are_counted_by(self, cast: Cast, signed_in) -> None:
        url = reverse("reference:partners_term_change", args=[quote("level:cap")])
        typed = term(cast, nomenclature="sign", code="autre", label="CAP", parent="level:lycee")
        signed_in(cast.hugo).post(url, typed)
        cap = Term.objects.get(pk="level:cap")
        assert (cap.nomenclature, cap.code) == ("level", "cap")

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            ({"parent": "level:lycee"}, "parent"),
            ({"code": "pas un code"}, "code"),
            ({"label": ""}, "label"),
            ({"valid_from": "hier"}, "valid_from"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, typed: dict, field: str) -> None:
        response = signed_in(cast.hugo).post(reverse(self.ADD), term(cast, **typed))
        assert response.status_code == 200  # Django's own answer to a form to correct
        assert list(response.context["adminform"].form.errors) == [field]
        assert not Term.objects.filter(code="nouveau-signe").exists()

    def test_refuses_a_code_already_in_the_list_and_an_end_before_the_beginning(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.hugo)
        for typed, words in (
            (term(cast, nomenclature="level", code="cap"), "existe déjà"),
            (term(cast, valid_to="01/08/2026"), "ne peut pas précéder"),
        ):
            response = client.post(reverse(self.ADD), typed)
            assert words in response.content.decode()
        assert not Term.objects.filter(code="nouveau-signe").exists()


class TestTeamAdmin:
    def test_keeps_the_code_and_the_arrondissement(self, cast: Cast, signed_in) -> None:
        url = reverse("reference:referents_team_change", args=[cast.team_a.pk])
        typed = {"code": "zz", "name": "Goutte d’Or", "arrondissement": 19}
        assert signed_in(cast.hugo).post(url, typed).status_code == 302
        team = Team.objects.get(pk=cast.team_a.pk)
        assert (team.code, team.name, team.arrondissement_id) == ("a", "Goutte d’Or", 18)

    @pytest.mark.parametrize("model", [Team, Arrondissement, Term])
    def test_answers_no_question_about_cases(self, cast: Cast, signed_in, model: type[Model]) -> None:
        """A list filtered by a relation that leads to a parcours would say whether it exists, and in which team."""
        url = reverse(f"reference:{model._meta.label_lower.replace('.', '_')}_changelist")
        asked = 0
        for field in model._meta.get_fields(include_hidden=True):
            if not field.auto_created or field.concrete:
                continue
            for lookup in (field.name, f"{field.name}__id", f"{field.name}__gte", f"{field.name}__isnull"):
                answer = signed_in(cast.hugo).get(url, {lookup: str(cast.ines_parcours.pk)})
                assert answer.status_code == 400, lookup
                asked += 1
        assert asked > 8

    def test_adds_a_team(self, cast: Cast, signed_in) -> None:
        typed = {"code": "18-c", "name": "Goutte d’Or", "arrondissement": 18}
        assert signed_in(cast.hugo).post(reverse("reference:referents_team_add"), typed).status_code == 302
        assert Event.objects.get(action="create", kind="referents.team").actor_id == cast.hugo.pk
        assert not LogEntry.objects.exists()  # the journal keeps it, and one place is enough


class TestSaveReference:
    def test_is_refused_and_journalled_beyond_one_s_rights(self, cast: Cast) -> None:
        cast.team_a.name = "Autre"
        with pytest.raises(Overreach):
            save_reference(record=cast.team_a, fields=["name"], by=cast.amina)
        assert Event.objects.get(action="refusal").kind == "referents.team"
        assert Team.objects.get(pk=cast.team_a.pk).name == "A"
