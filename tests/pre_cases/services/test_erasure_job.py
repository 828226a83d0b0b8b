"""The job that erases one child: every step, a kill at each of them, and everything that may stop it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from audit.encryption.files.store import path_of
from audit.encryption.keys import UnreadableValue, load_keys_of
from audit.encryption.keystore.models import DataKey, Tombstone
from audit.encryption.register import noted_destructions
from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import Adult, Child, Entry, Erasure, ErasureReason, ErasureStep, Family, Parcours, RetentionHold
from pre_cases.services import erasure as erasing
from pre_cases.services import erasure_job
from pre_cases.services.erasure import plan_erasure, replay_tombstones
from pre_cases.services.erasure_job import run_erasure, sweep_erasures
from pre_cases.services.erasure_request import approve_erasure
from pre_cases.services.preconditions import ErasureUnderWay
from pre_cases.services.retention import HoldRefused, place_hold
from pre_cases.services.saisine import receive_saisine
from pre_cases.services.timeline import add_entry
from pre_cases.statistics.period import Period
from pre_cases.statistics.report import Report, exact_report
from tests.cast import Cast, make_child, make_saisine
from tests.erasures import Killed, announce, approved, ask, carried_out, killed_at, make_former
from tests.whole_file import difference, documents_of, end, everything, make_whole_file, naming

State = Erasure.State
TODAY = timezone.localdate
JOURNAL, TOMBSTONES, DECISIONS = "default.audit_event", "keys.keystore_tombstone", "default.pre_cases_erasure"


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    settings.SEALED_FILES_DIR = tmp_path / "files"


@pytest.fixture
def former(cast: Cast) -> Parcours:
    """Zoé's, of team A: over for three years, with a row in every model and a file, announced a month ago."""
    parcours = make_former(cast.team_a, referent=cast.benoit)
    announce(parcours.child)
    return parcours


@pytest.fixture
def full(cast: Cast) -> Child:
    """Inès, with a row in every model and a file, her parcours closed today; erased because her family asks."""
    make_whole_file(cast.ines_parcours, cast.benoit)
    end(cast.ines_parcours)
    return cast.ines


@pytest.fixture
def erasure(cast: Cast, former: Parcours) -> Erasure:
    return approved(former.child, cast.amina, cast.gaelle)


@pytest.fixture
def run(django_capture_on_commit_callbacks: Callable) -> Callable[[Erasure], Erasure]:
    return lambda erasure: carried_out(erasure, django_capture_on_commit_callbacks)


class TestRunErasure:
    def test_goes_through_every_step_to_the_certificate(self, erasure: Erasure, run: Callable) -> None:
        done = run(erasure)
        assert (done.state, done.step, done.obstacle) == (State.DONE, ErasureStep.CERTIFY, "")
        assert set(done.steps) == set(ErasureStep.values)
        assert done.certificate
        assert not Child.objects.filter(pk=erasure.subject_id).exists()

    def test_leaves_its_ids_only_where_erasures_are_remembered(self, cast: Cast, full: Child, run: Callable) -> None:
        plan = plan_erasure(full)
        ids = {pk for found in plan.rows.values() for pk in found} | plan.data_keys
        assert len(naming(everything(), ids)) > 40
        assert run(approved(full, cast.amina, cast.gaelle, motive="family")).state == State.DONE
        assert set(naming(everything(), ids)) == {JOURNAL, TOMBSTONES, DECISIONS}
        assert not any(path_of(record_id).exists() for record_id in plan.files)

    def test_leaves_another_child_as_it_is_byte_for_byte(self, cast: Cast, full: Child, run: Callable) -> None:
        make_whole_file(cast.tom_parcours, cast.chloe)
        plan = plan_erasure(cast.tom)
        ids = {pk for found in plan.rows.values() for pk in found} | plan.data_keys
        before = naming(everything(), ids)
        files = {document.pk: path_of(document.pk).read_bytes() for document in documents_of(cast.tom)}
        assert files
        assert run(approved(full, cast.amina, cast.gaelle, motive="family")).state == State.DONE
        assert naming(everything(), ids) == before
        assert {record_id: path_of(record_id).read_bytes() for record_id in files} == files

    def test_takes_what_was_typed_about_the_erasure_with_the_child(self, erasure: Erasure, run: Callable) -> None:
        assert ErasureReason.objects.filter(erasure=erasure).exists()
        run(erasure)
        assert not ErasureReason.objects.exists()
        assert not ErasureReason.history.exists()

    def test_forgets_the_ids_of_what_left(self, erasure: Erasure, run: Callable) -> None:
        done = run(erasure)
        assert (done.plan, done.facts) == ({}, [])

    def test_is_signed_by_who_approved(self, cast: Cast, erasure: Erasure, run: Callable) -> None:
        run(erasure)
        events = Event.objects.filter(subject_id=erasure.subject_id).order_by("id")
        signed = {event.action: event.actor_id for event in events}
        assert signed["erasure_requested"] == cast.amina.pk
        for action in ("erasure_approved", "erase", "key_destroyed", "erasure_done"):
            assert signed[action] == cast.gaelle.pk, action

    def test_does_nothing_to_what_nobody_approved(self, cast: Cast, former: Parcours, run: Callable) -> None:
        asked = ask(former.child, cast.amina)
        before = everything()
        run(asked)
        assert everything() == before

    def test_does_nothing_twice(self, erasure: Erasure, run: Callable) -> None:
        run(erasure)
        before = everything()
        run(erasure)
        assert everything() == before


