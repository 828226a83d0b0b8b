"""The accounts: everybody's for the administration and the DPO, those of their teams for the coordinations."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from referents.days import day
from referents.models import Membership, Role, User
from referents.second_factor import has_factor
from referents.services.accounts import SuspensionReason, change_identity, suspend_account
from referents.services.invitations import send_invitation
from referents.services.memberships import grant_membership
from referents.states import AccountState
from tests.cast import Cast, make_user
from tests.queries import queries_of
from tests.second_factor import enrol

LIST, SEARCH, INVITE = "account_list", "account_search", "account_invite"
DAY = timedelta(days=1)


def shown(response) -> set[str]:
    return {account.first_name for account in response.context["page"]}


def newcomer(cast: Cast, **values) -> dict:
    return {
        "email": "nora@marelle.example",
        "first_name": "Nora",
        "last_name": "Test",
        "employer": "",
        "role": Role.REFERENT,
        "team": cast.team_a.pk,
        "starts_on": timezone.localdate().isoformat(),
        "ends_on": "",
    } | values


class TestAccountList:
    def test_shows_current_roles_and_charters(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.hugo).get(reverse(LIST)).content.decode()
        assert "coordination, A" in page
        assert f"à renouveler le {day(timezone.localdate() + 300 * DAY)}" in page

    def test_shows_no_role_that_has_ended(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.hugo).get(reverse(LIST))
        yann = next(account for account in page.context["page"] if account.pk == cast.yann.pk)
        assert yann.lasting_memberships == []

    @pytest.mark.parametrize("name", ["hugo", "gaelle"])
    def test_shows_every_person_and_not_the_account_of_the_installation(self, cast: Cast, signed_in, name: str) -> None:
        records = signed_in(getattr(cast, name)).get(reverse(LIST)).context["page"].records
        assert system_account() not in records
        assert {account.pk for account in records} == {person.pk for person in cast}

    def test_shows_a_coordination_the_people_of_its_teams_and_no_other_role(self, cast: Cast, signed_in) -> None:
        grant_membership(user=cast.benoit, role=Role.EPRE_MEMBER, team=cast.team_b, by=cast.hugo)
        response = signed_in(cast.amina).get(reverse(LIST))
        assert shown(response) == {"Amina", "Benoît", "David", "Yann"}
        benoit = next(account for account in response.context["page"] if account.pk == cast.benoit.pk)
        assert [membership.team for membership in benoit.lasting_memberships] == [cast.team_a]

    def test_holds_nothing_about_a_child(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.hugo).get(reverse(LIST)).content.decode()
        assert "Inès" not in page
        assert str(cast.ines_parcours.pk) not in page

    def test_goes_on_from_page_to_page_by_name_whatever_the_accents(self, cast: Cast, signed_in) -> None:
        for number in range(30):
            make_user(f"Personne{number:02}", Role.REFERENT, cast.team_a)
        make_user("Édith", Role.REFERENT, cast.team_a)
        client = signed_in(cast.hugo)
        first = client.get(reverse(LIST))
        rest = client.get(reverse(LIST), {"suite": first.context["page"].next_cursor})
        names = [account.search_name for response in (first, rest) for account in response.context["page"].records]
        assert (len(first.context["page"].records), len(names)) == (25, 40)
        assert names == sorted(names)

    @pytest.mark.parametrize("name", ["hugo", "amina"])
    def test_costs_the_same_with_one_account_or_twenty_five(self, cast: Cast, signed_in, name: str) -> None:
        client = signed_in(getattr(cast, name))
        few = queries_of(client, reverse(LIST))
        for number in range(24):
            make_user(f"Personne{number:02}", Role.REFERENT, cast.team_a)
        assert len(queries_of(client, reverse(LIST))) == len(few) <= 7

    def test_is_journalled(self, cast: Cast, signed_in) -> None:
        signed_in(cast.hugo).get(reverse(LIST))
        event = Event.objects.get(kind="referents.user", action="list")
        assert (event.actor_id, event.role) == (cast.hugo.pk, Role.ADMINISTRATOR)

    @pytest.mark.parametrize("name", ["benoit", "chloe", "david", "esther", "farid"])
    def test_does_not_exist_for_the_others(self, cast: Cast, signed_in, name: str) -> None:
        client = signed_in(getattr(cast, name))
        refused = client.get(reverse(LIST))
        assert refused.status_code == 404
        assert refused.content == client.get("/nulle-part/").content


class TestAccountListByState:
    @pytest.fixture
    def everybody_in_a_state(self, cast: Cast) -> Cast:
        today = timezone.localdate()
        for person in (cast.amina, cast.chloe, cast.esther):
            person.last_login = timezone.now()
            person.save(update_fields=["last_login"])
        with acting_as(system_account()):
            cast.amina.charters.get().delete()
            charter = cast.chloe.charters.get()
            charter.expires_on = today + 30 * DAY
            charter.save()
        send_invitation(user=cast.david, by=cast.hugo)
        suspend_account(user=cast.benoit, reason=SuspensionReason.ABSENCE, by=cast.hugo)
        return cast

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (AccountState.CURRENT, {"Amina", "Chloé", "David", "Esther", "Farid", "Gaëlle", "Hugo"}),
            (AccountState.NOT_ENTERED, {"David", "Farid", "Gaëlle"}),  # Hugo has just signed in
            (AccountState.INVITED, {"David"}),
            (AccountState.CHARTER, {"Chloé"}),
            (AccountState.SUSPENDED, {"Benoît"}),
            (AccountState.ENDED, {"Yann"}),
        ],
    )
    def test_shows_exactly_what_its_filter_counts(
        self, everybody_in_a_state: Cast, signed_in, state: AccountState, expected: set[str]
    ) -> None:
        client = signed_in(everybody_in_a_state.hugo)
        response = client.get(reverse(LIST), {"etat": state})
        counts = {item["label"]: item["count"] for item in response.context["filters"]}
        assert shown(response) == expected
        assert counts[state.label.capitalize()] == len(expected)

    def test_tells_a_coordination_that_somebody_has_left_its_teams_whatever_they_do_elsewhere(
        self, cast: Cast, signed_in
    ) -> None:
        with acting_as(system_account()):
            Membership.objects.create(user=cast.yann, role=Role.REFERENT, team=cast.team_b)
        response = signed_in(cast.amina).get(reverse(LIST), {"etat": AccountState.ENDED})
        assert shown(response) == {"Yann"}

    def test_ignores_a_state_that_does_not_exist(self, cast: Cast, signed_in) -> None:
        assert len(shown(signed_in(cast.hugo).get(reverse(LIST), {"etat": "nulle-part"}))) == 9


class TestAccountSearch:
    @pytest.mark.parametrize("typed", ["benoit", "BENOÎT", "test ben", "ben test"])
    def test_finds_by_name_whatever_accents_case_and_order(self, cast: Cast, signed_in, typed: str) -> None:
        assert shown(signed_in(cast.hugo).post(reverse(SEARCH), {"name": typed})) == {"Benoît"}

    def test_finds_nobody_out_of_reach(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.amina).post(reverse(SEARCH), {"name": "chloe"})
        assert shown(response) == set()
        assert "Personne ne répond à ce nom" in response.content.decode()

    def test_keeps_nothing_of_what_is_typed(self, cast: Cast, signed_in) -> None:
        signed_in(cast.hugo).post(reverse(SEARCH), {"name": "benoit"})
        event = Event.objects.get(action="search", kind="referents.user")
        assert (event.detail, event.record_ids) == ({}, [str(cast.benoit.pk)])

    def test_says_beside_the_field_that_nothing_was_typed(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.hugo).post(reverse(SEARCH), {"name": ""})
        assert response.status_code == 422
        assert response.context["search"].errors["name"]


class TestAccountDetail:
    def url(self, user: User) -> str:
        return reverse("account_detail", args=[user.pk])

    def test_shows_roles_past_current_and_to_come(self, cast: Cast, signed_in) -> None:
        starts_on = timezone.localdate() + 10 * DAY
        grant_membership(user=cast.yann, role=Role.REFERENT, team=cast.team_a, starts_on=starts_on, by=cast.hugo)
        page = signed_in(cast.hugo).get(self.url(cast.yann)).content.decode()
        assert f"{day(starts_on)} <small" in page
        assert "à venir" in page
        assert day(timezone.localdate() - 2 * DAY) in page  # the last day of the role that ended yesterday

    def test_shows_what_changed_and_by_whom(self, cast: Cast, signed_in) -> None:
        change_identity(
            user=cast.benoit, email=cast.benoit.email, first_name="Benoît", last_name="Dupré", employer="", by=cast.hugo
        )
        suspend_account(user=cast.benoit, reason=SuspensionReason.LOST, by=cast.hugo)
        for reader in (cast.hugo, cast.gaelle):
            past = signed_in(reader).get(self.url(cast.benoit)).context["past"]
            texts = {change.text: change.author for change in past}
            assert texts["Identité corrigée : nom (avant : Test)"] == "Hugo Test"
            assert texts["Compte suspendu : matériel ou mot de passe perdu, volé, divulgué"] == "Hugo Test"
            assert texts["Compte ouvert"] == ""

    def test_shows_a_coordination_only_what_concerns_its_teams(self, cast: Cast, signed_in) -> None:
        grant_membership(user=cast.benoit, role=Role.EPRE_MEMBER, team=cast.team_b, by=cast.hugo)
        response = signed_in(cast.amina).get(self.url(cast.benoit))
        assert [membership.team for membership, _ in response.context["memberships"]] == [cast.team_a]
        assert len(response.context["past"]) == 1
        assert "Corriger l’identité" not in response.content.decode()
        assert "Suspendre" not in response.content.decode()

    def test_offers_the_dpo_nothing_to_change(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.gaelle).get(self.url(cast.benoit)).content.decode()
        for words in ("Mettre fin", "Ajouter un rôle", "Corriger", "Suspendre", "Envoyer un nouveau lien"):
            assert words not in page

    def test_does_not_exist_out_of_reach(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.amina)
        foreign, nobody = client.get(self.url(cast.chloe)), client.get(reverse("account_detail", args=[987654]))
        assert foreign.status_code == nobody.status_code == 404
        assert foreign.content == nobody.content
        assert signed_in(cast.hugo).get(self.url(system_account())).status_code == 404

    def test_costs_the_same_whatever_the_length_of_its_past(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.hugo)
        few = queries_of(client, self.url(cast.benoit))
        with acting_as(cast.hugo):
            for number in range(12):
                cast.benoit.employer = f"Employeur {number}"
                cast.benoit.save()
                starts_on = timezone.localdate() - (100 - number) * DAY
                Membership.objects.create(
                    user=cast.benoit, role=Role.PILOTAGE, starts_on=starts_on, ends_on=starts_on + DAY
                )
        assert len(queries_of(client, self.url(cast.benoit))) == len(few)


class TestAccountInvite:
    def test_sends_a_link_and_goes_back_to_the_list(
        self, cast: Cast, signed_in, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            response = signed_in(cast.amina).post(reverse(INVITE), newcomer(cast))
        assert response["Location"] == reverse(LIST)
        assert [letter.to for letter in mail.outbox] == [["nora@marelle.example"]]

    def test_answers_a_coordination_the_same_whether_or_not_the_account_existed(self, cast: Cast, signed_in) -> None:
        answers = []
        for email in ("nora@marelle.example", cast.chloe.email, cast.hugo.email):
            response = signed_in(cast.amina).post(reverse(INVITE), newcomer(cast, email=email))
            answers.append((response.status_code, response["Location"], response.cookies["messages"].value[:60]))
        assert len({answer[:2] for answer in answers}) == 1
        assert cast.chloe.memberships.filter(team=cast.team_a).exists()
        assert not cast.hugo.memberships.filter(team=cast.team_a).exists()

    def test_offers_a_coordination_two_roles_and_its_own_teams(self, cast: Cast, signed_in) -> None:
        form = signed_in(cast.amina).get(reverse(INVITE)).context["form"]
        assert [value for value, _ in form.fields["role"].widget.choices] == ["", "referent", "epre_member"]
        assert [value for value, _ in form.fields["team"].widget.choices] == [cast.team_a.pk]

    def test_lets_a_coordination_of_several_teams_choose(self, cast: Cast, signed_in) -> None:
        grant_membership(user=cast.amina, role=Role.COORDINATOR, team=cast.team_b, by=cast.hugo)
        form = signed_in(User.objects.get(pk=cast.amina.pk)).get(reverse(INVITE)).context["form"]
        assert [value for value, _ in form.fields["team"].widget.choices] == ["", cast.team_a.pk, cast.team_b.pk]

    @pytest.mark.parametrize(
        ("role", "own_team", "field", "sentence"),
        [
            (Role.COORDINATOR, True, "role", "administration technique"),
            (Role.REFERENT, False, "team", "ne coordonnez pas cette équipe"),
        ],
    )
    def test_refuses_beside_the_field_and_journals_more_than_one_s_rights(
        self, cast: Cast, signed_in, role: Role, own_team: bool, field: str, sentence: str
    ) -> None:
        team = cast.team_a if own_team else cast.team_b
        response = signed_in(cast.amina).post(reverse(INVITE), newcomer(cast, role=role, team=team.pk))
        assert response.status_code == 422
        assert sentence in response.context["form"].errors[field][0]
        assert response.context["form"]["email"].value() == "nora@marelle.example"
        assert Event.objects.get(action="refusal").actor_id == cast.amina.pk
        assert not User.objects.filter(email="nora@marelle.example").exists()

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            ({"email": "pas une adresse"}, "email"),
            ({"starts_on": "2001-01-01"}, "starts_on"),
            ({"starts_on": "9999-12-31"}, "starts_on"),
            ({"ends_on": "31/02/2027"}, "ends_on"),
            ({"role": "chef"}, "role"),
            ({"team": "' OR 1=1"}, "team"),
            ({"first_name": "x" * 81}, "first_name"),
            ({"last_name": "a\0b"}, "last_name"),
            ({"role": Role.PILOTAGE}, "team"),
            ({"team": ""}, "team"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, typed: dict, field: str) -> None:
        response = signed_in(cast.hugo).post(reverse(INVITE), newcomer(cast, **typed))
        assert response.status_code == 422
        assert list(response.context["form"].errors) == [field]
        assert not User.objects.filter(email="nora@marelle.example").exists()


class TestAccountChange:
    def test_corrects_the_identity(self, cast: Cast, signed_in) -> None:
        typed = {"first_name": "Benoît", "last_name": "Dupré", "email": cast.benoit.email, "employer": "Ville de Paris"}
        url = reverse("account_change", args=[cast.benoit.pk])
        assert signed_in(cast.hugo).post(url, typed).status_code == 302
        assert User.objects.get(pk=cast.benoit.pk).get_full_name() == "Benoît Dupré"

    def test_keeps_what_was_typed_when_the_address_is_taken(self, cast: Cast, signed_in) -> None:
        typed = {"first_name": "Benoît", "last_name": "Dupré", "email": cast.chloe.email, "employer": ""}
        response = signed_in(cast.hugo).post(reverse("account_change", args=[cast.benoit.pk]), typed)
        assert response.status_code == 422
        assert "ouvre déjà un compte" in response.context["form"].errors["email"][0]
        assert response.context["form"]["last_name"].value() == "Dupré"


class TestMembershipGrant:
    def test_gives_a_role_for_some_days(self, cast: Cast, signed_in) -> None:
        starts_on = timezone.localdate() + DAY
        typed = {"role": Role.EPRE_MEMBER, "team": cast.team_a.pk, "starts_on": starts_on.isoformat(), "ends_on": ""}
        url = reverse("membership_grant", args=[cast.benoit.pk])
        assert signed_in(cast.amina).post(url, typed)["Location"] == reverse("account_detail", args=[cast.benoit.pk])
        assert cast.benoit.memberships.get(role=Role.EPRE_MEMBER).starts_on == starts_on

    def test_is_refused_to_oneself_in_a_sentence(self, cast: Cast, signed_in) -> None:
        typed = {"role": Role.DPO, "team": "", "starts_on": timezone.localdate().isoformat(), "ends_on": ""}
        response = signed_in(cast.hugo).post(reverse("membership_grant", args=[cast.hugo.pk]), typed)
        assert response.status_code == 422
        assert "Personne ne se donne un rôle" in response.content.decode()
        assert cast.hugo.memberships.count() == 1


class TestMembershipEnd:
    def test_closes_the_access(self, cast: Cast, signed_in) -> None:
        membership = cast.benoit.memberships.get()
        url = reverse("membership_end", args=[membership.pk])
        response = signed_in(cast.amina).post(url, {"ends_on": timezone.localdate().isoformat()})
        assert response["Location"] == reverse("account_detail", args=[cast.benoit.pk])
        membership.refresh_from_db()
        assert membership.ends_on == timezone.localdate()

    def test_says_beside_the_day_why_it_is_refused(self, cast: Cast, signed_in) -> None:
        url = reverse("membership_end", args=[cast.amina.memberships.get().pk])
        response = signed_in(cast.hugo).post(url, {"ends_on": timezone.localdate().isoformat()})
        assert response.status_code == 422
        assert "n’aurait plus de coordination" in response.context["form"].errors["ends_on"][0]

    @pytest.mark.parametrize("name", ["chloe", "amina", "esther"])
    def test_does_not_exist_for_a_coordination_beyond_its_reach(self, cast: Cast, signed_in, name: str) -> None:
        url = reverse("membership_end", args=[getattr(cast, name).memberships.get().pk])
        assert signed_in(cast.amina).post(url, {"ends_on": timezone.localdate().isoformat()}).status_code == 404


class TestClosing:
    def test_asks_for_a_reason(self, cast: Cast, signed_in) -> None:
        url = reverse("account_suspend", args=[cast.benoit.pk])
        client = signed_in(cast.hugo)
        assert client.post(url, {"reason": "parce que"}).status_code == 422
        assert client.post(url, {"reason": SuspensionReason.REQUEST}).status_code == 302
        assert not User.objects.get(pk=cast.benoit.pk).is_active
        back = client.post(reverse("account_reactivate", args=[cast.benoit.pk]), {"reason": "settled"})
        assert back.status_code == 302
        assert User.objects.get(pk=cast.benoit.pk).is_active

    def test_ends_every_role_on_a_day(self, cast: Cast, signed_in) -> None:
        url = reverse("account_end", args=[cast.benoit.pk])
        client = signed_in(cast.hugo)
        assert client.post(url, {"ends_on": "2001-01-01"}).status_code == 422
        assert client.post(url, {"ends_on": timezone.localdate().isoformat()}).status_code == 302
        assert not User.objects.get(pk=cast.benoit.pk).standing.is_active

    def test_says_why_oneself_or_the_last_of_a_team_cannot_be_closed(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.hugo)
        for person, words in ((cast.hugo, "votre propre compte"), (cast.amina, "n’aurait plus de coordination")):
            response = client.post(reverse("account_suspend", args=[person.pk]), {"reason": "lost"})
            assert response.status_code == 422
            assert words in response.content.decode()


class TestSecondFactorReset:
    def test_frees_who_has_lost_everything(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit)
        address = reverse("second_factor_reset", args=[cast.benoit.pk])
        client = signed_in(cast.hugo)
        assert "Rappelez-la d’abord" in client.get(address).content.decode()
        assert client.post(address)["Location"] == reverse("account_detail", args=[cast.benoit.pk])
        assert not has_factor(cast.benoit)

    def test_refuses_one_s_own_with_a_sentence(self, cast: Cast, signed_in) -> None:
        enrol(cast.hugo)
        page = signed_in(cast.hugo).post(reverse("second_factor_reset", args=[cast.hugo.pk]))
        assert page.status_code == 422
        assert "Demandez à une autre personne" in page.content.decode()
        assert has_factor(cast.hugo)

    def test_asks_the_second_factor_of_the_administration_again(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.hugo)
        with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
            answer = client.get(reverse("second_factor_reset", args=[cast.benoit.pk]))
        assert "confirmation" in answer["Location"] or "second-facteur" in answer["Location"]
