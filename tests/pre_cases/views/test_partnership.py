"""Enrolling from the parcours, sharing it, changing a project, and the groups of a project leader."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Organisation, Project, ProjectLead, Term
from pre_cases.models import Enrolment
from tests.cast import Cast, make_child, make_enrolment, make_parcours, make_project, make_schooling

NOT_COUNTED = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")


def queries_of(client, url: str) -> int:
    """What a page asks of both databases, transactions and the once-a-minute session write left out."""
    client.get(url)
    with CaptureQueriesContext(connections["default"]) as data, CaptureQueriesContext(connections["keys"]) as keys:
        assert client.get(url).status_code == 200
    every = [query["sql"] for query in (*data.captured_queries, *keys.captured_queries)]
    return len([sql for sql in every if not sql.startswith(NOT_COUNTED)])


def answers_like_nothing(client, url: str, unknown: str) -> bool:
    """Out of reach, a page answers what a random id does, whatever the method."""
    for method in (client.get, client.post):
        foreign, nothing = method(url), method(unknown)
        if not foreign.status_code == nothing.status_code == 404 or foreign.content != nothing.content:
            return False
    return True


def enrol_many(cast: Cast, project: Project, number: int) -> None:
    for index in range(number):
        child = make_child(f"Enfant{index}", family_name="Secret")
        make_schooling(child)
        make_enrolment(make_parcours(cast.team_a, child=child), project)


class TestEnrolmentCreate:
    def url(self, cast: Cast) -> str:
        return reverse("pre_cases:enrolment_create", args=[cast.ines_parcours.pk])

    def typed(self, project: Project, **values: str) -> dict[str, object]:
        return {"project": project.pk, "on": timezone.localdate().isoformat(), **values}

    def test_lists_the_projects_of_the_team_and_year_with_their_places(self, cast: Cast, signed_in) -> None:
        make_project(cast.team_b, title="Chorale")
        make_project(cast.team_a, title="Ancien", school_year=cast.project.school_year - 1)
        enrol_many(cast, cast.project, 3)
        page = signed_in(cast.benoit).get(self.url(cast))
        assert [p.title for p in page.context["projects"]] == ["Aide aux devoirs"]
        assert "9 places libres sur 12" in page.content.decode()

    def test_takes_a_place(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(self.url(cast), self.typed(cast.project))
        assert response["Location"] == reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        assert Enrolment.objects.current().get().project == cast.project

    def test_shows_a_full_project_that_cannot_be_chosen(self, cast: Cast, signed_in) -> None:
        full = make_project(cast.team_a, title="Échecs", places=1)
        enrol_many(cast, full, 1)
        client = signed_in(cast.benoit)
        page = client.get(self.url(cast)).content.decode()
        assert f'value="{full.pk}" required disabled' in page
        assert f'value="{cast.project.pk}" required>' in page
        response = client.post(self.url(cast), self.typed(full))
        assert response.status_code == 422
        assert "Le projet est complet\u00a0: la seule place est prise." in response.content.decode()
        assert not Enrolment.objects.filter(parcours=cast.ines_parcours).exists()

    def test_does_not_offer_twice_the_same_project(self, cast: Cast, signed_in) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        client = signed_in(cast.benoit)
        assert "déjà inscrit" in client.get(self.url(cast)).content.decode()
        response = client.post(self.url(cast), self.typed(cast.project))
        assert response.status_code == 422
        assert "L’enfant est déjà inscrit" in response.content.decode()

    def test_keeps_the_choice_when_the_day_is_wrong(self, cast: Cast, signed_in) -> None:
        tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
        response = signed_in(cast.benoit).post(self.url(cast), self.typed(cast.project, on=tomorrow))
        page = response.content.decode()
        assert response.status_code == 422
        assert "dans le futur" in page
        assert f'value="{cast.project.pk}" required checked' in page
        assert tomorrow in page

    def test_offers_no_button_when_nothing_can_be_chosen(self, cast: Cast, signed_in) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        page = signed_in(cast.benoit).get(self.url(cast)).content.decode()
        assert "Aucun de ces projets n’a de place libre" in page
        assert "Inscrire</button>" not in page

    def test_asks_to_choose(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(self.url(cast), {"on": timezone.localdate().isoformat()})
        assert response.status_code == 422
        assert "Choisissez un projet." in response.content.decode()

    def test_refuses_the_project_of_another_team(self, cast: Cast, signed_in) -> None:
        foreign = make_project(cast.team_b, title="Chorale")
        response = signed_in(cast.benoit).post(self.url(cast), self.typed(foreign))
        assert response.status_code == 422
        assert "Chorale" not in response.content.decode()

    def test_finds_by_text_and_by_domain(self, cast: Cast, signed_in) -> None:
        make_project(cast.team_a, title="Échecs")
        Organisation.objects.update(name="Les Amis du square", search_name="les amis du square")
        client = signed_in(cast.benoit)
        for criteria, found in (
            ({"text": "echecs"}, ["Échecs"]),
            ({"text": "AMIS"}, ["Aide aux devoirs", "Échecs"]),
            ({"domain": "domain:culturel"}, []),
            ({"domain": "domain:educatif", "text": "devoirs"}, ["Aide aux devoirs"]),
        ):
            assert [p.title for p in client.get(self.url(cast), criteria).context["projects"]] == found

    def test_says_beforehand_why_nothing_can_be_chosen(self, cast: Cast, signed_in) -> None:
        with acting_as(system_account()):
            cast.ines_parcours.agreement.covers_partners = False
            cast.ines_parcours.agreement.save()
        client = signed_in(cast.benoit)
        page = client.get(self.url(cast)).content.decode()
        assert "ne couvre pas les associations" in page
        assert "Inscrire</button>" not in page
        assert client.post(self.url(cast), self.typed(cast.project)).status_code == 422

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, signed_in) -> None:
        unknown = reverse("pre_cases:enrolment_create", args=[uuid4()])
        for person in (cast.chloe, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert answers_like_nothing(signed_in(person), self.url(cast), unknown), person

    def test_costs_the_same_with_one_project_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        one = queries_of(client, self.url(cast))
        for number in range(24):
            make_project(cast.team_a, title=f"Projet {number}")
        assert queries_of(client, self.url(cast)) == one


class TestEnrolmentEnd:
    def test_frees_the_place(self, cast: Cast, signed_in) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project)
        url = reverse("pre_cases:enrolment_end", args=[enrolment.pk])
        client = signed_in(cast.benoit)
        assert "Aide aux devoirs" in client.get(url).content.decode()
        assert client.post(url, {"on": timezone.localdate().isoformat()}).status_code == 302
        assert not Enrolment.objects.current().exists()

    def test_says_that_it_is_ended_already(self, cast: Cast, signed_in) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project, ends_on=timezone.localdate())
        url = reverse("pre_cases:enrolment_end", args=[enrolment.pk])
        response = signed_in(cast.benoit).post(url, {"on": timezone.localdate().isoformat()})
        assert response.status_code == 422
        assert "déjà terminée" in response.content.decode()

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, signed_in) -> None:
        url = reverse("pre_cases:enrolment_end", args=[make_enrolment(cast.ines_parcours, cast.project).pk])
        unknown = reverse("pre_cases:enrolment_end", args=[uuid4()])
        for person in (cast.chloe, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert answers_like_nothing(signed_in(person), url, unknown), person


class TestProjectChange:
    def url(self, project: Project) -> str:
        return reverse("pre_cases:project_change", args=[project.pk])

    def typed(self, project: Project, **values: object) -> dict[str, object]:
        return {
            "organisation": project.organisation_id,
            "title": project.title,
            "domain": "domain:educatif",
            "time_slot": project.time_slot,
            "school_year": project.school_year,
            "places": project.places,
            "teams": [team.pk for team in project.teams.all()],
            "requested": 0,
            "granted": 0,
            "spent": 0,
            **values,
        }

    def test_replaces_what_is_said(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.amina).post(self.url(cast.project), self.typed(cast.project, places=20, granted=500))
        assert response["Location"] == reverse("partners:project_detail", args=[cast.project.pk])
        cast.project.refresh_from_db()
        assert (cast.project.places, cast.project.granted) == (20, 500)

    def test_never_takes_a_held_place_away(self, cast: Cast, signed_in) -> None:
        enrol_many(cast, cast.project, 2)
        client = signed_in(cast.amina)
        assert "2 places prises" in client.get(self.url(cast.project)).content.decode()
        response = client.post(self.url(cast.project), self.typed(cast.project, places=1))
        assert response.status_code == 422
        assert "2 places sont prises" in response.content.decode()
        assert Project.objects.get(pk=cast.project.pk).places == 12

    def test_keeps_the_teams_of_other_coordinators(self, cast: Cast, signed_in) -> None:
        shared = make_project(cast.team_a, cast.team_b, title="Chorale")
        client = signed_in(cast.amina)
        assert "ces équipes restent" in client.get(self.url(shared)).content.decode()
        assert client.post(self.url(shared), self.typed(shared, teams=[cast.team_a.pk])).status_code == 302
        assert set(shared.teams.all()) == {cast.team_a, cast.team_b}

    def test_keeps_a_domain_that_is_no_longer_offered(self, cast: Cast, signed_in) -> None:
        Term.objects.filter(pk="domain:educatif").update(valid_to=timezone.localdate() - timedelta(days=1))
        assert signed_in(cast.amina).post(self.url(cast.project), self.typed(cast.project)).status_code == 302

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, signed_in) -> None:
        unknown = reverse("pre_cases:project_change", args=[9999])
        for person in (cast.benoit, cast.chloe, cast.david, cast.farid, cast.gaelle, cast.hugo):
            assert answers_like_nothing(signed_in(person), self.url(cast.project), unknown), person


class TestMyGroups:
    URL = "pre_cases:my_groups"

    def test_shows_first_names_initials_and_classes_and_nothing_else(self, cast: Cast, signed_in) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        page = signed_in(cast.farid).get(reverse(self.URL)).content.decode()
        assert "Inès M." in page
        assert "CE2" in page
        for hidden in ("Morel", str(cast.ines_parcours.pk), str(cast.ines.pk), "Benoît", "9 ans"):
            assert hidden not in page, hidden

    def test_shows_only_who_holds_a_place_today(self, cast: Cast, signed_in) -> None:
        make_enrolment(
            cast.ines_parcours,
            cast.project,
            starts_on=timezone.localdate() - timedelta(days=9),
            ends_on=timezone.localdate(),
        )
        response = signed_in(cast.farid).get(reverse(self.URL))
        [group] = response.context["groups"]
        assert (group["members"], [member.first_name for member in group["left"]]) == ([], ["Inès"])
        page = response.content.decode()
        assert "Aucun enfant n’est inscrit" in page
        assert "Fin d’inscription depuis un mois : Inès M." in page

    def test_forgets_who_left_more_than_a_month_ago(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        starts_on, ends_on = today - timedelta(days=90), today - timedelta(days=30)
        make_enrolment(cast.ines_parcours, cast.project, starts_on=starts_on, ends_on=ends_on)
        assert "Inès" not in signed_in(cast.farid).get(reverse(self.URL)).content.decode()

    def test_says_whom_to_call_at_the_team(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.farid).get(reverse(self.URL)).content.decode()
        assert cast.amina.email in page
        assert cast.benoit.get_full_name() not in page

    def test_shows_only_the_projects_led_today(self, cast: Cast, signed_in) -> None:
        other = make_project(cast.team_a, title="Échecs")
        make_enrolment(cast.ines_parcours, other)
        former = make_project(cast.team_a, title="Ancien")
        ProjectLead.objects.create(
            project=former,
            user=cast.farid,
            starts_on=timezone.localdate() - timedelta(days=9),
            ends_on=timezone.localdate(),
        )
        page = signed_in(cast.farid).get(reverse(self.URL))
        assert [group["project"] for group in page.context["groups"]] == [cast.project]
        assert "Inès" not in page.content.decode()

    def test_ends_with_the_school_year(self, cast: Cast, signed_in) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        Project.objects.filter(pk=cast.project.pk).update(school_year=cast.project.school_year - 1)
        page = signed_in(cast.farid).get(reverse(self.URL)).content.decode()
        assert "Inès" not in page
        assert "Aucun groupe cette année scolaire" in page

    def test_is_journalled_with_the_ids_shown(self, cast: Cast, signed_in) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project)
        signed_in(cast.farid).get(reverse(self.URL))
        event = Event.objects.get(action="list", kind="pre_cases.enrolment")
        assert (event.actor_id, event.record_ids) == (cast.farid.pk, [str(enrolment.pk)])

    def test_costs_the_same_with_one_child_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.farid)
        enrol_many(cast, cast.project, 1)
        one = queries_of(client, reverse(self.URL))
        enrol_many(cast, cast.project, 24)
        assert queries_of(client, reverse(self.URL)) == one

    @pytest.mark.parametrize("name", ["amina", "benoit", "david", "esther", "gaelle", "hugo"])
    def test_does_not_exist_for_the_others(self, cast: Cast, signed_in, name: str) -> None:
        assert signed_in(getattr(cast, name)).get(reverse(self.URL)).status_code == 404
