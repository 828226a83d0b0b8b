"""Places in projects, and shares of a parcours."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from dateutil.relativedelta import relativedelta
from django.contrib.auth.models import Permission
from django.db import connections
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Project
from pre_cases.models import Enrolment, Parcours, ParcoursShare
from pre_cases.services.access import ShareRefused, revoke_share, share_candidates, share_parcours
from pre_cases.services.partnership import (
    EnrolmentRefused,
    ProjectIsFull,
    end_enrolment,
    enrol_child,
    places_left,
    places_taken,
)
from pre_cases.services.preconditions import ParcoursIsClosed
from referents.models import Role, User
from tests.at_once import at_once
from tests.cast import Cast, make_child, make_enrolment, make_parcours, make_project, make_share, make_user

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _in_the_school_year() -> object:
    """A day far enough from September for the projects to have begun."""
    with time_machine.travel("2026-02-10 10:00+01:00", tick=False):
        yield


def agree(parcours: Parcours, **values: object) -> None:
    """Change what the family agreed to."""
    with acting_as(system_account()):
        for name, value in values.items():
            setattr(parcours.agreement, name, value)
        parcours.agreement.save()


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
        close(cast.ines_parcours)
        with pytest.raises(ParcoursIsClosed):
            enrol_child(parcours=cast.ines_parcours, project=cast.project, by=cast.benoit)


def close(parcours: Parcours) -> None:
    with acting_as(system_account()):
        parcours.closed_on, parcours.exit_reason_id = timezone.localdate(), "exit_reason:autre"
        parcours.save()


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
        close(cast.ines_parcours)
        with pytest.raises(ParcoursIsClosed):
            end_enrolment(enrolment=enrolment, by=cast.benoit)


@pytest.fixture
def share(cast: Cast) -> Callable[..., ParcoursShare]:
    """Benoît shares Inès's parcours; by default with a colleague of the EPRE, for a month."""
    colleague = make_user("Léa", Role.EPRE_MEMBER, cast.team_a)

    def make(**values: object) -> ParcoursShare:
        today = timezone.localdate()
        defaults = {
            "parcours": cast.ines_parcours,
            "user": colleague,
            "reason": "Prépare l’orientation",
            "ends_on": today + 30 * DAY,
            "by": cast.benoit,
        }
        return share_parcours(**defaults | values)

    return make


def sees(user: User, parcours: Parcours) -> bool:
    return User.objects.get(pk=user.pk).has_perm("pre_cases.view_parcours", parcours)


