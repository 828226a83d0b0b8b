"""No name, date or text of a child in what lies on a disk or travels; each sink with a control that would be caught."""

import io
import logging
import pickle
import re
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from celery.app.task import Task as CeleryTask
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import Parcours
from pre_cases.statistics.period import Period
from pre_cases.statistics.report import protected_report
from pre_cases.statistics.writing.archive import files_of, zip_of
from tests.cast import Cast
from tests.leaks.canaries import (
    DOCUMENT,
    DOCUMENT_CANARY,
    compressed,
    every_encrypted_field,
    found_in,
    planted,
    written_forms,
)

SOUGHT = "Recherché-Néanmoins"  # typed in every search


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    settings.SEALED_FILES_DIR = tmp_path / "files"
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)


@pytest.fixture
def garden(cast: Cast) -> tuple[Parcours, dict[str, str]]:
    return planted(cast)


def everything_stored() -> bytes:
    """All rows of all tables of both databases, as bytes: on SQLite the very pages of the file."""
    data = b""
    for alias in ("default", "keys"):
        database = connections[alias]
        if database.vendor == "sqlite":
            data += database.connection.serialize()
            continue
        with database.cursor() as cursor:
            for table in database.introspection.table_names(cursor):
                cursor.execute(f'SELECT t::text FROM "{table}" t')
                data += "\n".join(row[0] for row in cursor.fetchall()).encode()
    return data


def pages_about(parcours: Parcours) -> list[str]:
    """The addresses at which something of the parcours is shown or asked."""
    of_parcours = (
        "parcours_detail",
        "parcours_print",
        "parcours_close",
        "review_create",
        "bilan_write",
        "share_create",
    )
    of_parcours += ("objective_create", "task_create", "comment_create", "document_create", "agreement_withdraw")
    of_child = ("child_change", "adult_create", "residence_record", "schooling_record", "saisine_again")
    addresses = [reverse(f"pre_cases:{name}", args=[parcours.pk]) for name in of_parcours]
    addresses += [reverse(f"pre_cases:{name}", args=[parcours.child_id]) for name in (*of_child, "saisine_sibling")]
    addresses += [reverse("pre_cases:saisine_detail", args=[parcours.saisine_id])]
    return addresses + [reverse(f"pre_cases:{name}") for name in ("my_parcours", "my_tasks", "saisine_list")]


def visited(client: Client, parcours: Parcours) -> list[Any]:
    """Every page, a refused form, an exchange noted, searches, a document sent and read back."""
    answers = [client.get(address) for address in pages_about(parcours)]
    typed = {"kind": "phone", "with_whom": "family", "on": timezone.localdate(), "text": "canari-é-neuf"}
    entry = reverse("pre_cases:entry_create", args=[parcours.pk])
    answers += [client.post(entry, typed), client.post(entry, typed | {"on": "2030-01-01"})]
    answers.append(client.post(reverse("pre_cases:parcours_search"), {"name": SOUGHT}))
    who = {"first_name": SOUGHT, "family_name": SOUGHT, "birth_date": "", "team": parcours.team_id}
    answers.append(client.post(reverse("pre_cases:saisine_search"), who))
    sent = SimpleUploadedFile("canari-é-nom.pdf", DOCUMENT)
    address = reverse("pre_cases:document_create", args=[parcours.pk])
    answers.append(client.post(address, {"kind": "letter", "file": sent}))
    document = parcours.documents.order_by("-added_at").first()
    answers.append(client.get(reverse("pre_cases:document_download", args=[document.pk])))
    for answer in answers:
        answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answers


class TestScan:
    @pytest.mark.parametrize("encoding", written_forms("canari-é-1"))
    def test_finds_a_leak_in_each_encoding(self, encoding: str) -> None:
        for form in written_forms("canari-é-1")[encoding]:
            assert found_in(b"\0some bytes" + form + b"other bytes", ["canari-é-1", "autre-é-1"]) == {"canari-é-1"}

    def test_finds_a_leak_inside_a_compressed_stream(self) -> None:
        data = b"\x1f\x8b\x08 not one" + compressed("canari-é-1") + b"more"
        assert found_in(data, ["canari-é-1"]) == {"canari-é-1"}

    def test_finds_base64_wherever_it_begins(self) -> None:
        import base64

        for before in range(6):
            data = base64.b64encode(b"x" * before + "canari-é-1".encode() + b"after")
            assert found_in(data, ["canari-é-1"]) == {"canari-é-1"}, before


class TestCanaries:
    def test_are_planted_in_every_encrypted_field(self, garden) -> None:
        _, canaries = garden
        assert set(canaries) == every_encrypted_field()
        assert len(set(canaries.values())) == len(canaries) > 30


class TestDatabase:
    def test_holds_no_value_in_its_raw_bytes(self, garden, cast: Cast, signed_in) -> None:
        """Rows, history, sessions, drafts and journal, after a day's visits."""
        parcours, canaries = garden
        visited(signed_in(cast.benoit), parcours)
        assert found_in(everything_stored(), [*canaries.values(), SOUGHT, "canari-é-neuf", "canari-é-nom"]) == set()

    def test_would_be_caught_if_it_did(self, garden, cast: Cast) -> None:
        _, canaries = garden
        leak = canaries["child.first_name"]
        with acting_as(system_account()):
            cast.benoit.employer = leak
            cast.benoit.save()
        assert found_in(everything_stored(), canaries.values()) == {leak}


