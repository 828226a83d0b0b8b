"""What asks for attention, where a parcours stands, and who reaches it: on the day itself, the day before, after."""

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from audit.history import acting_as, system_account
from partners.models import Term
from pre_cases.models import Action, Bilan, Objective, Parcours, ParcoursStage, Review
from pre_cases.querysets.parcours import CONDITIONS, ParcoursFlag
from pre_cases.services.access import revoke_share
from pre_cases.services.assignment import assign_referent
from pre_cases.services.parcours import close_parcours
from pre_cases.services.support import add_action, add_objective
from pre_cases.services.timeline import add_entry
from referents.models import Membership, Role, User
from referents.services.accounts import SuspensionReason, suspend_account
from referents.services.memberships import end_membership
from tests.cast import Cast, make_child, make_parcours, make_residence, make_schooling, make_share, make_user

DAY = timedelta(days=1)
OPENED = date(2025, 1, 15)
REVIEW_ON = OPENED + relativedelta(months=settings.REVIEW_EVERY_MONTHS)
LOST = "exit_reason:contact-perdu"


@pytest.fixture
def running(cast: Cast) -> Parcours:
    """Opened and entered on one day of 2025, followed by Benoît, nothing written yet."""
    return make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"), opened_on=OPENED)


def meets(parcours: Parcours, flag: ParcoursFlag, day: date) -> bool:
    return Parcours.objects.filter(pk=parcours.pk).flagged(flag, day).exists()


def first_day(parcours: Parcours, flag: ParcoursFlag, day: date) -> bool:
    """Whether the condition begins exactly that day."""
    return meets(parcours, flag, day) and not meets(parcours, flag, day - DAY)


def last_day(parcours: Parcours, flag: ParcoursFlag, day: date) -> bool:
    return meets(parcours, flag, day) and not meets(parcours, flag, day + DAY)


def reviewed(cast: Cast, parcours: Parcours, on: date) -> None:
    with acting_as(cast.benoit):
        Review.objects.create(
            parcours=parcours, author=cast.benoit, on=on, text="Fait", data_key_id=parcours.data_key_id
        )


def ended(parcours: Parcours, on: date) -> None:
    with acting_as(system_account()):
        parcours.closed_on, parcours.exit_reason = on, Term.objects.get(pk=LOST)
        parcours.save()


def again(user: User) -> User:
    """The same person at the next request: memberships are read again."""
    return User.objects.get(pk=user.pk)


