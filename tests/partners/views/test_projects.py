"""Projects as such: who reads them, how they are filtered, who sees the amounts, who adds one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.journal.models import Event
from partners.models import Project
from tests.cast import Cast, make_project

LIST, CREATE = "partners:project_list", "partners:project_create"


class TestProjectList:
    def test_shows_the_projects_of_own_teams_and_all_to_the_pilotage(self, cast: Cast, signed_in) -> None:
        make_project(cast.team_b, title="Chorale")

        def titles(person) -> list[str]:
            return [project.title for project in signed_in(person).get(reverse(LIST)).context["page"].object_list]

        assert titles(cast.amina) == titles(cast.benoit) == ["Aide aux devoirs"]
        assert titles(cast.chloe) == ["Chorale"]
        assert titles(cast.esther) == ["Aide aux devoirs", "Chorale"]

    @pytest.mark.parametrize("name", ["david", "farid", "gaelle", "hugo"])
    def test_does_not_exist_for_the_others(self, cast: Cast, signed_in, name: str) -> None:
        assert signed_in(getattr(cast, name)).get(reverse(LIST)).status_code == 404
        assert Event.objects.filter(action="refusal", kind="partners.project").count() == 1

    def test_begins_with_the_current_school_year(self, cast: Cast, signed_in) -> None:
        year = cast.project.school_year
        make_project(cast.team_a, title="Ancien", school_year=year - 1)
        client = signed_in(cast.benoit)
        assert [p.title for p in client.get(reverse(LIST)).context["page"]] == ["Aide aux devoirs"]
        assert [p.title for p in client.get(reverse(LIST), {"annee": year - 1}).context["page"]] == ["Ancien"]
        assert len(client.get(reverse(LIST), {"annee": "toutes"}).context["page"]) == 2

    def test_counts_in_each_filter_what_its_list_shows(self, cast: Cast, signed_in) -> None:
        year = cast.project.school_year
        make_project(cast.team_a, cast.team_b, title="Chorale", school_year=year - 1)
        make_project(cast.team_b, title="Échecs")
        client = signed_in(cast.esther)
        for query in ("", "?annee=toutes", "?equipe=b&annee=toutes", "?domaine=educatif"):
            context = client.get(reverse(LIST) + query).context
            for link in [*context["years"], *context["domains"], *context["teams"]]:
                assert client.get(reverse(LIST) + link["url"]).context["page"].paginator.count == link["count"], link

    def test_marks_the_chosen_filter(self, cast: Cast, signed_in) -> None:
        context = signed_in(cast.esther).get(reverse(LIST), {"equipe": "a"}).context
        assert [link["label"] for link in context["teams"] if link["active"]] == ["A"]
        assert [link["label"] for link in context["domains"] if link["active"]] == ["Tous les domaines"]

    @pytest.mark.parametrize("query", [{"annee": "99999"}, {"equipe": "\0"}, {"domaine": "' OR 1=1"}, {"page": "x"}])
    def test_leaves_aside_what_is_no_filter(self, cast: Cast, signed_in, query: dict[str, str]) -> None:
        page = signed_in(cast.benoit).get(reverse(LIST), query)
        assert [p.title for p in page.context["page"]] == ["Aide aux devoirs"]

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.get(reverse(LIST))
        with CaptureQueriesContext(connection) as one:
            client.get(reverse(LIST))
        for number in range(24):
            make_project(cast.team_a, cast.team_b, title=f"Projet {number:02}")
        with CaptureQueriesContext(connection) as many:
            assert len(client.get(reverse(LIST)).context["page"]) == 25
        assert len(many) == len(one)

    def test_shows_no_amount(self, cast: Cast, signed_in) -> None:
        Project.objects.update(granted=98765)
        assert "98" not in signed_in(cast.benoit).get(reverse(LIST)).content.decode().split("<main")[1]


class TestProjectDetail:
    def test_answers_out_of_reach_like_an_unknown_id(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.farid, cast.gaelle, cast.hugo):
            client = signed_in(person)
            foreign = client.get(reverse("partners:project_detail", args=[cast.project.pk]))
            nothing = client.get(reverse("partners:project_detail", args=[9999]))
            assert foreign.status_code == nothing.status_code == 404
            assert foreign.content == nothing.content

    def test_shows_the_amounts_to_those_who_may_change_the_project(self, cast: Cast, signed_in) -> None:
        Project.objects.update(granted=4321)
        url = reverse("partners:project_detail", args=[cast.project.pk])
        shown = {
            person.first_name: "Montants" in signed_in(person).get(url).content.decode()
            for person in (cast.amina, cast.benoit, cast.esther)
        }
        assert shown == {"Amina": True, "Benoît": False, "Esther": True}

    def test_leads_to_the_page_of_change(self, cast: Cast, signed_in) -> None:
        """A relative address, because that page stands above this app."""
        url = reverse("partners:project_detail", args=[cast.project.pk])
        client = signed_in(cast.amina)
        assert 'href="modifier/"' in client.get(url).content.decode()
        assert client.get(url + "modifier/").status_code == 200


class TestProjectCreate:
    def typed(self, cast: Cast, **values: object) -> dict[str, object]:
        return {
            "organisation": cast.project.organisation_id,
            "title": "Théâtre",
            "domain": "domain:culturel",
            "time_slot": "wednesday",
            "school_year": cast.project.school_year,
            "places": 8,
            "teams": [cast.team_a.pk],
            "requested": 1000,
            "granted": "800,50",
            "spent": 0,
            **values,
        }

    def test_adds_it(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.amina).post(reverse(CREATE), self.typed(cast))
        project = Project.objects.get(title="Théâtre")
        assert response["Location"] == reverse("partners:project_detail", args=[project.pk])
        assert str(project.granted) == "800.50"

    def test_begins_with_the_organisation_one_comes_from(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.amina).get(reverse(CREATE), {"organisme": cast.project.organisation_id})
        assert f'value="{cast.project.organisation_id}" selected' in page.content.decode()

    def test_offers_own_teams_only(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.amina).get(reverse(CREATE))
        assert set(page.context["form"].fields["teams"].queryset) == {cast.team_a}
        response = signed_in(cast.amina).post(reverse(CREATE), self.typed(cast, teams=[cast.team_b.pk]))
        assert response.status_code == 422
        assert not Project.objects.filter(title="Théâtre").exists()

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"teams": []}, "Choisissez au moins une équipe"),
            ({"places": 0}, "au moins une place"),
            ({"title": "Aide aux devoirs"}, "déjà un projet de ce nom"),
            ({"granted": -1}, "supérieure ou égale à 0"),
            ({"teams": ["9" * 30]}, "Sélectionnez un choix valide"),
        ],
    )
    def test_keeps_what_was_typed_and_says_what_is_wrong(self, cast: Cast, signed_in, values, sentence) -> None:
        response = signed_in(cast.amina).post(reverse(CREATE), self.typed(cast, spent=77, **values))
        page = response.content.decode()
        assert response.status_code == 422
        assert sentence in page
        assert 'value="77"' in page
        assert Project.objects.count() == 1

    @pytest.mark.parametrize("name", ["benoit", "david", "farid", "gaelle", "hugo"])
    def test_does_not_exist_for_the_others(self, cast: Cast, signed_in, name: str) -> None:
        client = signed_in(getattr(cast, name))
        assert client.get(reverse(CREATE)).status_code == 404
        assert client.post(reverse(CREATE), self.typed(cast)).status_code == 404
        assert Project.objects.count() == 1
