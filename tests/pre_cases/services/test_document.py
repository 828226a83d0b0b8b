"""Files of a parcours: judged, cleaned, encrypted, kept; and what is left when something stops on the way."""

import errno
import hashlib
import io
import logging
import os
from collections.abc import Callable
from contextvars import Context
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.encryption.files import store
from audit.encryption.files.store import open_file, path_of
from audit.encryption.files.stream import BadFile
from audit.encryption.keys import UnreadableValue, load_keys
from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import ContentType, Document, DocumentKind, Parcours
from pre_cases.services import document as service
from pre_cases.services.document import DocumentRefused, add_document, remove_document, sweep_files
from pre_cases.services.parcours import close_parcours
from pre_cases.services.preconditions import ParcoursIsClosed
from tests.cast import Cast
from tests.leaks.canaries import found_in
from tests.pre_cases.documents import samples

CANARY = b"canari-48.8925-2.3444"
FILES = {
    ContentType.PDF: samples.pdf(body=CANARY),
    ContentType.JPEG: samples.jpeg(samples.JFIF),
    ContentType.PNG: samples.png(),
    ContentType.ODT: samples.odt(),
    ContentType.DOCX: samples.docx(),
}
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the encrypted files of one test lie."""
    settings.SEALED_FILES_DIR = tmp_path / "files"
    return settings.SEALED_FILES_DIR


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def add(cast: Cast, content: bytes | BinaryIO = FILES[ContentType.PDF], **values: Any) -> Document:
    defaults = {
        "parcours": cast.ines_parcours,
        "kind": DocumentKind.AGREEMENT,
        "file": io.BytesIO(content) if isinstance(content, bytes) else content,
        "name": "Accord d’Inès.pdf",
        "by": cast.benoit,
    }
    return add_document(**(defaults | values))


def content_of(document: Document) -> bytes:
    with open_file(document.sealed) as file:
        return file.read()


def close(cast: Cast, parcours: Parcours) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=parcours, on=timezone.localdate(), reason=lost, by=cast.amina)


class TestAddDocument:
    @pytest.mark.parametrize("content_type", FILES, ids=lambda kind: kind.name)
    def test_keeps_each_format(self, cast: Cast, content_type: ContentType) -> None:
        document = Document.objects.get(pk=add(cast, FILES[content_type]).pk)
        assert document.content_type == content_type
        assert content_of(document) == FILES[content_type]
        assert document.size == len(FILES[content_type])
        assert document.digest == hashlib.sha256(FILES[content_type]).hexdigest()

    @pytest.mark.parametrize("kind", DocumentKind, ids=lambda kind: kind.name)
    def test_keeps_each_kind(self, cast: Cast, kind: DocumentKind) -> None:
        document = Document.objects.get(pk=add(cast, kind=kind).pk)
        assert (document.kind, document.parcours, document.author) == (kind, cast.ines_parcours, cast.benoit)
        assert document.data_key_id == cast.ines.data_key_id
        assert (document.removed_at, document.removal_reason) == (None, None)

    def test_keeps_a_safe_name_that_ends_as_the_content_does(self, cast: Cast) -> None:
        document = add(cast, FILES[ContentType.JPEG], name="..\\photos\\Inès\u202e.docx")
        assert Document.objects.get(pk=document.pk).name == "Inès.jpg"

    def test_keeps_a_photograph_without_what_it_says(self, cast: Cast) -> None:
        said = samples.jpeg(samples.exif(6, canary=CANARY), samples.segment(0xFE, CANARY), after=CANARY)
        document = add(cast, said)
        cleaned = samples.jpeg(samples.upright(6))
        assert content_of(document) == cleaned
        assert (document.size, document.digest) == (len(cleaned), hashlib.sha256(cleaned).hexdigest())

    def test_leaves_its_event_and_its_history(self, cast: Cast) -> None:
        document = add(cast)
        event = Event.objects.filter(action="create", kind="pre_cases.document").get()
        assert (event.record_ids, event.actor_id) == ([str(document.pk)], cast.benoit.pk)
        assert event.subject_id == cast.ines_parcours.pk
        assert [row.history_user_id for row in document.history.all()] == [cast.benoit.pk]

    def test_writes_nothing_in_clear(self, cast: Cast, folder: Path) -> None:
        content = samples.pdf(body=b"Zebulonne " + CANARY)
        add(cast, content, name="Quetzalcoatl.pdf", file=io.BytesIO(content))
        with connection.cursor() as cursor:
            stored = b""
            for table in ("pre_cases_document", "pre_cases_historicaldocument"):
                cursor.execute(f"SELECT name, digest FROM {table}")
                stored += b"".join(bytes(value) for value in cursor.fetchone())
        canaries = ["Quetzalcoatl", "Zebulonne", CANARY.decode(), hashlib.sha256(content).hexdigest()]
        assert found_in(stored, canaries) == set()
        (file,) = files_in(folder)
        assert found_in(file.read_bytes() + str(file).encode(), canaries) == set()

    def test_reads_the_file_from_its_beginning(self, cast: Cast) -> None:
        file = io.BytesIO(FILES[ContentType.PDF])
        file.seek(0, io.SEEK_END)
        assert content_of(add(cast, file)) == FILES[ContentType.PDF]

    def test_keeps_two_files_of_the_same_name(self, cast: Cast, folder: Path) -> None:
        assert add(cast).pk != add(cast).pk
        assert len(files_in(folder)) == 2


class TestADocumentRefused:
    def refused(self, cast: Cast, folder: Path, *args: Any, **values: Any) -> DocumentRefused:
        with pytest.raises(DocumentRefused) as refusal:
            add(cast, *args, **values)
        assert not Document.objects.exists()
        assert files_in(folder) == []
        return refusal.value

    @pytest.mark.parametrize(
        "content", [b"", b"<html>", b"MZ\x90\0", samples.docx({"word/vbaProject.bin": b"x"}), samples.xlsx()]
    )
    def test_is_not_of_an_accepted_format(self, cast: Cast, folder: Path, content: bytes) -> None:
        refusal = self.refused(cast, folder, content, name="accord.pdf")
        assert refusal.field == "file"
        assert str(refusal) == (
            "Ce fichier n’est pas accepté : choisissez un PDF, une image JPEG ou PNG, un texte ODT ou DOCX sans macros."
        )

    @pytest.mark.parametrize("content_type", [ContentType.JPEG, ContentType.PNG], ids=lambda kind: kind.name)
    def test_is_a_broken_picture(self, cast: Cast, folder: Path, content_type: ContentType) -> None:
        refusal = self.refused(cast, folder, FILES[content_type][:-1])
        assert refusal.field == "file"
        assert str(refusal) == "Ce fichier est abîmé : ouvrez-le et enregistrez-le à nouveau."

    def test_is_an_upload_that_was_altered_on_the_disk(self, cast: Cast, folder: Path) -> None:
        class Altered(io.BytesIO):
            reads = 0

            def read(self, size: int | None = -1) -> bytes:
                self.reads += 1
                if self.reads > 2:  # the first ones say the format
                    raise BadFile("chunk 1 is not the one that was written")
                return super().read(size)

        assert "abîmé" in str(self.refused(cast, folder, Altered(FILES[ContentType.PDF])))

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG], ids=errno.errorcode.get)
    def test_finds_no_room(
        self,
        cast: Cast,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        number: int,
    ) -> None:
        def full(self: Any, data: bytes) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(store.SealedWriter, "write", full)
        with caplog.at_level(logging.ERROR):
            refusal = self.refused(cast, folder, name="Accord d’Inès.pdf")
        assert refusal.field == "file"
        assert "plus de place" in str(refusal)
        assert "A document was refused" in caplog.text
        assert "Inès" not in caplog.text

    def test_comes_to_a_closed_parcours(self, cast: Cast, folder: Path) -> None:
        close(cast, cast.ines_parcours)
        with pytest.raises(ParcoursIsClosed, match="clos"):
            add(cast)
        assert not Document.objects.exists()
        assert files_in(folder) == []

    def test_is_one_too_many(self, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service, "MOST_DOCUMENTS", 1)
        first = add(cast)
        with pytest.raises(DocumentRefused, match="garde déjà 1 documents"):
            add(cast)
        assert files_in(folder) == [path_of(first.pk)]
        remove_document(document=first, reason="Doublon", by=cast.benoit)
        assert add(cast)

    def test_is_one_whose_row_fails(self, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: object, **kwargs: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(service, "record_change", broken)
        with pytest.raises(RuntimeError, match="broken"):
            add(cast)
        assert not Document.objects.exists()
        assert files_in(folder) == []

    def test_is_one_that_cannot_be_written(self, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(self: Any, data: bytes) -> None:
            raise PermissionError(errno.EACCES, "no")

        monkeypatch.setattr(store.SealedWriter, "write", forbidden)
        with pytest.raises(PermissionError):
            add(cast)
        assert files_in(folder) == []


class TestRemoveDocument:
    def test_destroys_the_file_and_keeps_the_row(
        self, cast: Cast, folder: Path, django_capture_on_commit_callbacks: Callable
    ) -> None:
        document = add(cast)
        with django_capture_on_commit_callbacks(execute=True):
            remove_document(document=document, reason="Fichier d’un autre enfant", by=cast.amina)
        assert files_in(folder) == []
        left = Document.objects.get(pk=document.pk)
        assert left.removed_at is not None
        assert (left.removal_reason, left.name, left.author) == (
            "Fichier d’un autre enfant",
            "Accord d’Inès.pdf",
            cast.benoit,
        )
        with pytest.raises(UnreadableValue):
            content_of(left)

    def test_leaves_its_event_and_its_history(self, cast: Cast) -> None:
        document = remove_document(document=add(cast), reason="Doublon", by=cast.amina)
        event = Event.objects.filter(action="delete", kind="pre_cases.document").get()
        assert (event.record_ids, event.actor_id) == ([str(document.pk)], cast.amina.pk)
        versions = document.history.order_by("history_id")
        assert [(row.history_user_id, row.removal_reason) for row in versions] == [
            (cast.benoit.pk, None),
            (cast.amina.pk, "Doublon"),
        ]

    def test_keeps_the_file_until_it_is_committed(self, cast: Cast, folder: Path) -> None:
        document = add(cast)
        remove_document(document=document, reason="Doublon", by=cast.benoit)
        assert files_in(folder) == [path_of(document.pk)]

    def test_leaves_the_other_files(
        self, cast: Cast, folder: Path, django_capture_on_commit_callbacks: Callable
    ) -> None:
        document, other = add(cast), add(cast)
        with django_capture_on_commit_callbacks(execute=True):
            remove_document(document=document, reason="Doublon", by=cast.benoit)
        assert files_in(folder) == [path_of(other.pk)]
        assert Document.objects.kept().get() == other

    def test_happens_once(self, cast: Cast) -> None:
        document = add(cast)
        remove_document(document=document, reason="Doublon", by=cast.benoit)
        with pytest.raises(DocumentRefused, match="déjà retiré"):
            remove_document(document=document, reason="Encore", by=cast.amina)
        assert Document.objects.get(pk=document.pk).removal_reason == "Doublon"

    def test_is_refused_on_a_closed_parcours(self, cast: Cast, folder: Path) -> None:
        document = add(cast)
        close(cast, cast.ines_parcours)
        with pytest.raises(ParcoursIsClosed):
            remove_document(document=document, reason="Doublon", by=cast.amina)
        assert files_in(folder) == [path_of(document.pk)]

    def test_is_always_for_a_reason(self, cast: Cast) -> None:
        document = add(cast)
        document.removed_at = timezone.now()
        with acting_as(system_account()), pytest.raises(IntegrityError), transaction.atomic():
            document.save()


class TestSweepFiles:
    def orphan(self, cast: Cast) -> Path:
        """A file whose row was never written, as a kill leaves it."""
        owner = store.Owner(Document.sealed_content, uuid7(), cast.ines.data_key_id)
        load_keys([cast.ines.data_key_id])
        store.write_file(owner, [b"x"])
        return path_of(owner.record_id)

    def swept(self, after: timedelta = DAY + timedelta(minutes=1)) -> int:
        with time_machine.travel(timezone.now() + after, tick=False):
            return Context().run(sweep_files)

    def test_deletes_a_file_that_no_document_names_after_a_day(self, cast: Cast, folder: Path) -> None:
        document, orphan = add(cast), self.orphan(cast)
        assert self.swept(timedelta(hours=23)) == 0
        assert orphan.exists()
        assert self.swept() == 1
        assert files_in(folder) == [path_of(document.pk)]
        assert self.swept() == 0

    def test_deletes_a_file_that_a_removal_left(self, cast: Cast, folder: Path) -> None:
        """Killed between its commit and the deletion of the file."""
        remove_document(document=add(cast), reason="Doublon", by=cast.benoit)
        assert self.swept() == 1
        assert files_in(folder) == []

    def test_deletes_what_a_killed_writing_left(self, cast: Cast, folder: Path) -> None:
        kept = path_of(add(cast).pk)
        aside = kept.with_name(f"{kept.name}.{uuid7().hex}.part")
        aside.write_bytes(b"x")
        self.swept(timedelta(hours=23))
        assert aside.exists()
        self.swept()
        assert files_in(folder) == [kept]

    def test_deletes_nothing_when_many_files_look_like_orphans(
        self, cast: Cast, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "SUSPECT_COUNT", 2)
        add(cast)
        for _ in range(3):
            self.orphan(cast)
        with caplog.at_level(logging.ERROR):
            assert self.swept() == 0
        assert "3 of 4 files are named by no document: nothing deleted" in caplog.text
        assert len(files_in(folder)) == 4

    def test_deletes_as_many_as_accidents_may_leave(
        self, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "SUSPECT_COUNT", 2)
        for _ in range(2):
            self.orphan(cast)
        assert self.swept() == 2

    def test_deletes_one_file_in_ten_of_a_large_store(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service, "SUSPECT_COUNT", 0)
        for _ in range(18):
            add(cast)
        for _ in range(2):
            self.orphan(cast)
        assert self.swept() == 2
        for _ in range(2):
            self.orphan(cast)
        self.orphan(cast)
        assert self.swept() == 0

    def test_leaves_what_is_no_file_of_a_document(self, cast: Cast, folder: Path) -> None:
        (folder / "ab").mkdir(parents=True)
        (folder / "ab" / "readme.txt").write_text("x")
        assert self.swept() == 0
        assert (folder / "ab" / "readme.txt").exists()

    def test_of_an_empty_store_does_nothing(self, db: None) -> None:
        assert sweep_files() == 0


class TestWhoReachesADocument:
    """Those who follow or coordinate the parcours; a share does not cover its documents."""

    def test_is_who_carries_the_parcours(self, cast: Cast) -> None:
        document = add(cast)
        reached = [person for person in cast if Document.objects.visible_to(person).filter(pk=document.pk).exists()]
        assert reached == [cast.amina, cast.benoit]
        assert [person for person in cast if Document.objects.editable_by(person).exists()] == reached

    def test_is_no_longer_anybody_once_it_is_removed(self, cast: Cast) -> None:
        remove_document(document=add(cast), reason="Doublon", by=cast.benoit)
        for person in cast:
            assert not Document.objects.visible_to(person).exists()
            assert not Document.objects.editable_by(person).exists()

    def test_is_only_to_read_once_the_parcours_is_closed(self, cast: Cast) -> None:
        add(cast)
        close(cast, cast.ines_parcours)
        assert Document.objects.visible_to(cast.amina).exists()
        assert not Document.objects.editable_by(cast.amina).exists()