class TestAFamilyOfTwo:
    def test_keeps_what_belongs_to_the_other_child(self, cast: Cast, former: Parcours, run: Callable) -> None:
        lou = make_child("Lou", family=former.child.family)
        ids = {lou.pk, lou.data_key_id, lou.family_id, lou.family.data_key_id}
        ids |= set(Adult.objects.filter(family=lou.family_id).values_list("pk", flat=True))
        before = naming(everything(), ids)
        mine = {former.child.pk, former.child.data_key_id, former.pk}
        kept = difference(before, naming(before, mine | _around(former.child)))
        run(approved(former.child, cast.amina, cast.gaelle))
        assert difference(kept, everything()) == {}
        left = Child.objects.select_related("family").get(pk=lou.pk)
        load_keys_of(left)
        assert (left.first_name, left.family.adults.get().first_name) == ("Lou", "Nadia")

    def test_leaves_with_the_last_child(self, cast: Cast, former: Parcours, run: Callable) -> None:
        lou = make_former(cast.team_a, child=make_child("Lou", family=former.child.family)).child
        announce(lou)
        for child in (former.child, lou):
            run(approved(child, cast.amina, cast.gaelle))
        assert not Family.objects.filter(pk=lou.family_id).exists()
        assert not DataKey.objects.filter(key_id=lou.family.data_key_id).exists()

    def test_keeps_an_entry_about_both_on_the_side_of_the_other(
        self, cast: Cast, former: Parcours, run: Callable
    ) -> None:
        """One row for each child: the text on the other's stays, even when it names the one who left."""
        lou = make_former(cast.team_a, child=make_child("Lou", family=former.child.family))
        texts = {}
        with acting_as(system_account()):
            for parcours in (former, lou):
                texts[parcours] = Entry.objects.create(
                    parcours=parcours,
                    author=cast.benoit,
                    kind="meeting",
                    on=parcours.closed_on,
                    text="Zoé et Lou ont été reçues ensemble.",
                    data_key_id=parcours.data_key_id,
                )
        run(approved(former.child, cast.amina, cast.gaelle))
        assert Entry.objects.get() == texts[lou]
        kept = Entry.objects.get()
        load_keys_of(kept)
        assert kept.text == "Zoé et Lou ont été reçues ensemble."


def _around(child: Child) -> set[Any]:
    """The ids of the rows that leave with a child whose family stays."""
    plan = plan_erasure(child)
    return {pk for found in plan.rows.values() for pk in found}


POINTS = [
    ("before the freeze", erasure_job, "_carry_out", False),
    ("after the freeze is written", erasure_job, "erasure_obstacle", False),
    ("while years are frozen", erasure_job, "freeze_year", False),
    ("between two years", erasure_job, "freeze_year", True),
    ("while it counts what leaves", erasure_job, "_lost", False),
    ("before the keys", erasing, "destroy_data_keys", False),
    ("after the keys", erasing, "destroy_data_keys", True),
    ("among the rows", erasing, "erase_rows", False),
    ("after the rows, before the commit", erasing, "erase_rows", True),
    ("after the counts, before the commit", erasure_job, "add_counts", True),
    ("before the scan", erasure_job, "residue_of", False),
    ("after the scan, before it is written", erasure_job, "residue_of", True),
    ("before the certificate", erasure_job, "certify", False),
    ("after the certificate, before it is written", erasure_job, "certify", True),
]


