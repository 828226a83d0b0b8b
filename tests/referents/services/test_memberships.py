"""Roles: dated, never overwritten, given by somebody else, and never the last of their kind taken away unseen."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import ProjectLead
from pre_cases.models import Parcours
from referents.models import Membership, Role, Team, User
from referents.services.accounts import create_account
from referents.services.memberships import (
    DayRefused,
    NobodyLeft,
    NotYoursToGive,
    RoleAlreadyHeld,
    SeparateDuties,
    end_membership,
    grant_membership,
)
from referents.standing import standing_of
from tests.at_once import at_once
from tests.cast import Cast, make_user

DAY = timedelta(days=1)


def create(cast: Cast) -> User:
    return create_account(email="nora@marelle.example", first_name="Nora", last_name="Test", by=cast.hugo)


def today():
    return timezone.localdate()


def role_of(user: User) -> Membership:
    return user.memberships.get()


def hold(user: User, role: Role, team: Team | None = None, **days) -> Membership:
    with acting_as(system_account()):
        return Membership.objects.create(user=user, role=role, team=team, **days)


class TestGrantMembership:
    def test_holds_from_today_unless_told_otherwise(self, cast: Cast) -> None:
        nora = create(cast)
        granted = grant_membership(user=nora, role=Role.REFERENT, team=cast.team_a, by=cast.hugo)
        assert (granted.starts_on, granted.ends_on) == (today(), None)
        assert standing_of(nora).teams(Role.REFERENT) == [cast.team_a]

    def test_opens_nothing_before_its_day(self, cast: Cast) -> None:
        nora = create(cast)
        grant_membership(user=nora, role=Role.PILOTAGE, starts_on=today() + DAY, by=cast.hugo)
        assert not standing_of(nora).is_active

    def test_may_end_on_a_day_known_from_the_start(self, cast: Cast) -> None:
        nora = create(cast)
        ends_on = today() + 90 * DAY
        granted = grant_membership(user=nora, role=Role.REFERENT, team=cast.team_a, ends_on=ends_on, by=cast.hugo)
        assert granted.last_day == ends_on - DAY

    @pytest.mark.parametrize("role", list(Role))
    def test_asks_for_a_team_exactly_when_the_role_has_one(self, cast: Cast, role: Role) -> None:
        nora = create(cast)
        fits, other = (cast.team_a, None) if role in ("referent", "coordinator", "epre_member") else (None, cast.team_a)
        with pytest.raises(ValidationError, match="Ce rôle s’exerce dans une équipe, ou pour tout le programme"):
            grant_membership(user=nora, role=role, team=other, by=cast.hugo)
        assert grant_membership(user=nora, role=role, team=fits, by=cast.hugo).role == role

    def test_refuses_a_role_already_held(self, cast: Cast) -> None:
        with pytest.raises(RoleAlreadyHeld, match="tient déjà ce rôle dans cette équipe"):
            grant_membership(user=cast.benoit, role=Role.REFERENT, team=cast.team_a, by=cast.hugo)
        with pytest.raises(RoleAlreadyHeld, match="tient déjà ce rôle à ces dates"):
            grant_membership(user=cast.esther, role=Role.PILOTAGE, by=cast.hugo)
        assert grant_membership(user=cast.benoit, role=Role.REFERENT, team=cast.team_b, by=cast.hugo)

    @pytest.mark.parametrize(
        ("starts_in", "ends_in", "refused"),
        [(0, 10, False), (0, 11, True), (12, 15, True), (19, None, True), (20, None, False), (5, 40, True)],
    )
    def test_refuses_days_that_meet_those_of_a_role_with_an_end(
        self, cast: Cast, starts_in: int, ends_in: int | None, refused: bool
    ) -> None:
        nora = create(cast)
        hold(nora, Role.EPRE_MEMBER, cast.team_a, starts_on=today() + 10 * DAY, ends_on=today() + 20 * DAY)
        days = {
            "starts_on": today() + starts_in * DAY,
            "ends_on": None if ends_in is None else today() + ends_in * DAY,
        }
        asked = {"user": nora, "role": Role.EPRE_MEMBER, "team": cast.team_a, "by": cast.hugo, **days}
        if refused:
            with pytest.raises(RoleAlreadyHeld) as refusal:
                grant_membership(**asked)
            assert refusal.value.field == "role"
        else:
            assert grant_membership(**asked)

    def test_gives_a_role_back_after_it_has_ended(self, cast: Cast) -> None:
        grant_membership(user=cast.yann, role=Role.REFERENT, team=cast.team_a, by=cast.hugo)
        assert Membership.objects.filter(user=cast.yann).count() == 2
        assert standing_of(cast.yann).holds(Role.REFERENT)

    def test_refuses_a_role_that_does_not_exist(self, cast: Cast) -> None:
        with pytest.raises(NotYoursToGive):
            grant_membership(user=cast.benoit, role="chef", by=cast.hugo)

    @pytest.mark.parametrize(("starts_in", "ends_in", "field"), [(-1, None, "starts_on"), (3, 3, "ends_on")])
    def test_refuses_days_that_make_no_sense_beside_their_field(
        self, cast: Cast, starts_in: int, ends_in: int | None, field: str
    ) -> None:
        with pytest.raises(DayRefused) as refusal:
            grant_membership(
                user=cast.yann,
                role=Role.REFERENT,
                team=cast.team_a,
                starts_on=today() + starts_in * DAY,
                ends_on=None if ends_in is None else today() + ends_in * DAY,
                by=cast.hugo,
            )
        assert refusal.value.field == field

    def test_is_signed_and_journalled(self, cast: Cast) -> None:
        granted = grant_membership(user=cast.esther, role=Role.DPO, by=cast.hugo)
        event = Event.objects.get(action="grant", kind="referents.membership")
        assert (event.actor_id, event.record_ids) == (cast.hugo.pk, [str(granted.pk)])
        assert granted.history.get().history_user_id == cast.hugo.pk


class TestRightToGrant:
    @pytest.mark.parametrize("name", ["hugo", "amina"])
    def test_is_never_one_s_own(self, cast: Cast, name: str) -> None:
        person = getattr(cast, name)
        with pytest.raises(NotYoursToGive, match="Personne ne se donne un rôle"):
            grant_membership(user=person, role=Role.REFERENT, team=cast.team_a, by=person)
        refusal = Event.objects.get(action="refusal")
        assert (refusal.actor_id, refusal.kind) == (person.pk, "referents.membership")
        assert refusal.detail == {"asked": "grant_membership"}

    @pytest.mark.parametrize("role", [Role.REFERENT, Role.EPRE_MEMBER])
    def test_is_that_of_a_coordination_for_two_roles_of_its_teams(self, cast: Cast, role: Role) -> None:
        assert grant_membership(user=cast.chloe, role=role, team=cast.team_a, by=cast.amina)
        with pytest.raises(NotYoursToGive, match="Vous ne coordonnez pas cette équipe") as refusal:
            grant_membership(user=cast.yann, role=role, team=cast.team_b, by=cast.amina)
        assert refusal.value.field == "team"
        assert Event.objects.filter(action="refusal", actor_id=cast.amina.pk).count() == 1

    @pytest.mark.parametrize("role", [role for role in Role if role not in (Role.REFERENT, Role.EPRE_MEMBER)])
    def test_is_that_of_the_administration_for_the_others(self, cast: Cast, role: Role) -> None:
        team = cast.team_a if role == Role.COORDINATOR else None
        with pytest.raises(NotYoursToGive, match="administration technique"):
            grant_membership(user=cast.chloe, role=role, team=team, by=cast.amina)

    @pytest.mark.parametrize("name", ["benoit", "david", "esther", "farid", "gaelle", "yann"])
    def test_is_nobody_else_s(self, cast: Cast, name: str) -> None:
        with pytest.raises(NotYoursToGive):
            grant_membership(user=cast.chloe, role=Role.REFERENT, team=cast.team_a, by=getattr(cast, name))
        assert cast.chloe.memberships.count() == 1


class TestSeparateDuties:
    @pytest.mark.parametrize("role", [Role.REFERENT, Role.COORDINATOR, Role.EPRE_MEMBER, Role.PROJECT_LEADER])
    def test_keep_the_administration_away_from_the_children(self, cast: Cast, role: Role) -> None:
        other = make_user("Ivan", Role.ADMINISTRATOR)
        team = None if role == Role.PROJECT_LEADER else cast.team_a
        with pytest.raises(SeparateDuties, match="ne voit aucune situation"):
            grant_membership(user=other, role=role, team=team, by=cast.hugo)
        worker = make_user("Jeanne", role, team)
        with pytest.raises(SeparateDuties):
            grant_membership(user=worker, role=Role.ADMINISTRATOR, by=cast.hugo)

    def test_are_kept_on_each_day_only(self, cast: Cast) -> None:
        ends_on = today() + 10 * DAY
        jeanne = make_user("Jeanne")
        hold(jeanne, Role.REFERENT, cast.team_a, ends_on=ends_on)
        with pytest.raises(SeparateDuties):
            grant_membership(user=jeanne, role=Role.ADMINISTRATOR, starts_on=ends_on - DAY, by=cast.hugo)
        assert grant_membership(user=jeanne, role=Role.ADMINISTRATOR, starts_on=ends_on, by=cast.hugo)

    def test_do_not_keep_the_pilotage_or_the_dpo_from_the_administration(self, cast: Cast) -> None:
        assert grant_membership(user=cast.esther, role=Role.ADMINISTRATOR, by=cast.hugo)
        assert grant_membership(user=cast.gaelle, role=Role.ADMINISTRATOR, by=cast.hugo)

    def test_leave_an_employee_of_an_association_a_plain_referent(self, cast: Cast) -> None:
        """The employer is a word: it makes nobody a project leader."""
        with acting_as(system_account()):
            cast.benoit.employer = "Les Amis du square"
            cast.benoit.save()
        assert not standing_of(cast.benoit).holds(Role.PROJECT_LEADER)
        assert set(Parcours.objects.visible_to(cast.benoit)) == {cast.ines_parcours}

    def test_give_who_holds_two_roles_the_union_of_both(self, cast: Cast, signed_in) -> None:
        grant_membership(user=cast.benoit, role=Role.PROJECT_LEADER, by=cast.hugo)
        ProjectLead.objects.create(project=cast.project, user=cast.benoit, starts_on=today())
        both = User.objects.get(pk=cast.benoit.pk)
        assert {membership.role for membership in both.standing.memberships} == {Role.REFERENT, Role.PROJECT_LEADER}
        assert set(Parcours.objects.visible_to(both)) == {cast.ines_parcours}
        client = signed_in(both)
        assert client.get("/groupes/").status_code == client.get("/parcours/").status_code == 200
        assert client.get("/equipes/").status_code == 404


class TestEndMembership:
    def test_closes_the_access_at_the_next_request(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert client.get("/parcours/").status_code == 200
        end_membership(membership=role_of(cast.benoit), ends_on=today(), by=cast.amina)
        assert client.get("/parcours/")["Location"] == "/acces/"

    def test_is_kept_with_its_author(self, cast: Cast) -> None:
        membership = role_of(cast.benoit)
        end_membership(membership=membership, ends_on=today() + DAY, by=cast.amina)
        assert Event.objects.get(action="revoke", kind="referents.membership").actor_id == cast.amina.pk
        assert membership.history.first().history_user_id == cast.amina.pk
        assert membership.history.count() == 2

    def test_refuses_the_past(self, cast: Cast) -> None:
        with pytest.raises(DayRefused, match="aujourd’hui au plus tôt") as refusal:
            end_membership(membership=role_of(cast.benoit), ends_on=today() - DAY, by=cast.hugo)
        assert refusal.value.field == "ends_on"
        with pytest.raises(DayRefused, match="déjà terminé"):
            end_membership(membership=role_of(cast.yann), ends_on=today(), by=cast.hugo)

    def test_shortens_and_never_prolongs(self, cast: Cast) -> None:
        membership = role_of(cast.benoit)
        end_membership(membership=membership, ends_on=today() + 10 * DAY, by=cast.hugo)
        for days in (10, 20):
            with pytest.raises(DayRefused, match="pour prolonger, ajoutez un rôle"):
                end_membership(membership=membership, ends_on=today() + days * DAY, by=cast.hugo)
        assert end_membership(membership=membership, ends_on=today() + 5 * DAY, by=cast.hugo)

    def test_cancels_what_has_not_begun(self, cast: Cast) -> None:
        """A mistaken first day is mended so: cancelled, then given again."""
        starts_on = today() + 5 * DAY
        to_come = grant_membership(
            user=cast.chloe, role=Role.REFERENT, team=cast.team_a, starts_on=starts_on, by=cast.amina
        )
        with pytest.raises(DayRefused, match="ce jour-là au plus tôt"):
            end_membership(membership=to_come, ends_on=today(), by=cast.amina)
        assert end_membership(membership=to_come, ends_on=starts_on, by=cast.amina).is_cancelled
        again = {"user": cast.chloe, "role": Role.REFERENT, "team": cast.team_a, "by": cast.amina}
        assert grant_membership(starts_on=starts_on - DAY, **again)

    def test_is_for_a_coordination_that_of_two_roles_of_its_teams(self, cast: Cast) -> None:
        other = make_user("Denis", Role.COORDINATOR, cast.team_a)
        for membership in (role_of(other), role_of(cast.chloe), role_of(cast.esther)):
            with pytest.raises(NotYoursToGive):
                end_membership(membership=membership, ends_on=today(), by=cast.amina)
        assert Event.objects.filter(action="refusal", actor_id=cast.amina.pk).count() == 3


class TestNobodyLeft:
    def test_refuses_to_take_the_last_coordination_of_a_team(self, cast: Cast) -> None:
        with pytest.raises(NobodyLeft, match="L’équipe n’aurait plus de coordination"):
            end_membership(membership=role_of(cast.amina), ends_on=today() + 60 * DAY, by=cast.hugo)
        make_user("Denis", Role.COORDINATOR, cast.team_b)
        with pytest.raises(NobodyLeft):
            end_membership(membership=role_of(cast.amina), ends_on=today(), by=cast.hugo)
        make_user("Elsa", Role.COORDINATOR, cast.team_a)
        assert end_membership(membership=role_of(cast.amina), ends_on=today(), by=cast.hugo)

    def test_counts_active_accounts_only(self, cast: Cast) -> None:
        denis = make_user("Denis", Role.COORDINATOR, cast.team_a)
        with acting_as(system_account()):
            denis.is_active = False
            denis.save()
        with pytest.raises(NobodyLeft):
            end_membership(membership=role_of(cast.amina), ends_on=today(), by=cast.hugo)

    def test_counts_who_holds_the_role_from_that_day_on(self, cast: Cast) -> None:
        denis = make_user("Denis")
        hold(denis, Role.COORDINATOR, cast.team_a, starts_on=today() + 10 * DAY)
        with pytest.raises(NobodyLeft):
            end_membership(membership=role_of(cast.amina), ends_on=today() + 9 * DAY, by=cast.hugo)
        assert end_membership(membership=role_of(cast.amina), ends_on=today() + 10 * DAY, by=cast.hugo)

    def test_sees_the_day_on_which_the_other_leaves_too(self, cast: Cast) -> None:
        denis = make_user("Denis", Role.COORDINATOR, cast.team_a)
        end_membership(membership=role_of(denis), ends_on=today() + 30 * DAY, by=cast.hugo)
        with pytest.raises(NobodyLeft):
            end_membership(membership=role_of(cast.amina), ends_on=today() + 5 * DAY, by=cast.hugo)

    def test_refuses_to_take_the_last_administration(self, cast: Cast) -> None:
        other = make_user("Ivan", Role.ADMINISTRATOR)
        assert end_membership(membership=role_of(cast.hugo), ends_on=today(), by=other)
        with pytest.raises(NobodyLeft, match="administration technique"):
            end_membership(membership=role_of(other), ends_on=today(), by=other)

    def test_lets_the_last_referent_go(self, cast: Cast) -> None:
        """The board of the team then says which parcours have none."""
        assert end_membership(membership=role_of(cast.chloe), ends_on=today(), by=cast.hugo)


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTwoPeople:
    def test_cannot_both_be_the_last_to_leave(self, tmp_path: Path) -> None:
        cast = Cast()
        denis = make_user("Denis", Role.COORDINATOR, cast.team_a)

        def end(person: User):
            membership = role_of(person)
            return lambda: end_membership(membership=membership, ends_on=today(), by=User.objects.get(pk=cast.hugo.pk))

        outcomes, left = at_once(
            tmp_path,
            [end(cast.amina), end(denis)],
            lambda: Membership.objects.current().filter(role=Role.COORDINATOR, team=cast.team_a).count(),
        )
        assert left == 1
        assert outcomes[0].startswith("L’équipe n’aurait plus de coordination")
        assert outcomes[1] == "Membership"

    def test_give_one_role_once(self, tmp_path: Path) -> None:
        cast = Cast()

        def grant():
            by = User.objects.get(pk=cast.hugo.pk)
            days = {"ends_on": today() + 30 * DAY}  # no constraint of the database sees this one
            return grant_membership(user=cast.chloe, role=Role.EPRE_MEMBER, team=cast.team_a, by=by, **days)

        outcomes, held = at_once(
            tmp_path, [grant, grant], lambda: Membership.objects.filter(user=cast.chloe, team=cast.team_a).count()
        )
        assert held == 1
        assert outcomes == ["Cette personne tient déjà ce rôle dans cette équipe à ces dates.", "Membership"]
