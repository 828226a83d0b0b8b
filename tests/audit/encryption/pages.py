"""A few views over encrypted values, for the middleware."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from audit.encryption import keys
from audit.encryption.keys import load_keys_of
from pre_cases.models import Child

rings: list[object] = []


@login_not_required
def first_name(request: HttpRequest) -> HttpResponse:
    rings.append(keys._ring.get())
    child = Child.objects.get()
    load_keys_of(child)
    return HttpResponse(child.first_name)


@login_not_required
def without_keys(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Child.objects.get().first_name)


@login_not_required
def fault(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [
    path("prenom/", first_name),
    path("sans-cle/", without_keys),
    path("panne/", fault),
]