class TestFlags:
    def test_are_all_conditions(self) -> None:
        assert set(CONDITIONS) == set(ParcoursFlag)

    def test_late_begins_the_day_after_the_due_date(self, running: Parcours) -> None:
        assert running.due_on == REVIEW_ON
        assert first_day(running, ParcoursFlag.LATE, REVIEW_ON + DAY)

    def test_this_week_is_the_seven_days_that_begin_today(self, running: Parcours) -> None:
        assert first_day(running, ParcoursFlag.THIS_WEEK, REVIEW_ON - 6 * DAY)
        assert last_day(running, ParcoursFlag.THIS_WEEK, REVIEW_ON)

    def test_evaluation_lasts_until_the_day_of_the_entry(self, cast: Cast, running: Parcours) -> None:
        assert last_day(running, ParcoursFlag.DIAGNOSIS, OPENED - DAY)
        never = make_parcours(cast.team_a, child=make_child("Léa"), opened_on=OPENED, entered_on=None)
        assert meets(never, ParcoursFlag.DIAGNOSIS, date(2026, 1, 1))

    def test_review_due_begins_some_months_after_the_entry(self, running: Parcours) -> None:
        assert first_day(running, ParcoursFlag.REVIEW_DUE, REVIEW_ON)

    def test_review_due_begins_again_some_months_after_a_review(self, cast: Cast, running: Parcours) -> None:
        reviewed(cast, running, date(2025, 4, 10))
        assert not meets(running, ParcoursFlag.REVIEW_DUE, REVIEW_ON)
        assert first_day(running, ParcoursFlag.REVIEW_DUE, date(2025, 10, 10))

    def test_review_due_says_nothing_during_the_evaluation(self, cast: Cast) -> None:
        never = make_parcours(cast.team_a, child=make_child("Léa"), opened_on=OPENED, entered_on=None)
        assert not meets(never, ParcoursFlag.REVIEW_DUE, date(2026, 6, 1))

    def test_silent_begins_after_thirty_days_without_contact(self, cast: Cast, running: Parcours) -> None:
        assert first_day(running, ParcoursFlag.SILENT, OPENED + (settings.STALE_CONTACT_DAYS + 1) * DAY)
        heard = date(2025, 5, 5)
        add_entry(parcours=running, kind="phone", on=heard, with_whom="family", text="Appel", by=cast.benoit)
        assert first_day(running, ParcoursFlag.SILENT, heard + (settings.STALE_CONTACT_DAYS + 1) * DAY)

    def test_silent_is_not_broken_by_an_attempt(self, cast: Cast, running: Parcours) -> None:
        heard = date(2025, 5, 5)
        add_entry(parcours=running, kind="attempt", on=heard, with_whom="family", by=cast.benoit)
        assert meets(running, ParcoursFlag.SILENT, heard + DAY)

    def test_without_referent_begins_the_day_the_last_one_leaves(self, cast: Cast, running: Parcours) -> None:
        assert not meets(running, ParcoursFlag.NO_REFERENT, OPENED)
        assert meets(running, ParcoursFlag.NO_REFERENT, OPENED - DAY)
        left = date(2025, 6, 1)
        with acting_as(cast.amina):
            assignment = running.assignments.get()
            assignment.ends_on = left
            assignment.save()
        assert first_day(running, ParcoursFlag.NO_REFERENT, left)

    def test_without_referent_begins_the_day_the_role_ends(self, cast: Cast, running: Parcours) -> None:
        """The assignment still stands: what was entrusted is seen on the board until somebody else takes it."""
        left = timezone.localdate() + DAY
        end_membership(membership=cast.benoit.memberships.get(), ends_on=left, by=cast.amina)
        assert first_day(running, ParcoursFlag.NO_REFERENT, left)

    def test_without_referent_says_who_is_suspended(self, cast: Cast, running: Parcours) -> None:
        suspend_account(user=cast.benoit, reason=SuspensionReason.ABSENCE, by=cast.hugo)
        assert meets(running, ParcoursFlag.NO_REFERENT, timezone.localdate())

    def test_without_review_begins_after_thirty_nine_weeks(self, cast: Cast, running: Parcours) -> None:
        long = timedelta(weeks=settings.NO_REVIEW_WEEKS)
        assert first_day(running, ParcoursFlag.NO_REVIEW, OPENED + long + DAY)
        reviewed(cast, running, date(2025, 8, 1))
        assert first_day(running, ParcoursFlag.NO_REVIEW, date(2025, 8, 1) + long + DAY)

    def test_without_review_says_nothing_during_the_evaluation(self, cast: Cast) -> None:
        never = make_parcours(cast.team_a, child=make_child("Léa"), opened_on=OPENED, entered_on=None)
        assert not meets(never, ParcoursFlag.NO_REVIEW, date(2026, 6, 1))

    def test_to_close_begins_with_the_bilan(self, cast: Cast, running: Parcours) -> None:
        assert not meets(running, ParcoursFlag.TO_CLOSE, REVIEW_ON)
        with acting_as(cast.benoit):
            Bilan.objects.create(
                parcours=running,
                author=cast.benoit,
                on=REVIEW_ON,
                text="Fait",
                exit_reason=Term.objects.get(pk=LOST),
                data_key_id=running.data_key_id,
            )
        assert meets(running, ParcoursFlag.TO_CLOSE, REVIEW_ON)


class TestIncomplete:
    """One thing missing is enough, and a complete file is not on the list."""

    @pytest.fixture
    def complete(self, cast: Cast) -> Parcours:
        add_objective(
            parcours=cast.ines_parcours,
            text="Lire",
            domain=Term.objects.get(pk="domain:educatif"),
            priority=Term.objects.get(pk="priority:decrochage"),
            set_on=timezone.localdate(),
            by=cast.benoit,
        )
        return cast.ines_parcours

    def incomplete(self, parcours: Parcours) -> bool:
        return meets(parcours, ParcoursFlag.INCOMPLETE, timezone.localdate())

    def test_leaves_a_complete_file_alone(self, complete: Parcours) -> None:
        assert not self.incomplete(complete)

    def test_sees_that_the_sex_is_missing(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.benoit):
            cast.ines.sex = ""
            cast.ines.save()
        assert self.incomplete(complete)

    def test_sees_that_nobody_looked_at_the_territory_of_today_s_home(self, cast: Cast, complete: Parcours) -> None:
        today = timezone.localdate()
        with acting_as(cast.benoit):
            former = cast.ines.residences.get()
            former.ends_on = today
            former.save()
        assert self.incomplete(complete)
        make_residence(cast.ines, qpv_code="", starts_on=today, determined_on=today)
        assert not self.incomplete(complete)

    def test_sees_that_the_class_is_only_presumed(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.benoit):
            schooling = cast.ines.schoolings.get()
            schooling.confirmed_on = None
            schooling.save()
        assert self.incomplete(complete)

    def test_sees_that_the_class_is_that_of_another_year(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.benoit):
            schooling = cast.ines.schoolings.get()
            schooling.ends_on = timezone.localdate()
            schooling.save()
        assert self.incomplete(complete)

    def test_asks_for_an_objective_after_the_entry_only(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.benoit):
            complete.objectives.get().delete()
        assert self.incomplete(complete)
        child = make_child("Léa")
        make_schooling(child)
        make_residence(child)
        assert not self.incomplete(make_parcours(cast.team_a, child=child, entered_on=None))


