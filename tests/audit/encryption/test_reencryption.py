import logging
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine

from audit.encryption import keys, reencryption
from audit.encryption.base import EncryptedField
from audit.encryption.envelope import Envelope
from audit.encryption.errors import UnreadableKey, UnreadableValue
from audit.encryption.files.store import Owner, key_version_of, open_file, path_of
from audit.encryption.keys import ciphers_of, destroy_data_keys, key_ring, load_keys, load_keys_of
from audit.encryption.keystore.models import DataKey
from audit.encryption.keystore.rows import canary_sings, unwrapped
from audit.encryption.reencryption import (
    begin_reencryption,
    finish_reencryption,
    reseal,
    reseal_restored_data,
    unfinished_reencryptions,
)
from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import Child, Comment, Document
from pre_cases.services.document import remove_document
from pre_cases.tasks import finish_reencryptions
from referents.models import User
from tests.audit.encryption.case import Case, clear_values, rows_under
from tests.audit.encryption.installation import NOON
from tests.audit.encryption.records import stored, write_raw
from tests.cast import PDF, make_child, make_document, make_team

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

QUARTER = timedelta(minutes=15)


class Killed(BaseException):
    pass


@pytest.fixture(autouse=True)
def time():
    with time_machine.travel(NOON, tick=False) as time:
        yield time


@pytest.fixture
def case(db, time, tmp_path, settings) -> Case:
    settings.SEALED_FILES_DIR = tmp_path
    return Case(make_team("a"), "Inès")


@pytest.fixture
def key_id(case: Case, no_ring: None):
    """The key of the child; as a command, what follows opens its own rings."""
    return case.child.data_key_id


@pytest.fixture
def by() -> User:
    return system_account()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 2)


@key_ring()
def everything(*key_ids) -> dict:
    """What can be read under these keys: rows, history and the content of files."""
    load_keys(key_ids)
    found = {**clear_values(*key_ids), **clear_values(*key_ids, history=True)}
    for document in Document.objects.kept().filter(data_key_id__in=key_ids):
        with open_file(document.sealed) as reader:
            found["file", document.pk, ""] = reader.read()
    return found


def versions_in_use(key_id) -> set[int]:
    """The versions of a data key that seal something: cells, history and files."""
    cells = (value for row in rows_under(key_id).values() for value in row.values() if type(value) is Envelope)
    files = Document.objects.kept().filter(data_key_id=key_id).values_list("pk", flat=True)
    return {cell.key_version() for cell in cells} | {key_version_of(pk) for pk in files}


def said() -> list[str]:
    return [event.detail["what"] for event in Event.objects.filter(action="key_use").order_by("pk")]


class TestBeginReencryption:
    def test_adds_a_version_used_for_everything_written_from_then_on(self, key_id, case: Case, by: User, new_ring):
        assert begin_reencryption(key_id, by=by) == 2
        with new_ring(), acting_as(by):
            child = Child.objects.get(pk=case.child.pk)
            load_keys_of(child)
            assert set(ciphers_of(key_id)) == {1, 2}
            assert child.first_name == "Inès"
            child.first_name = "Inès-Marie"
            child.save()
        assert stored(child, "first_name").key_version() == 2
        assert stored(child, "family_name").key_version() == 1

    def test_makes_another_key_with_its_canary(self, key_id, by: User):
        begin_reencryption(key_id, by=by)
        old, new = DataKey.objects.filter(key_id=key_id).order_by("version")
        assert unwrapped(old) != unwrapped(new)
        assert (new.kind, new.version) == (old.kind, 2)
        assert new.canary is not None
        assert canary_sings(new, unwrapped(new))
        assert not canary_sings(new, unwrapped(old))

    def test_twice_goes_on_with_the_same_version(self, key_id, by: User):
        assert [begin_reencryption(key_id, by=by), begin_reencryption(key_id, by=by)] == [2, 2]
        assert DataKey.objects.filter(key_id=key_id).count() == 2
        assert said() == ["reencryption_started"]

    def test_refuses_a_key_that_is_not_there(self, db, by: User):
        with pytest.raises(UnreadableKey):
            begin_reencryption(uuid4(), by=by)

    def test_is_journalled_with_the_key_and_the_author(self, key_id, by: User):
        begin_reencryption(key_id, by=by)
        event = Event.objects.get(action="key_use")
        assert (event.record_ids, event.actor_id) == ([str(key_id)], by.pk)


