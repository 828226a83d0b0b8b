import errno
import io
import logging
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.test import RequestFactory

from audit.encryption.files.stream import CHUNK, BadFile
from audit.encryption.files.upload import NO_ROOM_LEFT, NOBODY, TOO_LARGE, SealedUpload, SealedUploadHandler

CANARY = "Zéphyrine-Canari"
ENCODINGS = ("utf-8", "latin-1", "utf-16-le")

requests: list[HttpRequest] = []


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    yield tmp_path
    while requests:
        requests.pop().close()  # as the server does once it has answered


@pytest.fixture(autouse=True)
def several_files(settings) -> None:
    """More than the application takes, to see that each is on its own."""
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 5


@pytest.fixture
def spools(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The temporary files made meanwhile."""
    made: list[Any] = []
    make = tempfile.TemporaryFile

    def note(*args: Any, **kwargs: Any) -> Any:
        made.append(make(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", note)
    return made


def content_of(size: int) -> bytes:
    """Bytes in which no two chunks are alike."""
    return b"".join(b"%015d\n" % number for number in range(size // 16 + 1))[:size]


def sent(*contents: bytes, **fields: str) -> HttpRequest:
    """As a browser sends a form with files."""
    files = {f"file{number}": SimpleUploadedFile(f"{number}.pdf", content) for number, content in enumerate(contents)}
    requests.append(RequestFactory().post("/", {**files, **fields}))
    return requests[-1]


def upload(content: bytes) -> SealedUpload:
    return sent(content).FILES["file0"]


def on_the_disk(spool: Any) -> bytes:
    """The very bytes of a file that has no name."""
    return Path(f"/proc/self/fd/{spool.fileno()}").read_bytes()


class TestSealedUpload:
    def test_is_what_the_settings_ask_for(self, settings):
        assert settings.FILE_UPLOAD_HANDLERS == ["audit.encryption.files.upload.SealedUploadHandler"]
        assert type(upload(b"hello")) is SealedUpload

    @pytest.mark.parametrize("size", [1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
    def test_reads_in_clear(self, size: int):
        file = upload(content_of(size))
        assert (file.size, file.failure, file.name) == (size, "", "0.pdf")
        assert file.read() == content_of(size)

    def test_of_an_empty_file_is_empty(self):
        file = upload(b"")
        assert (file.size, file.failure, file.read()) == (0, "", b"")

    def test_is_read_by_parts_and_from_any_place(self):
        plain = content_of(200_000)
        file = upload(plain)
        assert b"".join(file.chunks()) == b"".join(file.chunks()) == plain
        assert file.seek(CHUNK - 3) == CHUNK - 3
        assert file.read(6) == plain[CHUNK - 3 : CHUNK + 3]
        file.seek(-10, io.SEEK_END)
        assert file.read() == plain[-10:]

    def test_can_be_an_archive(self):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("content.xml", os.urandom(2 * CHUNK))
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        with zipfile.ZipFile(upload(target.getvalue())) as found:
            assert found.testzip() is None
            assert found.namelist() == ["content.xml", "mimetype"]

    def test_comes_with_the_other_fields(self):
        request = sent(b"one", content_of(100_000), kind="letter")
        assert request.POST["kind"] == "letter"
        assert [request.FILES[name].read() for name in ("file0", "file1")] == [b"one", content_of(100_000)]

    def test_altered_on_the_disk_is_refused(self, spools: list[Any]):
        file = upload(content_of(100_000))
        with Path(f"/proc/self/fd/{spools[0].fileno()}").open("r+b") as spool:
            spool.seek(500)
            spool.write(b"x")
        with pytest.raises(BadFile):
            file.read()

    def test_is_gone_with_the_request(self, spools: list[Any], folder: Path):
        request = sent(b"hello", b"good bye")
        assert len(request.FILES) == 2
        request.close()
        assert [spool.closed for spool in spools] == [True, True]
        assert list(folder.iterdir()) == []


class TestTemporaryFile:
    @pytest.fixture
    def plain(self) -> bytes:
        return b"".join(CANARY.encode(name) for name in ENCODINGS) * 2_000

    def test_never_holds_what_was_sent(self, spools: list[Any], plain: bytes, folder: Path):
        file = upload(plain)
        (spool,) = spools
        assert len(on_the_disk(spool)) > len(plain)
        assert [name for name in ENCODINGS if CANARY.encode(name) in on_the_disk(spool)] == []
        assert file.read() == plain
        assert [name for name in ENCODINGS if CANARY.encode(name) in on_the_disk(spool)] == []

    def test_never_holds_it_while_it_arrives(self, spools: list[Any], plain: bytes):
        handler = SealedUploadHandler(RequestFactory().get("/"))
        handler.new_file("file", "0.pdf", "application/pdf", len(plain))
        for start in range(0, len(plain), 10_000):
            handler.receive_data_chunk(plain[start : start + 10_000], start)
            spools[0].flush()
            assert not any(CANARY.encode(name) in on_the_disk(spools[0]) for name in ENCODINGS)
        assert on_the_disk(spools[0])
        handler.upload_interrupted()

    def test_would_be_caught_if_it_did(self, plain: bytes):
        """The control: Django's own handler writes what it receives."""
        handler = TemporaryFileUploadHandler(RequestFactory().get("/"))
        handler.new_file("file", "0.pdf", "application/pdf", len(plain))
        handler.receive_data_chunk(plain, 0)
        with handler.file_complete(len(plain)) as file:
            file.flush()
            assert all(CANARY.encode(name) in on_the_disk(file) for name in ENCODINGS)

    def test_has_no_name(self, spools: list[Any], folder: Path):
        file = upload(content_of(200_000))
        assert not spools[0].closed
        assert list(folder.iterdir()) == []
        file.close()

    def test_has_a_key_of_its_own(self, spools: list[Any]):
        request = sent(b"the same", b"the same")
        assert len(request.FILES) == 2
        assert on_the_disk(spools[0]) != on_the_disk(spools[1])


class TestTooLarge:
    @pytest.fixture(autouse=True)
    def limit(self, settings) -> None:
        settings.MAX_UPLOAD_BYTES = 100_000

    def test_begins_after_the_largest_size(self):
        assert upload(content_of(100_000)).failure == ""
        assert upload(content_of(100_001)).failure == TOO_LARGE

    def test_keeps_nothing_and_says_the_real_size(self, spools: list[Any]):
        file = upload(content_of(500_000))
        assert (file.failure, file.size, file.read()) == (TOO_LARGE, 500_000, b"")
        assert spools[0].closed

    def test_leaves_the_other_files_alone(self):
        request = sent(content_of(200_000), b"small", content_of(200_000))
        assert [request.FILES[f"file{number}"].failure for number in range(3)] == [TOO_LARGE, "", TOO_LARGE]
        assert request.FILES["file1"].read() == b"small"


class FullDisk(io.BytesIO):
    """A temporary file on a disk that has room for so many bytes."""

    def __init__(self, room: int, code: int = errno.ENOSPC) -> None:
        super().__init__()
        self.room, self.code = room, code

    def write(self, data: bytes) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(self.code, os.strerror(self.code))
        return super().write(data)


class TestNoRoom:
    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
    @pytest.mark.parametrize("room", [0, 1_000, CHUNK + 16, CHUNK + 100])
    def test_is_said_to_the_person_and_to_the_operator(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, room: int, code: int
    ):
        disk = FullDisk(room, code)
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: disk)
        with caplog.at_level(logging.ERROR, logger="audit.encryption"):
            file = upload(content_of(100_000))
        assert (file.failure, file.size, file.read()) == (NO_ROOM_LEFT, 100_000, b"")
        assert disk.closed
        assert f"no room left for temporary files ({os.strerror(code)})" in caplog.text
        assert "0.pdf" not in caplog.text

    def test_even_for_the_temporary_file_itself(self, monkeypatch: pytest.MonkeyPatch):
        def full(**options: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(tempfile, "TemporaryFile", full)
        request = sent(b"one", b"two")
        assert [request.FILES[f"file{number}"].failure for number in range(2)] == [NO_ROOM_LEFT, NO_ROOM_LEFT]

    def test_is_not_any_other_error(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: FullDisk(0, errno.EIO))
        with pytest.raises(OSError, match="Input/output error"):
            upload(content_of(100_000))

    def test_of_one_file_leaves_the_next_alone(self, monkeypatch: pytest.MonkeyPatch):
        disks = iter([FullDisk(10), io.BytesIO()])
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: next(disks))
        request = sent(content_of(1_000), b"small")
        assert [request.FILES[f"file{number}"].failure for number in range(2)] == [NO_ROOM_LEFT, ""]
        assert request.FILES["file1"].read() == b"small"


