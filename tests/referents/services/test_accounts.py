"""Accounts: opened, corrected, suspended, ended; the administration changes them and sees no child."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from audit.history import system_account
from audit.journal.models import Event
from referents.models import Role, User
from referents.services.accounts import (
    EmailAlreadyUsed,
    NobodyAlone,
    NothingToChange,
    NotYourAccounts,
    NotYourself,
    ReactivationReason,
    SuspensionReason,
    change_identity,
    create_account,
    end_account,
    reactivate_account,
    suspend_account,
)
from referents.services.invitations import send_invitation
from referents.services.memberships import NobodyLeft, grant_membership
from referents.services.second_factor import reset_second_factor
from referents.standing import standing_of
from tests.cast import PASSWORD, Cast, make_user

DAY = timedelta(days=1)


def create(cast: Cast, email: str = "Nora@Marelle.example", **values) -> User:
    return create_account(email=email, first_name="Nora", last_name="Test", by=cast.hugo, **values)


def suspend(user: User, by: User) -> User:
    return suspend_account(user=user, reason=SuspensionReason.LOST, by=by)


def correct(user: User, by: User, **values) -> User:
    same = {name: getattr(user, name) for name in ("email", "first_name", "last_name", "employer")}
    return change_identity(user=user, by=by, **same | values)


class TestCreateAccount:
    def test_opens_nothing_yet(self, cast: Cast) -> None:
        nora = create(cast, password=PASSWORD)
        assert nora.check_password(PASSWORD)
        assert not standing_of(nora).is_active
        assert not nora.is_superuser

    def test_leaves_the_password_to_an_invitation(self, cast: Cast) -> None:
        assert not create(cast).has_usable_password()

    def test_keeps_one_account_for_an_address_however_it_is_written(self, cast: Cast) -> None:
        assert create(cast).email == "nora@marelle.example"
        for written in ("nora@marelle.example", "NORA@MARELLE.EXAMPLE"):
            with pytest.raises(EmailAlreadyUsed, match="ouvre déjà un compte") as refusal:
                create(cast, written)
            assert refusal.value.field == "email"
        assert User.objects.filter(email__iexact="nora@marelle.example").count() == 1

    def test_names_the_account_by_its_number_in_the_journal(self, cast: Cast) -> None:
        nora = create(cast)
        event = Event.objects.get(action="create", kind="referents.user")
        assert (event.actor_id, event.record_ids, event.detail) == (cast.hugo.pk, [str(nora.pk)], {})
        assert nora.history.get().history_user_id == cast.hugo.pk

    @pytest.mark.parametrize("name", ["benoit", "esther", "gaelle", "yann"])
    def test_is_for_the_administration_and_the_coordinations(self, cast: Cast, name: str) -> None:
        with pytest.raises(NotYourAccounts):
            create_account(email="n@marelle.example", first_name="N", last_name="T", by=getattr(cast, name))
        assert Event.objects.get(action="refusal").detail == {"asked": "create_account"}


class TestChangeIdentity:
    def test_keeps_what_it_was_and_who_corrected_it(self, cast: Cast) -> None:
        correct(cast.benoit, cast.hugo, last_name="Dupré", employer="Caisse des écoles")
        changed = User.objects.get(pk=cast.benoit.pk)
        assert (changed.last_name, changed.search_name) == ("Dupré", "dupre benoit")
        assert changed.history.first().prev_record.last_name == "Test"
        event = Event.objects.get(action="change", kind="referents.user")
        assert (event.actor_id, event.detail) == (cast.hugo.pk, {"fields": ["last_name", "employer"]})

    def test_writes_nothing_when_nothing_changes(self, cast: Cast) -> None:
        correct(cast.benoit, cast.hugo)
        assert cast.benoit.history.count() == 1

    def test_refuses_the_address_of_another(self, cast: Cast) -> None:
        with pytest.raises(EmailAlreadyUsed) as refusal:
            correct(cast.benoit, cast.hugo, email=cast.chloe.email.upper())
        assert refusal.value.field == "email"

    def test_tells_the_former_address_that_it_opens_nothing_more(
        self, cast: Cast, django_capture_on_commit_callbacks
    ) -> None:
        former = cast.benoit.email
        EmailAddress.objects.create(user=cast.benoit, email=former, primary=True, verified=True)
        with django_capture_on_commit_callbacks(execute=True):
            correct(cast.benoit, cast.hugo, email="autre@marelle.example")
        assert [letter.to for letter in mail.outbox] == [[former]]
        assert "autre@marelle.example" not in mail.outbox[0].body
        assert not EmailAddress.objects.filter(user=cast.benoit).exists()

    def test_closes_the_link_sent_to_the_former_address(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.hugo)
        correct(cast.benoit, cast.hugo, email="autre@marelle.example")
        invitation.refresh_from_db()
        assert invitation.revoked_at

    @pytest.mark.parametrize("name", ["amina", "benoit", "gaelle"])
    def test_is_for_the_administration_only(self, cast: Cast, name: str) -> None:
        with pytest.raises(NotYourAccounts):
            correct(cast.benoit, getattr(cast, name), last_name="Dupré")
        assert Event.objects.get(action="refusal").actor_id == getattr(cast, name).pk

    def test_takes_away_the_identity_of_the_former_address(self, cast: Cast) -> None:
        SocialAccount.objects.create(user=cast.benoit, provider="identite", uid="abc")
        correct(cast.benoit, cast.hugo, email="autre@marelle.example")
        assert not SocialAccount.objects.filter(user=cast.benoit).exists()


class TestNobodyAlone:
    """Address and second factor of somebody else, in one hand, would be that person's account."""

    def test_resets_the_second_factor_after_changing_the_address(self, cast: Cast) -> None:
        correct(cast.amina, cast.hugo, email="autre@marelle.example")
        with pytest.raises(NobodyAlone):
            reset_second_factor(user=cast.amina, by=cast.hugo)
        assert Event.objects.filter(action="refusal", actor_id=cast.hugo.pk).exists()
        assert reset_second_factor(user=cast.amina, by=make_user("Irène", Role.ADMINISTRATOR))

    def test_changes_the_address_after_resetting_the_second_factor(self, cast: Cast) -> None:
        reset_second_factor(user=cast.amina, by=cast.hugo)
        with pytest.raises(NobodyAlone):
            correct(cast.amina, cast.hugo, email="autre@marelle.example")
        correct(cast.amina, cast.hugo, last_name="Dupré")

    def test_is_for_a_week_and_for_one_account(self, cast: Cast) -> None:
        correct(cast.benoit, cast.hugo, email="autre@marelle.example")
        assert reset_second_factor(user=cast.amina, by=cast.hugo)
        with time_machine.travel(timezone.now() + timedelta(days=8)):
            assert reset_second_factor(user=cast.benoit, by=cast.hugo)

    def test_does_it_without_the_person_being_told(self, cast: Cast, django_capture_on_commit_callbacks) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            reset_second_factor(user=cast.amina, by=cast.hugo)
        assert [letter.to for letter in mail.outbox] == [[cast.amina.email]]


