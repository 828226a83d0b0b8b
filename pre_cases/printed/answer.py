"""A printed document as the answer to a request."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpResponse

from audit.pdf import PdfFailed

logger = logging.getLogger(__name__)

FAILED = "Le document n’a pas pu être préparé. Réessayez dans un instant ; si cela dure, prévenez l’administration."


def printed(make: Callable[[], bytes], *, name: str) -> HttpResponse:
    """The document, shown by the browser under a name that says nothing of the child; 503 when it cannot be set."""
    try:
        content = make()
    except PdfFailed as failure:
        logger.error("A document was not printed: %s", failure)
        return HttpResponse(FAILED, content_type="text/plain; charset=utf-8", status=503)
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
