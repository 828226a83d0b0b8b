"""The coordination: every figure of the board opens the list it counts, and several are assigned at once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import (
    DuplicateNotice,
    ExceptionalAid,
    Parcours,
    ParcoursStage,
    ReminderKind,
    Saisine,
    Suspension,
    Task,
)
from pre_cases.querysets.parcours import ParcoursFlag
from pre_cases.services.follow_up import ask_follow_up
from pre_cases.services.parcours import close_parcours
from pre_cases.services.review import write_bilan
from pre_cases.services.support import add_objective
from pre_cases.services.timeline import add_entry, add_task
from referents.models import Membership, Role, User
from tests.cast import (
    Cast,
    make_agreement,
    make_child,
    make_exceptional_access,
    make_item,
    make_parcours,
    make_residence,
    make_saisine,
    make_schooling,
    make_session,
    make_share,
    make_team,
    make_user,
)
from tests.family_requests import ask
from tests.pre_cases.facts import leave
from tests.queries import queries_of

DAY = timedelta(days=1)


def url(name: str, team: str | None = None) -> str:
    return reverse(f"pre_cases:{name}", args=[team] if team else [])


@pytest.fixture
def denis(cast: Cast) -> User:
    return make_user("Denis", Role.REFERENT, cast.team_a)


def in_order(cast: Cast) -> None:
    """A parcours where nothing is to be done: it stands on no tile."""
    child = make_child("Lou")
    make_schooling(child)
    make_residence(child)
    parcours = make_parcours(cast.team_a, referent=cast.benoit, child=child)
    today = timezone.localdate()
    add_objective(
        parcours=parcours,
        text="Lire",
        domain=Term.objects.get(pk="domain:educatif"),
        priority=Term.objects.get(pk="priority:decrochage"),
        set_on=today,
        by=cast.benoit,
    )
    add_entry(parcours=parcours, kind="phone", on=today, with_whom="family", text="Appel", by=cast.benoit)


def stopped(parcours: Parcours, referent: User) -> None:
    """Suspended, opposed, about a young person who comes of age, and an aid is asked for."""
    today, own = timezone.localdate(), {"parcours": parcours, "data_key_id": parcours.data_key_id}
    with acting_as(system_account()):
        Suspension.objects.create(**own, reason="x", starts_on=today)
        Task.objects.create(**own, assignee=referent, label="x", due_on=today, reminder=ReminderKind.MAJORITY)
        ExceptionalAid.objects.create(
            **own, team=parcours.team, purpose="x", requested=10, asked_by=referent, asked_on=today
        )
        holder = parcours.agreement.holders.get()
        holder.objected_on = today
        holder.save()


@pytest.fixture
def busy(cast: Cast, denis: User) -> None:
    """Team A with something on every tile, and as much again in team B that no figure of A may count."""
    today = timezone.localdate()
    in_order(cast)
    for team, referent in ((cast.team_a, denis), (cast.team_b, cast.chloe)):
        make_parcours(team, child=make_child("Évaluée"), opened_on=today, entered_on=None)
        make_parcours(team, referent=referent, child=make_child("Ancienne"), opened_on=today - 300 * DAY)
        ready = make_parcours(team, referent=referent, child=make_child("Prête"))
        reason = Term.objects.get(pk="exit_reason:objectifs-atteints")
        write_bilan(parcours=ready, on=today, text="Bilan", exit_reason=reason, by=referent)
        with acting_as(system_account()):
            ready.saisine.is_urgent = True
            ready.saisine.save()
        make_exceptional_access(ready, make_user("Lise", Role.COORDINATOR, make_team(f"loin-{team.code}")))
        ask(ready.child, referent)
        stopped(ready, referent)
        make_saisine(make_child("Brouillon"), team, submitted_on=None)
        make_saisine(make_child("Incomplète"), team, completion_asked_on=today)
        tried = add_entry(parcours=ready, kind="attempt", on=today, with_whom="family", by=referent)
        ask_follow_up(entry=tried, question="À quelle heure ?", by=cast.amina)
        make_saisine(make_child("Reçue"), team, is_urgent=True)
        make_agreement(make_saisine(make_child("Attendue"), team))
        make_agreement(make_saisine(make_child("Attendue aussi"), team))
        make_agreement(make_saisine(make_child("Signée"), team), signed_on=today)
        make_agreement(make_saisine(make_child("Refusée"), team), refused_on=today)


def rows(client: Client, address: str) -> int:
    response = client.get(address)
    assert response.status_code == 200
    assert not response.context["page"].has_next
    return len(response.context["page"].records)


class TestTeamList:
    def test_goes_straight_to_the_board_of_a_single_team(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.amina).get(url("team_list"))["Location"] == url("team_board", "a")

    def test_offers_each_team_coordinated(self, cast: Cast, signed_in) -> None:
        with acting_as(cast.hugo):
            Membership.objects.create(user=cast.amina, role=Role.COORDINATOR, team=cast.team_b)
        page = signed_in(cast.amina).get(url("team_list")).content.decode()
        assert url("team_board", "a") in page
        assert url("team_board", "b") in page

    def test_does_not_exist_for_who_coordinates_nothing(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.benoit).get(url("team_list")).status_code == 404


class TestTeamBoard:
    def board(self, cast: Cast, signed_in) -> tuple[Client, dict]:
        client = signed_in(cast.amina)
        response = client.get(url("team_board", "a"))
        return client, response.context

    @pytest.mark.parametrize("group", ["to_decide", "unfollowed", "saisines", "to_watch"])
    def test_counts_on_each_tile_the_rows_of_the_list_it_opens(self, cast: Cast, signed_in, busy, group: str) -> None:
        client, context = self.board(cast, signed_in)
        counted = {tile["label"]: tile["count"] for tile in context[group]}
        assert all(counted.values()), counted
        assert {tile["label"]: rows(client, tile["url"]) for tile in context[group]} == counted

    def test_counts_what_the_team_really_has(self, cast: Cast, signed_in, busy) -> None:
        _, context = self.board(cast, signed_in)
        tiles = {
            tile["label"]: tile["count"]
            for tile in [*context["to_decide"], *context["unfollowed"], *context["to_watch"]]
        }
        assert tiles == {
            ParcoursFlag.OPPOSED.label: 1,  # Prête
            ParcoursFlag.SUSPENDED.label: 1,  # Prête
            ParcoursFlag.COMING_OF_AGE.label: 1,  # Prête
            ParcoursFlag.AGREEMENT_ENDING.label: 1,  # Ancienne
            "Aides du fonds exceptionnel": 1,  # Prête
            "Saisines urgentes": 1,  # Reçue
            "Questions sans réponse": 1,  # Prête
            ParcoursFlag.NO_REFERENT.label: 1,  # Évaluée
            ParcoursFlag.DIAGNOSIS.label: 1,  # Évaluée
            ParcoursFlag.TO_RATIFY.label: 1,  # Prête
            ParcoursFlag.TO_CLOSE.label: 1,  # Prête
            "Accès exceptionnels à examiner": 1,  # Prête
            "Demandes des familles": 1,  # Prête
            ParcoursFlag.UNOPENED.label: 3,  # Prête, Lou, Inès
            ParcoursFlag.LATE.label: 1,  # Ancienne
            ParcoursFlag.REVIEW_DUE.label: 1,  # Ancienne
            ParcoursFlag.NO_REVIEW.label: 1,  # Ancienne
            ParcoursFlag.SILENT.label: 3,  # Ancienne, Prête, Inès
            ParcoursFlag.INCOMPLETE.label: 4,  # everyone but Lou
        }
        assert [tile["count"] for tile in context["saisines"]] == [
            1,
            1,
            1,
            2,
            1,
        ]  # draft, received, to complete, awaited, signed
        assert context["total"] == 5

    def test_shows_the_links_it_counts(self, cast: Cast, signed_in, busy) -> None:
        client = signed_in(cast.amina)
        response = client.get(url("team_board", "a"))
        page = response.content.decode().replace("&amp;", "&")
        groups = ("to_decide", "unfollowed", "saisines", "to_watch", "load")
        assert all(f'href="{line["url"]}"' in page for group in groups for line in response.context[group])

    def test_splits_the_open_parcours_by_stage(self, cast: Cast, signed_in, busy) -> None:
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)
        examined = make_parcours(cast.team_a, child=make_child("Examinée"), entered_on=None)
        make_item(make_session(cast.team_a), examined)
        _, context = self.board(cast, signed_in)
        counts = {stage["code"]: stage["count"] for stage in context["stages"]}
        assert counts == {
            ParcoursStage.DIAGNOSIS: 1,
            ParcoursStage.EPRE: 1,
            ParcoursStage.RUNNING: 1,
            ParcoursStage.REVIEW_DUE: 1,
            ParcoursStage.SUSPENDED: 1,
        }
        assert sum(counts.values()) == context["total"]

    def test_gives_the_load_of_each_referent_and_opens_its_list(self, cast: Cast, signed_in, busy, denis: User) -> None:
        newcomer = make_user("Zélie", Role.REFERENT, cast.team_a)
        client, context = self.board(cast, signed_in)
        load = {line["name"]: (line["held"], line["late"]) for line in context["load"]}
        assert load == {"Benoît Test": (2, 0), "Denis Test": (2, 1), newcomer.get_full_name(): (0, 0)}
        for line in context["load"]:
            assert rows(client, line["url"]) == line["held"], line
            assert rows(client, f"{line['url']}&filtre=en-retard") == line["late"], line

    def test_no_longer_counts_a_closed_parcours_in_a_load(self, cast: Cast, signed_in) -> None:
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        yesterday = timezone.localdate() - DAY
        close_parcours(parcours=cast.ines_parcours, on=yesterday, reason=lost, by=cast.amina)
        _, context = self.board(cast, signed_in)
        assert [(line["held"], line["late"]) for line in context["load"]] == [(0, 0)]

    def test_counts_nobody_of_another_team_in_a_load(self, cast: Cast, signed_in) -> None:
        """A référent of two teams has in each the parcours of that team only."""
        with acting_as(cast.hugo):
            Membership.objects.create(user=cast.benoit, role=Role.REFERENT, team=cast.team_b)
        make_parcours(cast.team_b, referent=cast.benoit, child=make_child("Léa"))
        _, context = self.board(cast, signed_in)
        assert [(line["name"], line["held"]) for line in context["load"]] == [("Benoît Test", 1)]

    def test_does_not_exist_for_who_does_not_coordinate_that_team(self, cast: Cast, signed_in) -> None:
        for person in (cast.benoit, cast.chloe, cast.david, cast.esther):
            assert signed_in(person).get(url("team_board", "a")).status_code == 404
        client = signed_in(cast.amina)
        foreign, nothing = client.get(url("team_board", "b")), client.get(url("team_board", "zz"))
        assert foreign.status_code == nothing.status_code == 404
        assert foreign.content == nothing.content

    def test_leaves_its_event(self, cast: Cast, signed_in) -> None:
        signed_in(cast.amina).get(url("team_board", "a"))
        event = Event.objects.get(action="read", kind="referents.team")
        assert (event.actor_id, event.record_ids) == (cast.amina.pk, [str(cast.team_a.pk)])


TITLE = "Situations peut-être connues ailleurs"


def notice_for(cast: Cast, **values) -> DuplicateNotice:
    """Told to team A: one of its people has looked for a child whom team B may know."""
    told = {"team": cast.team_a, "other_team": cast.team_b, "sought_by": cast.benoit}
    with acting_as(system_account()):
        return DuplicateNotice.objects.create(**(told | values))


class TestTheNotices:
    """A child perhaps known to two teams: told on both boards, until each coordination has settled it."""

    @pytest.fixture
    def bruno(self, cast: Cast) -> User:
        """He coordinates team B."""
        return make_user("Bruno", Role.COORDINATOR, cast.team_b)

    @pytest.fixture
    def told(self, cast: Cast, signed_in) -> None:
        """Benoît, of team A, was about to record Tom, whom team B follows."""
        who = {"first_name": "Tom", "family_name": "Diallo", "birth_date": "", "team": cast.team_a.pk}
        assert signed_in(cast.benoit).post(url("saisine_search"), who).status_code == 200

    def board(self, signed_in, person: User, team: str) -> str:
        response = signed_in(person).get(url("team_board", team))
        assert response.status_code == 200
        return response.content.decode()

    def settle(self, client: Client, notice: DuplicateNotice):
        return client.post(reverse("pre_cases:notice_settle", args=[notice.pk]), follow=True)

    def test_stand_on_both_boards_and_name_the_child_on_its_own(
        self, cast: Cast, signed_in, bruno: User, told: None
    ) -> None:
        ours, theirs = self.board(signed_in, cast.amina, "a"), self.board(signed_in, bruno, "b")
        said = "a cherché un enfant que"
        assert f"Benoît Test, de votre équipe, {said} l’équipe B connaît peut-être : appelez sa coordination." in ours
        assert f"Benoît Test (équipe A) {said} votre équipe connaît peut-être : <strong>Tom Diallo</strong>." in theirs
        assert "Tom" not in ours
        assert "Chloé" not in ours
        assert str(cast.tom.pk) not in ours

    def test_are_not_shown_when_there_is_none(self, cast: Cast, signed_in) -> None:
        assert TITLE not in self.board(signed_in, cast.amina, "a")
        assert not Event.objects.filter(kind="pre_cases.duplicatenotice").exists()

    def test_leave_their_event_when_they_are_shown(self, cast: Cast, signed_in) -> None:
        notice = notice_for(cast)
        self.board(signed_in, cast.amina, "a")
        event = Event.objects.get(action="list", kind="pre_cases.duplicatenotice")
        assert (event.record_ids, event.actor_id) == ([str(notice.pk)], cast.amina.pk)

    def test_leave_the_board_of_who_settles_them(self, cast: Cast, signed_in, bruno: User, told: None) -> None:
        notice = DuplicateNotice.objects.get(team=cast.team_a)
        page = self.settle(signed_in(cast.amina), notice).content.decode()
        assert "La situation est réglée." in page
        assert TITLE not in page
        assert TITLE in self.board(signed_in, bruno, "b")
        notice.refresh_from_db()
        assert notice.settled_by == cast.amina

    def test_say_that_they_are_settled_the_second_time(self, cast: Cast, signed_in) -> None:
        other = make_user("Alix", Role.COORDINATOR, cast.team_a)
        notice = notice_for(cast)
        self.settle(signed_in(cast.amina), notice)
        response = self.settle(signed_in(other), notice)
        assert response.status_code == 200
        assert "Cette situation est déjà réglée." in response.content.decode()
        assert not Event.objects.filter(action="refusal").exists()
        notice.refresh_from_db()
        assert notice.settled_by == cast.amina

    def test_are_settled_by_nobody_else(self, cast: Cast, signed_in, bruno: User) -> None:
        notice = notice_for(cast)
        for person in (bruno, cast.benoit, cast.chloe, cast.esther):
            assert self.settle(signed_in(person), notice).status_code == 404
        assert signed_in(cast.amina).get(reverse("pre_cases:notice_settle", args=[notice.pk])).status_code == 405
        assert DuplicateNotice.objects.to_settle().get() == notice

    def test_cost_as_much_for_one_as_for_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.amina)
        notice_for(cast, other_team=cast.team_a, child=cast.ines)
        one = queries_of(client, url("team_board", "a"))
        for number in range(12):
            searcher = make_user(f"Personne{number}", Role.REFERENT, cast.team_b)
            child = make_child(f"Enfant{number}")
            notice_for(cast, other_team=make_team(f"t{number}"), sought_by=searcher, child=child)
            notice_for(cast, other_team=cast.team_b, sought_by=searcher)
        many = queries_of(client, url("team_board", "a"))
        assert len(many) == len(one), "\n".join(many)
        assert self.board(signed_in, cast.amina, "a").count("C’est réglé") == 25


class TestTeamParcours:
    def test_shows_the_team_s_open_parcours_and_the_closed_ones_apart(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.amina)
        closed = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Léa"))
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=closed, on=timezone.localdate(), reason=lost, by=cast.amina)
        shown = client.get(url("team_parcours", "a")).context["page"].records
        ended = client.get(url("team_parcours", "a"), {"filtre": "clos"})
        assert (shown, ended.context["page"].records) == ([cast.ines_parcours], [closed])
        assert 'type="checkbox"' not in ended.content.decode()

    def test_counts_in_each_filter_the_rows_it_shows(self, cast: Cast, signed_in, busy, denis: User) -> None:
        client = signed_in(cast.amina)
        for query in ({}, {"referent": denis.pk}):
            for link in client.get(url("team_parcours", "a"), query).context["filters"]:
                assert rows(client, link["url"]) == link["count"], link

    def test_takes_an_unknown_filter_or_person_for_none(self, cast: Cast, signed_in) -> None:
        query = {"filtre": "' OR 1=1", "referent": cast.chloe.pk}
        context = signed_in(cast.amina).get(url("team_parcours", "a"), query).context
        assert (context["chosen"], context["person"]) == (None, None)
        assert context["page"].records == [cast.ines_parcours]

    def test_does_not_exist_for_who_does_not_coordinate_that_team(self, cast: Cast, signed_in) -> None:
        for person, team in ((cast.benoit, "a"), (cast.esther, "a"), (cast.amina, "b")):
            client = signed_in(person)
            assert client.get(url("team_parcours", team)).status_code == 404
            assert client.post(url("team_parcours", team), {}).status_code == 404


class TestAssignSeveral:
    def assign(self, cast: Cast, signed_in, referent: object, *parcours: object, follow: bool = True):
        typed = {
            "referent": getattr(referent, "pk", referent),
            "parcours_list": [getattr(p, "pk", p) for p in parcours],
        }
        return signed_in(cast.amina).post(url("team_parcours", "a"), typed, follow=follow)

    def held(self, person: User) -> set[Parcours]:
        return set(Parcours.objects.assigned_to(person.pk))

    def test_gives_every_ticked_parcours_and_says_how_many(self, cast: Cast, signed_in, denis: User) -> None:
        other = make_parcours(cast.team_a, child=make_child("Léa"))
        left = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Max"))
        page = self.assign(cast, signed_in, denis, cast.ines_parcours, other).content.decode()
        assert "Référent enregistré pour 2 parcours." in page
        assert self.held(denis) == {cast.ines_parcours, other}
        assert self.held(cast.benoit) == {left}

    def test_comes_back_to_the_list_it_was_asked_from(self, cast: Cast, signed_in, denis: User) -> None:
        typed = {"referent": denis.pk, "parcours_list": [cast.ines_parcours.pk]}
        address = url("team_parcours", "a") + "?filtre=sans-contact"
        assert signed_in(cast.amina).post(address, typed)["Location"] == address

    def test_does_the_others_when_some_are_refused_and_says_both(self, cast: Cast, signed_in, denis: User) -> None:
        """Inès is Denis's already: that one is refused with its reason, Léa is given to him."""
        self.assign(cast, signed_in, denis, cast.ines_parcours)
        other = make_parcours(cast.team_a, child=make_child("Léa"))
        page = self.assign(cast, signed_in, denis, cast.ines_parcours, other).content.decode()
        assert "Référent enregistré pour 1 parcours." in page
        assert "1 parcours inchangé" in page
        assert "déjà référente" in page
        assert self.held(denis) == {cast.ines_parcours, other}
        assert cast.ines_parcours.assignments.count() == 2

    def test_says_only_the_refusals_when_nothing_could_be_done(self, cast: Cast, signed_in) -> None:
        other = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Léa"))
        page = self.assign(cast, signed_in, cast.benoit, cast.ines_parcours, other).content.decode()
        assert "Référent enregistré" not in page
        assert "2 parcours inchangé" in page

    def test_asks_to_tick_something(self, cast: Cast, signed_in, denis: User) -> None:
        response = self.assign(cast, signed_in, denis)
        assert response.status_code == 422
        assert "Cochez au moins un parcours." in response.content.decode()
        assert self.held(denis) == set()

    def test_asks_to_choose_somebody(self, cast: Cast, signed_in) -> None:
        response = self.assign(cast, signed_in, "", cast.ines_parcours)
        assert response.status_code == 422
        assert "Choisissez un référent." in response.content.decode()
        assert self.held(cast.benoit) == {cast.ines_parcours}

    def test_keeps_what_was_ticked_and_chosen_when_something_is_missing(
        self, cast: Cast, signed_in, denis: User
    ) -> None:
        other = make_parcours(cast.team_a, child=make_child("Léa"))
        page = self.assign(cast, signed_in, "", other).content.decode()
        assert f'id="p-{other.pk}" checked>' in page
        assert f'id="p-{cast.ines_parcours.pk}">' in page
        page = self.assign(cast, signed_in, denis).content.decode()
        assert f'<option value="{denis.pk}" selected>' in page
        assert page.count(" selected>") == 1

    @pytest.mark.parametrize("smuggled", ["another team", "closed", "nothing", "not an id"])
    def test_refuses_everything_with_a_parcours_out_of_reach(
        self, cast: Cast, signed_in, denis: User, smuggled: str
    ) -> None:
        intruder: object = {"another team": cast.tom_parcours, "nothing": uuid4(), "not an id": "1; DROP"}.get(smuggled)
        if smuggled == "closed":
            intruder = make_parcours(cast.team_a, child=make_child("Léa"))
            lost = Term.objects.get(pk="exit_reason:contact-perdu")
            close_parcours(parcours=intruder, on=timezone.localdate(), reason=lost, by=cast.amina)
        response = self.assign(cast, signed_in, denis, cast.ines_parcours, intruder)
        assert response.status_code == 422
        assert self.held(denis) == set()
        assert self.held(cast.chloe) == {cast.tom_parcours}
        assert self.held(cast.benoit) == {cast.ines_parcours}

    def test_answers_alike_for_another_team_s_parcours_and_for_nothing(
        self, cast: Cast, signed_in, denis: User
    ) -> None:
        foreign, nothing = (
            self.assign(cast, signed_in, denis, intruder).content.decode().replace(str(intruder), "id")
            for intruder in (cast.tom_parcours.pk, uuid4())
        )
        said = [line for line in foreign.splitlines() if "alert-danger" in line]
        assert said == [line for line in nothing.splitlines() if "alert-danger" in line]
        assert len(said) == 1

    def test_refuses_a_person_who_is_no_referent_of_the_team(self, cast: Cast, signed_in) -> None:
        for stranger in (cast.chloe, cast.yann, cast.david, cast.amina):
            assert self.assign(cast, signed_in, stranger, cast.ines_parcours).status_code == 422
        assert self.held(cast.benoit) == {cast.ines_parcours}

    def test_is_signed_by_the_coordinator(self, cast: Cast, signed_in, denis: User) -> None:
        self.assign(cast, signed_in, denis, cast.ines_parcours)
        assert cast.ines_parcours.assignments.get(referent=denis).history.get().history_user_id == cast.amina.pk