class TestWithStage:
    def stage(self, parcours: Parcours, day: date) -> ParcoursStage:
        return Parcours.objects.with_stage(day).get(pk=parcours.pk).stage

    def test_leaves_the_evaluation_on_the_day_of_the_entry(self, running: Parcours) -> None:
        assert self.stage(running, OPENED - DAY) is ParcoursStage.DIAGNOSIS
        assert self.stage(running, OPENED) is ParcoursStage.RUNNING

    def test_asks_for_a_review_on_the_day_it_is_due(self, running: Parcours) -> None:
        assert self.stage(running, REVIEW_ON - DAY) is ParcoursStage.RUNNING
        assert self.stage(running, REVIEW_ON) is ParcoursStage.REVIEW_DUE

    def test_does_not_read_a_review_that_comes_later(self, cast: Cast, running: Parcours) -> None:
        reviewed(cast, running, REVIEW_ON + 5 * DAY)
        assert self.stage(running, REVIEW_ON + 4 * DAY) is ParcoursStage.REVIEW_DUE
        assert self.stage(running, REVIEW_ON + 5 * DAY) is ParcoursStage.RUNNING

    def test_is_closed_from_the_last_day_followed_whatever_else_was_due(self, running: Parcours) -> None:
        last = REVIEW_ON + 30 * DAY
        ended(running, last)
        assert self.stage(running, last - DAY) is ParcoursStage.REVIEW_DUE
        assert self.stage(running, last) is ParcoursStage.CLOSED

    def test_agrees_with_at_stage(self, cast: Cast, running: Parcours) -> None:
        for stage in ParcoursStage:
            found = set(Parcours.objects.at_stage(stage, REVIEW_ON))
            assert found == {p for p in Parcours.objects.with_stage(REVIEW_ON) if p.stage is stage}

    def test_agrees_with_the_due_date_that_services_store(self, running: Parcours) -> None:
        assert first_day(running, ParcoursFlag.REVIEW_DUE, running.due_on)


class TestFollowedBy:
    def followed(self, user: User) -> set[Parcours]:
        return set(Parcours.objects.followed_by(again(user)))

    def test_holds_the_person_s_current_assignments(self, cast: Cast) -> None:
        assert self.followed(cast.benoit) == {cast.ines_parcours}
        assert self.followed(cast.chloe) == {cast.tom_parcours}
        for person in (cast.amina, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo, cast.yann):
            assert self.followed(person) == set()

    @pytest.mark.parametrize(("ends_in", "follows"), [(1, True), (0, False)])
    def test_ends_with_the_membership(self, cast: Cast, ends_in: int, follows: bool) -> None:
        with acting_as(cast.hugo):
            membership = cast.benoit.memberships.get()
            membership.ends_on = timezone.localdate() + ends_in * DAY
            membership.save()
        assert self.followed(cast.benoit) == ({cast.ines_parcours} if follows else set())
        assert Parcours.objects.editable_by(again(cast.benoit)).exists() is follows

    def test_ends_with_the_assignment(self, cast: Cast) -> None:
        other = make_user("Denis", Role.REFERENT, cast.team_a)
        assign_referent(parcours=cast.ines_parcours, referent=other, by=cast.amina)
        assert self.followed(cast.benoit) == set()
        assert self.followed(other) == {cast.ines_parcours}

    def test_asks_for_the_role_in_the_team_of_the_parcours(self, cast: Cast) -> None:
        """An assignment left over after a change of team opens nothing."""
        with acting_as(cast.hugo):
            membership = cast.benoit.memberships.get()
            membership.team = cast.team_b
            membership.save()
        assert self.followed(cast.benoit) == set()


class TestCoordinatedBy:
    def test_holds_the_team_s_parcours_open_or_closed(self, cast: Cast) -> None:
        lost = Term.objects.get(pk=LOST)
        close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)
        assert list(Parcours.objects.coordinated_by(cast.amina)) == [cast.ines_parcours]
        assert list(Parcours.objects.decidable_by(cast.amina)) == [cast.ines_parcours]
        assert not Parcours.objects.editable_by(cast.amina).exists()

    def test_holds_nothing_for_the_other_roles(self, cast: Cast) -> None:
        for person in (cast.benoit, cast.chloe, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo, cast.yann):
            assert not Parcours.objects.coordinated_by(person).exists()


