"""Before a child is recorded: who is known here is shown, who may be known elsewhere is told to the coordinations."""

from collections.abc import Callable
from contextvars import Context
from datetime import date, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.encryption.keys import destroy_data_keys, secret_of
from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Term
from pre_cases import tasks
from pre_cases.models import Child, ChildTag, DuplicateNotice, Parcours
from pre_cases.search.index import Identity, current_index_key, tag_of
from pre_cases.services.duplicates import (
    Known,
    NoticeSettled,
    TooManySearches,
    look_for_child,
    send_notice,
    settle_notice,
    team_of_child,
)
from pre_cases.services.erasure import erase_child
from pre_cases.services.family import change_child
from referents.models import Role, Team, User
from tests.audit.encryption.records import write_raw
from tests.cast import Cast, make_child, make_parcours, make_saisine, make_team, make_user
from tests.leaks.canaries import found_in

BORN = date(2017, 3, 29)


def look(child: Child, *, by: User, team: Team, **typed: object) -> Known:
    """Look for a child as it is known, ``typed`` apart."""
    known = {"first_name": child.first_name, "family_name": child.family_name, "birth_date": child.birth_date}
    return look_for_child(**(known | typed), team=team, by=by)  # type: ignore[arg-type]


def close(parcours: Parcours) -> None:
    with acting_as(system_account()):
        parcours.closed_on = timezone.localdate()
        parcours.exit_reason = Term.objects.get(pk="exit_reason:contact-perdu")
        parcours.save()
        parcours.assignments.update(ends_on=timezone.localdate())


@pytest.fixture
def bruno(cast: Cast) -> User:
    """He coordinates team B."""
    return make_user("Bruno", Role.COORDINATOR, cast.team_b)