class TestUploadInterrupted:
    def test_closes_the_temporary_file(self, spools: list[Any]):
        handler = SealedUploadHandler(RequestFactory().get("/"))
        handler.new_file("file", "0.pdf", "application/pdf", 10)
        handler.receive_data_chunk(b"hel", 0)
        handler.upload_interrupted()
        assert spools[0].closed
        handler.upload_interrupted()

    def test_is_said_for_a_small_file_too(self, monkeypatch: pytest.MonkeyPatch):
        """Its bytes are still in the memory of the file when it is closed."""
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: open("/dev/full", "w+b"))  # noqa: SIM115
        assert upload(b"0123456789").failure == NO_ROOM_LEFT


class TestWhatIsRefusedAtOnce:
    def test_is_a_second_file(self, settings):
        settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1  # that of the application
        with pytest.raises(TooManyFilesSent):
            assert sent(b"one", b"two").FILES

    def test_is_a_request_larger_than_any_form(self, settings, spools: list[Any]):
        settings.MAX_UPLOAD_BYTES = 1_000
        assert upload(content_of(1_100_000)).failure == TOO_LARGE
        assert spools == []

    def test_is_what_nobody_sends(self, spools: list[Any]):
        request = sent(b"one")
        request.user = AnonymousUser()
        assert request.FILES["file0"].failure == NOBODY
        assert spools == []
