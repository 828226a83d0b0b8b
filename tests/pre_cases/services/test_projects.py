"""Changing a project without taking anything from the children who hold a place in it."""

from typing import Any

import pytest

from audit.journal.models import Event
from partners.models import Project, Term
from partners.services.projects import ProjectRefused
from pre_cases.services.projects import PlacesAreHeld, change_project
from tests.cast import Cast, make_enrolment, make_project


@pytest.fixture
def facts(cast: Cast) -> dict[str, Any]:
    return {
        "organisation": cast.project.organisation,
        "title": cast.project.title,
        "domain": Term.objects.get(pk="domain:culturel"),
        "school_year": cast.project.school_year,
        "places": 2,
        "teams": [cast.team_a],
    }


class TestChangeProject:
    def test_replaces_what_is_said(self, cast: Cast, facts: dict[str, Any]) -> None:
        change_project(project=cast.project, by=cast.amina, **facts)
        cast.project.refresh_from_db()
        assert (cast.project.places, cast.project.domain.code) == (2, "culturel")
        assert Event.objects.filter(action="change", kind="partners.project", actor_id=cast.amina.pk).count() == 1

    def test_lowers_the_places_to_those_taken(self, cast: Cast, facts: dict[str, Any]) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        assert change_project(project=cast.project, by=cast.amina, **facts | {"places": 1}).places == 1

    def test_never_takes_a_held_place_away(self, cast: Cast, facts: dict[str, Any]) -> None:
        shared = make_project(cast.team_a, cast.team_b, title="Chorale")
        make_enrolment(cast.ines_parcours, shared)
        make_enrolment(cast.tom_parcours, shared)
        with pytest.raises(PlacesAreHeld) as refusal:
            change_project(
                project=shared,
                by=cast.esther,
                **facts | {"title": "Chorale", "places": 1, "teams": [cast.team_a, cast.team_b]},
            )
        assert refusal.value.field == "places"
        assert Project.objects.get(pk=shared.pk).places == 12

    def test_keeps_the_team_of_an_enrolled_child(self, cast: Cast, facts: dict[str, Any]) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        with pytest.raises(PlacesAreHeld) as refusal:
            change_project(project=cast.project, by=cast.esther, **facts | {"teams": [cast.team_b]})
        assert refusal.value.field == "teams"

    def test_keeps_the_year_in_which_children_were_enrolled(self, cast: Cast, facts: dict[str, Any]) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        with pytest.raises(PlacesAreHeld) as refusal:
            change_project(project=cast.project, by=cast.amina, **facts | {"school_year": cast.project.school_year + 1})
        assert refusal.value.field == "school_year"

    def test_refuses_a_coordinator_to_take_the_team_of_another(self, cast: Cast, facts: dict[str, Any]) -> None:
        shared = make_project(cast.team_a, cast.team_b, title="Chorale")
        with pytest.raises(ProjectRefused):
            change_project(project=shared, by=cast.amina, **facts | {"title": "Chorale", "teams": [cast.team_a]})
        assert shared.teams.count() == 2
