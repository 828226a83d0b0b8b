"""Erasing a child: everything about it and nothing else, keys first, and again after a kill or a restoration."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.encryption.files.store import open_file, path_of
from audit.encryption.keys import UnreadableValue, create_data_key, destroy_data_keys, load_keys_of
from audit.encryption.keystore.models import DataKey, KeyKind, Tombstone
from audit.erasure import Plan
from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import Adult, Child, ChildAdult, Document, Family, Parcours, Saisine
from pre_cases.services import erasure
from pre_cases.services.duplicates import look_for_child
from pre_cases.services.erasure import ErasureRefused, erase_child, plan_erasure, replay_tombstones
from pre_cases.services.saisine import NewChild, SaisineRefused, receive_saisine
from pre_cases.services.timeline import add_comment
from pre_cases.tasks import finish_erasures
from tests.cast import Cast, make_child, make_parcours, make_saisine
from tests.whole_file import (
    difference,
    documents_of,
    end,
    everything,
    make_whole_file,
    models_about_a_child,
    naming,
)

JOURNAL, TOMBSTONES = "default.audit_event", "keys.keystore_tombstone"
DECISIONS = "default.pre_cases_erasure"  # who asked for it and who decided, by ids


class Killed(BaseException):
    """The process is killed there."""


def killed(*args: object) -> None:
    raise Killed


@pytest.fixture(autouse=True)
def full(cast: Cast, settings: Any, tmp_path: Path) -> Cast:
    """Inès and Tom have rows in every model and a file; the parcours of Inès is closed."""
    settings.SEALED_FILES_DIR = tmp_path / "files"
    make_whole_file(cast.ines_parcours, cast.benoit)
    make_whole_file(cast.tom_parcours, cast.chloe)
    end(cast.ines_parcours)
    return cast


@pytest.fixture
def erase(django_capture_on_commit_callbacks: Callable) -> Callable[[Child], erasure.Erased]:
    """Erase a child as the command does, in autocommit: what waits for the commit is done."""

    def run(child: Child) -> erasure.Erased:
        with django_capture_on_commit_callbacks(execute=True):
            return erase_child(child=child, by=system_account())

    return run


@contextmanager
def kept_data() -> Iterator[None]:
    """What is done inside is undone in the data and stays done in the keystore: a backup of the data is restored."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ids_of(plan: Plan) -> set[UUID]:
    return {pk for ids in plan.rows.values() for pk in ids if isinstance(pk, UUID)} | plan.data_keys


def history_of(plan: Plan) -> int:
    """How many versions are kept of the rows of a plan."""
    tracked = [(model.history, ids) for model, ids in plan.rows.items() if hasattr(model, "history")]
    return sum(history.filter(id__in=ids).count() for history, ids in tracked)


def rows_left(plan: Plan) -> dict[str, int]:
    counts = {m.__name__: m._base_manager.filter(pk__in=ids).count() for m, ids in plan.rows.items()}
    return {name: count for name, count in counts.items() if count}


class TestPlanErasure:
    def test_holds_rows_of_every_model_that_leads_to_a_child(self, cast: Cast) -> None:
        """A new model fails here until ``make_whole_file`` writes one of its rows, and the plan finds it."""
        assert len(models_about_a_child()) > 20
        plan = plan_erasure(cast.ines)
        missing = {model.__name__ for model in models_about_a_child() if not plan.rows.get(model)}
        assert missing == set()

    def test_holds_every_row_of_the_child_and_none_of_another(self, cast: Cast) -> None:
        one, other = plan_erasure(cast.ines), plan_erasure(cast.tom)
        for model in models_about_a_child() | {Family, Adult}:
            assert not one.rows[model] & other.rows[model], model
            every = set(model._base_manager.values_list("pk", flat=True))
            assert one.rows[model] | other.rows[model] == every, model

    def test_holds_no_account_team_nor_list(self, cast: Cast) -> None:
        assert set(plan_erasure(cast.ines).rows) == models_about_a_child() | {Family, Adult}

    def test_holds_the_key_of_the_child_and_that_of_its_family(self, cast: Cast) -> None:
        assert plan_erasure(cast.ines).data_keys == {cast.ines.data_key_id, cast.ines.family.data_key_id}

    def test_leaves_the_family_to_a_sibling(self, cast: Cast) -> None:
        make_child("Zoé", family=cast.ines.family)
        plan = plan_erasure(cast.ines)
        assert plan.data_keys == {cast.ines.data_key_id}
        assert Family not in plan.rows
        assert Adult not in plan.rows
        assert plan.rows[ChildAdult] == set(cast.ines.adult_links.values_list("pk", flat=True))

    def test_holds_the_files(self, cast: Cast) -> None:
        assert plan_erasure(cast.ines).files == {document.pk for document in documents_of(cast.ines)} != set()

    def test_changes_nothing(self, cast: Cast) -> None:
        before = everything()
        plan_erasure(cast.ines)
        assert everything() == before