class TestReseal:
    def test_moves_rows_history_and_files_to_the_new_version(self, key_id, by: User):
        before, rows = everything(key_id), rows_under(key_id)
        begin_reencryption(key_id, by=by)
        assert versions_in_use(key_id) == {1}
        written, unreadable = reseal(key_id)
        sealed = [row for row in rows.values() if any(type(value) is Envelope for value in row.values())]
        assert (written, unreadable) == (len(sealed) + 1, 0)  # and one file
        assert versions_in_use(key_id) == {2}
        assert everything(key_id) == before
        assert before["file", Document.objects.get().pk, ""] == PDF

    def test_changes_nothing_but_the_seals(self, key_id, by: User):
        """Dates, authors, numbers of history rows: as they were; and no row of history of its own."""
        before = rows_under(key_id)
        begin_reencryption(key_id, by=by)
        reseal(key_id)
        after = rows_under(key_id)
        assert after.keys() == before.keys()
        for place, row in before.items():
            for name, value in row.items():
                changed = after[place][name] != value
                assert changed == (type(value) is Envelope), (place, name)

    def test_leaves_everything_else_byte_for_byte(self, case: Case, by: User, new_ring):
        other = Case(make_team("b", 19), "Tom")
        kept = (other.child.data_key_id, other.child.family.data_key_id, case.child.family.data_key_id)
        before, file = rows_under(*kept), path_of(other.document.pk).read_bytes()
        with new_ring():
            begin_reencryption(case.child.data_key_id, by=by)
            reseal(case.child.data_key_id)
        assert len(before) >= 50
        assert rows_under(*kept) == before
        assert path_of(other.document.pk).read_bytes() == file

    def test_moves_the_family_when_it_is_told_its_key(self, key_id, case: Case, by: User):
        family_key = case.child.family.data_key_id
        before = everything(family_key)
        begin_reencryption(family_key, by=by)
        assert reseal(family_key)[1] == 0
        assert (versions_in_use(family_key), versions_in_use(key_id)) == ({2}, {1})
        assert everything(family_key) == before

    def test_has_nothing_left_to_do_the_second_time(self, key_id, by: User):
        begin_reencryption(key_id, by=by)
        reseal(key_id)
        before = rows_under(key_id)
        assert reseal(key_id) == (0, 0)
        assert rows_under(key_id) == before

    def test_without_a_new_version_changes_nothing(self, key_id):
        before = rows_under(key_id)
        assert reseal(key_id) == (0, 0)
        assert rows_under(key_id) == before

    @pytest.mark.usefixtures("small_batches")
    def test_goes_through_more_rows_than_one_transaction_takes(self, case: Case, by: User, new_ring):
        with acting_as(by):
            for number in range(7):
                Comment.objects.create(
                    parcours=case.parcours, author=by, text=f"Mot {number}", data_key_id=case.child.data_key_id
                )
        key_id = case.child.data_key_id
        with new_ring():
            begin_reencryption(key_id, by=by)
            reseal(key_id)
        assert versions_in_use(key_id) == {2}

    @pytest.mark.usefixtures("small_batches")
    @pytest.mark.parametrize("sealed", [0, 5, 20])
    def test_killed_half_way_leaves_everything_readable_and_goes_on(
        self, key_id, by: User, monkeypatch: pytest.MonkeyPatch, sealed: int
    ):
        before, left, seal = everything(key_id), [sealed], EncryptedField.seal

        def kill_after_some(field: EncryptedField, *args: object) -> object:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return seal(field, *args)

        begin_reencryption(key_id, by=by)
        with monkeypatch.context() as patch:
            patch.setattr(EncryptedField, "seal", kill_after_some)
            with pytest.raises(Killed):
                reseal(key_id)
        assert versions_in_use(key_id) == ({1} if sealed == 0 else {1, 2})  # a batch is written whole, or not
        assert everything(key_id) == before
        reseal(key_id)
        assert versions_in_use(key_id) == {2}
        assert everything(key_id) == before

    def test_killed_before_the_files_goes_on_with_them(self, key_id, by: User, monkeypatch: pytest.MonkeyPatch):
        def kill(owner: Owner) -> None:
            raise Killed

        before = everything(key_id)
        begin_reencryption(key_id, by=by)
        with monkeypatch.context() as patch:
            patch.setattr(reencryption, "reseal_file", kill)
            with pytest.raises(Killed):
                reseal(key_id)
        assert everything(key_id) == before
        assert key_version_of(Document.objects.get().pk) == 1
        reseal(key_id)
        assert versions_in_use(key_id) == {2}

    def test_counts_logs_and_leaves_a_value_that_does_not_open(
        self, key_id, case: Case, by: User, caplog: pytest.LogCaptureFixture
    ):
        stolen = stored(case.child, "family_name").data
        write_raw(case.child, "first_name", stolen)
        begin_reencryption(key_id, by=by)
        with caplog.at_level(logging.ERROR, logger="audit.encryption"):
            assert reseal(key_id)[1] == 1
        assert f"child.first_name {case.child.pk}: " in caplog.text
        assert "Inès" not in caplog.text
        assert stored(case.child, "first_name").data == stolen
        assert stored(case.child, "family_name").key_version() == 2

    def test_counts_logs_and_leaves_bytes_that_are_no_envelope(
        self, key_id, case: Case, by: User, caplog: pytest.LogCaptureFixture
    ):
        write_raw(case.child, "first_name", b"in clear")
        begin_reencryption(key_id, by=by)
        with caplog.at_level(logging.ERROR, logger="audit.encryption"):
            assert reseal(key_id)[1] == 1
        assert "in clear" not in caplog.text
        assert stored(case.child, "first_name").data == b"in clear"

    def test_counts_logs_and_leaves_a_file_that_does_not_open(
        self, key_id, case: Case, by: User, caplog: pytest.LogCaptureFixture
    ):
        path = path_of(case.document.pk)
        broken = path.read_bytes()[:-1]
        path.write_bytes(broken)
        begin_reencryption(key_id, by=by)
        with caplog.at_level(logging.ERROR, logger="audit.encryption"):
            assert reseal(key_id)[1] == 1
        assert f"document.content {case.document.pk}: " in caplog.text
        assert path.read_bytes() == broken

    def test_does_without_the_file_of_a_document_taken_away(self, case: Case, by: User, new_ring):
        remove_document(document=case.document, reason="Ajouté par erreur", by=by)
        path_of(case.document.pk).unlink(missing_ok=True)
        kept = make_document(case.parcours, case.author)
        with new_ring():
            begin_reencryption(case.child.data_key_id, by=by)
            assert reseal(case.child.data_key_id)[1] == 0
        assert key_version_of(kept.pk) == 2
        assert not path_of(case.document.pk).exists()


