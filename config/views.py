"""The door: everybody's first page is the first one of their menu."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from config.gallery import gallery_context
from config.navigation import entries_for
from referents.requests import SignedInRequest


@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    return redirect(entries_for(request)[0]["url"])


@require_safe
def gallery(request: SignedInRequest) -> HttpResponse:
    """Every component with invented content; mounted outside production only."""
    return render(request, "components/gallery.html", gallery_context())
