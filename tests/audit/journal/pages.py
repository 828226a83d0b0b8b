"""A few views and their addresses, to see what a reading view may do."""

from django.contrib.auth.decorators import login_not_required
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path
from uuid_utils.compat import uuid7

from audit.journal import trace
from audit.journal.record import record_event
from referents.models import Arrondissement

STATEMENTS: dict[str, tuple[str, str]] = {
    "update": ("default", "UPDATE referents_arrondissement SET name = 'x'"),
    "delete": ("default", "DELETE FROM referents_arrondissement"),
    "create": ("default", "CREATE TABLE written (id integer)"),
    "keys": ("keys", "CREATE TABLE written (id integer)"),
    "with": ("default", "WITH gone AS (SELECT 1) SELECT * FROM gone"),
    "two": ("default", "SELECT 1; DELETE FROM referents_arrondissement"),
    "lock": ("default", "SELECT number FROM referents_arrondissement FOR UPDATE"),
    "lock_share": ("default", "(SELECT number FROM referents_arrondissement\nFOR  NO KEY UPDATE)"),
    "into": ("default", "SELECT number INTO written FROM referents_arrondissement"),
    "upsert": ("default", 'INSERT INTO "audit_event" (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET role = 1'),
    "other_insert": ("default", 'INSERT INTO "audit_event_copy" (id) VALUES (1)'),
}


@login_not_required
def run(request: HttpRequest, name: str) -> HttpResponse:
    alias, statement = STATEMENTS[name]
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
    return HttpResponse("written")


@login_not_required
def read(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(), transaction.atomic():
        names = list(Arrondissement.objects.filter(name='for update of "into"').values_list("name"))
        names += list(Arrondissement.objects.order_by().union(Arrondissement.objects.order_by()))
        record_event("read", ids=[uuid7()])
    return HttpResponse(f"{len(names)} {trace.request_id()} {trace.address()}")


def _write() -> str:
    Arrondissement.objects.create(number=1, name="1er")
    return "written"


@login_not_required
def write_late(request: HttpRequest) -> TemplateResponse:
    """The view reads; the page would write while it is rendered."""
    return TemplateResponse(request, engines["django"].from_string("{{ write }}"), {"write": _write})


@login_not_required
def stream(request: HttpRequest, name: str) -> StreamingHttpResponse:
    parts = {"read": lambda: str(Arrondissement.objects.count()), "write": _write}
    return StreamingHttpResponse(parts[name]() for _ in range(2))


@login_not_required
def write(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_write())


urlpatterns = [
    path("run/<slug:name>/", run, name="run"),
    path("read/", read, name="read"),
    path("write-late/", write_late, name="write_late"),
    path("stream/<slug:name>/", stream, name="stream"),
    path("write/", write, name="write"),
    path("exempt/", write, name="account_login"),
]
