import base64
import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from audit.encryption.errors import KeyProviderUnavailable, KeySourceIsReadOnly, UnreadableKey
from audit.encryption.providers import create_key_file
from audit.encryption.providers.secret import EnvironmentSource, FileSource, SecretProvider, parsed, written
from tests.audit.encryption.installation import NOON, another_process

KEY_ID = uuid4()
DATA_KEY = b"k" * 32
ONE, TWO, THREE = bytes(range(32)), b"2" * 32, b"3" * 32
VARIABLE = "MARELLE_TEST_ROTATED_KEY"


def in_base64(key: bytes) -> bytes:
    return base64.b64encode(key)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    create_key_file(path)
    return path


@pytest.fixture
def here(key_file: Path) -> SecretProvider:
    return another_process(key_file)


class TestParsed:
    def test_reads_a_key_without_a_version_as_the_first(self):
        assert parsed(in_base64(ONE) + b"\n", "The source") == {1: ONE}

    @pytest.mark.parametrize("separator", [b" ", b",", b"\n", b", ", b"\r\n", b"\n\n"])
    def test_reads_several_versions(self, separator: bytes):
        content = separator.join([b"3:" + in_base64(THREE), in_base64(ONE), b"2:" + in_base64(TWO)])
        assert parsed(content, "The source") == {1: ONE, 2: TWO, 3: THREE}

    @given(st.dictionaries(st.integers(1, 2**16 - 1), st.binary(min_size=32, max_size=32), min_size=1))
    def test_reads_what_is_written(self, keys: dict[int, bytes]):
        assert parsed(written(keys), "The source") == keys

    @pytest.mark.parametrize("content", [b"", b"\n", b" ,\r\n, "])
    def test_says_that_nothing_is_there(self, content: bytes):
        with pytest.raises(KeyProviderUnavailable, match=r"^The source must hold 32 bytes in base64; it is empty"):
            parsed(content, "The source")

    @pytest.mark.parametrize(
        "content",
        [
            in_base64(b"x" * 31),
            in_base64(b"x" * 33),
            in_base64(ONE)[:-1],
            b"2:",
            b"2:" + ONE,
            b"2:" + in_base64(TWO) + b"=",
            base64.urlsafe_b64encode(b"\xff" * 32),
            in_base64(ONE) + b"\nchange-me",
        ],
    )
    def test_says_that_something_is_no_key(self, content: bytes):
        with pytest.raises(KeyProviderUnavailable, match=r"^The source must hold 32 bytes in base64 for each version"):
            parsed(content, "The source")

    @pytest.mark.parametrize(
        "content",
        [
            b"0:" + in_base64(ONE),
            b"65536:" + in_base64(ONE),
            b"-1:" + in_base64(ONE),
            b"1.5:" + in_base64(ONE),
            b"two:" + in_base64(TWO),
            b"1:2:" + in_base64(TWO),
            "²:".encode() + in_base64(TWO),
            b"100000:" + in_base64(TWO),
        ],
    )
    def test_says_that_a_version_cannot_be(self, content: bytes):
        with pytest.raises(KeyProviderUnavailable, match=r"^The source names a version that cannot be"):
            parsed(content, "The source")

    @pytest.mark.parametrize(
        "content", [in_base64(ONE) + b"\n1:" + in_base64(TWO), b"1:" + in_base64(ONE) + b",01:" + in_base64(ONE)]
    )
    def test_says_that_a_version_stands_twice(self, content: bytes):
        with pytest.raises(KeyProviderUnavailable, match=r"^The source holds version 1 twice"):
            parsed(content, "The source")

    def test_never_shows_a_key(self):
        for content in (b"0:" + in_base64(TWO), in_base64(TWO) + b" " + in_base64(TWO), b"2:" + in_base64(TWO)[:-1]):
            with pytest.raises(KeyProviderUnavailable) as caught:
                parsed(content, "The source")
            assert in_base64(TWO)[:8].decode() not in str(caught.value)
            assert caught.value.__cause__ is None