class TestQueries:
    def test_are_as_many_with_one_parcours_as_with_twenty_five(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        pages = {
            "team_board": (cast.amina, url("team_board", "a")),
            "team_parcours": (cast.amina, url("team_parcours", "a")),
            "my_tasks": (cast.benoit, url("my_tasks")),
            "shared_parcours": (cast.david, url("shared_parcours")),
        }
        add_task(parcours=cast.ines_parcours, assignee=cast.benoit, label="x", due_on=today, by=cast.amina)
        few = {name: len(queries_of(signed_in(person), address)) for name, (person, address) in pages.items()}
        for number in range(24):
            parcours = make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Enfant{number}"))
            add_task(parcours=parcours, assignee=cast.benoit, label="x", due_on=today, by=cast.amina)
            make_share(parcours, cast.david)
            saisine = parcours.saisine
            with acting_as(system_account()):
                Saisine.objects.create(
                    child=parcours.child,
                    team=cast.team_a,
                    source=saisine.source,
                    author=saisine.author,
                    received_on=today,
                    data_key_id=saisine.data_key_id,
                )
        many = {name: len(queries_of(signed_in(person), address)) for name, (person, address) in pages.items()}
        assert many == few
        for name in ("team_parcours", "my_tasks", "shared_parcours"):
            person, address = pages[name]
            assert rows(signed_in(person), address) == 25


class TestTeamMissing:
    def test_counts_for_each_referent_the_rows_of_the_list_it_opens(self, cast: Cast, signed_in, busy) -> None:
        client = signed_in(cast.amina)
        context = client.get(url("team_missing", "a")).context
        assert [row["name"] for row in context["rows"]] == ["Denis Test", "Benoît Test", "Sans référent"]
        cells = [cell for row in context["rows"] for cell in row["cells"]]
        assert sum(cell["count"] for cell in cells) > len(context["rows"])
        for cell in cells:
            assert rows(client, cell["url"]) == cell["count"], cell

    def test_finds_the_parcours_of_who_has_left(self, cast: Cast, signed_in, busy, denis: User) -> None:
        leave(denis)
        client = signed_in(cast.amina)
        row = next(r for r in client.get(url("team_missing", "a")).context["rows"] if r["name"] == "Denis Test")
        assert [rows(client, cell["url"]) for cell in row["cells"]] == [cell["count"] for cell in row["cells"]]

    def test_says_when_nothing_is_missing(self, cast: Cast, signed_in) -> None:
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)
        in_order(cast)
        assert "Rien ne manque" in signed_in(cast.amina).get(url("team_missing", "a")).content.decode()

    def test_costs_the_same_with_one_referent_or_ten(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.amina)
        one = queries_of(client, url("team_missing", "a"))
        for number in range(9):
            person = make_user(f"Personne{number}", Role.REFERENT, cast.team_a)
            make_parcours(cast.team_a, referent=person, child=make_child(f"Enfant{number}"))
        assert len(queries_of(client, url("team_missing", "a"))) == len(one)


class TestLoad:
    def test_says_how_far_each_referent_is_from_the_mean(self, cast: Cast, signed_in, denis: User) -> None:
        for number in range(4):
            make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Enfant{number}"))
        make_parcours(cast.team_a, referent=denis, child=make_child("Lou"))
        context = signed_in(cast.amina).get(url("team_board", "a")).context
        assert context["mean"] == 3
        assert {row["name"]: row["gap"] for row in context["load"]} == {"Benoît Test": 2, "Denis Test": -2}