class TestSuspendAccount:
    def test_ends_the_session_at_the_next_request(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert client.get(reverse("pre_cases:my_parcours")).status_code == 200
        suspend(cast.benoit, cast.hugo)
        assert client.get(reverse("pre_cases:my_parcours"))["Location"].startswith(reverse("account_login"))

    def test_leaves_no_session_to_wake_up_with_the_account(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        suspend(cast.benoit, cast.hugo)
        reactivate_account(user=cast.benoit, reason=ReactivationReason.SETTLED, by=cast.hugo)
        assert client.get(reverse("pre_cases:my_parcours"))["Location"].startswith(reverse("account_login"))

    def test_gives_no_permission_any_more(self, cast: Cast) -> None:
        suspend(cast.benoit, cast.hugo)
        assert not User.objects.get(pk=cast.benoit.pk).has_perm("pre_cases.view_parcours", cast.ines_parcours)

    def test_keeps_the_roles_and_the_reason_as_a_code(self, cast: Cast) -> None:
        suspend(cast.benoit, cast.hugo)
        assert cast.benoit.memberships.get().ends_on is None
        assert cast.benoit.history.first().history_change_reason == "suspend:lost"
        assert Event.objects.get(action="suspend").purpose == "lost"

    def test_closes_the_invitation(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.hugo)
        suspend(cast.benoit, cast.hugo)
        invitation.refresh_from_db()
        assert invitation.revoked_at

    def test_refuses_the_last_coordination_of_a_team(self, cast: Cast) -> None:
        with pytest.raises(NobodyLeft, match="L’équipe n’aurait plus de coordination"):
            suspend(cast.amina, cast.hugo)
        assert User.objects.get(pk=cast.amina.pk).is_active
        make_user("Denis", Role.COORDINATOR, cast.team_a)
        assert not suspend(cast.amina, cast.hugo).is_active

    def test_is_not_one_s_own_and_happens_once(self, cast: Cast) -> None:
        with pytest.raises(NotYourself):
            suspend(cast.hugo, cast.hugo)
        suspend(cast.benoit, cast.hugo)
        with pytest.raises(NothingToChange, match="déjà suspendu"):
            suspend(cast.benoit, cast.hugo)

    @pytest.mark.parametrize("name", ["amina", "esther", "gaelle"])
    def test_is_for_the_administration_only(self, cast: Cast, name: str) -> None:
        with pytest.raises(NotYourAccounts):
            suspend(cast.benoit, getattr(cast, name))

    def test_never_touches_the_account_of_the_installation(self, cast: Cast) -> None:
        with pytest.raises(NotYourAccounts):
            reactivate_account(user=system_account(), reason=ReactivationReason.RETURN, by=cast.hugo)


class TestReactivateAccount:
    def test_opens_what_is_still_in_force(self, cast: Cast, signed_in) -> None:
        suspend(cast.benoit, cast.hugo)
        reactivate_account(user=cast.benoit, reason=ReactivationReason.SETTLED, by=cast.hugo)
        back = User.objects.get(pk=cast.benoit.pk)
        assert signed_in(back).get(reverse("pre_cases:my_parcours")).status_code == 200
        assert back.history.first().history_change_reason == "reactivate:settled"

    def test_refuses_an_account_that_is_open(self, cast: Cast) -> None:
        with pytest.raises(NothingToChange, match="n’est pas suspendu"):
            reactivate_account(user=cast.benoit, reason=ReactivationReason.RETURN, by=cast.hugo)


class TestEndAccount:
    def test_closes_every_role_present_and_to_come(self, cast: Cast) -> None:
        today = timezone.localdate()
        starts_on = today + 10 * DAY
        grant_membership(user=cast.benoit, role=Role.EPRE_MEMBER, team=cast.team_b, starts_on=starts_on, by=cast.hugo)
        assert end_account(user=cast.benoit, by=cast.hugo) == 2
        assert not standing_of(cast.benoit).is_active
        ends = {membership.role: membership.ends_on for membership in cast.benoit.memberships.all()}
        assert ends == {Role.REFERENT: today, Role.EPRE_MEMBER: starts_on}
        assert Event.objects.get(action="end").record_ids == [str(cast.benoit.pk)]

    def test_may_come_later_and_leaves_what_ends_before(self, cast: Cast) -> None:
        today = timezone.localdate()
        grant_membership(
            user=cast.benoit, role=Role.EPRE_MEMBER, team=cast.team_b, ends_on=today + 5 * DAY, by=cast.hugo
        )
        assert end_account(user=cast.benoit, ends_on=today + 20 * DAY, by=cast.hugo) == 1
        assert standing_of(cast.benoit).holds(Role.REFERENT)

    def test_refuses_the_last_coordination_of_a_team(self, cast: Cast) -> None:
        with pytest.raises(NobodyLeft):
            end_account(user=cast.amina, by=cast.hugo)
        assert standing_of(cast.amina).holds(Role.COORDINATOR)

    def test_refuses_who_has_left_already_and_oneself(self, cast: Cast) -> None:
        with pytest.raises(NothingToChange):
            end_account(user=cast.yann, by=cast.hugo)
        with pytest.raises(NotYourself):
            end_account(user=cast.hugo, by=cast.hugo)
