import base64
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import time_machine

from audit.encryption import providers, rotation
from audit.encryption.errors import KeyProviderUnavailable, KeySourceIsReadOnly, UnreadableKey, WrongMasterKey
from audit.encryption.keys import create_data_key, create_data_keys, destroy_data_keys, load_keys, load_keys_of
from audit.encryption.keystore.models import DataKey, MasterKey, Tombstone
from audit.encryption.keystore.rows import canary_sings, unwrapped
from audit.encryption.providers import create_key_file, provider
from audit.encryption.providers.secret import parsed
from audit.encryption.rotation import (
    RotationNotOver,
    is_rotating,
    pending,
    retire_old_versions,
    rewrap_all,
    start_rotation,
)
from audit.encryption.witness import register_versions, require_same_keys
from audit.history import system_account
from audit.journal.models import Event
from pre_cases.models import Child
from referents.models import User
from tests.audit.encryption.installation import NOON, another_process, installed, kek_versions, key_provider
from tests.cast import make_child

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

ONE, TWO, THREE = (f"{number}:" + base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2, 3))
VARIABLE = "MARELLE_TEST_ROTATION"


class Killed(BaseException):
    pass


@pytest.fixture(autouse=True)
def time():
    with time_machine.travel(NOON, tick=False) as time:
        yield time


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, time):
    with installed(tmp_path / "key") as path:
        yield path


@pytest.fixture
def by() -> User:
    return system_account()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)


@pytest.fixture
def all_open(new_ring) -> Callable[[list[UUID]], bool]:
    """Whether every one of these keys opens, as a request that has just begun finds them."""

    def look(ids: list[UUID]) -> bool:
        with new_ring():
            load_keys(ids)
        return True

    return look


def said() -> list[tuple[str, list[str]]]:
    return [(event.detail["what"], event.record_ids) for event in Event.objects.filter(action="key_use").order_by("pk")]


class TestStartRotation:
    def test_adds_a_version_that_wraps_from_then_on(self, by: User):
        create_data_keys("child", 2)
        assert not is_rotating()
        assert start_rotation(by=by).version == 2
        assert is_rotating()
        create_data_key("child")
        assert sorted(DataKey.objects.values_list("kek_version", flat=True)) == [1, 1, 2]
        assert pending() == 2

    def test_twice_gives_the_same_unfinished_rotation(self, by: User):
        create_data_key("child")
        assert start_rotation(by=by) == start_rotation(by=by) == MasterKey.objects.get(version=2)
        assert provider().versions() == [1, 2]
        rewrap_all(by=by)
        assert start_rotation(by=by).version == 3

    def test_goes_on_with_a_version_added_by_a_process_killed_then(self, by: User, key_file: Path):
        create_data_key("child")
        another_process(key_file).add_version()
        with key_provider(f"file:{key_file}"):
            assert start_rotation(by=by).version == 2
            assert provider().versions() == [1, 2]

    def test_of_an_empty_keystore_has_nothing_to_wrap(self, by: User):
        assert start_rotation(by=by).version == 2
        assert not is_rotating()
        assert pending() == 0

    def test_is_journalled(self, by: User):
        create_data_key("child")
        start_rotation(by=by)
        assert said() == [("rotation_started", ["2"])]
        assert Event.objects.get(action="key_use").actor_id == by.pk

    def test_needs_the_key(self, by: User, key_file: Path):
        key_file.unlink()
        with pytest.raises(KeyProviderUnavailable):
            start_rotation(by=by)
        assert MasterKey.objects.count() == 1