class TestKilled:
    """At each point, then taken up again by the sweeper: the end is the same as without a kill."""

    @pytest.fixture
    def ended_this_year(self, cast: Cast) -> Child:
        """Counts in years that are over and in years that still run."""
        child = make_former(cast.team_a, ended_on=TODAY() - timedelta(days=20)).child
        make_saisine(child, cast.team_a, received_on=TODAY() - timedelta(days=15), outcome="redirected",
                     outcome_on=TODAY() - timedelta(days=14))  # fmt: skip
        return child

    @pytest.mark.parametrize(("target", "name", "after"), [p[1:] for p in POINTS], ids=[p[0] for p in POINTS])
    def test_goes_on_to_the_same_end(
        self, cast: Cast, ended_this_year: Child, monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Callable, target: Any, name: str, after: bool,
    ) -> None:  # fmt: skip
        child, year = ended_this_year, Period.civil_year(TODAY().year)
        exact = _counts(exact_report(year, cast.team_a))
        erasure = approved(child, cast.amina, cast.gaelle, motive="family")
        with killed_at(monkeypatch, target, name, after=after), pytest.raises(Killed):
            run_erasure(erasure_id=erasure.pk)
        Erasure.objects.filter(pk=erasure.pk).update(heartbeat_at=timezone.now() - timedelta(hours=2))
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep_erasures() == 1
        done = Erasure.objects.get(pk=erasure.pk)
        assert (done.state, done.obstacle) == (State.DONE, "")
        assert not Child.objects.filter(pk=child.pk).exists()
        assert Tombstone.objects.filter(key_id=child.data_key_id).exists()
        assert child.data_key_id in noted_destructions()
        assert _counts(exact_report(year, cast.team_a)) == exact

    def test_after_its_keys_can_be_read_by_nobody(
        self, erasure: Erasure, former: Parcours, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with killed_at(monkeypatch, erasing, "erase_rows"), pytest.raises(Killed):
            run_erasure(erasure_id=erasure.pk)
        left = Child.objects.get(pk=former.child_id)
        load_keys_of(left)
        with pytest.raises(UnreadableValue):
            _ = left.first_name

    def test_after_its_keys_is_not_stopped_by_a_hold(
        self, cast: Cast, erasure: Erasure, former: Parcours, monkeypatch: pytest.MonkeyPatch, run: Callable
    ) -> None:
        with killed_at(monkeypatch, erasing, "erase_rows"), pytest.raises(Killed):
            run_erasure(erasure_id=erasure.pk)
        with pytest.raises(HoldRefused):
            place_hold(child=former.child, motive="dispute", reason="x", until=TODAY() + timedelta(9), by=cast.amina)
        assert run(erasure).state == State.DONE

    def test_is_left_to_its_job_by_the_tombstones(
        self, cast: Cast, erasure: Erasure, former: Parcours, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which counts before it deletes; the replay would only delete."""
        with killed_at(monkeypatch, erasing, "erase_rows"), pytest.raises(Killed):
            run_erasure(erasure_id=erasure.pk)
        assert replay_tombstones(by=system_account()) == 0
        assert Child.objects.filter(pk=former.child_id).exists()


def _counts(report: Report) -> list[Any]:
    """Every count and share; means and medians of a year that runs are those of the living."""
    return [j.cell for _, table in report for j in table.judged if j.cell.base in ("", "children")]


class TestStopped:
    @pytest.fixture
    def held(self, cast: Cast, former: Parcours, erasure: Erasure) -> Erasure:
        """A hold that appeared without its service: written by an older version, or restored."""
        with acting_as(system_account()):
            RetentionHold.objects.create(
                child=former.child, author=cast.amina, motive="dispute", reason="x", starts_on=TODAY(),
                ends_on=TODAY() + timedelta(days=30), data_key_id=former.data_key_id,
            )  # fmt: skip
        return erasure

    def test_by_a_hold_with_nothing_destroyed(self, held: Erasure, run: Callable) -> None:
        stopped = run(held)
        assert (stopped.state, stopped.obstacle, stopped.steps) == (State.BLOCKED, erasure_job.OBSTACLE, {})
        assert DataKey.objects.filter(key_id=Child.objects.get(pk=held.subject_id).data_key_id).exists()
        assert Event.objects.filter(action="erasure_stopped", subject_id=held.subject_id).exists()

    def test_by_a_hold_until_it_is_past(self, cast: Cast, held: Erasure, run: Callable) -> None:
        run(held)
        with time_machine.travel(timezone.now() + timedelta(days=31)):
            assert run(approve_erasure(erasure=held, by=cast.gaelle)).state == State.DONE

    def test_by_a_contact_since(self, cast: Cast, former: Parcours, erasure: Erasure, run: Callable) -> None:
        with acting_as(system_account()):
            make_saisine(former.child, cast.team_a, received_on=TODAY())
        assert run(erasure).state == State.BLOCKED
        assert Child.objects.filter(pk=erasure.subject_id).exists()

    def test_by_a_residue_without_a_certificate(
        self, cast: Cast, former: Parcours, erasure: Erasure, run: Callable, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A row that names the child and that the plan did not know."""
        key = former.child.data_key_id
        with acting_as(system_account()):
            other = make_child("Lou")
        type(other.history.first()).objects.filter(id=other.pk).update(data_key_id=key)
        stopped = run(erasure)
        assert (stopped.state, stopped.obstacle, stopped.certificate) == (State.RUNNING, erasure_job.RESIDUE, "")
        assert "ResidueFound" in caplog.text

    def test_by_a_missing_signing_key_then_certified(
        self, erasure: Erasure, run: Callable, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        key, settings.SIGNING_KEY = settings.SIGNING_KEY, "file:/nowhere/signing-key"
        waiting = run(erasure)
        assert (waiting.state, waiting.step, waiting.obstacle) == (State.RUNNING, "scan", erasure_job.UNSIGNED)
        assert not Child.objects.filter(pk=erasure.subject_id).exists()
        settings.SIGNING_KEY = key
        assert run(erasure).state == State.DONE

    def test_by_a_trouble_then_tried_again_later(
        self, erasure: Erasure, run: Callable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(erasure_job, "freeze_year", _broken)
            waiting = run(erasure)
        assert (waiting.state, waiting.obstacle) == (State.RUNNING, erasure_job.TROUBLE)
        assert "Secret" not in caplog.text
        assert sweep_erasures() == 0  # not at once
        Erasure.objects.filter(pk=erasure.pk).update(heartbeat_at=timezone.now() - timedelta(hours=2))
        assert run(erasure).state == State.DONE


def _broken(*args: object) -> None:
    raise RuntimeError("Prénom Secret")


class TestFrozen:
    """From the approval on, nobody writes about the child any more."""

    def test_takes_no_new_saisine(self, cast: Cast, erasure: Erasure, former: Parcours) -> None:
        with pytest.raises(ErasureUnderWay):
            receive_saisine(
                team=cast.team_a, received_on=TODAY(), source=former.saisine.source, signs=[], child=former.child,
                by=cast.amina,
            )  # fmt: skip
        assert not Child.objects.referable_by(cast.amina).filter(pk=former.child_id).exists()

    def test_takes_no_exchange_on_a_saisine(self, cast: Cast) -> None:
        child = make_child("Lou")
        saisine = make_saisine(child, cast.team_a, received_on=TODAY() - timedelta(days=500))
        approved(child, cast.amina, cast.gaelle, motive="mistake")
        with pytest.raises(ErasureUnderWay):
            add_entry(kind="phone", on=TODAY(), with_whom="family", text="x", saisine=saisine, by=cast.amina)

    def test_may_be_written_again_once_stopped(
        self, cast: Cast, erasure: Erasure, former: Parcours, run: Callable
    ) -> None:
        make_saisine(former.child, cast.team_a, received_on=TODAY())
        run(erasure)
        assert Child.objects.referable_by(cast.amina).filter(pk=former.child_id).exists()


class TestSweepErasures:
    def test_leaves_a_job_that_lives(self, erasure: Erasure) -> None:
        assert sweep_erasures() == 0

    def test_takes_up_one_whose_message_was_lost(
        self, erasure: Erasure, django_capture_on_commit_callbacks: Callable
    ) -> None:
        Erasure.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=3))
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep_erasures() == 1
        assert Erasure.objects.get(pk=erasure.pk).state == State.DONE