class TestFinishReencryption:
    def old_version_is_there(self, key_id) -> bool:
        return DataKey.objects.filter(key_id=key_id, version=1, retired_at__isnull=True).exists()

    def test_ends_the_service_of_the_old_version_after_a_quarter_of_an_hour(self, key_id, by: User, time):
        before = everything(key_id)
        begin_reencryption(key_id, by=by)
        reseal(key_id)
        assert not finish_reencryption(key_id, by=by)
        time.shift(QUARTER - timedelta(seconds=1))
        assert not finish_reencryption(key_id, by=by)
        assert self.old_version_is_there(key_id)
        time.shift(timedelta(seconds=1))
        assert finish_reencryption(key_id, by=by)
        assert not self.old_version_is_there(key_id)
        assert everything(key_id) == before
        assert said() == ["reencryption_started", "reencryption_done"]

    def test_makes_what_had_leaked_useless(self, key_id, case: Case, by: User, time):
        leaked = stored(case.child, "first_name").data
        begin_reencryption(key_id, by=by)
        reseal(key_id)
        time.shift(QUARTER)
        assert finish_reencryption(key_id, by=by)
        write_raw(case.child, "first_name", leaked)
        with pytest.raises(UnreadableValue, match="the key does not exist in this version"):
            everything(key_id)

    def test_waits_while_a_value_does_not_open(self, key_id, case: Case, by: User, time):
        good = stored(case.child, "first_name").data
        write_raw(case.child, "first_name", good[:-1] + bytes([good[-1] ^ 1]))
        begin_reencryption(key_id, by=by)
        time.shift(timedelta(days=1))
        reseal(key_id)
        assert not finish_reencryption(key_id, by=by)
        assert self.old_version_is_there(key_id)
        write_raw(case.child, "first_name", good)  # from a backup
        assert not finish_reencryption(key_id, by=by)  # it has just been moved: one pass more
        assert finish_reencryption(key_id, by=by)
        assert stored(case.child, "first_name").key_version() == 2

    def test_waits_while_a_file_does_not_open(self, key_id, case: Case, by: User, time):
        path = path_of(case.document.pk)
        good = path.read_bytes()
        path.write_bytes(good[:-1])
        begin_reencryption(key_id, by=by)
        time.shift(QUARTER)
        reseal(key_id)
        assert not finish_reencryption(key_id, by=by)
        path.write_bytes(good)
        assert not finish_reencryption(key_id, by=by)
        assert finish_reencryption(key_id, by=by)

    def test_catches_what_a_slow_request_wrote_with_the_old_version(self, key_id, case: Case, by: User, time):
        with key_ring():
            child = Child.objects.get(pk=case.child.pk)
            load_keys_of(child)
            slow = dict(keys._ring.get())
        begin_reencryption(key_id, by=by)
        reseal(key_id)
        token = keys._ring.set(slow)
        with acting_as(by):
            child.first_name = "Inès-Marie"
            child.save()
        keys._ring.reset(token)
        assert stored(child, "first_name").key_version() == 1
        time.shift(QUARTER)
        assert not finish_reencryption(key_id, by=by)
        assert versions_in_use(key_id) == {2}
        assert finish_reencryption(key_id, by=by)
        assert everything(key_id)["pre_cases.Child", child.pk, "first_name"] == "Inès-Marie"

    def test_leaves_the_keys_of_others(self, key_id, case: Case, by: User, time):
        others = set(DataKey.objects.exclude(key_id=key_id).values_list("pk", flat=True))
        begin_reencryption(key_id, by=by)
        reseal(key_id)
        time.shift(QUARTER)
        finish_reencryption(key_id, by=by)
        assert set(DataKey.objects.exclude(key_id=key_id).values_list("pk", flat=True)) == others
        assert DataKey.objects.get(key_id=key_id, retired_at__isnull=True).version == 2

    def test_can_be_done_again_later(self, key_id, by: User, time):
        before = everything(key_id)
        for version in (2, 3, 4):
            assert begin_reencryption(key_id, by=by) == version
            reseal(key_id)
            time.shift(QUARTER)
            assert finish_reencryption(key_id, by=by)
            assert versions_in_use(key_id) == {version}
            assert everything(key_id) == before