@pytest.mark.usefixtures("small_batches")
class TestRewrapAll:
    def test_wraps_every_key_with_the_new_version(self, by: User, all_open):
        made = create_data_keys("child", 8)
        before = dict(DataKey.objects.values_list("key_id", "wrapped"))
        start_rotation(by=by)
        left: list[int] = []
        assert rewrap_all(by=by, say=left.append) == 0
        assert left == [5, 2, 0]
        assert kek_versions() == {2}
        assert all(bytes(row.wrapped) != bytes(before[row.key_id]) for row in DataKey.objects.all())
        assert not is_rotating()
        assert said() == [("rotation_started", ["2"]), ("rotation_done", ["2"])]
        assert all_open(made)

    def test_leaves_the_data_keys_as_they_are(self, by: User):
        create_data_keys("child", 4)
        before = {row.pk: unwrapped(row) for row in DataKey.objects.all()}
        start_rotation(by=by)
        rewrap_all(by=by)
        assert {row.pk: unwrapped(row) for row in DataKey.objects.all()} == before

    def test_wraps_every_version_of_a_data_key(self, by: User):
        key_id = create_data_key("child")
        other = provider().wrap(key_id, 2, b"k" * 32)
        DataKey.objects.create(key_id=key_id, version=2, kind="child", wrapped=other.data, kek_version=1)
        start_rotation(by=by)
        rewrap_all(by=by)
        assert unwrapped(DataKey.objects.get(key_id=key_id, version=2)) == b"k" * 32
        assert kek_versions() == {2}

    def test_killed_half_way_leaves_every_key_readable_and_goes_on(self, by: User, all_open):
        made = create_data_keys("child", 8)
        start_rotation(by=by)

        def kill(left: int) -> None:
            if left == 2:
                raise Killed

        with pytest.raises(Killed):
            rewrap_all(by=by, say=kill)
        assert sorted(DataKey.objects.values_list("kek_version", flat=True)) == [1, 1, 2, 2, 2, 2, 2, 2]
        assert (is_rotating(), pending()) == (True, 2)
        assert all_open(made)
        left: list[int] = []
        assert rewrap_all(by=by, say=left.append) == 0
        assert left == [0]
        assert (is_rotating(), kek_versions()) == (False, {2})
        assert all_open(made)

    def test_killed_inside_a_batch_leaves_it_to_the_next_run(self, by: User, monkeypatch: pytest.MonkeyPatch, all_open):
        made = create_data_keys("child", 5)
        start_rotation(by=by)
        seen = []

        def kill_at_the_fifth(row: DataKey) -> bytes:
            seen.append(row.pk)
            if len(seen) == 5:
                raise Killed
            return unwrapped(row)

        with monkeypatch.context() as patch:
            patch.setattr(rotation, "unwrapped", kill_at_the_fifth)
            with pytest.raises(Killed):
                rewrap_all(by=by)
        assert pending() == 2
        assert rewrap_all(by=by) == 0
        assert all_open(made)

    def test_leaves_a_destroyed_key_destroyed(self, by: User):
        made = create_data_keys("child", 8)
        start_rotation(by=by)
        assert rewrap_all(by=by, say=lambda left: destroy_data_keys([made[-1]])) == 0
        assert set(DataKey.objects.values_list("key_id", flat=True)) == set(made[:-1])
        assert Tombstone.objects.filter(key_id=made[-1]).exists()
        assert not is_rotating()

    def test_never_writes_a_key_destroyed_while_it_was_being_wrapped(self, by: User, monkeypatch: pytest.MonkeyPatch):
        made = create_data_keys("child", 2)
        start_rotation(by=by)

        def erase_meanwhile(row: DataKey) -> bytes:
            key = unwrapped(row)
            DataKey.objects.filter(key_id=made[0]).delete()
            return key

        monkeypatch.setattr(rotation, "unwrapped", erase_meanwhile)
        assert rewrap_all(by=by) == 0
        assert DataKey.objects.get().key_id == made[1]
        assert kek_versions() == {2}

    def test_catches_a_key_made_meanwhile_with_the_former_version(self, by: User, key_file: Path):
        """A web server holds the former version in memory for a minute, and its transaction may be a slow one."""
        slow = DataKey.objects.create(key_id=UUID(int=7), kind="child", wrapped=b"", kek_version=1)
        reserved, _ = slow.pk, slow.delete()
        create_data_keys("child", 4)
        server = another_process(key_file)
        server.wrap(UUID(int=7), 1, b"k" * 32)
        start_rotation(by=by)

        def write_the_slow_one(left: int) -> None:
            if not DataKey.objects.filter(pk=reserved).exists():
                wrapped = server.wrap(UUID(int=7), 1, b"k" * 32)
                assert wrapped.kek_version == 1
                DataKey.objects.create(
                    pk=reserved, key_id=UUID(int=7), kind="child", wrapped=wrapped.data, kek_version=1
                )

        assert rewrap_all(by=by, say=write_the_slow_one) == 0
        assert (kek_versions(), pending(), is_rotating()) == ({2}, 0, False)
        assert unwrapped(DataKey.objects.get(pk=reserved)) == b"k" * 32

    def test_does_no_harm_when_two_run_at_once(self, by: User, all_open):
        made = create_data_keys("child", 8)
        start_rotation(by=by)
        others: list[int] = []

        def another_run(left: int) -> None:
            if not others:
                others.append(rewrap_all(by=by, say=others.append))

        assert rewrap_all(by=by, say=another_run) == 0
        assert kek_versions() == {2}
        assert said().count(("rotation_done", ["2"])) == 1
        assert all_open(made)

    def test_never_writes_over_what_another_run_has_wrapped(self, by: User, monkeypatch: pytest.MonkeyPatch):
        create_data_key("child")
        start_rotation(by=by)

        def wrap_meanwhile(row: DataKey) -> bytes:
            DataKey.objects.update(wrapped=b"by the other run", kek_version=2)
            return b"k" * 32

        monkeypatch.setattr(rotation, "unwrapped", wrap_meanwhile)
        rewrap_all(by=by)
        assert bytes(DataKey.objects.get().wrapped) == b"by the other run"

    def test_counts_logs_and_keeps_a_key_that_does_not_open(self, by: User, caplog: pytest.LogCaptureFixture, all_open):
        good, bad = create_data_keys("child", 2)
        kept = bytes(DataKey.objects.get(key_id=bad).wrapped)
        DataKey.objects.filter(key_id=bad).update(wrapped=b"x" * 60)
        start_rotation(by=by)
        with caplog.at_level(logging.ERROR, logger="audit.encryption"):
            assert rewrap_all(by=by) == 1
        assert f"data key {bad} does not open with this key-encryption key: left as it is" in caplog.text
        assert is_rotating()
        row = DataKey.objects.get(key_id=bad)
        assert (bytes(row.wrapped), row.kek_version) == (b"x" * 60, 1)
        with pytest.raises(RotationNotOver):
            retire_old_versions(by=by)
        row.wrapped = kept  # from a backup
        row.save()
        assert rewrap_all(by=by) == 0
        assert not is_rotating()
        assert all_open([good, bad])

    def test_keeps_what_is_done_when_the_provider_goes_away(
        self, by: User, monkeypatch: pytest.MonkeyPatch, key_file: Path, time
    ):
        create_data_keys("child", 8)
        start_rotation(by=by)
        content = key_file.read_bytes()

        def take_away(left: int) -> None:
            key_file.unlink(missing_ok=True)
            time.shift(timedelta(minutes=1))

        with pytest.raises(KeyProviderUnavailable):
            rewrap_all(by=by, say=take_away)
        assert sorted(DataKey.objects.values_list("kek_version", flat=True)) == [1, 1, 1, 1, 1, 2, 2, 2]
        key_file.write_bytes(content)
        key_file.chmod(0o600)
        assert rewrap_all(by=by) == 0
        assert kek_versions() == {2}

    def test_gives_an_older_key_its_canary(self, by: User):
        create_data_keys("child", 2)
        DataKey.objects.update(canary=None)
        start_rotation(by=by)
        rewrap_all(by=by)
        rows = list(DataKey.objects.all())
        assert all(row.canary is not None and canary_sings(row, unwrapped(row)) for row in rows)

    def test_without_a_rotation_changes_nothing(self, by: User):
        create_data_key("child")
        before = list(DataKey.objects.values())
        assert rewrap_all(by=by) == 0
        assert list(DataKey.objects.values()) == before
        assert said() == []


