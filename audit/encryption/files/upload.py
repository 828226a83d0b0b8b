"""An upload on its way in: kept in a temporary file that nobody else can read, this process's memory holding its key.

Django would write what is sent to a temporary file in clear. This handler, named by ``FILE_UPLOAD_HANDLERS``, seals
each part as it arrives, under a key made for this upload; the file has no name on the disk, and dies with the request.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
from contextlib import suppress
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from audit.encryption.envelope import KEY_SIZE
from audit.encryption.files.store import NO_ROOM
from audit.encryption.files.stream import SealedReader, SealedWriter

logger = logging.getLogger(__name__)

TOO_LARGE, NO_ROOM_LEFT, NOBODY = "too_large", "no_room", "nobody"
REST_OF_THE_FORM = 1024 * 1024  # bytes


class SealedUpload(UploadedFile):
    """A file sent by a person, read in clear from where it lies sealed. ``failure`` says why nothing was kept."""

    def __init__(self, *args: Any, failure: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failure = failure


class SealedUploadHandler(FileUploadHandler):
    """At most ``MAX_UPLOAD_BYTES`` are kept of a file; beyond, what arrives is read and thrown away."""

    length = 0  # of the whole request, as it says itself

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:  # noqa: N803
        self.length = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.key = os.urandom(KEY_SIZE)
        self.spool: BinaryIO | None = None
        self.failure = ""
        if self.length > settings.MAX_UPLOAD_BYTES + REST_OF_THE_FORM:
            self._give_up(TOO_LARGE)
            return
        user = getattr(self.request, "user", None)
        if user is not None and not user.is_authenticated:  # no page without a sign-in asks for a file
            self._give_up(NOBODY)
            return
        try:
            self.spool = cast(BinaryIO, tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR))  # noqa: SIM115
            self.writer = SealedWriter(self.spool, self.key)
        except OSError as error:
            self._fail(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.failure:
            return
        if start + len(raw_data) > settings.MAX_UPLOAD_BYTES:
            self._give_up(TOO_LARGE)
            return
        try:
            self.writer.write(raw_data)
        except OSError as error:
            self._fail(error)

    def file_complete(self, file_size: int) -> SealedUpload:
        if not self.failure:
            try:
                self.writer.close()
                assert self.spool is not None  # noqa: S101 - no failure: it is there
                self.spool.flush()
            except OSError as error:
                self._fail(error)
        content: Any = io.BytesIO()
        if not self.failure:
            content = io.BufferedReader(SealedReader(cast(BinaryIO, self.spool), self.key))
        return SealedUpload(
            file=content,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
            failure=self.failure,
        )

    def upload_interrupted(self) -> None:
        self._give_up(self.failure)

    def _fail(self, error: OSError) -> None:
        """A full disk is said to the person beside the field; anything else is an error like another."""
        self._give_up(NO_ROOM_LEFT)
        if error.errno not in NO_ROOM:
            raise error
        logger.error("An upload was refused: no room left for temporary files (%s).", error.strerror)

    def _give_up(self, failure: str) -> None:
        self.failure = failure
        if self.spool is not None:
            with suppress(OSError):  # what it still held cannot be written either
                self.spool.close()
            self.spool = None
