import errno
import hashlib
import io
import os
import re
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from audit.encryption import keys
from audit.encryption.envelope import BadEnvelope, Cipher
from audit.encryption.errors import KeyNotLoaded, UnreadableValue
from audit.encryption.files import store
from audit.encryption.files.store import (
    NoRoom,
    Owner,
    delete_files,
    kept_files,
    key_version_of,
    open_file,
    path_of,
    reader_of,
    reseal_file,
    write_file,
)
from audit.encryption.files.stream import CHUNK, SEALED_CHUNK
from audit.encryption.keys import create_data_key, destroy_data_keys

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

NAME = "document.content"
HEADER = 4 + 2 + 4 + 12 + 64 + 16  # magic, length, and the envelope of a key
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1]
CANARY = "Zéphyrine-Canari"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings) -> Path:
    settings.SEALED_FILES_DIR = tmp_path / "files"
    return settings.SEALED_FILES_DIR


@pytest.fixture
def owner(db) -> Owner:
    return Owner(NAME, uuid7(), create_data_key("child"))


def content_of(size: int) -> bytes:
    """Bytes in which no two chunks are alike."""
    return b"".join(b"%015d\n" % number for number in range(size // 16 + 1))[:size]


def read(owner: Owner) -> bytes:
    with open_file(owner) as reader:
        return reader.read()


def refused(owner: Owner) -> str:
    """What is said of a file that does not open; nothing of it was given."""
    with pytest.raises(UnreadableValue) as caught, open_file(owner):
        pytest.fail("the file was opened")
    assert str(owner.record_id) in str(caught.value)
    return caught.value.reason


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


class TestWriteFile:
    @pytest.mark.parametrize("size", SIZES)
    def test_keeps_what_was_written(self, owner: Owner, size: int):
        plain = content_of(size)
        stored = write_file(owner, [plain])
        assert (stored.size, stored.digest) == (size, hashlib.sha256(plain).hexdigest())
        assert read(owner) == plain

    @pytest.mark.parametrize("piece", [1, 1_000, CHUNK, CHUNK + 1, 200_000])
    def test_takes_parts_of_any_size(self, owner: Owner, piece: int):
        plain = content_of(CHUNK + 777 if piece > 1 else 777)
        write_file(owner, (plain[start : start + piece] for start in range(0, len(plain), piece)))
        assert read(owner) == plain

    def test_keeps_an_empty_file(self, owner: Owner):
        assert write_file(owner, []).size == 0
        assert read(owner) == b""
        assert path_of(owner.record_id).stat().st_size == HEADER + 16

    def test_replaces_what_was_there(self, owner: Owner, folder: Path):
        write_file(owner, [content_of(200_000)])
        write_file(owner, [b"shorter"])
        assert read(owner) == b"shorter"
        assert files_in(folder) == [owner.record_id.hex]

    def test_uses_a_key_for_each_file(self, owner: Owner):
        """The same content twice is not the same bytes."""
        write_file(owner, [b"hello"])
        first = path_of(owner.record_id).read_bytes()
        write_file(owner, [b"hello"])
        assert path_of(owner.record_id).read_bytes()[HEADER:] != first[HEADER:]

    def test_writes_nothing_in_clear(self, owner: Owner):
        plain = CANARY * 10_000
        write_file(owner, [plain.encode()])
        data = path_of(owner.record_id).read_bytes()
        assert data[:4] == b"MRL1"
        assert not any(CANARY.encode(name) in data for name in ("utf-8", "latin-1", "utf-16-le"))

    def test_lets_nobody_else_read(self, owner: Owner, folder: Path):
        before = os.umask(0)
        try:
            write_file(owner, [b"hello"])
        finally:
            os.umask(before)
        path = path_of(owner.record_id)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_names_a_file_after_its_record_only(self, owner: Owner, folder: Path):
        write_file(owner, [b"hello"])
        assert path_of(owner.record_id) == folder / owner.record_id.hex[-2:] / owner.record_id.hex

    @pytest.mark.parametrize("algorithm", ["aes-256-gcm", "aes-256-gcm-siv"])
    def test_seals_the_key_of_the_file_with_the_algorithm_in_use(self, owner: Owner, settings, algorithm: str):
        settings.ENVELOPE_ALGORITHM = algorithm
        write_file(owner, [b"hello"])
        settings.ENVELOPE_ALGORITHM = "aes-256-gcm"
        assert read(owner) == b"hello"
        assert path_of(owner.record_id).read_bytes()[7] == (1 if algorithm == "aes-256-gcm" else 2)

    def test_needs_a_loaded_key(self, folder: Path, new_ring):
        owner = Owner(NAME, uuid7(), create_data_key("child"))
        with new_ring(), pytest.raises(KeyNotLoaded):
            write_file(owner, [b"hello"])
        assert files_in(folder) == []

    def test_refuses_a_destroyed_key(self, owner: Owner, folder: Path):
        destroy_data_keys([owner.data_key_id])
        with pytest.raises(KeyNotLoaded, match="no longer exists"):
            write_file(owner, [b"hello"])
        assert files_in(folder) == []

    def test_leaves_the_old_file_when_the_parts_fail(self, owner: Owner, folder: Path):
        def broken() -> Iterator[bytes]:
            yield content_of(100_000)
            raise ZeroDivisionError

        write_file(owner, [b"the old one"])
        with pytest.raises(ZeroDivisionError):
            write_file(owner, broken())
        assert read(owner) == b"the old one"
        assert files_in(folder) == [owner.record_id.hex]

    def test_keeps_one_chunk_in_memory(self, owner: Owner):
        part = os.urandom(CHUNK)
        tracemalloc.start()
        try:
            write_file(owner, (part for _ in range(320)))
            with open_file(owner) as reader:
                assert sum(map(len, reader.chunks())) == reader.size == 20 * 1024 * 1024
            assert tracemalloc.get_traced_memory()[1] < 1_500_000
        finally:
            tracemalloc.stop()


KILLED = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
import django
django.setup()
from django.conf import settings
from audit.encryption import keys
from audit.encryption.envelope import Cipher
from audit.encryption.files.store import Owner, write_file
settings.SEALED_FILES_DIR = Path(sys.argv[1])
Path.replace = lambda aside, target: os.kill(os.getpid(), signal.SIGKILL)
with keys.key_ring():
    keys._ring.get()[UUID(int=2)] = {1: Cipher(b"k" * 32)}
    write_file(Owner("document.content", UUID(int=1), UUID(int=2)), [b"the new one"])
"""


class TestAProcessKilledWhileItWrites:
    def test_leaves_the_old_file(self, folder: Path, environment: dict[str, str]):
        owner = Owner(NAME, UUID(int=1), UUID(int=2))
        keys._ring.get()[owner.data_key_id] = {1: Cipher(b"k" * 32)}
        write_file(owner, [b"the old one"])
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder)]
        killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert read(owner) == b"the old one"
        assert {record_id for record_id, _ in kept_files()} == {owner.record_id}


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process can be larger: the system itself refuses the next byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


class TestWithoutRoomOnTheDisk:
    @pytest.mark.parametrize("room", [0, 10, HEADER + 10, SEALED_CHUNK + HEADER, SEALED_CHUNK + HEADER + 100])
    def test_nothing_is_kept(self, owner: Owner, folder: Path, room: int):
        with room_for(room), pytest.raises(NoRoom, match=f"No room left for a file in {folder}"):
            write_file(owner, [content_of(CHUNK + 200)])
        assert files_in(folder) == []

    def test_the_old_file_stays(self, owner: Owner, folder: Path):
        write_file(owner, [b"the old one"])
        with room_for(1_000), pytest.raises(NoRoom):
            write_file(owner, [content_of(100_000)])
        assert read(owner) == b"the old one"
        assert files_in(folder) == [owner.record_id.hex]

    @pytest.mark.parametrize("step", ["open", "fsync"])
    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
    def test_is_met_at_any_step(
        self, owner: Owner, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
    ):
        def full(*args: object) -> None:
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as patch:
            patch.setattr(os, step, full)
            with pytest.raises(NoRoom, match=os.strerror(code)):
                write_file(owner, [b"hello"])
        assert files_in(folder) == []

    @pytest.mark.parametrize("written", [0, 1, 2])
    def test_is_met_at_any_write(self, owner: Owner, folder: Path, monkeypatch: pytest.MonkeyPatch, written: int):
        private = store._private

        class Disk(io.RawIOBase):
            """Takes a few writes, then is full."""

            left = written

            def __init__(self, file: io.BufferedWriter) -> None:
                self.file = file

            def write(self, data: bytes) -> int:
                if not self.left:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self.left -= 1
                return self.file.write(data)

        @contextmanager
        def full(path: Path) -> Iterator[Disk]:
            with private(path) as file:
                yield Disk(file)

        monkeypatch.setattr(store, "_private", full)
        with pytest.raises(NoRoom, match="No space left on device"):
            write_file(owner, [content_of(3 * CHUNK)])
        assert files_in(folder) == []

    def test_is_not_any_other_error(self, owner: Owner, folder: Path, monkeypatch: pytest.MonkeyPatch):
        def broken(descriptor: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", broken)
            with pytest.raises(OSError, match="Input/output error"):
                write_file(owner, [b"hello"])
        assert files_in(folder) == []


class TestReaderOf:
    def test_gives_a_file_to_close_oneself(self, owner: Owner):
        write_file(owner, [b"hello"])
        reader = reader_of(owner)
        assert (reader.size, reader.read()) == (5, b"hello")
        reader.close()
        assert reader.closed

    def test_reads_from_any_place(self, owner: Owner):
        plain = content_of(3 * CHUNK)
        write_file(owner, [plain])
        with open_file(owner) as reader:
            for place in (0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 5, 3 * CHUNK - 1):
                reader.seek(place)
                assert reader.read(1) == plain[place : place + 1]

    def test_says_that_there_is_no_file(self, owner: Owner):
        assert refused(owner) == "its file: No such file or directory"

    def test_needs_a_loaded_key(self, owner: Owner, new_ring):
        write_file(owner, [b"hello"])
        with new_ring(), pytest.raises(KeyNotLoaded):
            reader_of(owner)

    def test_says_that_the_key_was_destroyed(self, owner: Owner):
        write_file(owner, [b"hello"])
        destroy_data_keys([owner.data_key_id])
        assert refused(owner) == "its file: the key does not exist in this version"

    def test_leaves_nothing_open_when_it_refuses(self, owner: Owner, new_ring):
        write_file(owner, [b"hello"])
        before = len(os.listdir("/proc/self/fd"))
        with new_ring(), pytest.raises(KeyNotLoaded):
            reader_of(owner)
        path_of(owner.record_id).write_bytes(b"MRL1")
        refused(owner)
        assert len(os.listdir("/proc/self/fd")) == before


class TestTampering:
    """Each is refused before the first byte is given."""

    @pytest.fixture
    def plain(self) -> bytes:
        return content_of(2 * CHUNK + 500)

    @pytest.fixture
    def kept(self, owner: Owner, plain: bytes) -> Path:
        write_file(owner, [plain])
        return path_of(owner.record_id)

    def test_with_any_byte_of_a_small_file_is_refused(self, owner: Owner):
        write_file(owner, [b"hello"])
        path = path_of(owner.record_id)
        data = path.read_bytes()
        assert len(data) == HEADER + 5 + 16
        for place in range(len(data)):
            altered = bytearray(data)
            altered[place] ^= 1
            path.write_bytes(altered)
            refused(owner)
        path.write_bytes(data)
        assert read(owner) == b"hello"

    @pytest.mark.parametrize(
        "place",
        [
            *(0, 4, 5, 6, 7, 8, 9, 10, 22, HEADER - 1),
            *(HEADER, HEADER + CHUNK, HEADER + SEALED_CHUNK - 1, HEADER + SEALED_CHUNK),
            *(HEADER + 2 * SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK + 499, -16, -1),
        ],
    )
    def test_with_a_byte_of_any_region_is_refused(self, owner: Owner, kept: Path, place: int):
        data = bytearray(kept.read_bytes())
        data[place] ^= 0x80
        kept.write_bytes(data)
        refused(owner)

    def test_with_the_order_of_chunks_is_refused(self, owner: Owner, kept: Path):
        data = kept.read_bytes()
        header, body = data[:HEADER], data[HEADER:]
        first, second, last = body[:SEALED_CHUNK], body[SEALED_CHUNK : 2 * SEALED_CHUNK], body[2 * SEALED_CHUNK :]
        for parts in (
            [second, first, last],
            [first, last],
            [second, last],
            [first, second],
            [last],
            [first, first, last],
            [first, second, second, last],
            [first, second, last, last],
            [first, second, last, first],
            [],
        ):
            kept.write_bytes(b"".join([header, *parts]))
            refused(owner)

    def test_by_cutting_it_is_refused(self, owner: Owner, kept: Path):
        data = kept.read_bytes()
        edges = [0, 4, 6, HEADER, HEADER + SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK, len(data)]
        sizes = {size for edge in edges for size in (edge - 17, edge - 16, edge - 1, edge, edge + 1, edge + 16)}
        for size in sizes:
            if 0 <= size < len(data):
                kept.write_bytes(data[:size])
                refused(owner)

    def test_by_cutting_a_small_file_anywhere_is_refused(self, owner: Owner):
        write_file(owner, [b"hello"])
        path = path_of(owner.record_id)
        data = path.read_bytes()
        for size in range(len(data)):
            path.write_bytes(data[:size])
            refused(owner)

    @pytest.mark.parametrize("added", [b"\0", bytes(16), bytes(SEALED_CHUNK)])
    def test_by_adding_something_is_refused(self, owner: Owner, kept: Path, added: bytes):
        kept.write_bytes(kept.read_bytes() + added)
        refused(owner)

    def test_with_the_last_chunk_of_another_file_is_refused(self, owner: Owner, kept: Path, plain: bytes):
        other = Owner(NAME, uuid7(), owner.data_key_id)
        write_file(other, [plain])
        end = path_of(other.record_id).read_bytes()[HEADER + 2 * SEALED_CHUNK :]
        kept.write_bytes(kept.read_bytes()[: HEADER + 2 * SEALED_CHUNK] + end)
        assert refused(owner) == "its file: chunk 2 is not the one that was written"

    def test_with_the_header_of_another_file_is_refused(self, owner: Owner, kept: Path, plain: bytes):
        other = Owner(NAME, uuid7(), owner.data_key_id)
        write_file(other, [plain])
        kept.write_bytes(path_of(other.record_id).read_bytes()[:HEADER] + kept.read_bytes()[HEADER:])
        assert refused(owner) == "its file: altered, or not from here"

    def test_with_the_file_of_another_record_is_refused(self, owner: Owner, kept: Path):
        """Of the same child, and so under the same key."""
        other = Owner(NAME, uuid7(), owner.data_key_id)
        path = path_of(other.record_id)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(kept.read_bytes())
        assert refused(other) == "its file: altered, or not from here"

    def test_with_a_former_file_of_the_same_record_changes_its_digest(self, owner: Owner, kept: Path):
        """A replay opens: the digest, sealed in the row, tells that it is not the content of now."""
        old = kept.read_bytes()
        stored = write_file(owner, [b"of now"])
        kept.write_bytes(old)
        assert hashlib.sha256(read(owner)).hexdigest() != stored.digest

    def test_under_another_key_is_refused(self, owner: Owner, kept: Path):
        other = Owner(NAME, owner.record_id, create_data_key("child"))
        assert refused(other) == "its file: altered, or not from here"

    def test_under_another_name_is_refused(self, owner: Owner, kept: Path):
        assert refused(Owner("document.name", owner.record_id, owner.data_key_id))

    @pytest.mark.parametrize(
        "content", [b"", b"MRL1", b"MRL1\0\0", b"MRL1\xff\xff", b"%PDF-1.7 in clear", bytes(1_000)]
    )
    def test_with_something_else_is_refused(self, owner: Owner, kept: Path, content: bytes):
        kept.write_bytes(content)
        refused(owner)


class TestResealFile:
    def test_moves_it_to_the_newest_version_of_its_key(self, owner: Owner):
        plain = content_of(2 * CHUNK + 3)
        write_file(owner, [plain])
        before = path_of(owner.record_id).read_bytes()
        ring = keys._ring.get()
        ring[owner.data_key_id] = {**ring[owner.data_key_id], 2: Cipher(b"k" * 32)}
        assert key_version_of(owner.record_id) == 1
        reseal_file(owner)
        assert key_version_of(owner.record_id) == 2
        del ring[owner.data_key_id][1]
        assert read(owner) == plain
        assert path_of(owner.record_id).read_bytes()[HEADER:] != before[HEADER:]

    def test_leaves_alone_a_file_that_does_not_open(self, owner: Owner, folder: Path):
        write_file(owner, [b"hello"])
        path = path_of(owner.record_id)
        broken = path.read_bytes()[:-1] + b"x"
        path.write_bytes(broken)
        with pytest.raises(UnreadableValue):
            reseal_file(owner)
        assert path.read_bytes() == broken
        assert files_in(folder) == [owner.record_id.hex]

    def test_leaves_the_old_file_without_room(self, owner: Owner):
        write_file(owner, [content_of(100_000)])
        with room_for(1_000), pytest.raises(NoRoom):
            reseal_file(owner)
        assert read(owner) == content_of(100_000)


class TestKeyVersionOf:
    def test_says_that_it_is_no_file_of_ours(self, owner: Owner):
        write_file(owner, [b"hello"])
        path_of(owner.record_id).write_bytes(b"%PDF-1.7")
        with pytest.raises(BadEnvelope, match="not an encrypted file of Marelle"):
            key_version_of(owner.record_id)


class TestKeptFiles:
    def test_names_the_records_and_the_time(self, owner: Owner):
        assert list(kept_files()) == []
        write_file(owner, [b"hello"])
        os.utime(path_of(owner.record_id), (1_000, 1_000))
        assert list(kept_files()) == [(owner.record_id, 1_000.0)]

    def test_leaves_out_what_is_no_file_of_a_record(self, owner: Owner, folder: Path):
        write_file(owner, [b"hello"])
        path = path_of(owner.record_id)
        for name in (f"{path.name}.{uuid4().hex}.part", "README", path.name.upper() + "0"):
            (path.parent / name).write_bytes(b"x")
        assert [record_id for record_id, _ in kept_files()] == [owner.record_id]


class TestDeleteFiles:
    def test_deletes_those_and_can_be_repeated(self, owner: Owner, folder: Path):
        other = Owner(NAME, uuid7(), owner.data_key_id)
        for each in (owner, other):
            write_file(each, [b"hello"])
        delete_files([owner.record_id, uuid4()])
        delete_files([owner.record_id])
        assert files_in(folder) == [other.record_id.hex]
        assert re.match("its file: No such file", refused(owner))