class TestUnfinishedReencryptions:
    def test_are_the_keys_with_several_versions(self, key_id, by: User):
        assert unfinished_reencryptions() == []
        begin_reencryption(key_id, by=by)
        assert unfinished_reencryptions() == [key_id]


class TestFinishReencryptions:
    def test_ends_those_that_can_be(self, key_id, case: Case, by: User, time):
        """The child's was killed before anything was sealed again; the family's has just begun."""
        begin_reencryption(key_id, by=by)
        time.shift(QUARTER)
        begin_reencryption(case.child.family.data_key_id, by=by)
        finish_reencryptions()
        finish_reencryptions()
        assert unfinished_reencryptions() == [case.child.family.data_key_id]
        assert versions_in_use(key_id) == versions_in_use(case.child.family.data_key_id) == {2}

    def test_does_nothing_without_one(self, key_id):
        before = rows_under(key_id)
        finish_reencryptions()
        assert rows_under(key_id) == before
        assert said() == []


class TestResealMeanwhile:
    def test_reads_the_keystore_again_inside_an_open_ring(self, key_id, case: Case, by: User):
        """A ring that knows the first version only does not seal under it again for ever."""
        with key_ring():
            load_keys([key_id])
            begin_reencryption(key_id, by=by)
            assert reseal(key_id)[0] > 0
            assert reseal(key_id) == (0, 0)
            assert set(ciphers_of(key_id)) == {1}  # the ring around is left as it was
        assert versions_in_use(key_id) == {2}

    def test_of_a_key_destroyed_meanwhile_writes_nothing(self, key_id, case: Case):
        destroy_data_keys([key_id])
        assert reseal(key_id) == (0, 0)

    def test_passes_over_a_file_taken_away(self, key_id, case: Case, by: User):
        begin_reencryption(key_id, by=by)
        path_of(case.document.pk).unlink()
        written, unreadable = reseal(key_id)
        assert (written > 0, unreadable) == (True, 0)