class TestSeveralVersions:
    def test_wrap_with_the_newest_and_open_with_each(self, key_file: Path, here: SecretProvider):
        key_file.write_bytes(written({7: THREE, 2: TWO, 1: ONE}))
        assert here.versions() == [1, 2, 7]
        assert here.wrap(KEY_ID, 1, DATA_KEY).kek_version == 7
        for keys in ({1: ONE}, {1: ONE, 2: TWO}):
            key_file.write_bytes(written(keys))
            wrapped = another_process(key_file).wrap(KEY_ID, 1, DATA_KEY)
            assert here.unwrap(KEY_ID, 1, wrapped) == DATA_KEY

    def test_do_not_open_for_one_another(self, key_file: Path, here: SecretProvider):
        key_file.write_bytes(written({1: ONE, 2: TWO}))
        wrapped = here.wrap(KEY_ID, 1, DATA_KEY)
        with pytest.raises(UnreadableKey):
            here.unwrap(KEY_ID, 1, type(wrapped)(1, wrapped.data))

    def test_are_bound_to_their_number(self, key_file: Path, here: SecretProvider):
        """The same bytes under another number are another key."""
        wrapped = here.wrap(KEY_ID, 1, DATA_KEY)
        key_file.write_bytes(b"2:" + key_file.read_bytes())
        with pytest.raises(UnreadableKey):
            another_process(key_file).unwrap(KEY_ID, 1, type(wrapped)(2, wrapped.data))

    def test_added_by_another_process_are_found_at_once(self, key_file: Path, here: SecretProvider):
        with time_machine.travel(NOON, tick=False):
            here.wrap(KEY_ID, 1, DATA_KEY)  # the first version is in memory
            there = another_process(key_file)
            assert there.add_version() == 2
            assert here.unwrap(KEY_ID, 1, there.wrap(KEY_ID, 1, DATA_KEY)) == DATA_KEY
            assert here.wrap(KEY_ID, 1, DATA_KEY).kek_version == 2

    def test_added_by_another_process_wrap_after_a_minute_at_most(self, key_file: Path, here: SecretProvider):
        with time_machine.travel(NOON, tick=False) as time:
            here.wrap(KEY_ID, 1, DATA_KEY)
            another_process(key_file).add_version()
            time.shift(timedelta(seconds=59))
            assert here.wrap(KEY_ID, 1, DATA_KEY).kek_version == 1
            time.shift(timedelta(seconds=1))
            assert here.wrap(KEY_ID, 1, DATA_KEY).kek_version == 2

    def test_removed_by_another_process_are_forgotten_after_a_minute(self, key_file: Path, here: SecretProvider):
        with time_machine.travel(NOON, tick=False) as time:
            old = here.wrap(KEY_ID, 1, DATA_KEY)
            there = another_process(key_file)
            there.add_version()
            there.remove_version(1)
            with pytest.raises(UnreadableKey):
                there.unwrap(KEY_ID, 1, old)
            time.shift(timedelta(seconds=59))
            assert here.unwrap(KEY_ID, 1, old) == DATA_KEY
            time.shift(timedelta(seconds=1))
            with pytest.raises(UnreadableKey):
                here.unwrap(KEY_ID, 1, old)

    def test_that_nobody_has_are_looked_for_in_the_source(self, key_file: Path, here: SecretProvider):
        wrapped = here.wrap(KEY_ID, 1, DATA_KEY)
        with pytest.raises(UnreadableKey):
            here.unwrap(KEY_ID, 1, type(wrapped)(9, wrapped.data))
        key_file.unlink()
        with pytest.raises(KeyProviderUnavailable):
            here.unwrap(KEY_ID, 1, type(wrapped)(9, wrapped.data))

    def test_in_memory_are_not_asked_by_versions(self, key_file: Path, here: SecretProvider):
        here.wrap(KEY_ID, 1, DATA_KEY)
        another_process(key_file).add_version()
        assert here.versions() == [1, 2]
        key_file.unlink()
        with pytest.raises(KeyProviderUnavailable):
            here.versions()


class TestAddVersion:
    def test_keeps_the_former_and_wraps_with_the_new_one(self, key_file: Path, here: SecretProvider):
        former = parsed(key_file.read_bytes(), "")
        old = here.wrap(KEY_ID, 1, DATA_KEY)
        assert [here.add_version(), here.add_version()] == [2, 3]
        keys = parsed(key_file.read_bytes(), "")
        assert keys[1] == former[1]
        assert len(set(keys.values())) == 3
        assert here.wrap(KEY_ID, 1, DATA_KEY).kek_version == 3
        assert here.unwrap(KEY_ID, 1, old) == DATA_KEY

    def test_leaves_the_file_to_its_owner_only(self, key_file: Path, here: SecretProvider):
        before = os.umask(0)
        try:
            here.add_version()
        finally:
            os.umask(before)
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        assert [path.name for path in key_file.parent.iterdir()] == ["key"]

    def test_by_two_processes_at_once_makes_one_key(self, key_file: Path):
        """Both read version 1; the second to write finds what the first has written."""
        source = FileSource(key_file)
        source.add(2, TWO)
        source.add(2, THREE)
        assert parsed(key_file.read_bytes(), "")[2] == TWO

    def test_by_many_at_once_loses_none(self, key_file: Path):
        with ThreadPoolExecutor(8) as threads:
            made = set(threads.map(lambda _: another_process(key_file).add_version(), range(8)))
        assert made <= set(parsed(key_file.read_bytes(), ""))
        assert max(made) == another_process(key_file).versions()[-1]

    def test_refuses_when_every_number_is_used(self, key_file: Path, here: SecretProvider):
        key_file.write_bytes(written({2**16 - 1: ONE}))
        with pytest.raises(KeySourceIsReadOnly, match="has used every version"):
            here.add_version()
        assert here.versions() == [2**16 - 1]

    def test_on_a_full_disk_leaves_the_old_file(
        self, key_file: Path, here: SecretProvider, monkeypatch: pytest.MonkeyPatch
    ):
        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        before = key_file.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(KeySourceIsReadOnly, match="key cannot be written: No space left on device"):
                here.add_version()
        assert key_file.read_bytes() == before
        assert here.add_version() == 2

    def test_needs_a_file_that_can_be_read(self, key_file: Path, here: SecretProvider):
        key_file.write_bytes(b"broken")
        with pytest.raises(KeyProviderUnavailable):
            here.add_version()
        assert key_file.read_bytes() == b"broken"


