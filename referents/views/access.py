"""Pages that stand before every other: the charter to sign, and the explanation for who holds no role."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from referents.requests import SignedInRequest
from referents.services.charters import CharterAlreadySigned, sign_charter


@require_http_methods(["GET", "HEAD", "POST"])
def charter_sign(request: SignedInRequest) -> HttpResponse:
    """Read and sign the confidentiality charter; asked at the first access and each year."""
    if request.method == "POST":
        if request.POST.get("agreed") == "yes":
            try:
                sign_charter(user=request.user, by=request.user)
                messages.success(request, "La charte est signée.")
            except CharterAlreadySigned as refusal:
                messages.info(request, str(refusal))
            return redirect("home")
        error = "Cochez la case pour signer la charte."
        return render(request, "referents/charter_sign.html", _charter(error), status=422)
    return render(request, "referents/charter_sign.html", _charter())


def _charter(error: str = "") -> dict[str, object]:
    return {"error": error, "version": settings.CHARTER_VERSION, "months": settings.CHARTER_MONTHS}


@require_safe
def no_access(request: SignedInRequest) -> HttpResponse:
    """Why nothing opens: no role is current today."""
    return render(request, "referents/no_access.html")