class TestSharedWith:
    def shared(self, user: User) -> set[Parcours]:
        return set(Parcours.objects.shared_with(again(user)))

    def test_opens_to_the_person_named_and_nobody_else(self, cast: Cast) -> None:
        assert self.shared(cast.david) == {cast.ines_parcours}
        assert all(self.shared(person) == set() for person in cast if person != cast.david)

    @pytest.mark.parametrize(
        ("starts_in", "ends_in", "opens"), [(0, 1, True), (-5, 1, True), (-5, 0, False), (1, 9, False)]
    )
    def test_holds_from_its_first_day_until_the_day_it_ends(
        self, cast: Cast, starts_in: int, ends_in: int, opens: bool
    ) -> None:
        today, reader = timezone.localdate(), make_user("Sam", Role.EPRE_MEMBER, cast.team_b)
        make_share(cast.tom_parcours, reader, starts_on=today + starts_in * DAY, ends_on=today + ends_in * DAY)
        assert self.shared(reader) == ({cast.tom_parcours} if opens else set())

    def test_ends_at_once_when_revoked(self, cast: Cast) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        assert self.shared(cast.david) == set()
        assert not Parcours.objects.visible_to(again(cast.david)).exists()

    def test_ends_when_the_parcours_closes(self, cast: Cast) -> None:
        ended(cast.ines_parcours, timezone.localdate())  # the share itself is left as it is
        assert self.shared(cast.david) == set()

    @pytest.mark.parametrize("elsewhere", [None, Role.REFERENT, Role.PROJECT_LEADER])
    def test_ends_when_the_person_leaves_the_team(self, cast: Cast, elsewhere: Role | None) -> None:
        today = timezone.localdate()
        with acting_as(cast.hugo):
            membership = cast.david.memberships.get()
            membership.ends_on = today
            membership.save()
            if elsewhere is not None:
                team = cast.team_b if elsewhere is Role.REFERENT else None
                Membership.objects.create(user=cast.david, role=elsewhere, team=team, starts_on=today)
        assert self.shared(cast.david) == set()

    def test_reads_and_never_writes(self, cast: Cast) -> None:
        assert Parcours.objects.visible_to(cast.david).get() == cast.ines_parcours
        assert not Parcours.objects.editable_by(cast.david).exists()
        assert not Parcours.objects.decidable_by(cast.david).exists()


class TestVisibleTo:
    def test_is_what_one_of_the_lists_shows(self, cast: Cast) -> None:
        closed = make_parcours(cast.team_b, referent=cast.chloe, child=make_child("Léa"))
        close_parcours(
            parcours=closed,
            on=timezone.localdate(),
            reason=Term.objects.get(pk=LOST),
            by=make_user("Omar", Role.COORDINATOR, cast.team_b),
        )
        for person in cast:
            lists = (
                Parcours.objects.followed_by(person),
                Parcours.objects.coordinated_by(person),
                Parcours.objects.shared_with(person),
            )
            assert set(Parcours.objects.visible_to(person)) == {p for scope in lists for p in scope}


class TestHasPerm:
    """One rule, two readings: the permission about a record says what the list holds."""

    SCOPES = Parcours.permission_scopes

    @pytest.mark.parametrize("permission", SCOPES)
    def test_agrees_with_the_list_for_every_person_and_parcours(self, cast: Cast, permission: str) -> None:
        today = timezone.localdate()
        other = make_parcours(cast.team_a, child=make_child("Léa"), entered_on=None)
        make_share(other, cast.chloe, starts_on=today - 2 * DAY, ends_on=today)
        ended(make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Max")), today)
        granted = 0
        for person in cast:
            held = set(getattr(Parcours.objects, self.SCOPES[permission])(person))
            for parcours in Parcours.objects.all():
                assert person.has_perm(permission, parcours) == (parcours in held), (person.first_name, parcours.pk)
            granted += len(held)
        assert 0 < granted < 9 * 4


class TestSupport:
    def test_has_the_rights_of_its_parcours(self, cast: Cast) -> None:
        """Objectives and actions are those of the parcours that the person may change."""
        for parcours, by in ((cast.ines_parcours, cast.benoit), (cast.tom_parcours, cast.chloe)):
            domain = Term.objects.get(pk="domain:educatif")
            priority = Term.objects.get(pk="priority:decrochage")
            objective = add_objective(
                parcours=parcours, text="x", domain=domain, priority=priority, set_on=timezone.localdate(), by=by
            )
            add_action(objective=objective, label="x", domain=domain, mode="individual", nature="pre", by=by)
        for person in cast:
            parcours_ids = set(Parcours.objects.editable_by(person).values_list("pk", flat=True))
            objectives = Objective.objects.editable_by(person).values_list("parcours", flat=True)
            actions = Action.objects.editable_by(person).values_list("objective__parcours", flat=True)
            assert set(objectives) == set(actions) == parcours_ids, person.first_name
        assert Objective.objects.editable_by(cast.amina).exists()