class TestFiles:
    def test_hold_nothing_of_a_document(self, garden, cast: Cast, signed_in, monkeypatch, tmp_path: Path) -> None:
        """Neither where documents are kept, nor in the temporary files of an upload, whose bytes are kept here."""
        parcours, _ = garden
        kept: list[Path] = []

        def never_deleted(*args: Any, **kwargs: Any) -> Any:
            file = tempfile.NamedTemporaryFile(delete=False, dir=tmp_path, suffix=".upload")  # noqa: SIM115
            kept.append(Path(file.name))
            return file

        monkeypatch.setattr("audit.encryption.files.upload.tempfile.TemporaryFile", never_deleted)
        answer = visited(signed_in(cast.benoit), parcours)[-1]
        assert answer.body == DOCUMENT
        paths = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(kept) == 1
        assert len(paths) == 3  # the planted document, the one sent, and its temporary file
        for path in paths:
            assert path.stat().st_size > len(DOCUMENT) // 2
            assert found_in(path.read_bytes(), [DOCUMENT_CANARY, "canari-é-nom"]) == set()

    def test_would_be_caught_if_they_did(self, garden, tmp_path: Path) -> None:
        (tmp_path / "leak").write_bytes(DOCUMENT)
        assert found_in((tmp_path / "leak").read_bytes(), [DOCUMENT_CANARY]) == {DOCUMENT_CANARY}


class TestWhatTravels:
    def test_holds_no_value(
        self, garden, cast: Cast, signed_in, caplog, monkeypatch, django_capture_on_commit_callbacks
    ) -> None:
        """Logs, journal, cookies, addresses, messages to the worker, cache and mails, after a day's visits."""
        parcours, canaries = garden
        sought = [*canaries.values(), SOUGHT, "canari-é-neuf", "canari-é-nom"]
        queued: list[Any] = []
        queue = CeleryTask.apply_async

        def remember(task: Any, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
            queued.append((task.name, args, kwargs, options))
            return queue(task, args, kwargs, **options)

        monkeypatch.setattr(CeleryTask, "apply_async", remember)
        client = signed_in(cast.benoit)
        with caplog.at_level(logging.DEBUG), django_capture_on_commit_callbacks(execute=True):
            answers = visited(client, parcours)
            elsewhere = signed_in(cast.chloe)  # of another team: the coordinations are told
            who = {"first_name": parcours.child.first_name, "family_name": parcours.child.family_name}
            elsewhere.post(reverse("pre_cases:saisine_search"), who | {"birth_date": "", "team": cast.team_b.pk})
        assert queued
        assert mail.outbox
        shown = b"".join(answer.body for answer in answers)
        assert canaries["entry.text"].encode() in shown  # it is there for who may read it
        sinks = {
            "logs": "\n".join(record.getMessage() + str(record.args) for record in caplog.records),
            "journal": str(list(Event.objects.values())),
            "cookies": str([answer.cookies.output() for answer in answers]) + str(client.cookies.output()),
            "headers": str([answer.headers for answer in answers if not answer.streaming]),
            "addresses": str(re.findall(r'(?:href|action|src)="([^"]*)"', shown.decode(errors="replace"))),
            "worker": str(queued),
            "mails": "".join(m.message().as_string() + m.subject + m.body for m in mail.outbox),
        }
        for sink, content in sinks.items():
            assert content, sink
            assert found_in(content.encode(), sought) == set(), sink
            assert found_in(f"{content} {sought[0]}".encode(), sought) == {sought[0]}  # the control
        assert found_in(pickle.dumps(getattr(cache, "_cache", {})), sought) == set()

    def test_holds_no_value_when_something_breaks(self, garden, monkeypatch, cast: Cast, signed_in, caplog) -> None:
        parcours, canaries = garden

        def broken(*args: object, **kwargs: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr("pre_cases.views.parcours.timeline_of", broken)
        client = signed_in(cast.benoit)
        client.raise_request_exception = False
        response = client.get(reverse("pre_cases:parcours_detail", args=[parcours.pk]))
        assert response.status_code == 500
        assert found_in(response.content, canaries.values()) == set()
        assert found_in(caplog.text.encode(), canaries.values()) == set()
        assert found_in(str(mail.outbox).encode(), canaries.values()) == set()


class TestWhatOthersReceive:
    def test_holds_no_value(self, garden) -> None:
        """The programme's files: every table of a year, as written."""
        _, canaries = garden
        year = timezone.localdate().year
        archive = zip_of(files_of(protected_report(Period.civil_year(year))))
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            for name in files.namelist():
                content = files.read(name)
                if name.endswith(".xlsx"):
                    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as book:
                        content = b"".join(book.read(part) for part in book.namelist())
                assert found_in(content, canaries.values()) == set(), name


class TestWords:
    def test_of_records_are_ids(self, garden) -> None:
        parcours, canaries = garden
        for record in (
            parcours,
            parcours.child,
            parcours.entries.get(),
            parcours.documents.get(),
            parcours.tasks.get(),
        ):
            assert found_in(f"{record} {record!r}".encode(), canaries.values()) == set()
            assert str(record.pk) in str(record)


def test_files_are_sealed_by_default() -> None:
    assert settings.FILE_UPLOAD_HANDLERS == ["audit.encryption.files.upload.SealedUploadHandler"]