KILLED = """
import os, signal, sys
from pathlib import Path
from audit.encryption.providers.secret import FileSource, SecretProvider
Path.replace = lambda aside, target: os.kill(os.getpid(), signal.SIGKILL)
SecretProvider(FileSource(sys.argv[1])).add_version()
"""


class TestAProcessKilledWhileItAddsAVersion:
    def test_leaves_the_old_file_and_the_next_one_adds_it(
        self, key_file: Path, here: SecretProvider, environment: dict[str, str]
    ):
        before = key_file.read_bytes()
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(key_file)]
        killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert key_file.read_bytes() == before
        assert {path.name for path in key_file.parent.iterdir()} == {"key", "key.new"}
        assert here.add_version() == 2
        assert {path.name for path in key_file.parent.iterdir()} == {"key"}


class TestRemoveVersion:
    def test_leaves_the_others(self, key_file: Path, here: SecretProvider):
        key_file.write_bytes(written({1: ONE, 2: TWO, 3: THREE}))
        here.remove_version(2)
        assert parsed(key_file.read_bytes(), "") == {1: ONE, 3: THREE}
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600

    def test_can_be_repeated(self, key_file: Path, here: SecretProvider):
        key_file.write_bytes(written({1: ONE, 2: TWO}))
        here.remove_version(1)
        here.remove_version(1)
        assert here.versions() == [2]


class TestFileSource:
    def test_refuses_what_is_not_a_file(self):
        with pytest.raises(KeyProviderUnavailable, match="The key file /dev/null is not a regular file"):
            FileSource("/dev/null").read()

    def test_says_why_it_cannot_be_written(self, tmp_path: Path):
        with pytest.raises(KeySourceIsReadOnly, match="absent/key cannot be written: No such file or directory"):
            FileSource(tmp_path / "absent" / "key").add(2, TWO)


class TestEnvironmentSource:
    @pytest.fixture
    def here(self, monkeypatch: pytest.MonkeyPatch) -> SecretProvider:
        monkeypatch.setenv(VARIABLE, in_base64(ONE).decode())
        return SecretProvider(EnvironmentSource(VARIABLE))

    def test_refuses_to_add_and_says_how_to(self, here: SecretProvider):
        with pytest.raises(KeySourceIsReadOnly) as caught:
            here.add_version()
        said = str(caught.value)
        assert said.startswith(f"The environment variable {VARIABLE} is not written by Marelle: add « 2: »")
        assert "openssl rand -base64 32" in said
        assert "restart the web servers and the workers" in said
        assert here.versions() == [1]

    def test_refuses_to_remove_and_says_how_to(self, here: SecretProvider, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv(VARIABLE, f"{in_base64(ONE).decode()} 2:{in_base64(TWO).decode()}")
        with pytest.raises(KeySourceIsReadOnly, match=r"is not written by Marelle: remove « 1: … » from it"):
            here.remove_version(1)
        assert here.versions() == [1, 2]

    def test_takes_the_version_that_the_operator_adds(self, here: SecretProvider, monkeypatch: pytest.MonkeyPatch):
        old = here.wrap(KEY_ID, 1, DATA_KEY)
        monkeypatch.setenv(VARIABLE, f"{in_base64(ONE).decode()} 2:{in_base64(TWO).decode()}")
        restarted = SecretProvider(EnvironmentSource(VARIABLE))
        new = restarted.wrap(KEY_ID, 1, DATA_KEY)
        assert new.kek_version == 2
        assert restarted.unwrap(KEY_ID, 1, old) == here.unwrap(KEY_ID, 1, new) == DATA_KEY
