"""Places in projects."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Project
from pre_cases.models import Enrolment, Parcours
from pre_cases.services.partnership import (
    EnrolmentRefused,
    ProjectIsFull,
    end_enrolment,
    enrol_child,
    places_left,
    places_taken,
)
from pre_cases.services.preconditions import ParcoursIsClosed
from tests.at_once import at_once
from tests.cast import Cast, make_child, make_enrolment, make_parcours, make_project
from tests.pre_cases.facts import agree, close

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _in_the_school_year() -> object:
    """A day far enough from September for the projects to have begun."""
    with time_machine.travel("2026-02-10 10:00+01:00", tick=False):
        yield


def other_parcours(cast: Cast, first_name: str = "Lina") -> Parcours:
    return make_parcours(cast.team_a, referent=cast.benoit, child=make_child(first_name))


class TestEnrolChild:
    def test_takes_a_place_from_today(self, cast: Cast) -> None:
        enrolment = enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)
        assert (enrolment.starts_on, enrolment.ends_on) == (date(2026, 2, 10), None)
        assert places_left(cast.project) == 11

    def test_is_journalled_on_the_parcours(self, cast: Cast) -> None:
        enrolment = enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)
        event = Event.objects.get(kind="pre_cases.enrolment", action="create")
        assert (event.actor_id, event.subject_id) == (cast.benoit.pk, cast.ines_parcours.pk)
        assert event.record_ids == [str(enrolment.pk)]

    def test_keeps_a_history_with_its_author(self, cast: Cast) -> None:
        enrolment = enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)
        assert enrolment.history.get().history_user_id == cast.benoit.pk

    def test_refuses_a_full_project_with_the_number_of_places(self, cast: Cast) -> None:
        project = make_project(cast.team_a, title="Échecs", places=1)
        make_enrolment(other_parcours(cast), project)
        with pytest.raises(ProjectIsFull, match="Le projet est complet\u00a0: la seule place est prise") as refusal:
            enrol_child(parcours=cast.ines_parcours, project=project, by=cast.benoit)
        assert refusal.value.field == "project"
        assert Enrolment.objects.filter(parcours=cast.ines_parcours).count() == 0

    def test_takes_a_place_freed_the_same_day(self, cast: Cast) -> None:
        project = make_project(cast.team_a, title="Échecs", places=1)
        former = make_enrolment(other_parcours(cast), project, starts_on=timezone.localdate() - 9 * DAY)
        end_enrolment(enrolment=former, by=cast.benoit)
        assert enrol_child(parcours=cast.ines_parcours, project=project, by=cast.benoit)

    def test_refuses_a_day_on_which_the_place_was_still_held(self, cast: Cast) -> None:
        project = make_project(cast.team_a, title="Échecs", places=1)
        today = timezone.localdate()
        make_enrolment(other_parcours(cast), project, starts_on=today - 9 * DAY, ends_on=today - 2 * DAY)
        with pytest.raises(ProjectIsFull):
            enrol_child(parcours=cast.ines_parcours, project=project, on=today - 3 * DAY, by=cast.benoit)
        assert enrol_child(parcours=cast.ines_parcours, project=project, on=today - 2 * DAY, by=cast.benoit)

    def test_refuses_an_evaluation(self, cast: Cast) -> None:
        parcours = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Lina"), entered_on=None)
        with pytest.raises(EnrolmentRefused, match="en évaluation"):
            enrol_child(parcours=parcours, project=cast.project, by=cast.benoit)

    def test_refuses_an_agreement_that_leaves_partners_out(self, cast: Cast) -> None:
        agree(cast.ines_parcours, covers_partners=False)
        with pytest.raises(EnrolmentRefused, match="ne couvre pas les associations"):
            enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)

    @pytest.mark.parametrize("column", ["withdrawn_on", "agreed_until_on"])
    def test_refuses_an_agreement_that_has_ended(self, cast: Cast, column: str) -> None:
        agree(cast.ines_parcours, **{column: timezone.localdate()})
        with pytest.raises(EnrolmentRefused):
            enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)

    def test_holds_until_the_last_day_of_the_agreement(self, cast: Cast) -> None:
        agree(cast.ines_parcours, agreed_until_on=timezone.localdate() + DAY)
        assert enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)

    def test_refuses_while_a_holder_objects(self, cast: Cast) -> None:
        holder = cast.ines_parcours.agreement.holders.get()
        with acting_as(system_account()):
            holder.signed_on, holder.objected_on = None, timezone.localdate()
            holder.save()
        with pytest.raises(EnrolmentRefused, match="opposé par écrit"):
            enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)

    def test_refuses_a_project_of_another_team(self, cast: Cast) -> None:
        project = make_project(cast.team_b, title="Échecs")
        with pytest.raises(EnrolmentRefused, match="n’accueille pas") as refusal:
            enrol_child(parcours=cast.ines_parcours, project=project, by=cast.benoit)
        assert refusal.value.field == "project"

    def test_refuses_a_project_of_another_year(self, cast: Cast) -> None:
        project = make_project(cast.team_a, title="Échecs", school_year=2024)
        with pytest.raises(EnrolmentRefused, match="2024-2025"):
            enrol_child(parcours=cast.ines_parcours, project=project, by=cast.benoit)

    def test_refuses_a_second_place_in_the_same_project(self, cast: Cast) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        with pytest.raises(EnrolmentRefused, match="déjà inscrit"):
            enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)

    def test_refuses_to_overlap_a_former_enrolment(self, cast: Cast) -> None:
        today = timezone.localdate()
        make_enrolment(cast.ines_parcours, cast.project, starts_on=today - 9 * DAY, ends_on=today - 2 * DAY)
        with pytest.raises(EnrolmentRefused, match="encore inscrit"):
            enrol_child(parcours=cast.ines_parcours, project=cast.project, on=today - 3 * DAY, by=cast.benoit)
        assert enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)

    @pytest.mark.parametrize("days", [1, -51])
    def test_refuses_a_day_out_of_the_parcours(self, cast: Cast, days: int) -> None:
        with pytest.raises(EnrolmentRefused) as refusal:
            enrol_child(
                parcours=cast.ines_parcours, project=cast.project, on=timezone.localdate() + days * DAY, by=cast.benoit
            )
        assert refusal.value.field == "on"

    def test_refuses_a_day_before_the_project(self, cast: Cast) -> None:
        parcours = make_parcours(
            cast.team_a, referent=cast.benoit, child=make_child("Lina"), opened_on=date(2025, 6, 1)
        )
        with pytest.raises(EnrolmentRefused, match="1er\u00a0septembre 2025"):
            enrol_child(parcours=parcours, project=cast.project, on=date(2025, 8, 31), by=cast.benoit)

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        close(cast.ines_parcours, by=cast.amina)
        with pytest.raises(ParcoursIsClosed):
            enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTheLastPlace:
    def test_goes_to_one_of_two_people_and_the_other_is_told(self, tmp_path: Path) -> None:
        cast = Cast()
        project = make_project(cast.team_a, title="Échecs", places=1)
        rivals = [cast.ines_parcours, other_parcours(cast)]
        outcomes, enrolled = at_once(
            tmp_path,
            [lambda p=p: enrol_child(parcours=p, project=project, by=cast.benoit) for p in rivals],
            lambda: Enrolment.objects.filter(project=project).count(),
        )
        assert enrolled == 1
        assert outcomes[0] == "Enrolment"
        assert outcomes[1].startswith("Le projet est complet")


class TestPlacesTaken:
    def test_counts_the_most_held_on_one_day(self, cast: Cast) -> None:
        """One place held until the 3rd, another from the 3rd: one place, never two."""
        today = timezone.localdate()
        make_enrolment(cast.ines_parcours, cast.project, starts_on=today - 20 * DAY, ends_on=today - 7 * DAY)
        make_enrolment(other_parcours(cast), cast.project, starts_on=today - 7 * DAY)
        assert places_taken(cast.project, today - 10 * DAY) == 1
        assert places_taken(cast.project) == 1

    def test_is_nothing_without_an_enrolment(self, cast: Cast) -> None:
        assert places_taken(cast.project) == 0

    def test_leaves_no_place_rather_than_fewer(self, cast: Cast) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        make_enrolment(other_parcours(cast), cast.project)
        Project.objects.filter(pk=cast.project.pk).update(places=1)
        assert places_left(Project.objects.get(pk=cast.project.pk)) == 0


class TestEndEnrolment:
    def test_frees_the_place(self, cast: Cast) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project, starts_on=timezone.localdate() - DAY)
        end_enrolment(enrolment=enrolment, by=cast.benoit)
        assert places_left(cast.project) == cast.project.places
        assert Event.objects.filter(kind="pre_cases.enrolment", action="change", actor_id=cast.benoit.pk).exists()

    def test_refuses_twice(self, cast: Cast) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project)
        end_enrolment(enrolment=enrolment, by=cast.benoit)
        with pytest.raises(EnrolmentRefused, match="déjà terminée"):
            end_enrolment(enrolment=enrolment, by=cast.benoit)

    @pytest.mark.parametrize("days", [1, -2])
    def test_refuses_a_day_out_of_the_enrolment(self, cast: Cast, days: int) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project, starts_on=timezone.localdate() - DAY)
        with pytest.raises(EnrolmentRefused) as refusal:
            end_enrolment(enrolment=enrolment, on=timezone.localdate() + days * DAY, by=cast.benoit)
        assert refusal.value.field == "on"

    def test_refuses_once_the_parcours_is_closed(self, cast: Cast) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project)
        close(cast.ines_parcours, by=cast.amina)
        with pytest.raises(ParcoursIsClosed):
            end_enrolment(enrolment=enrolment, by=cast.benoit)