class TestAReencryptionThatFails:
    def test_stops_no_other(self, key_id, case: Case, by: User, time, caplog):
        with key_ring():
            broken = make_child("Tom").data_key_id
        for begun in (broken, key_id):
            begin_reencryption(begun, by=by)
        DataKey.objects.filter(key_id=broken, version=1).update(wrapped=b"x" * 60)
        time.shift(QUARTER)
        with caplog.at_level(logging.ERROR):
            assert reencryption.finish_reencryptions(by=by) == 0  # what is sealed again is looked at once more
            assert reencryption.finish_reencryptions(by=by) == 1
        assert unfinished_reencryptions() == [broken]
        assert str(broken) in caplog.text


class TestResealRestoredData:
    def test_opens_what_a_former_version_sealed_and_moves_it(self, key_id, case: Case, by: User, time):
        """Data of a backup made before: the living are readable again, under the key of today."""
        before = everything(key_id)
        old = {pk: stored(case.child, "first_name").data for pk in [case.child.pk]}
        begin_reencryption(key_id, by=by)
        reseal(key_id)
        time.shift(QUARTER)
        assert finish_reencryption(key_id, by=by)
        write_raw(case.child, "first_name", old[case.child.pk])  # put back
        with pytest.raises(UnreadableValue):
            everything(key_id)
        assert reseal_restored_data(by=by) == 1
        assert everything(key_id) == before
        assert versions_in_use(key_id) == {2}
        assert reencryption.finish_reencryptions(by=by) in (0, 1)
        assert unfinished_reencryptions() == []


class TestAWrongKeyFile:
    def test_begins_nothing(self, key_id, case: Case, by: User):
        """A second version, sealed under a key that is not the right one, would lock the child."""
        DataKey.objects.filter(key_id=key_id).update(wrapped=b"x" * 60)
        with pytest.raises(UnreadableKey):
            begin_reencryption(key_id, by=by)
        assert DataKey.objects.filter(key_id=key_id).count() == 1
