"""Asking to read a colleague's parcours, and the answer."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import AccessRequest, ParcoursShare
from pre_cases.services.access import ShareRefused, share_parcours
from pre_cases.services.access_request import AccessRequestRefused, accept_access, ask_access, refuse_access
from pre_cases.services.assignment import assign_referent
from pre_cases.services.preconditions import ParcoursIsClosed
from referents.models import Role, User
from tests.at_once import at_once
from tests.cast import Cast, make_user
from tests.pre_cases.facts import agree, changes, close, leave, sees

DAY = timedelta(days=1)
KIND = "pre_cases.accessrequest"


@pytest.fixture
def asked(cast: Cast, ibrahim: User) -> AccessRequest:
    """Ibrahim asks to read Inès's parcours."""
    return ask_access(parcours=cast.ines_parcours, reason="Je suis son frère", by=ibrahim)


def in_a_month() -> object:
    return timezone.localdate() + 30 * DAY


class TestAskAccess:
    def test_opens_nothing_before_the_answer(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        assert not sees(ibrahim, cast.ines_parcours)
        assert (asked.asked_by, asked.answered_at, asked.share) == (ibrahim, None, None)

    def test_is_journalled_on_the_parcours(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        event = Event.objects.get(kind=KIND, action="create")
        assert (event.actor_id, event.subject_id) == (ibrahim.pk, cast.ines_parcours.pk)
        assert (event.record_ids, event.detail) == ([str(asked.pk)], {})
        assert asked.history.get().history_user_id == ibrahim.pk

    def test_keeps_both_reasons_encrypted(self, cast: Cast, asked: AccessRequest) -> None:
        refuse_access(request=asked, reason="La famille préfère attendre", by=cast.benoit)
        for model in (AccessRequest, AccessRequest.history.model):
            columns = [model._meta.get_field(name).column for name in ("reason", "refusal")]
            with connections["default"].cursor() as cursor:
                cursor.execute(f"SELECT {', '.join(columns)} FROM {model._meta.db_table}")
                stored = b"".join(bytes(value) for row in cursor.fetchall() for value in row if value is not None)
            assert stored
            assert b"fr\xc3\xa8re" not in stored
            assert b"attendre" not in stored
        answered = AccessRequest.objects.get()
        assert (answered.reason, answered.refusal) == ("Je suis son frère", "La famille préfère attendre")

    def test_refuses_without_a_reason(self, cast: Cast, ibrahim: User) -> None:
        with pytest.raises(AccessRequestRefused, match="Dites pourquoi") as refusal:
            ask_access(parcours=cast.ines_parcours, reason=" \n", by=ibrahim)
        assert refusal.value.field == "reason"
        assert not AccessRequest.objects.exists()

    @pytest.mark.parametrize("name", ["amina", "benoit", "david"])
    def test_refuses_who_sees_it_already(self, cast: Cast, name: str) -> None:
        with pytest.raises(AccessRequestRefused, match="Vous voyez déjà ce parcours"):
            ask_access(parcours=cast.ines_parcours, reason="x", by=getattr(cast, name))

    def test_refuses_to_ask_twice(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        with pytest.raises(AccessRequestRefused, match="déjà demandé"):
            ask_access(parcours=cast.ines_parcours, reason="Encore", by=ibrahim)
        assert AccessRequest.objects.count() == 1

    def test_may_ask_again_once_answered(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        refuse_access(request=asked, reason="Non", by=cast.benoit)
        assert ask_access(parcours=cast.ines_parcours, reason="Encore", by=ibrahim).pk != asked.pk

    def test_refuses_a_closed_parcours(self, cast: Cast, ibrahim: User) -> None:
        close(cast.ines_parcours, by=cast.amina)
        with pytest.raises(ParcoursIsClosed):
            ask_access(parcours=cast.ines_parcours, reason="x", by=ibrahim)

    def test_waits_once_for_the_database_too(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        with pytest.raises(IntegrityError), transaction.atomic(), acting_as(system_account()):
            AccessRequest.objects.create(
                parcours=cast.ines_parcours, asked_by=ibrahim, reason="x", data_key_id=cast.ines.data_key_id
            )


class TestAcceptAccess:
    def test_becomes_a_share_until_the_day_chosen(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        accept_access(request=asked, ends_on=in_a_month(), by=cast.benoit)
        answered = AccessRequest.objects.get()
        share = ParcoursShare.objects.get(user=ibrahim)
        assert (answered.share, answered.answered_by, answered.refusal) == (share, cast.benoit, None)
        assert answered.answered_at is not None
        assert (share.ends_on, share.granted_by, share.reason) == (in_a_month(), cast.benoit, "Je suis son frère")
        assert sees(ibrahim, cast.ines_parcours)
        assert not changes(ibrahim, cast.ines_parcours)

    def test_is_journalled_twice_as_an_answer_and_as_a_grant(self, cast: Cast, asked: AccessRequest) -> None:
        accept_access(request=asked, ends_on=in_a_month(), by=cast.amina)
        accepted, granted = Event.objects.get(kind=KIND, action="accept"), Event.objects.get(action="grant")
        assert accepted.actor_id == granted.actor_id == cast.amina.pk
        assert accepted.subject_id == granted.subject_id == cast.ines_parcours.pk

    @pytest.mark.parametrize("days", [0, 250])
    def test_follows_the_rules_of_a_share(self, cast: Cast, ibrahim: User, asked: AccessRequest, days: int) -> None:
        with pytest.raises(ShareRefused) as refusal:
            accept_access(request=asked, ends_on=timezone.localdate() + days * DAY, by=cast.benoit)
        assert refusal.value.field == "ends_on"
        assert AccessRequest.objects.pending().get() == asked
        assert not sees(ibrahim, cast.ines_parcours)

    def test_refuses_once_the_agreement_has_ended(self, cast: Cast, asked: AccessRequest) -> None:
        agree(cast.ines_parcours, agreed_until_on=timezone.localdate())
        with pytest.raises(ShareRefused, match="a expiré"):
            accept_access(request=asked, ends_on=in_a_month(), by=cast.benoit)

    def test_refuses_who_has_left_the_team_since(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        leave(ibrahim)
        with pytest.raises(ShareRefused, match="ne fait pas partie de l’équipe"):
            accept_access(request=asked, ends_on=in_a_month(), by=cast.benoit)

    def test_is_what_a_share_given_meanwhile_amounts_to(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        made = share_parcours(
            parcours=cast.ines_parcours, user=ibrahim, reason="EPRE", ends_on=in_a_month(), by=cast.amina
        )
        answered = AccessRequest.objects.get()
        assert (answered.share, answered.answered_by) == (made, cast.amina)
        assert Event.objects.get(kind=KIND, action="accept").actor_id == cast.amina.pk
        with pytest.raises(AccessRequestRefused, match="déjà répondu"):
            accept_access(request=asked, ends_on=in_a_month(), by=cast.benoit)

    def test_refuses_who_has_become_its_referent_since(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        assign_referent(parcours=cast.ines_parcours, referent=ibrahim, by=cast.amina)
        with pytest.raises(ShareRefused, match="voit déjà"):
            accept_access(request=asked, ends_on=in_a_month(), by=cast.amina)

    def test_refuses_a_second_answer(self, cast: Cast, asked: AccessRequest) -> None:
        accept_access(request=asked, ends_on=in_a_month(), by=cast.benoit)
        for answer in (
            lambda: accept_access(request=asked, ends_on=in_a_month(), by=cast.amina),
            lambda: refuse_access(request=asked, reason="Non", by=cast.amina),
        ):
            with pytest.raises(AccessRequestRefused, match="déjà répondu"):
                answer()
        assert ParcoursShare.objects.filter(user=asked.asked_by).count() == 1


class TestRefuseAccess:
    def test_says_why_and_opens_nothing(self, cast: Cast, ibrahim: User, asked: AccessRequest) -> None:
        refuse_access(request=asked, reason=" La famille préfère attendre ", by=cast.benoit)
        answered = AccessRequest.objects.get()
        assert (answered.refusal, answered.answered_by, answered.share) == (
            "La famille préfère attendre",
            cast.benoit,
            None,
        )
        assert not sees(ibrahim, cast.ines_parcours)
        event = Event.objects.get(kind=KIND, action="refuse")
        assert (event.actor_id, event.subject_id) == (cast.benoit.pk, cast.ines_parcours.pk)

    def test_refuses_without_a_reason(self, cast: Cast, asked: AccessRequest) -> None:
        with pytest.raises(AccessRequestRefused, match="lira cette raison") as refusal:
            refuse_access(request=asked, reason="  ", by=cast.benoit)
        assert refusal.value.field == "reason"
        assert AccessRequest.objects.pending().exists()


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTwoPeople:
    def test_answer_one_request_once(self, tmp_path: Path) -> None:
        cast = Cast()
        ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        asked = ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)

        def accept() -> AccessRequest:
            load_keys_of(asked)
            return accept_access(request=asked, ends_on=in_a_month(), by=cast.amina)

        def refuse() -> AccessRequest:
            load_keys_of(asked)
            return refuse_access(request=asked, reason="Non", by=cast.benoit)

        outcomes, _ = at_once(tmp_path, [accept, refuse], lambda: 0)
        assert outcomes == ["AccessRequest", "Quelqu’un a déjà répondu à cette demande."]

    def test_ask_once(self, tmp_path: Path) -> None:
        cast = Cast()
        ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)

        def ask() -> AccessRequest:
            load_keys_of(cast.ines_parcours)
            return ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)

        outcomes, count = at_once(tmp_path, [ask, ask], AccessRequest.objects.count)
        assert count == 1
        assert outcomes == ["AccessRequest", "Vous avez déjà demandé à lire ce parcours : la réponse viendra ici."]