class TestEraseChild:
    def test_leaves_no_row_no_history_and_no_file(self, cast: Cast, erase: Callable) -> None:
        plan = plan_erasure(cast.ines)
        assert history_of(plan) > 20
        assert all(path_of(record_id).exists() for record_id in plan.files)
        erase(cast.ines)
        assert rows_left(plan) == {}
        assert history_of(plan) == 0
        assert not any(path_of(record_id).exists() for record_id in plan.files)

    def test_leaves_its_ids_only_where_erasures_are_remembered(self, cast: Cast, erase: Callable) -> None:
        ids = ids_of(plan_erasure(cast.ines))
        assert len(naming(everything(), ids)) > 40
        erase(cast.ines)
        assert set(naming(everything(), ids)) == {JOURNAL, TOMBSTONES, DECISIONS}

    def test_leaves_another_child_as_it_is_byte_for_byte(self, cast: Cast, erase: Callable) -> None:
        ids = ids_of(plan_erasure(cast.tom))
        before = naming(everything(), ids)
        files = {document.pk: path_of(document.pk).read_bytes() for document in documents_of(cast.tom)}
        assert len(before) > 40
        assert files
        erase(cast.ines)
        assert naming(everything(), ids) == before
        assert {record_id: path_of(record_id).read_bytes() for record_id in files} == files

    def test_takes_nothing_but_what_names_the_child(self, cast: Cast, erase: Callable) -> None:
        ids = ids_of(plan_erasure(cast.ines))
        before = everything()
        erase(cast.ines)
        after = everything()
        lost, made = difference(before, after), difference(after, before)
        assert naming(lost, ids) == lost
        assert set(made) == {JOURNAL, TOMBSTONES}

    def test_destroys_the_keys_and_leaves_tombstones(self, cast: Cast, erase: Callable) -> None:
        keys = {cast.ines.data_key_id: KeyKind.CHILD, cast.ines.family.data_key_id: KeyKind.FAMILY}
        others = set(DataKey.objects.exclude(key_id__in=keys).values_list("key_id", flat=True))
        erase(cast.ines)
        assert set(DataKey.objects.values_list("key_id", flat=True)) == others
        assert dict(Tombstone.objects.values_list("key_id", "kind")) == keys

    def test_says_what_left(self, cast: Cast, erase: Callable) -> None:
        plan = plan_erasure(cast.ines)
        erased = erase(cast.ines)
        assert erased.rows == sum(len(ids) for ids in plan.rows.values())
        assert (erased.files, erased.with_family) == (1, True)

    def test_keeps_the_journal_and_adds_to_it(self, cast: Cast, erase: Callable) -> None:
        add_comment(parcours=cast.tom_parcours, text="Un mot.", by=cast.chloe)
        before = list(Event.objects.order_by("id").values())
        keys = {str(cast.ines.data_key_id), str(cast.ines.family.data_key_id)}
        erase(cast.ines)
        after = list(Event.objects.order_by("id").values())
        assert after[: len(before)] == before
        erased, destroyed = Event.objects.order_by("id")[len(before) :]
        assert (erased.action, erased.kind, erased.record_ids) == ("erase", "pre_cases.child", [str(cast.ines.pk)])
        assert (destroyed.action, set(destroyed.record_ids)) == ("key_destroyed", keys)
        assert {erased.subject_id, destroyed.subject_id} == {cast.ines.pk}
        assert {erased.actor_id, destroyed.actor_id} == {system_account().pk}

    def test_keeps_the_family_for_a_sibling(self, cast: Cast, erase: Callable) -> None:
        zoe = make_child("Zoé", family=cast.ines.family)
        ids = ids_of(plan_erasure(zoe)) - {cast.ines.pk, cast.ines.data_key_id} - ids_of(plan_erasure(cast.ines))
        before = naming(everything(), ids)
        assert not erase(cast.ines).with_family
        assert naming(everything(), ids) == before
        left = Child.objects.select_related("family").get(family=cast.ines.family_id)
        load_keys_of(left)
        assert (left.first_name, left.family.adults.get().first_name) == ("Zoé", "Nadia")

    def test_takes_the_family_with_its_last_child(self, cast: Cast, erase: Callable) -> None:
        zoe = make_child("Zoé", family=cast.ines.family)
        erase(cast.ines)
        assert erase(zoe).with_family
        assert not Family.objects.filter(pk=zoe.family_id).exists()
        assert not Adult.objects.filter(family=zoe.family_id).exists()
        assert not Family.history.filter(id=zoe.family_id).exists()
        assert not DataKey.objects.filter(key_id=zoe.family.data_key_id).exists()

    def test_is_refused_while_a_parcours_is_open(self, cast: Cast) -> None:
        before = everything()
        with pytest.raises(ErasureRefused) as refusal:
            erase_child(child=cast.tom, by=system_account())
        assert str(refusal.value) == "Un parcours est ouvert pour cet enfant : clôturez-le d’abord."
        assert everything() == before

    def test_takes_a_child_who_never_had_a_parcours(self, cast: Cast, erase: Callable) -> None:
        zoe = make_child("Zoé")
        saisine = make_saisine(zoe, cast.team_a)
        erase(zoe)
        assert not Saisine.objects.filter(pk=saisine.pk).exists()

    def test_makes_the_child_unknown_to_searches(self, cast: Cast, erase: Callable) -> None:
        erase(cast.ines)
        sought = {"first_name": "Inès", "family_name": "Morel", "birth_date": cast.ines.birth_date}
        assert not look_for_child(**sought, team=cast.team_b, by=cast.chloe)
        assert not look_for_child(**sought, team=cast.team_a, by=cast.amina)


