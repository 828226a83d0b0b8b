"""Files of a parcours: adding one, reading it, taking it away."""

import io
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from audit.encryption.files.store import reader_of
from audit.journal.consult import consult
from audit.journal.models import Action
from pre_cases.forms.document import DocumentForm, DocumentRemoveForm
from pre_cases.models import Document, Parcours
from pre_cases.services.document import add_document, remove_document
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def document_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Add a file: what it is comes from its content, and it never lies in clear on the server."""
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = DocumentForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        kind, file = form.cleaned_data["kind"], form.cleaned_data["file"]
        if attempt(
            form, lambda: add_document(parcours=parcours, kind=kind, file=file, name=file.name, by=request.user)
        ):
            messages.success(request, "Le document est gardé.")
            return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/document_create.html", parcours, form)


@require_safe
def document_download(request: SignedInRequest, pk: UUID) -> FileResponse:
    """The file, as an attachment; it is verified whole before its first byte leaves."""
    document = consult(request, Document.objects.visible_to(request.user), pk=pk, action=Action.DOWNLOAD)
    reader = reader_of(document.sealed, digest=document.digest)
    return FileResponse(
        io.BufferedReader(reader), as_attachment=True, filename=document.name, content_type=document.content_type
    )


@require_http_methods(FORM)
def document_remove(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Destroy a file kept by mistake; its trace remains."""
    scope = Document.objects.editable_by(request.user).select_related("parcours", "author")
    document = consult(request, scope, pk=pk)
    form = DocumentRemoveForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: remove_document(document=document, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le document est retiré.")
        return redirect("pre_cases:parcours_detail", pk=document.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=document.parcours_id)
    return answer(request, "pre_cases/document_remove.html", parcours, form, document=document)