class TestAChildInReach:
    def test_is_shown_and_nobody_is_told(self, cast: Cast) -> None:
        for person in (cast.benoit, cast.amina):
            known = look(cast.ines, by=person, team=cast.team_a)
            assert (known.children, known.is_elsewhere) == ([cast.ines], False)
            assert known
        assert not DuplicateNotice.objects.exists()

    def test_is_shown_with_its_names_and_its_family(self, cast: Cast, django_assert_num_queries: Callable) -> None:
        (child,) = look(cast.ines, by=cast.benoit, team=cast.team_a).children
        with django_assert_num_queries(0):
            assert (child.full_name, child.family.pk) == ("Inès Morel", cast.ines.family_id)

    @pytest.mark.parametrize(
        ("first_name", "family_name"),
        [("INES", "MOREL"), ("Morel", "Inès"), ("In", "Mor"), ("Innès", "Morrel"), ("Inès", "Morelle")],
    )
    def test_is_shown_when_the_names_are_near(self, cast: Cast, first_name: str, family_name: str) -> None:
        known = look(cast.ines, by=cast.benoit, team=cast.team_a, first_name=first_name, family_name=family_name)
        assert known.children == [cast.ines]

    def test_is_shown_once_its_parcours_is_closed_to_who_coordinates(self, cast: Cast) -> None:
        close(cast.ines_parcours)
        assert look(cast.ines, by=cast.amina, team=cast.team_a).children == [cast.ines]

    def test_is_shown_while_only_a_saisine_waits(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        make_saisine(zoe, cast.team_a, assignee=cast.benoit)
        assert look(zoe, by=cast.benoit, team=cast.team_a).children == [zoe]

    def test_is_another_one_under_another_birth_date(self, cast: Cast) -> None:
        born = cast.ines.birth_date + timedelta(days=1)
        assert not look(cast.ines, by=cast.benoit, team=cast.team_a, birth_date=born)
        assert not DuplicateNotice.objects.exists()

    def test_may_be_the_same_when_a_birth_date_is_unknown(self, cast: Cast) -> None:
        undated = make_child("Zoé", birth_date=None)
        make_parcours(cast.team_a, referent=cast.benoit, child=undated)
        assert look(undated, by=cast.benoit, team=cast.team_a, birth_date=BORN).children == [undated]
        assert look(cast.ines, by=cast.benoit, team=cast.team_a, birth_date=None).children == [cast.ines]

    def test_is_not_shown_with_others(self, cast: Cast) -> None:
        twin = make_child("Zoé", family=cast.ines.family)
        make_parcours(cast.team_a, referent=cast.benoit, child=twin)
        assert look(cast.ines, by=cast.benoit, team=cast.team_a).children == [cast.ines]

    def test_is_never_said_to_be_elsewhere(self, cast: Cast) -> None:
        """Its words of search are not written yet, its tag is."""
        Child.objects.filter(pk=cast.ines.pk).update(search_words=None)
        assert not look(cast.ines, by=cast.benoit, team=cast.team_a)
        assert not DuplicateNotice.objects.exists()

    def test_is_shown_beside_another_one_elsewhere(self, cast: Cast) -> None:
        elsewhere = make_child("Inès", birth_date=cast.ines.birth_date)
        make_parcours(cast.team_b, child=elsewhere)
        known = look(cast.ines, by=cast.benoit, team=cast.team_a)
        assert (known.children, known.is_elsewhere) == ([cast.ines], True)
        assert DuplicateNotice.objects.get(child__isnull=False).child == elsewhere


class TestAChildOfAnotherTeam:
    def test_is_only_said_to_be_elsewhere(self, cast: Cast) -> None:
        known = look(cast.tom, by=cast.benoit, team=cast.team_a)
        assert (known.children, known.is_elsewhere) == ([], True)
        assert known

    def test_is_told_to_both_coordinations_and_named_to_its_own(self, cast: Cast) -> None:
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        theirs, ours = DuplicateNotice.objects.order_by("-team")
        assert (theirs.team, theirs.other_team, theirs.child) == (cast.team_b, cast.team_a, cast.tom)
        assert (ours.team, ours.other_team, ours.child) == (cast.team_a, cast.team_b, None)
        assert {theirs.sought_by, ours.sought_by} == {cast.benoit}
        for notice in (theirs, ours):
            assert notice.history.get().history_user_id == cast.benoit.pk

    @pytest.mark.parametrize(
        ("first_name", "family_name"),
        [("TOM", "DIALLO"), ("Diallo", "Tom"), ("Tom", "Dialo"), ("Tom", "Di Allo")],
    )
    def test_is_found_under_names_that_sound_alike(self, cast: Cast, first_name: str, family_name: str) -> None:
        assert look(cast.tom, by=cast.benoit, team=cast.team_a, first_name=first_name, family_name=family_name)

    @pytest.mark.parametrize(("first_name", "family_name"), [("Tom", ""), ("T", "D"), ("Tom", "Morel"), ("", "")])
    def test_is_not_found_by_a_part_of_its_names(self, cast: Cast, first_name: str, family_name: str) -> None:
        """Beginnings answer in one's own reach only: elsewhere they would let anybody go through every child."""
        assert not look(cast.tom, by=cast.benoit, team=cast.team_a, first_name=first_name, family_name=family_name)
        assert not DuplicateNotice.objects.exists()

    def test_is_another_one_under_another_birth_date(self, cast: Cast) -> None:
        born = cast.tom.birth_date + timedelta(days=1)
        assert not look(cast.tom, by=cast.benoit, team=cast.team_a, birth_date=born)
        assert not DuplicateNotice.objects.exists()

    def test_may_be_the_same_when_a_birth_date_is_unknown(self, cast: Cast) -> None:
        assert look(cast.tom, by=cast.benoit, team=cast.team_a, birth_date=None)
        undated = make_child("Zoé", family_name="Petit", birth_date=None)
        make_parcours(cast.team_b, child=undated)
        assert look(undated, by=cast.benoit, team=cast.team_a, birth_date=BORN)
        assert look(undated, by=cast.benoit, team=cast.team_a, birth_date=None)

    def test_is_compared_when_another_one_shares_its_tag(self, cast: Cast) -> None:
        """One child in 4,096 does: it is opened, compared, and nothing is said of it."""
        wanted = Identity("Zoé", "Petit", BORN)
        key_id = current_index_key()
        ChildTag.objects.filter(child=cast.tom).update(tag=tag_of(wanted, secret_of(key_id)))
        typed = {"first_name": "Zoé", "family_name": "Petit", "birth_date": BORN}
        assert not look(cast.tom, by=cast.benoit, team=cast.team_a, **typed)
        assert not DuplicateNotice.objects.exists()
        assert str(cast.tom.pk) in Event.objects.get(action="key_use", purpose="duplicates").record_ids

    def test_is_found_once_its_parcours_is_closed(self, cast: Cast) -> None:
        close(cast.tom_parcours)
        assert look(cast.tom, by=cast.benoit, team=cast.team_a).is_elsewhere

    def test_is_found_while_only_a_saisine_waits(self, cast: Cast) -> None:
        zoe = make_child("Zoé", family_name="Petit")
        make_saisine(zoe, cast.team_b)
        assert look(zoe, by=cast.benoit, team=cast.team_a).is_elsewhere
        assert DuplicateNotice.objects.get(child=zoe).team == cast.team_b

    def test_is_found_by_everyone_out_of_whose_reach_it_is(self, cast: Cast) -> None:
        """One whose membership has ended, and the pilotage, reach no child."""
        for person in (cast.yann, cast.esther):
            known = look(cast.ines, by=person, team=cast.team_a)
            assert (known.children, known.is_elsewhere) == ([], True)

    def test_is_found_under_its_new_name_only(self, cast: Cast) -> None:
        change_child(
            child=cast.tom,
            first_name="Tom",
            family_name="Petit",
            birth_date=cast.tom.birth_date,
            sex="boy",
            by=cast.chloe,
        )
        renamed = Child.objects.get(pk=cast.tom.pk)
        assert look(renamed, by=cast.benoit, team=cast.team_a, family_name="Petit")
        assert not look(renamed, by=cast.benoit, team=cast.team_a, family_name="Diallo")

    def test_is_told_for_each_child_that_it_may_be(self, cast: Cast) -> None:
        other = make_child("Tom", family_name="Diallo", birth_date=cast.tom.birth_date)
        team = make_team("c", 20)
        make_parcours(team, child=other)
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        told = DuplicateNotice.objects.exclude(child=None)
        assert {(notice.child, notice.team) for notice in told} == {(cast.tom, cast.team_b), (other, team)}


class TestAChildWhoseNamesDoNotOpen:
    """Its key is destroyed, or its row was altered: it is in the log, and stops nobody's work."""

    def test_in_reach_leaves_the_others_to_be_found(self, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
        zoe = make_child("Zoé")
        make_parcours(cast.team_a, referent=cast.benoit, child=zoe)
        destroy_data_keys([cast.ines.data_key_id])
        known = look(zoe, by=cast.benoit, team=cast.team_a)
        assert (known.children, known.is_elsewhere) == ([zoe], False)
        assert f"child.search_words of record {cast.ines.pk} cannot be read" in caplog.text

    def test_in_reach_is_neither_shown_nor_said_to_be_elsewhere(self, cast: Cast) -> None:
        typed = {"first_name": "Inès", "family_name": "Morel", "birth_date": cast.ines.birth_date}
        destroy_data_keys([cast.ines.data_key_id])
        assert not look_for_child(**typed, team=cast.team_a, by=cast.benoit)
        assert not DuplicateNotice.objects.exists()

    def test_elsewhere_leaves_those_of_the_same_tag_to_be_found(
        self, cast: Cast, caplog: pytest.LogCaptureFixture
    ) -> None:
        lost = make_child("Tom", family_name="Diallo", birth_date=cast.tom.birth_date)
        make_parcours(cast.team_b, child=lost)
        destroy_data_keys([lost.data_key_id])
        assert look(cast.tom, by=cast.benoit, team=cast.team_a).is_elsewhere
        assert DuplicateNotice.objects.get(child__isnull=False).child == cast.tom
        assert f"child.first_name of record {lost.pk} cannot be read" in caplog.text
        assert not [name for name in ("Tom", "Diallo", cast.tom.birth_date.isoformat()) if name in caplog.text]

    def test_elsewhere_is_nobody(self, cast: Cast) -> None:
        typed = {"first_name": "Tom", "family_name": "Diallo", "birth_date": cast.tom.birth_date}
        destroy_data_keys([cast.tom.data_key_id])
        assert not look_for_child(**typed, team=cast.team_a, by=cast.benoit)
        assert not DuplicateNotice.objects.exists()
        assert str(cast.tom.pk) in Event.objects.get(action="key_use", purpose="duplicates").record_ids

    @pytest.mark.parametrize("name", ["first_name", "family_name", "birth_date"])
    def test_elsewhere_may_be_altered_in_one_value(self, cast: Cast, name: str) -> None:
        typed = {"first_name": "Tom", "family_name": "Diallo", "birth_date": cast.tom.birth_date}
        write_raw(cast.tom, name, b"x" * 48)
        assert not look_for_child(**typed, team=cast.team_a, by=cast.benoit)


class TestAChildOfAColleague:
    def test_is_told_once_to_the_only_coordination(self, cast: Cast) -> None:
        omar = make_user("Omar", Role.REFERENT, cast.team_a)
        known = look(cast.ines, by=omar, team=cast.team_a)
        assert (known.children, known.is_elsewhere) == ([], True)
        notice = DuplicateNotice.objects.get()
        assert (notice.team, notice.other_team, notice.child) == (cast.team_a, cast.team_a, cast.ines)


class TestANotice:
    def test_is_not_repeated_within_a_week(self, cast: Cast) -> None:
        for _ in range(2):
            assert look(cast.tom, by=cast.benoit, team=cast.team_a).is_elsewhere
        assert DuplicateNotice.objects.count() == 2
        with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
            assert look(cast.tom, by=cast.benoit, team=cast.team_a).is_elsewhere
            assert DuplicateNotice.objects.count() == 2
        with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
            assert look(cast.tom, by=cast.benoit, team=cast.team_a).is_elsewhere
            assert DuplicateNotice.objects.count() == 4

    def test_is_made_for_each_person_who_looks(self, cast: Cast) -> None:
        for person in (cast.benoit, cast.amina):
            look(cast.tom, by=person, team=cast.team_a)
        assert DuplicateNotice.objects.count() == 4

    def test_leaves_its_event_in_the_journal(self, cast: Cast) -> None:
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        events = Event.objects.filter(action="create", kind="pre_cases.duplicatenotice")
        theirs, ours = DuplicateNotice.objects.order_by("-team")
        assert {(event.record_ids[0], event.subject_id) for event in events} == {
            (str(theirs.pk), cast.tom.pk),
            (str(ours.pk), ours.pk),
        }

    def test_leaves_with_the_child(self, cast: Cast) -> None:
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        close(cast.tom_parcours)
        erase_child(child=cast.tom, by=system_account())
        (left,) = DuplicateNotice.objects.all()
        assert (left.team, left.child) == (cast.team_a, None)
        assert not DuplicateNotice.history.filter(child_id=cast.tom.pk).exists()

    def test_is_settled_by_somebody(self, cast: Cast) -> None:
        with acting_as(system_account()), pytest.raises(IntegrityError), transaction.atomic():
            DuplicateNotice.objects.create(
                team=cast.team_a, other_team=cast.team_b, sought_by=cast.chloe, settled_at=timezone.now()
            )


class TestTheTeamOfAChild:
    def test_is_that_of_the_open_parcours(self, cast: Cast) -> None:
        close(cast.tom_parcours)
        make_saisine(cast.tom, cast.team_b)
        make_parcours(cast.team_a, child=cast.tom, opened_on=timezone.localdate() - timedelta(days=900))
        assert team_of_child(cast.tom) == cast.team_a

    def test_is_that_of_the_latest_parcours_otherwise(self, cast: Cast) -> None:
        former = make_parcours(make_team("c", 20), child=make_child("Zoé"), opened_on=date(2020, 1, 6))
        close(former)
        close(make_parcours(cast.team_b, child=former.child))
        assert team_of_child(former.child) == cast.team_b

    def test_is_that_of_the_latest_saisine_at_last(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        make_saisine(zoe, cast.team_b, received_on=date(2020, 1, 6))
        make_saisine(zoe, cast.team_a)
        assert team_of_child(zoe) == cast.team_a


class TestTheNumberOfSearches:
    @pytest.fixture(autouse=True)
    def two_a_day(self, settings) -> None:
        settings.CHILD_SEARCHES_A_DAY = 2

    def test_is_limited_each_day(self, cast: Cast) -> None:
        for _ in range(2):
            look(cast.ines, by=cast.benoit, team=cast.team_a)
        with pytest.raises(TooManySearches) as refusal:
            look(cast.tom, by=cast.benoit, team=cast.team_a)
        assert str(refusal.value) == (
            "Vous avez déjà fait 2 recherches en un jour : enregistrez cette saisine demain, ou demandez à un collègue "
            "de l’équipe."
        )
        assert not DuplicateNotice.objects.exists()
        with time_machine.travel(timezone.now() + timedelta(hours=23), tick=False), pytest.raises(TooManySearches):
            look(cast.tom, by=cast.benoit, team=cast.team_a)
        with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
            assert look(cast.tom, by=cast.benoit, team=cast.team_a)

    def test_counts_what_found_nothing_too(self, cast: Cast) -> None:
        for name in ("Aïcha", "Zoé"):
            assert not look(cast.tom, by=cast.benoit, team=cast.team_a, first_name=name)
        with pytest.raises(TooManySearches):
            look(cast.tom, by=cast.benoit, team=cast.team_a)

    def test_is_that_of_each_person(self, cast: Cast) -> None:
        for person in (cast.benoit, cast.benoit, cast.amina, cast.amina):
            look(cast.ines, by=person, team=cast.team_a)

    def test_counts_no_other_search(self, cast: Cast) -> None:
        for kind, purpose in (("pre_cases.parcours", "duplicates"), ("pre_cases.child", "other")):
            for _ in range(2):
                Event.objects.create(action="search", kind=kind, purpose=purpose, actor_id=cast.benoit.pk)
        assert look(cast.ines, by=cast.benoit, team=cast.team_a)


class TestTheJournal:
    def test_says_whom_the_search_compared_and_how_many_it_found(self, cast: Cast) -> None:
        look(cast.ines, by=cast.benoit, team=cast.team_a)
        event = Event.objects.filter(action="search").get()
        assert (event.kind, event.purpose, event.actor_id) == ("pre_cases.child", "duplicates", cast.benoit.pk)
        assert (event.record_ids, event.detail) == ([str(cast.ines.pk)], {"found": 1, "elsewhere": 0})

    def test_says_whose_key_served_elsewhere_apart(self, cast: Cast) -> None:
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        search = Event.objects.filter(action="search").get()
        assert (search.record_ids, search.detail) == ([], {"found": 0, "elsewhere": 1})
        key_use = Event.objects.filter(action="key_use", purpose="duplicates").get()
        assert str(cast.tom.pk) in key_use.record_ids

    def test_holds_nothing_of_what_was_typed(self, cast: Cast) -> None:
        canaries = ["Zébulonne", "Quetzalcoatl-Martin", "2017-03-29"]
        child = make_child("Zébulonne", family_name="Quetzalcoatl-Martin", birth_date=BORN)
        make_parcours(cast.team_b, child=child)
        for person, team in ((cast.benoit, cast.team_a), (cast.chloe, cast.team_b)):
            look(child, by=person, team=team)
        look(child, by=cast.amina, team=cast.team_a, birth_date=None)
        events = str(list(Event.objects.values()))
        assert "duplicates" in events
        assert found_in(events.encode(), [*canaries, "zebulonne", "quetzalcoatlmartin"]) == set()


class TestTheLetters:
    def letters(self, cast: Cast, capture: Callable, **typed: object) -> list[mail.EmailMessage]:
        with capture(execute=True):
            look(cast.tom, by=cast.benoit, team=cast.team_a, **typed)
        return mail.outbox

    def test_go_to_both_coordinations_and_name_nobody(
        self, cast: Cast, bruno: User, django_capture_on_commit_callbacks: Callable
    ) -> None:
        letters = self.letters(cast, django_capture_on_commit_callbacks)
        assert sorted(address for letter in letters for address in letter.to) == sorted([cast.amina.email, bruno.email])
        for letter in letters:
            written = f"{letter.subject}\n{letter.body}"
            names = ["Tom", "Diallo", cast.tom.birth_date.isoformat(), "Benoît", cast.benoit.email, "Chloé"]
            assert not [name for name in (*names, str(cast.tom.pk), cast.tom.pk.hex) if name in written]
            assert cast.team_a.name in written
            assert cast.team_b.name in written

    def test_say_to_each_which_team_to_call(
        self, cast: Cast, bruno: User, django_capture_on_commit_callbacks: Callable
    ) -> None:
        letters = self.letters(cast, django_capture_on_commit_callbacks)
        bodies = {letter.to[0]: letter.body for letter in letters}
        assert "Une personne de votre équipe (A)" in bodies[cast.amina.email]
        assert "que l’équipe B connaît peut-être déjà" in bodies[cast.amina.email]
        assert "Une personne de l’équipe A" in bodies[bruno.email]
        assert "que votre équipe (B) connaît peut-être déjà" in bodies[bruno.email]

    def test_say_it_once_within_a_team(self, cast: Cast, django_capture_on_commit_callbacks: Callable) -> None:
        omar = make_user("Omar", Role.REFERENT, cast.team_a)
        with django_capture_on_commit_callbacks(execute=True):
            look(cast.ines, by=omar, team=cast.team_a)
        (letter,) = mail.outbox
        assert letter.to == [cast.amina.email]
        assert "Une personne de l’équipe A s’apprêtait" in letter.body
        assert "coordinations" not in letter.body

    def test_are_not_written_when_nothing_is_found(
        self, cast: Cast, bruno: User, django_capture_on_commit_callbacks: Callable
    ) -> None:
        assert self.letters(cast, django_capture_on_commit_callbacks, first_name="Zoé") == []

    def test_leave_only_once_the_search_is_committed(self, cast: Cast, bruno: User) -> None:
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        assert mail.outbox == []

    def test_stop_nothing_when_the_broker_is_away(
        self,
        cast: Cast,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        django_capture_on_commit_callbacks: Callable,
    ) -> None:
        def away(*args: object) -> None:
            raise OperationalError("no broker")

        monkeypatch.setattr(tasks.send_duplicate_notice, "delay", away)
        with django_capture_on_commit_callbacks(execute=True):
            assert look(cast.tom, by=cast.benoit, team=cast.team_a).is_elsewhere
        assert DuplicateNotice.objects.to_settle().count() == 2  # they wait on both boards
        assert mail.outbox == []
        assert caplog.text.count("no broker") >= 2
        assert "Tom" not in caplog.text

    def test_are_not_sent_about_what_is_settled_or_gone(self, cast: Cast, bruno: User) -> None:
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        notice = DuplicateNotice.objects.get(child=cast.tom)
        assert send_notice(notice_id=notice.pk) == 1
        settle_notice(notice=notice, by=bruno)
        assert send_notice(notice_id=notice.pk) == 0
        assert send_notice(notice_id=cast.tom.pk) == 0
        assert len(mail.outbox) == 1

    def test_go_to_those_who_coordinate_on_that_day(self, cast: Cast) -> None:
        """Team B has no coordination: nobody is written to, and the notice waits on its board."""
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        notice = DuplicateNotice.objects.get(child=cast.tom)
        assert send_notice(notice_id=notice.pk) == 0
        for name in ("Bruno", "Brigitte"):
            make_user(name, Role.COORDINATOR, cast.team_b)
        assert Context().run(send_notice, notice_id=notice.pk) == 2


class TestSettleNotice:
    @pytest.fixture
    def notice(self, cast: Cast) -> DuplicateNotice:
        look(cast.tom, by=cast.benoit, team=cast.team_a)
        return DuplicateNotice.objects.get(team=cast.team_a)

    def test_says_by_whom_and_when(self, cast: Cast, notice: DuplicateNotice) -> None:
        settle_notice(notice=notice, by=cast.amina)
        settled = DuplicateNotice.objects.get(pk=notice.pk)
        assert settled.settled_by == cast.amina
        assert settled.settled_at is not None
        assert settled.history.latest().history_user_id == cast.amina.pk
        event = Event.objects.filter(action="change", kind="pre_cases.duplicatenotice").get()
        assert (event.record_ids, event.actor_id) == ([str(notice.pk)], cast.amina.pk)

    def test_happens_once(self, cast: Cast, notice: DuplicateNotice) -> None:
        settle_notice(notice=notice, by=cast.amina)
        with pytest.raises(NoticeSettled) as refusal:
            settle_notice(notice=notice, by=cast.benoit)
        assert str(refusal.value) == "Cette situation est déjà réglée."
        assert DuplicateNotice.objects.get(pk=notice.pk).settled_by == cast.amina

    def test_leaves_the_notice_of_the_other_coordination(self, cast: Cast, notice: DuplicateNotice) -> None:
        settle_notice(notice=notice, by=cast.amina)
        assert DuplicateNotice.objects.to_settle().get().team == cast.team_b

    def test_is_for_those_who_coordinate_the_team(self, cast: Cast, bruno: User, notice: DuplicateNotice) -> None:
        assert DuplicateNotice.objects.decidable_by(cast.amina).get() == notice
        assert DuplicateNotice.objects.decidable_by(bruno).get().team == cast.team_b
        for person in (cast.benoit, cast.chloe, cast.david, cast.esther, cast.gaelle, cast.hugo, cast.yann):
            assert not DuplicateNotice.objects.decidable_by(person).exists()
        settle_notice(notice=notice, by=cast.amina)
        assert not DuplicateNotice.objects.decidable_by(cast.amina).to_settle().exists()