class TestASiblingRecordedMeanwhile:
    """The family is locked by an erasure: who waited for it finds it again, or finds that it has left."""

    def receive(self, cast: Cast, family: Family) -> Saisine:
        return receive_saisine(
            team=cast.team_a,
            received_on=timezone.localdate(),
            source=Term.objects.get(pk="source:college"),
            signs=[],
            new_child=NewChild("Zoé", "Morel", family=family),
            by=cast.benoit,
        )

    def test_is_refused_once_the_family_has_left(self, cast: Cast, erase: Callable) -> None:
        """The form was opened before."""
        family = Family.objects.get(pk=cast.ines.family_id)
        erase(cast.ines)
        before, keys = everything(), DataKey.objects.count()
        with pytest.raises(SaisineRefused) as refusal:
            self.receive(cast, family)
        assert str(refusal.value) == "Cette fratrie vient d’être effacée : recommencez la saisine."
        assert refusal.value.field is None
        assert everything() == before
        assert DataKey.objects.count() == keys

    def test_joins_the_family_that_is_there(self, cast: Cast) -> None:
        assert self.receive(cast, cast.ines.family).child.family == cast.ines.family

    def test_keeps_the_family_from_leaving(self, cast: Cast, erase: Callable) -> None:
        zoe = self.receive(cast, cast.ines.family).child
        assert not erase(cast.ines).with_family
        assert Family.objects.filter(pk=zoe.family_id).exists()

    def test_waits_for_the_row_of_the_family(self, cast: Cast, erase: Callable) -> None:
        """Both ask for it by a lock, before anything else is written."""
        locking = {"for update"} if connection.features.has_select_for_update else set()
        with CaptureQueriesContext(connection) as erasing:
            erase(cast.ines)
        zoe = make_child("Zoé")
        with CaptureQueriesContext(connection) as receiving:
            self.receive(cast, zoe.family)
        for captured in (erasing, receiving):
            asked = [query["sql"].lower() for query in captured if '"pre_cases_family"' in query["sql"]]
            assert asked[0].startswith("select")
            assert all(word in asked[0] for word in locking)


