"""Files of a parcours: adding one, taking one away."""

from __future__ import annotations

import logging
import time
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.encryption.files.store import NoRoom, Owner, Stored, delete_files, kept_files, sweep_parts, write_file
from audit.encryption.files.stream import BadFile
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.documents.content import content_type_of, safe_name
from pre_cases.documents.pictures import BrokenPicture, without_metadata
from pre_cases.models import ContentType, Document, DocumentKind, Parcours
from pre_cases.services.preconditions import locked
from referents.models import User

logger = logging.getLogger(__name__)

ACCEPTED = "un PDF, une image JPEG ou PNG, un texte ODT ou DOCX sans macros"
NO_ROOM = "Le serveur n’a plus de place : rien n’a été gardé de ce fichier. Prévenez l’administration technique."
ORPHAN_AFTER = 24 * 3600  # seconds
SUSPECT_COUNT, SUSPECT_SHARE = 20, 10  # more orphans than that, and than one file in ten, are no accident
MOST_DOCUMENTS = 200  # on one parcours: beyond, something else is being done with it


class DocumentRefused(Refused):
    """The file is not one that a parcours keeps."""


def add_document(*, parcours: Parcours, kind: DocumentKind, file: BinaryIO, name: str, by: User) -> Document:
    """Encrypt a file and keep it on the parcours, a picture without its metadata; the parcours's key is loaded.

    ``file`` can be read from any place. What it is comes from its content; the name is kept, encrypted. The file is
    written before the transaction that makes its row, and goes again when the row is refused.
    """
    content_type = content_type_of(file)
    if content_type is None:
        raise DocumentRefused(f"Ce fichier n’est pas accepté : choisissez {ACCEPTED}.", field="file")
    owner = Owner(Document.sealed_content, uuid7(), parcours.data_key_id)
    try:
        stored = write_file(owner, without_metadata(file, content_type))
        return _record_document(
            parcours=parcours, owner=owner, stored=stored, kind=kind, content_type=content_type, name=name, by=by
        )
    except (BrokenPicture, BadFile):
        raise DocumentRefused("Ce fichier est abîmé : ouvrez-le et enregistrez-le à nouveau.", field="file") from None
    except NoRoom as error:
        logger.error("A document was refused: %s", error)
        raise DocumentRefused(NO_ROOM, field="file") from None
    except BaseException:
        delete_files([owner.record_id])
        raise


@service
def _record_document(
    *,
    parcours: Parcours,
    owner: Owner,
    stored: Stored,
    kind: DocumentKind,
    content_type: ContentType,
    name: str,
    by: User,
) -> Document:
    current = locked(parcours)
    if Document.objects.kept().filter(parcours=current).count() >= MOST_DOCUMENTS:
        raise DocumentRefused(f"Ce parcours garde déjà {MOST_DOCUMENTS} documents : retirez-en d’abord.", field="file")
    document = Document.objects.create(
        id=owner.record_id,
        parcours=current,
        author=by,
        kind=kind,
        name=safe_name(name, content_type),
        content_type=content_type,
        size=stored.size,
        digest=stored.digest,
        data_key_id=owner.data_key_id,
    )
    record_change(document, "create")
    return document


@service
def remove_document(*, document: Document, reason: str, by: User) -> Document:
    """Destroy the file; what it was, who added it and why it left remain."""
    locked(document.parcours)
    if not reason.strip():
        raise DocumentRefused("Dites en une phrase pourquoi ce document est retiré.", field="reason")
    current = Document.objects.select_for_update(of=("self",)).get(pk=document.pk)
    if current.removed_at is not None:
        raise DocumentRefused("Ce document est déjà retiré.")
    current.removed_at, current.removal_reason = timezone.now(), reason
    current.save()
    record_change(current, "delete")
    transaction.on_commit(lambda: delete_files([current.pk]))
    return current


def sweep_files() -> int:
    """Delete the files older than a day that no document names, left by a kill; how many there were.

    Many of them look like the wrong database, or an older one: nothing is then deleted, and an error is logged.
    """
    before = time.time() - ORPHAN_AFTER
    sweep_parts(before)
    files = dict(kept_files())
    named: set[UUID] = set(Document.objects.kept().values_list("pk", flat=True))
    orphans = [record_id for record_id, written_at in files.items() if record_id not in named and written_at < before]
    if len(orphans) > max(SUSPECT_COUNT, len(files) // SUSPECT_SHARE):
        logger.error("%d of %d files are named by no document: nothing deleted.", len(orphans), len(files))
        return 0
    delete_files(orphans)
    return len(orphans)
