"""Files of a parcours on their pages: added, listed, given back whole or not at all, and taken away."""

import errno
import os
from collections.abc import Callable
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from audit.encryption.files import store, upload
from audit.encryption.files.store import path_of, write_file
from audit.encryption.files.stream import CHUNK
from audit.encryption.keys import load_keys
from audit.journal.models import Event
from partners.models import Term
from pre_cases.forms.document import LARGEST
from pre_cases.models import Document, Parcours
from pre_cases.services.document import NO_ROOM, remove_document
from pre_cases.services.parcours import close_parcours
from referents.models import User
from tests.cast import PDF, Cast, make_document
from tests.pre_cases.documents import samples
from tests.pre_cases.views.reach import assert_hidden, url
from tests.queries import queries_of

LONG = samples.pdf(body=b"canari-du-document " * (3 * CHUNK // 19))  # four chunks
NAME = "Accord d’Inès.pdf"
PICTURE = samples.jpeg(samples.JFIF)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the encrypted files of one test lie."""
    settings.SEALED_FILES_DIR = tmp_path / "files"
    return settings.SEALED_FILES_DIR


@pytest.fixture
def document(cast: Cast) -> Document:
    return make_document(cast.ines_parcours, cast.benoit, content=LONG, name=NAME)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def send(client: Client, parcours: Parcours, content: bytes = PDF, name: str = NAME, **typed: Any) -> Any:
    sent = {"kind": "letter", "file": SimpleUploadedFile(name, content, content_type="text/html")} | typed
    return client.post(url("document_create", parcours.pk), sent)


def download(client: Client, document: Document) -> Any:
    """As a server answers: the body is read once the view, and its keys, are gone."""
    return Context().run(client.get, url("document_download", document.pk))


def body(response: Any) -> bytes:
    """What was sent; once it is read the client closes the file, as a server does."""
    return b"".join(response.streaming_content)


def page(client: Client, parcours: Parcours) -> str:
    response = client.get(url("parcours_detail", parcours.pk))
    assert response.status_code == 200
    return response.content.decode()


def close(cast: Cast, parcours: Parcours) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=parcours, on=timezone.localdate(), reason=lost, by=cast.amina)


def who_carry(cast: Cast) -> tuple[User, User]:
    """The référent of Inès and the coordination of her team."""
    return cast.benoit, cast.amina


class TestDocumentCreate:
    def test_keeps_the_file_and_lists_it(self, cast: Cast, signed_in) -> None:
        for person in who_carry(cast):
            client = signed_in(person)
            response = send(client, cast.ines_parcours, name=f"De {person.first_name}.pdf")
            assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
            document = Document.objects.get(author=person)
            assert (document.kind, document.name, document.size) == ("letter", f"De {person.first_name}.pdf", len(PDF))
            listed = page(client, cast.ines_parcours)
            assert "Le document est gardé." in listed
            assert f"De {person.first_name}.pdf</a>" in listed
            assert url("document_download", document.pk) in listed
            assert url("document_remove", document.pk) in listed

    def test_takes_what_a_file_is_from_its_content(self, cast: Cast, signed_in) -> None:
        send(signed_in(cast.benoit), cast.ines_parcours, PICTURE, name="../photo.docx")
        document = Document.objects.get()
        assert (document.name, document.content_type) == ("photo.jpg", "image/jpeg")

    def test_leaves_no_other_file_on_the_disk(self, cast: Cast, signed_in, folder: Path, tmp_path: Path) -> None:
        send(signed_in(cast.benoit), cast.ines_parcours, LONG)
        assert files_in(tmp_path) == files_in(folder) == [path_of(Document.objects.get().pk)]

    def test_asks_for_a_file_in_parts(self, cast: Cast, signed_in) -> None:
        text = signed_in(cast.benoit).get(url("document_create", cast.ines_parcours.pk)).content.decode()
        assert 'enctype="multipart/form-data"' in text
        assert f"{LARGEST} Mo au plus" in text

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "document_create", cast.ines_parcours.pk)
            assert send(signed_in(person), cast.ines_parcours).status_code == 404
        assert not Document.objects.exists()


class TestAFileRefused:
    """422, the sentence beside the field, and nothing kept."""

    def refused(self, client: Client, parcours: Parcours, *args: Any, **typed: Any) -> str:
        response = send(client, parcours, *args, **typed)
        assert response.status_code == 422
        assert not Document.objects.exists()
        (sentence,) = response.context["form"].errors["file"]
        text = response.content.decode()
        assert f'<div class="field-error" id="id_file_error"><p>{sentence}</p></div>' in text
        assert 'aria-describedby="id_file_helptext id_file_error"' in text
        assert "Le fichier n’a pas été gardé : choisissez-le à nouveau." in text
        assert '<option value="letter" selected>' in text
        return str(sentence)

    def test_is_too_large(self, cast: Cast, signed_in, settings, folder: Path) -> None:
        settings.MAX_UPLOAD_BYTES = len(PDF) - 1
        sentence = self.refused(signed_in(cast.benoit), cast.ines_parcours)
        assert sentence == f"Ce fichier dépasse {LARGEST} Mo : réduisez-le ou envoyez-en une partie."
        assert files_in(folder) == []

    def test_may_be_as_large_as_is_said(self, cast: Cast, signed_in, settings) -> None:
        settings.MAX_UPLOAD_BYTES = len(PDF)
        assert send(signed_in(cast.benoit), cast.ines_parcours).status_code == 302

    @pytest.mark.parametrize("content", [b"<html><script>", b"MZ\x90\0", samples.xlsx(), PDF[:-9]], ids=len)
    def test_is_not_what_its_name_says(self, cast: Cast, signed_in, folder: Path, content: bytes) -> None:
        sentence = self.refused(signed_in(cast.benoit), cast.ines_parcours, content, name="accord.pdf")
        assert sentence.startswith("Ce fichier n’est pas accepté : choisissez un PDF, une image JPEG ou PNG,")
        assert files_in(folder) == []

    def test_is_a_broken_picture(self, cast: Cast, signed_in, folder: Path) -> None:
        sentence = self.refused(signed_in(cast.benoit), cast.ines_parcours, PICTURE[:-2], name="photo.jpg")
        assert sentence == "Ce fichier est abîmé : ouvrez-le et enregistrez-le à nouveau."
        assert files_in(folder) == []

    def test_is_empty_or_was_forgotten(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert self.refused(client, cast.ines_parcours, b"") == "Ce fichier est vide."
        assert self.refused(client, cast.ines_parcours, file="") == "Choisissez un fichier."

    def test_finds_no_room_while_it_arrives(self, cast: Cast, signed_in, monkeypatch, folder: Path) -> None:
        def full(self: Any, data: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(upload.SealedWriter, "write", full)
        assert self.refused(signed_in(cast.benoit), cast.ines_parcours) == NO_ROOM
        assert files_in(folder) == []

    def test_finds_no_room_where_it_is_kept(self, cast: Cast, signed_in, monkeypatch, folder: Path) -> None:
        def full(*args: object) -> None:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

        monkeypatch.setattr(store, "_write", full)
        assert self.refused(signed_in(cast.benoit), cast.ines_parcours) == NO_ROOM
        assert files_in(folder) == []

    def test_has_no_kind(self, cast: Cast, signed_in, folder: Path) -> None:
        response = send(signed_in(cast.benoit), cast.ines_parcours, kind="")
        assert (response.status_code, list(response.context["form"].errors)) == (422, ["kind"])
        assert files_in(folder) == []


class TestDocumentDownload:
    def test_gives_the_file_back(self, cast: Cast, signed_in, document: Document) -> None:
        for person in who_carry(cast):
            assert body(download(signed_in(person), document)) == LONG

    def test_is_an_attachment_under_its_name(self, cast: Cast, signed_in, document: Document) -> None:
        response = download(signed_in(cast.benoit), document)
        assert response["Content-Disposition"] == "attachment; filename*=utf-8''Accord%20d%E2%80%99In%C3%A8s.pdf"
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Length"] == str(len(LONG))
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in response["Cache-Control"]
        assert body(response) == LONG

    def test_leaves_its_event(self, cast: Cast, signed_in, document: Document) -> None:
        assert body(download(signed_in(cast.amina), document)) == LONG
        event = Event.objects.get(action="download")
        assert (event.kind, event.record_ids) == ("pre_cases.document", [str(document.pk)])
        assert (event.actor_id, event.subject_id) == (cast.amina.pk, cast.ines_parcours.pk)

    def test_is_hidden_from_who_does_not_carry_the_parcours(self, cast: Cast, signed_in, document: Document) -> None:
        for person in (cast.chloe, cast.david, cast.esther, cast.gaelle):
            assert_hidden(signed_in(person), "document_download", document.pk, ("get",))
        assert not Event.objects.filter(action="download").exists()
        refusal = Event.objects.filter(action="refusal", actor_id=cast.david.pk).first()
        assert (refusal.record_ids, refusal.detail) == ([str(document.pk)], {"asked": "download"})

    def test_is_hidden_once_the_document_is_removed(self, cast: Cast, signed_in, document: Document) -> None:
        remove_document(document=document, reason="Doublon", by=cast.benoit)
        for person in who_carry(cast):
            assert_hidden(signed_in(person), "document_download", document.pk, ("get",))


class TestAFileTamperedWith:
    """Somebody has written in the folder of the files: nothing of it leaves, and the journal says so."""

    @pytest.fixture
    def client(self, cast: Cast, signed_in) -> Client:
        return signed_in(cast.benoit)

    def assert_refused(self, client: Client, document: Document) -> None:
        response = download(client, document)
        assert response.status_code == 503
        assert not response.streaming
        assert "Content-Disposition" not in response
        text = response.content.decode()
        assert "canari" not in text
        assert "%PDF" not in text
        assert NAME not in text
        assert "Cette page ne peut pas être montrée" in text
        event = Event.objects.filter(action="refusal").latest("pk")
        assert (event.record_ids, event.detail) == ([str(document.pk)], {"unreadable": "document.content"})

    def test_in_one_byte_is_refused(self, client: Client, document: Document) -> None:
        path = path_of(document.pk)
        whole = path.read_bytes()
        for place in (0, 5, 10, 60, len(whole) // 2, len(whole) - CHUNK, len(whole) - 1):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            self.assert_refused(client, document)
        path.write_bytes(whole)
        assert body(download(client, document)) == LONG

    def test_by_a_cut_is_refused(self, client: Client, document: Document) -> None:
        path = path_of(document.pk)
        whole = path.read_bytes()
        start = len(whole) - len(LONG) - 4 * 16  # the head of the file
        for size in (0, 3, 10, start, start + CHUNK + 16, start + 2 * (CHUNK + 16), len(whole) - 1):
            path.write_bytes(whole[:size])
            self.assert_refused(client, document)

    def test_by_more_bytes_is_refused(self, client: Client, document: Document) -> None:
        path = path_of(document.pk)
        path.write_bytes(path.read_bytes() + b"x")
        self.assert_refused(client, document)

    def test_by_its_chunks_put_in_another_order_is_refused(self, client: Client, document: Document) -> None:
        path, size = path_of(document.pk), CHUNK + 16
        whole = path.read_bytes()
        start = len(whole) - len(LONG) - 4 * 16
        first, second = whole[start : start + size], whole[start + size : start + 2 * size]
        path.write_bytes(whole[:start] + second + first + whole[start + 2 * size :])
        self.assert_refused(client, document)

    def test_by_the_file_of_another_document_is_refused(self, cast: Cast, client: Client, document: Document) -> None:
        """Of the same child, under the same key, and of another one."""
        other = make_document(cast.ines_parcours, cast.benoit, name="autre.pdf")
        stranger = make_document(cast.tom_parcours, cast.chloe, name="autre.pdf")
        mine, theirs = path_of(document.pk).read_bytes(), path_of(other.pk).read_bytes()
        path_of(document.pk).write_bytes(theirs)
        path_of(other.pk).write_bytes(mine)
        for swapped in (document, other):
            self.assert_refused(client, swapped)
        path_of(document.pk).write_bytes(path_of(stranger.pk).read_bytes())
        self.assert_refused(client, document)

    def test_by_a_former_file_of_its_own_is_refused(self, client: Client, document: Document) -> None:
        """Sealed for this very document, under its key: its row says that another one is its content."""
        kept = path_of(document.pk).read_bytes()
        load_keys([document.data_key_id])
        write_file(document.sealed, [samples.pdf(body=b"canari d'un autre temps")])
        former = path_of(document.pk).read_bytes()
        path_of(document.pk).write_bytes(kept)
        assert body(download(client, document)) == LONG
        path_of(document.pk).write_bytes(former)
        self.assert_refused(client, document)

    def test_by_being_taken_away_is_refused(self, client: Client, document: Document) -> None:
        path_of(document.pk).unlink()
        self.assert_refused(client, document)


class TestDocumentRemove:
    def test_destroys_the_file_and_takes_it_from_the_list(
        self, cast: Cast, signed_in, folder: Path, django_capture_on_commit_callbacks: Callable
    ) -> None:
        for person in who_carry(cast):
            document = make_document(cast.ines_parcours, cast.benoit, name="À retirer.pdf")
            client = signed_in(person)
            asked = client.get(url("document_remove", document.pk)).content.decode()
            assert "À retirer.pdf" in asked
            with django_capture_on_commit_callbacks(execute=True):
                response = client.post(url("document_remove", document.pk), {"reason": "Fichier d’un autre enfant."})
            assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
            assert files_in(folder) == []
            left = page(client, cast.ines_parcours)
            assert "Le document est retiré." in left
            assert url("document_download", document.pk) not in left
            event = Event.objects.get(action="delete", record_ids=[str(document.pk)])
            assert event.actor_id == person.pk

    @pytest.mark.parametrize("reason", ["", "   ", "é" * 301])
    def test_asks_for_a_reason(self, cast: Cast, signed_in, document: Document, reason: str) -> None:
        response = signed_in(cast.benoit).post(url("document_remove", document.pk), {"reason": reason})
        assert (response.status_code, list(response.context["form"].errors)) == (422, ["reason"])
        assert reason.strip() in response.content.decode()
        assert Document.objects.kept().get() == document
        assert path_of(document.pk).exists()

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in, document: Document) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "document_remove", document.pk)
        assert path_of(document.pk).exists()

    def test_is_hidden_the_second_time(self, cast: Cast, signed_in, document: Document) -> None:
        remove_document(document=document, reason="Doublon", by=cast.amina)
        assert_hidden(signed_in(cast.benoit), "document_remove", document.pk)


class TestTheReaderOfAShare:
    """David reads the parcours of Inès, and none of its documents."""

    def test_sees_no_document_and_no_trace_of_one(self, cast: Cast, signed_in, document: Document) -> None:
        removed = make_document(cast.ines_parcours, cast.benoit, name="retiré.pdf")
        remove_document(document=removed, reason="Une raison", by=cast.benoit)
        text = page(signed_in(cast.david), cast.ines_parcours)
        assert "Inès" in text
        assert not [
            word for word in (NAME, "retiré.pdf", "Une raison", "Documents</h2>", "Document ajouté") if word in text
        ]
        assert f"/documents/{document.pk}" not in text
        assert NAME not in signed_in(cast.david).get(url("parcours_print", cast.ines_parcours.pk)).content.decode()


class TestAClosedParcours:
    @pytest.fixture(autouse=True)
    def closed(self, cast: Cast, document: Document) -> None:
        close(cast, cast.ines_parcours)

    def test_lets_the_coordination_read_its_documents(self, cast: Cast, signed_in, document: Document) -> None:
        client = signed_in(cast.amina)
        assert body(download(client, document)) == LONG
        text = page(client, cast.ines_parcours)
        assert url("document_download", document.pk) in text
        assert url("document_remove", document.pk) not in text
        assert url("document_create", cast.ines_parcours.pk) not in text

    def test_hides_them_from_who_followed_it(self, cast: Cast, signed_in, document: Document) -> None:
        for person in (cast.benoit, cast.david):
            assert_hidden(signed_in(person), "document_download", document.pk, ("get",))

    def test_takes_no_document_and_loses_none(self, cast: Cast, signed_in, document: Document) -> None:
        for person in who_carry(cast):
            client = signed_in(person)
            assert_hidden(client, "document_create", cast.ines_parcours.pk)
            assert send(client, cast.ines_parcours).status_code == 404
            assert_hidden(client, "document_remove", document.pk)
        assert Document.objects.kept().get() == document


class TestTheTimeline:
    def test_says_what_was_added_and_what_was_removed(self, cast: Cast, signed_in, document: Document) -> None:
        removed = make_document(cast.ines_parcours, cast.amina, name="Autre.pdf")
        remove_document(document=removed, reason="Fichier d’un autre enfant", by=cast.benoit)
        response = signed_in(cast.benoit).get(url("parcours_detail", cast.ines_parcours.pk))
        moments = [(m.label, m.text, m.author) for m in response.context["timeline"].moments if m.kind == "document"]
        assert sorted(moments) == [
            ("Document ajouté", NAME, "Benoît Test"),
            ("Document ajouté", "Autre.pdf", "Amina Test"),
            ("Document retiré", "Fichier d’un autre enfant", ""),
        ]
        text = response.content.decode()
        assert all(words in text for moment in moments for words in moment)


class TestQueries:
    def test_are_as_many_with_one_document_as_with_twenty_five(self, cast: Cast, signed_in, document: Document) -> None:
        client, address = signed_in(cast.benoit), url("parcours_detail", cast.ines_parcours.pk)
        one = queries_of(client, address)
        for number in range(24):
            make_document(cast.ines_parcours, cast.amina, name=f"{number}.pdf")
        many = queries_of(client, address)
        assert len(many) == len(one), "\n".join(many)
        assert page(client, cast.ines_parcours).count('<div class="document">') == 25