class TestAnErasureKilled:
    """After its keys are destroyed, before a row is deleted."""

    @pytest.fixture
    def plan(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Plan:
        plan = plan_erasure(cast.ines)
        with monkeypatch.context() as patch:
            patch.setattr(erasure, "erase_rows", killed)
            with pytest.raises(Killed):
                erase_child(child=cast.ines, by=system_account())
        return plan

    def test_leaves_rows_that_nobody_can_read(self, cast: Cast, plan: Plan) -> None:
        assert rows_left(plan)["Child"] == 1
        child = Child.objects.select_related("family").get(pk=cast.ines.pk)
        adult = child.family.adults.get()
        load_keys_of(child, adult)
        for record, name in ((child, "first_name"), (child, "birth_date"), (child, "search_words"), (adult, "phone")):
            with pytest.raises(UnreadableValue):
                getattr(record, name)
        with pytest.raises(UnreadableValue):
            _ = child.history.first().family_name

    def test_leaves_a_file_that_nobody_can_read(self, cast: Cast, plan: Plan) -> None:
        (document,) = documents_of(cast.ines)
        assert path_of(document.pk).exists()
        with pytest.raises(UnreadableValue), open_file(document.sealed):
            pass

    def test_is_finished_by_the_tombstones(
        self, cast: Cast, plan: Plan, django_capture_on_commit_callbacks: Callable
    ) -> None:
        others = ids_of(plan_erasure(cast.tom))
        before = naming(everything(), others)
        with django_capture_on_commit_callbacks(execute=True):
            assert replay_tombstones(by=system_account()) == 1
        assert rows_left(plan) == {}
        assert history_of(plan) == 0
        assert not any(path_of(record_id).exists() for record_id in plan.files)
        assert naming(everything(), others) == before

    def test_is_finished_by_the_worker(self, plan: Plan) -> None:
        Context().run(finish_erasures)
        assert rows_left(plan) == {}

    def test_is_finished_by_the_same_command(self, cast: Cast, plan: Plan, erase: Callable) -> None:
        erased = erase(cast.ines)
        assert erased.rows == sum(len(ids) for ids in plan.rows.values())
        assert rows_left(plan) == {}
        assert Tombstone.objects.count() == 2

    def test_may_be_killed_again(self, cast: Cast, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(erasure, "erase_rows", killed)
            with pytest.raises(Killed):
                replay_tombstones(by=system_account())
        assert rows_left(plan)["Child"] == 1
        assert replay_tombstones(by=system_account()) == 1
        assert rows_left(plan) == {}

    def test_before_its_keys_has_erased_nothing(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(erasure, "destroy_data_keys", killed)
            with pytest.raises(Killed):
                erase_child(child=cast.ines, by=system_account())
        assert replay_tombstones(by=system_account()) == 0
        child = Child.objects.get(pk=cast.ines.pk)
        load_keys_of(child)
        assert child.first_name == "Inès"


class TestReplayTombstones:
    def test_erases_again_what_a_backup_brings_back(self, cast: Cast) -> None:
        plan = plan_erasure(cast.ines)
        with kept_data():
            erase_child(child=cast.ines, by=system_account())
        assert rows_left(plan)["Child"] == 1
        assert replay_tombstones(by=system_account()) == 1
        assert rows_left(plan) == {}
        assert history_of(plan) == 0
        assert Child.objects.get() == cast.tom

    def test_leaves_its_events_in_the_journal(self, cast: Cast) -> None:
        with kept_data():
            erase_child(child=cast.ines, by=system_account())
        replay_tombstones(by=cast.hugo)
        events = Event.objects.filter(action="erase", purpose="tombstone").order_by("id")
        assert [(event.kind, event.record_ids, event.actor_id) for event in events] == [
            ("pre_cases.child", [str(cast.ines.pk)], cast.hugo.pk),
            ("pre_cases.family", [str(cast.ines.family_id)], cast.hugo.pk),
        ]

    def test_keeps_a_sibling_and_the_family(self, cast: Cast) -> None:
        zoe = make_child("Zoé", family=cast.ines.family)
        make_parcours(cast.team_a, child=zoe)
        with kept_data():
            erase_child(child=cast.ines, by=system_account())
        assert replay_tombstones(by=system_account()) == 1
        left = Child.objects.select_related("family").get(family=cast.ines.family_id)
        load_keys_of(left)
        assert left == zoe
        assert left.family.adults.get().first_name == "Nadia"
        assert Parcours.objects.filter(child=zoe).exists()

    def test_takes_the_adults_of_this_child_only(self, cast: Cast) -> None:
        zoe = make_child("Zoé", family=cast.ines.family)
        make_parcours(cast.team_a, child=zoe)
        with acting_as(system_account()):
            father = Adult.objects.create(family=zoe.family, family_name="Diallo", data_key_id=zoe.family.data_key_id)
            ChildAdult.objects.create(
                child=cast.ines,
                adult=father,
                relation="father",
                starts_on=date(2015, 1, 1),
                data_key_id=cast.ines.data_key_id,
            )
        with kept_data():
            erase_child(child=cast.ines, by=system_account())
        replay_tombstones(by=system_account())
        assert not Adult.objects.filter(pk=father.pk).exists()
        assert not Adult.history.filter(id=father.pk).exists()
        assert zoe.family.adults.count() == 1

    def test_takes_siblings_erased_one_after_the_other(self, cast: Cast) -> None:
        zoe = make_child("Zoé", family=cast.ines.family)
        with kept_data():
            erase_child(child=cast.ines, by=system_account())
            erase_child(child=zoe, by=system_account())
        assert Child.objects.filter(family=zoe.family_id).count() == 2
        assert replay_tombstones(by=system_account()) == 2
        assert not Family.objects.filter(pk=zoe.family_id).exists()

    def test_leaves_a_family_where_a_child_lives(self, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
        """Its key is destroyed and that of a child is not: the children are not taken with it."""
        zoe = make_child("Zoé", family=cast.ines.family)
        make_parcours(cast.team_a, child=zoe)
        destroy_data_keys([cast.ines.family.data_key_id])
        plan = plan_erasure(cast.ines)
        before = everything()
        assert replay_tombstones(by=system_account()) == 0
        assert everything() == before
        assert rows_left(plan)["Child"] == 1
        assert (
            f"Family {cast.ines.family_id}: its key is destroyed and a child of it lives: left as it is." in caplog.text
        )
        assert not [name for name in ("Inès", "Zoé", "Morel", "Nadia") if name in caplog.text]

    def test_leaves_a_family_to_the_child_that_lives(self, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
        """The keys of one child and of the family are destroyed: that child leaves, not its sister."""
        zoe = make_child("Zoé", family=cast.ines.family)
        destroy_data_keys([cast.ines.data_key_id, cast.ines.family.data_key_id])
        assert replay_tombstones(by=system_account()) == 1
        assert Child.objects.filter(family=cast.ines.family_id).get() == zoe
        assert Adult.objects.filter(family=cast.ines.family_id).exists()
        assert str(cast.ines.family_id) in caplog.text

    def test_takes_a_family_once_no_child_of_it_lives(self, cast: Cast, erase: Callable) -> None:
        destroy_data_keys([cast.ines.family.data_key_id])
        assert replay_tombstones(by=system_account()) == 0
        assert erase(cast.ines).with_family
        assert not Family.objects.filter(pk=cast.ines.family_id).exists()

    def test_has_nothing_to_do_a_second_time(self, cast: Cast, erase: Callable) -> None:
        erase(cast.ines)
        before = everything()
        assert replay_tombstones(by=system_account()) == 0
        assert everything() == before

    def test_of_nothing_does_nothing(self, cast: Cast) -> None:
        before = everything()
        assert replay_tombstones(by=system_account()) == 0
        assert everything() == before

    def test_leaves_the_keys_that_were_no_child_s(self, cast: Cast) -> None:
        destroy_data_keys([create_data_key(KeyKind.INDEX), create_data_key(KeyKind.TEAM)])
        assert replay_tombstones(by=system_account()) == 0
        assert Document.objects.count() == 2
