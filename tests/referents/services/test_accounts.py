"""Accounts, memberships and charters: who may sign in, as what, until when."""

from datetime import timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.history import acting_as
from audit.journal.models import Event
from referents.models import CharterSignature, Membership, Role, User
from referents.services.accounts import (
    CharterAlreadySigned,
    EmailAlreadyUsed,
    create_account,
    grant_membership,
    sign_charter,
)
from referents.standing import standing_of
from tests.cast import PASSWORD, Cast

DAY = timedelta(days=1)


def create(cast: Cast, email: str = "Nora@Marelle.example", **values) -> User:
    return create_account(email=email, first_name="Nora", last_name="Test", by=cast.hugo, **values)


class TestCreateAccount:
    def test_opens_nothing_yet(self, cast: Cast) -> None:
        nora = create(cast, password=PASSWORD)
        assert nora.check_password(PASSWORD)
        assert not standing_of(nora).is_active
        assert not nora.is_superuser

    def test_leaves_the_password_to_a_reset_link(self, cast: Cast) -> None:
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


class TestGrantMembership:
    def test_holds_from_today_unless_told_otherwise(self, cast: Cast) -> None:
        nora = create(cast)
        granted = grant_membership(user=nora, role=Role.REFERENT, team=cast.team_a, by=cast.hugo)
        assert (granted.starts_on, granted.ends_on) == (timezone.localdate(), None)
        assert standing_of(nora).teams(Role.REFERENT) == [cast.team_a]

    def test_opens_nothing_before_its_day(self, cast: Cast) -> None:
        nora = create(cast)
        tomorrow = timezone.localdate() + DAY
        grant_membership(user=nora, role=Role.PILOTAGE, starts_on=tomorrow, by=cast.hugo)
        assert not standing_of(nora).is_active

    @pytest.mark.parametrize("role", list(Role))
    def test_asks_for_a_team_exactly_when_the_role_has_one(self, cast: Cast, role: Role) -> None:
        nora = create(cast)
        fits, other = (cast.team_a, None) if role in ("referent", "coordinator", "epre_member") else (None, cast.team_a)
        with pytest.raises(ValidationError, match="Ce rôle s’exerce dans une équipe, ou pour tout le programme"):
            grant_membership(user=nora, role=role, team=other, by=cast.hugo)
        assert grant_membership(user=nora, role=role, team=fits, by=cast.hugo).role == role

    def test_refuses_a_role_already_held(self, cast: Cast) -> None:
        with pytest.raises(ValidationError, match="tient déjà ce rôle dans cette équipe"):
            grant_membership(user=cast.benoit, role=Role.REFERENT, team=cast.team_a, by=cast.hugo)
        with pytest.raises(ValidationError, match="tient déjà ce rôle"):
            grant_membership(user=cast.esther, role=Role.PILOTAGE, by=cast.hugo)
        assert grant_membership(user=cast.benoit, role=Role.REFERENT, team=cast.team_b, by=cast.hugo)

    def test_gives_a_role_back_after_it_has_ended(self, cast: Cast) -> None:
        grant_membership(user=cast.yann, role=Role.REFERENT, team=cast.team_a, by=cast.hugo)
        assert Membership.objects.filter(user=cast.yann).count() == 2
        assert standing_of(cast.yann).holds(Role.REFERENT)

    def test_refuses_a_role_that_does_not_exist(self, cast: Cast) -> None:
        with pytest.raises(ValidationError):
            grant_membership(user=cast.benoit, role="chef", by=cast.hugo)

    def test_is_signed_and_journalled(self, cast: Cast) -> None:
        granted = grant_membership(user=cast.esther, role=Role.DPO, by=cast.hugo)
        event = Event.objects.get(action="grant", kind="referents.membership")
        assert (event.actor_id, event.record_ids) == (cast.hugo.pk, [str(granted.pk)])
        assert granted.history.get().history_user_id == cast.hugo.pk


class TestSignCharter:
    def test_lasts_a_year_in_the_version_in_force(self, cast: Cast) -> None:
        today = timezone.localdate()
        signature = sign_charter(user=cast.benoit, by=cast.benoit)
        assert (signature.version, signature.signed_on) == (settings.CHARTER_VERSION, today)
        assert signature.expires_on == today + relativedelta(months=settings.CHARTER_MONTHS)

    def test_happens_once_while_it_is_valid(self, cast: Cast) -> None:
        sign_charter(user=cast.benoit, by=cast.benoit)
        with pytest.raises(CharterAlreadySigned, match="déjà signé"):
            sign_charter(user=cast.benoit, by=cast.benoit)

    def test_is_signed_again_when_it_expires_or_changes(self, cast: Cast, settings) -> None:
        first = sign_charter(user=cast.benoit, by=cast.benoit)
        settings.CHARTER_VERSION = "2099-1"
        sign_charter(user=cast.benoit, by=cast.benoit)
        settings.CHARTER_VERSION = first.version
        with acting_as(cast.benoit):
            first.signed_on, first.expires_on = first.signed_on - 400 * DAY, timezone.localdate()
            first.save()
        sign_charter(user=cast.benoit, by=cast.benoit)
        assert CharterSignature.objects.filter(user=cast.benoit).exclude(version="test").count() == 3

    def test_is_each_person_s_own(self, cast: Cast) -> None:
        sign_charter(user=cast.benoit, by=cast.benoit)
        assert sign_charter(user=cast.chloe, by=cast.chloe).user == cast.chloe
