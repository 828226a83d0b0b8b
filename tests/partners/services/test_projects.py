"""Creating projects: fields, teams, and who may give which team."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.journal.models import Event
from partners.models import Organisation, Project, Term, school_year_of
from partners.services.projects import ProjectRefused, create_project
from tests.cast import Cast


@pytest.fixture
def facts(cast: Cast) -> dict[str, Any]:
    return {
        "organisation": Organisation.objects.get(),
        "title": "Théâtre du mercredi",
        "domain": Term.objects.get(pk="domain:culturel"),
        "school_year": cast.project.school_year,
        "places": 10,
        "teams": [cast.team_a],
    }


class TestCreateProject:
    def test_opens_it_to_its_teams(self, cast: Cast, facts: dict[str, Any]) -> None:
        project = create_project(by=cast.amina, **facts)
        assert project in Project.objects.open_to(cast.team_a.pk)
        assert project not in Project.objects.open_to(cast.team_b.pk)

    def test_is_journalled_with_its_author(self, cast: Cast, facts: dict[str, Any]) -> None:
        project = create_project(by=cast.amina, **facts)
        event = Event.objects.get(kind="partners.project", action="create")
        assert (event.actor_id, event.record_ids) == (cast.amina.pk, [str(project.pk)])

    def test_refuses_the_team_of_another_coordinator(self, cast: Cast, facts: dict[str, Any]) -> None:
        with pytest.raises(ProjectRefused) as refusal:
            create_project(by=cast.amina, **facts | {"teams": [cast.team_a, cast.team_b]})
        assert refusal.value.field == "teams"
        assert Project.objects.count() == 1

    def test_lets_the_pilotage_choose_every_team(self, cast: Cast, facts: dict[str, Any]) -> None:
        project = create_project(by=cast.esther, **facts | {"teams": [cast.team_a, cast.team_b]})
        assert set(project.teams.all()) == {cast.team_a, cast.team_b}

    def test_refuses_a_project_without_a_team(self, cast: Cast, facts: dict[str, Any]) -> None:
        with pytest.raises(ProjectRefused):
            create_project(by=cast.esther, **facts | {"teams": []})

    def test_refuses_a_second_one_of_the_same_title_and_year(self, cast: Cast, facts: dict[str, Any]) -> None:
        create_project(by=cast.amina, **facts)
        with pytest.raises(ValidationError, match="déjà un projet de ce nom"):
            create_project(by=cast.amina, **facts)

    def test_refuses_a_project_without_a_place(self, cast: Cast, facts: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="au moins une place"):
            create_project(by=cast.amina, **facts | {"places": 0})


class TestOpenTo:
    def test_leaves_the_projects_of_other_years(self, cast: Cast, facts: dict[str, Any]) -> None:
        last_year = school_year_of(timezone.localdate()) - 1
        project = create_project(by=cast.amina, **facts | {"school_year": last_year})
        assert project not in Project.objects.open_to(cast.team_a.pk)