class TestShareParcours:
    def test_opens_the_reading_and_nothing_more(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        user = share().user
        assert sees(user, cast.ines_parcours)
        assert not sees(user, cast.tom_parcours)
        assert not user.has_perm("pre_cases.change_parcours", cast.ines_parcours)

    def test_ends_by_itself(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        made = share(ends_on=timezone.localdate() + 5 * DAY)
        with time_machine.travel(timezone.now() + 4 * DAY, tick=False):
            assert sees(made.user, cast.ines_parcours)
        with time_machine.travel(timezone.now() + 5 * DAY, tick=False):
            assert not sees(made.user, cast.ines_parcours)

    def test_is_a_row_of_the_right_to_read(self, share: Callable[..., ParcoursShare]) -> None:
        made = share()
        assert made.permission == Permission.objects.get(content_type__app_label="pre_cases", codename="view_parcours")

    def test_is_journalled_as_a_grant(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        made = share()
        event = Event.objects.get(action="grant", kind="pre_cases.parcoursshare")
        assert (event.actor_id, event.subject_id) == (cast.benoit.pk, cast.ines_parcours.pk)
        assert event.detail == {"user": made.user_id}

    def test_keeps_the_reason_encrypted(self, share: Callable[..., ParcoursShare]) -> None:
        made = share(reason="Prépare l’orientation")
        column = ParcoursShare._meta.get_field("reason").column
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM {ParcoursShare._meta.db_table}")
            stored = [bytes(row[0]) for row in cursor.fetchall()]
        assert ParcoursShare.objects.get(pk=made.pk).reason == "Prépare l’orientation"
        assert not any(b"orientation" in value for value in stored)

    def test_renews_a_share_that_has_run_out_with_a_new_row(
        self, cast: Cast, share: Callable[..., ParcoursShare]
    ) -> None:
        today = timezone.localdate()
        user = make_user("Malik", Role.EPRE_MEMBER, cast.team_a)
        former = make_share(cast.ines_parcours, user, starts_on=today - 30 * DAY, ends_on=today)
        made = share(user=user)
        former.refresh_from_db()
        assert made.pk != former.pk
        assert timezone.localdate(former.revoked_at) == today
        assert sees(user, cast.ines_parcours)

    @pytest.mark.parametrize(
        ("name", "field"),
        [("benoit", "user"), ("david", "user"), ("amina", "user"), ("chloe", "user"), ("yann", "user")],
    )
    def test_refuses_oneself_who_sees_already_and_who_is_not_in_the_team(
        self, cast: Cast, share: Callable[..., ParcoursShare], name: str, field: str
    ) -> None:
        with pytest.raises(ShareRefused) as refusal:
            share(user=getattr(cast, name))
        assert refusal.value.field == field
        assert ParcoursShare.objects.count() == 1

    def test_accepts_today_as_its_last_day(self, share: Callable[..., ParcoursShare]) -> None:
        assert share(ends_on=timezone.localdate() + DAY)

    @pytest.mark.parametrize("days", [0, -1])
    def test_refuses_an_end_in_the_past(self, share: Callable[..., ParcoursShare], days: int) -> None:
        with pytest.raises(ShareRefused, match="passé") as refusal:
            share(ends_on=timezone.localdate() + days * DAY)
        assert refusal.value.field == "ends_on"

    def test_lasts_six_months_at_most(self, share: Callable[..., ParcoursShare]) -> None:
        last_day = timezone.localdate() + relativedelta(months=6)
        with pytest.raises(ShareRefused, match="6 mois"):
            share(ends_on=last_day + 2 * DAY)
        assert share(ends_on=last_day + DAY)

    def test_refuses_a_share_without_a_reason(self, share: Callable[..., ParcoursShare]) -> None:
        with pytest.raises(ShareRefused) as refusal:
            share(reason="  ")
        assert refusal.value.field == "reason"

    @pytest.mark.parametrize("column", ["withdrawn_on", "agreed_until_on"])
    def test_refuses_an_agreement_that_has_ended(
        self, cast: Cast, share: Callable[..., ParcoursShare], column: str
    ) -> None:
        agree(cast.ines_parcours, **{column: timezone.localdate()})
        with pytest.raises(ShareRefused, match="accord"):
            share()

    def test_refuses_a_closed_parcours(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        close(cast.ines_parcours)
        with pytest.raises(ParcoursIsClosed):
            share()


class TestShareCandidates:
    def test_are_the_people_of_the_team_who_do_not_see_the_parcours(self, cast: Cast) -> None:
        epre, referent = make_user("Léa", Role.EPRE_MEMBER, cast.team_a), make_user("Malik", Role.REFERENT, cast.team_a)
        assert set(share_candidates(cast.ines_parcours, cast.benoit)) == {epre, referent}

    def test_come_back_once_their_share_has_ended(self, cast: Cast) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        assert set(share_candidates(cast.ines_parcours, cast.benoit)) == {cast.david}


class TestRevokeShare:
    def test_closes_the_reading_at_once(self, cast: Cast) -> None:
        assert sees(cast.david, cast.ines_parcours)
        revoke_share(share=cast.share, by=cast.benoit)
        assert not sees(cast.david, cast.ines_parcours)

    def test_is_journalled(self, cast: Cast) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        event = Event.objects.get(action="revoke", kind="pre_cases.parcoursshare")
        assert (event.actor_id, event.detail) == (cast.benoit.pk, {"user": cast.david.pk})

    def test_refuses_twice(self, cast: Cast) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        with pytest.raises(ShareRefused, match="déjà retiré"):
            revoke_share(share=cast.share, by=cast.benoit)