class TestRetireOldVersions:
    def rotate(self, by: User) -> None:
        start_rotation(by=by)
        assert rewrap_all(by=by) == 0

    def test_refuses_before_every_key_is_wrapped_again(self, by: User, time, key_file: Path):
        create_data_key("child")
        start_rotation(by=by)
        time.shift(timedelta(minutes=10))
        with pytest.raises(RotationNotOver, match="pas encore enveloppées par la nouvelle version"):
            retire_old_versions(by=by)
        assert set(parsed(key_file.read_bytes(), "")) == {1, 2}

    @pytest.mark.parametrize(("waited", "left"), [(0, 121), (60, 61), (119, 2)])
    def test_refuses_while_a_process_may_hold_the_old_one_in_memory(
        self, by: User, time, key_file: Path, waited: int, left: int
    ):
        create_data_key("child")
        self.rotate(by)
        time.shift(timedelta(seconds=waited))
        with pytest.raises(RotationNotOver, match=f"peut être en mémoire : attendez {left} secondes"):
            retire_old_versions(by=by)
        assert set(parsed(key_file.read_bytes(), "")) == {1, 2}

    def test_removes_the_old_version_from_the_file(self, by: User, time, key_file: Path, all_open):
        made = create_data_keys("child", 3)
        backup = DataKey.objects.get(key_id=made[0])
        self.rotate(by)
        time.shift(timedelta(minutes=2))
        assert retire_old_versions(by=by) == [1]
        assert set(parsed(key_file.read_bytes(), "")) == {2}
        assert MasterKey.objects.get(version=1).retired_at is not None
        assert MasterKey.objects.get(version=2).retired_at is None
        assert said()[-1] == ("key_retired", ["1"])
        assert all_open(made)
        require_same_keys()
        with pytest.raises(UnreadableKey):
            unwrapped(backup)

    def test_says_that_the_rotation_goes_on_when_something_was_still_wrapped_with_the_old_one(
        self, by: User, time, key_file: Path
    ):
        server = another_process(key_file)
        wrapped = server.wrap(UUID(int=7), 1, b"k" * 32)
        create_data_key("child")
        self.rotate(by)
        DataKey.objects.create(key_id=UUID(int=7), kind="child", wrapped=wrapped.data, kek_version=1)
        time.shift(timedelta(minutes=2))
        with pytest.raises(RotationNotOver, match="1 clés sont encore enveloppées par une ancienne version"):
            retire_old_versions(by=by)
        assert is_rotating()
        assert set(parsed(key_file.read_bytes(), "")) == {1, 2}
        assert rewrap_all(by=by) == 0
        assert retire_old_versions(by=by) == [1]
        assert unwrapped(DataKey.objects.get(key_id=UUID(int=7))) == b"k" * 32

    def test_goes_on_after_a_kill(self, by: User, time, key_file: Path, monkeypatch: pytest.MonkeyPatch):
        create_data_key("child")
        self.rotate(by)
        time.shift(timedelta(minutes=2))
        with monkeypatch.context() as patch:
            patch.setattr(provider(), "remove_version", lambda version: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                retire_old_versions(by=by)
        assert set(parsed(key_file.read_bytes(), "")) == {1, 2}
        assert retire_old_versions(by=by) == [1]
        assert set(parsed(key_file.read_bytes(), "")) == {2}

    def test_has_nothing_to_do_without_an_old_version(self, by: User, time):
        create_data_key("child")
        time.shift(timedelta(minutes=2))
        assert retire_old_versions(by=by) == []
        self.rotate(by)
        time.shift(timedelta(minutes=2))
        assert [retire_old_versions(by=by), retire_old_versions(by=by)] == [[1], []]


class TestThreeRotationsInARow:
    def test_leave_every_value_readable_after_each(self, by: User, time, key_file: Path, new_ring):
        names = {make_child(name).pk: name for name in ("Inès", "Tom", "Zoé")}

        def readable() -> bool:
            with new_ring():
                children = list(Child.objects.all())
                load_keys_of(*children)
                return {child.pk: child.first_name for child in children} == names

        for version in (2, 3, 4):
            assert start_rotation(by=by).version == version
            assert readable()
            assert rewrap_all(by=by) == 0
            assert readable()
            time.shift(timedelta(minutes=2))
            assert retire_old_versions(by=by) == [version - 1]
            assert readable()
            names[make_child(f"Enfant {version}").pk] = f"Enfant {version}"
            assert readable()
            assert kek_versions() == {version}
            assert set(parsed(key_file.read_bytes(), "")) == {version}

    def test_may_skip_the_retirements(self, by: User, time, all_open):
        made = create_data_keys("child", 3)
        for _ in range(3):
            start_rotation(by=by)
            assert rewrap_all(by=by) == 0
        time.shift(timedelta(minutes=2))
        assert retire_old_versions(by=by) == [1, 2, 3]
        assert all_open(made)


class TestRotationOfAKeyInTheEnvironment:
    @pytest.fixture(autouse=True)
    def operator(self, monkeypatch: pytest.MonkeyPatch, key_file: Path):
        """Who changes the variable, and restarts the processes."""

        class Operator:
            def writes(self, *versions: str) -> None:
                monkeypatch.setenv(VARIABLE, " ".join(versions))
                providers._provider.cache_clear()  # a process started again

        with key_provider(f"env:{VARIABLE}"):
            operator = Operator()
            operator.writes(ONE)
            MasterKey.objects.all().delete()
            register_versions()
            yield operator

    def test_waits_for_the_operator_at_each_end(self, by: User, time, operator, all_open):
        made = create_data_keys("child", 3)
        with pytest.raises(KeySourceIsReadOnly, match="add « 2: »"):
            start_rotation(by=by)
        assert not is_rotating()
        operator.writes(ONE, TWO)
        assert start_rotation(by=by).version == 2
        assert is_rotating()
        assert rewrap_all(by=by) == 0
        assert kek_versions() == {2}
        time.shift(timedelta(minutes=2))
        with pytest.raises(KeySourceIsReadOnly, match="remove « 1: … »"):
            retire_old_versions(by=by)
        assert MasterKey.objects.get(version=1).retired_at is not None
        operator.writes(TWO)
        require_same_keys()
        assert retire_old_versions(by=by) == []
        assert all_open(made)

    def test_asks_for_the_next_version_the_next_time(self, by: User, operator):
        create_data_key("child")
        operator.writes(ONE, TWO)
        start_rotation(by=by)
        rewrap_all(by=by)
        with pytest.raises(KeySourceIsReadOnly, match="add « 3: »"):
            start_rotation(by=by)
        operator.writes(ONE, TWO, THREE)
        assert start_rotation(by=by).version == 3


class TestAnotherInstallationsKeyFile:
    """Put there by mistake: nothing is added to it, taken from it, or learned from it."""

    @pytest.fixture
    def wrong(self, by: User, time, key_file: Path, tmp_path: Path):
        create_data_keys("child", 3)
        start_rotation(by=by)
        rewrap_all(by=by)
        time.shift(timedelta(minutes=3))
        create_key_file(tmp_path / "wrong")
        with key_provider(f"file:{tmp_path / 'wrong'}"):
            yield tmp_path / "wrong"

    @pytest.mark.parametrize("change", [start_rotation, retire_old_versions, rewrap_all])
    def test_is_refused_and_left_as_it_is(self, by: User, wrong: Path, change):
        before = wrong.read_bytes()
        with pytest.raises(WrongMasterKey):
            change(by=by)
        assert wrong.read_bytes() == before
        assert list(MasterKey.objects.values_list("version", flat=True)) == [1, 2]

    def test_is_refused_when_it_is_an_old_copy(self, by: User, time, key_file: Path):
        old = key_file.read_bytes()
        create_data_keys("child", 3)
        start_rotation(by=by)
        rewrap_all(by=by)
        time.shift(timedelta(minutes=3))
        key_file.write_bytes(old)
        with pytest.raises(WrongMasterKey, match="Version 2 of the key-encryption key is missing"):
            retire_old_versions(by=by)
        assert key_file.read_bytes() == old


class TestAProcessThatStillHoldsTheOldVersion:
    def test_reads_the_new_one_before_it_wraps_anything_again(self, by: User, key_file: Path, all_open):
        ids = create_data_keys("child", 3)
        provider().wrap(ids[0], 1, b"k" * 32)  # version 1 is in memory
        other = another_process(key_file)
        assert other.add_version() == 2
        assert start_rotation(by=by).version == 2
        assert rewrap_all(by=by) == 0
        assert kek_versions() == {2}
        assert all_open(ids)

    def test_never_destroys_the_version_that_wraps(self, key_file: Path):
        with pytest.raises(KeySourceIsReadOnly, match="version 1 is the primary one"):
            provider().remove_version(1)
        assert provider().versions() == [1]
