"""What encryption costs, beside the same records in clear and under Fernet, in one run; and what a search costs.

Three tables hold the same four values. Their page is a real one: signed in, read through ``consult_page()``,
journalled, rendered. Each sealed row has its own data key; the Fernet rows share one, as the packages do.
"""

from __future__ import annotations

import contextvars
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from datetime import date, timedelta
from functools import partial
from typing import Any

from cryptography.fernet import Fernet
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import override_settings
from django.urls import path, reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.encryption.fields import EncryptedDateField, EncryptedTextField
from audit.encryption.keys import create_data_keys, key_ring, load_keys_of
from audit.history import History, acting_as, system_account
from audit.journal.consult import consult_page
from audit.journal.record import record_change

PAGES = (25, 1_000)
REPEATS = {25: 60, 1_000: 12}
WRITES = 300
TEMPLATE = """<table>{% for r in page %}<tr><th><a href="/x/{{ r.pk }}/">{{ r.first_name }} {{ r.family_name }}</a></th>
<td>{{ r.birth_date|date:"d/m/Y" }}</td><td>{{ r.address }}</td></tr>{% endfor %}</table>"""


class FernetField(models.BinaryField):
    """A text under one Fernet key, decrypted as soon as it is read."""

    cipher = Fernet(Fernet.generate_key())

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else self.cipher.decrypt(bytes(value)).decode()

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(self.cipher.encrypt(str(value).encode()), connection, prepared)


class Record(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7)

    class Meta:
        abstract = True
        app_label = "pre_cases"  # in this process only


class PlainFile(Record):
    first_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    birth_date = models.DateField()
    address = models.CharField(max_length=240)
    history = History()


class SealedFile(Record):
    data_key_id = models.UUIDField(db_index=True)
    first_name = EncryptedTextField(aad="bench.first_name", max_length=80)
    family_name = EncryptedTextField(aad="bench.family_name", max_length=80)
    birth_date = EncryptedDateField(aad="bench.birth_date")
    address = EncryptedTextField(aad="bench.address", max_length=240)
    history = History()


class FernetFile(Record):
    first_name = FernetField()
    family_name = FernetField()
    birth_date = FernetField()
    address = FernetField()
    history = History()


KINDS: list[type[Any]] = [PlainFile, SealedFile, FernetFile]


def page_of(model: type[Any]) -> Callable[[HttpRequest], HttpResponse]:
    def page(request: HttpRequest) -> HttpResponse:
        size = int(request.GET["size"])
        records = consult_page(request, model.objects.all(), order=("id",), size=size)
        return HttpResponse(engines["django"].from_string(TEMPLATE).render({"page": records}))

    return page


urlpatterns = [path(f"{model.__name__}/", page_of(model)) for model in KINDS]


def run() -> None:
    """Print both tables; the databases of a bench are there, with the invented city."""
    with tables():
        fill(max(PAGES))
        print("\nChiffrement : la même page en clair, chiffrée (une clé par ligne), sous Fernet ; médianes.\n")
        print(f"{'':<42}{'clair':>10}{'chiffré':>10}{'Fernet':>10}{'rapport':>10}{'Fernet/clair':>14}{'barre':>8}")
        for size, bar in zip(PAGES, (1.25, 3.5), strict=True):
            show(f"page de {size} lignes (ms)", pages(size), bar)
        for size, bar in zip(PAGES, (None, None), strict=True):
            show(f"lecture de {size} lignes, sans page (ms)", readings(size), bar)
        show("une écriture, historique et journal (ms)", writes(), 1.15)
        show("la même, sa clé lue aussi (ms)", writes(with_key=True), None)


def show(title: str, times: list[float], bar: float | None) -> None:
    plain, sealed, fernet = times
    limit = f"{bar:.2f}" if bar else "—"
    measured = f"{plain:>10.2f}{sealed:>10.2f}{fernet:>10.2f}"
    print(f"{title:<42}{measured}{sealed / plain:>10.2f}{fernet / plain:>14.2f}{limit:>8}")


@contextmanager
def tables() -> Iterator[None]:
    every = [model for kind in KINDS for model in (kind, kind.history.model)]
    with connection.schema_editor() as editor:
        for model in every:
            editor.create_model(model)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for model in reversed(every):
                editor.delete_model(model)


def fill(count: int) -> None:
    values = [
        {
            "first_name": f"Prénom{number}",
            "family_name": f"De la Fontaine {number}",
            "birth_date": date(2015, 1, 1) + timedelta(number),
            "address": f"{number} rue de la Marelle, 75018 Paris",
        }
        for number in range(count)
    ]
    with key_ring():
        keys = create_data_keys("child", count)
        PlainFile.objects.bulk_create(PlainFile(**value) for value in values)
        SealedFile.objects.bulk_create(SealedFile(data_key_id=k, **v) for k, v in zip(keys, values, strict=True))
        FernetFile.objects.bulk_create(FernetFile(**value) for value in values)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def in_turn(calls: list[Callable[[], Any]], repeats: int, context: Callable[[], Context] = Context) -> list[float]:
    """The median of each call in milliseconds; the calls take turns, so that the machine's moods touch all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats + 2):
        for call, kept in zip(calls, times, strict=True):
            began = time.perf_counter()
            context().run(call)
            if turn >= 2:
                kept.append((time.perf_counter() - began) * 1_000)
    return [statistics.median(kept) for kept in times]


def pages(size: int) -> list[float]:
    from pre_cases.demo.accounts import BENOIT
    from referents.models import User
    from tests.conftest import SecureClient, sign_in

    client = SecureClient()
    sign_in(client, User.objects.get(email=BENOIT.email))
    with override_settings(ROOT_URLCONF=__name__):
        calls = [lambda model=model: client.get(f"/{model.__name__}/?size={size}") for model in KINDS]
        for call in calls:
            assert call().status_code == 200
        return in_turn(calls, REPEATS[size])


def readings(size: int) -> list[float]:
    """Rows, keys and every value, without request, journal or page."""

    def read(model: type[Any]) -> None:
        with key_ring():
            rows = list(model.objects.order_by("id")[:size])
            load_keys_of(*rows)
            for row in rows:
                _ = row.first_name, row.family_name, row.birth_date, row.address

    return in_turn([lambda model=model: read(model) for model in KINDS], REPEATS[size])


def writes(*, with_key: bool = False) -> list[float]:
    """As a service does in a request that has read the record: its key is in the ring already, unless ``with_key``."""
    actor = system_account()

    def write(model: type[Any]) -> None:
        with acting_as(actor), transaction.atomic():
            record = model.objects.order_by("id")[7]
            load_keys_of(record)
            record.first_name = f"Prénom{os.urandom(2).hex()}"
            record.save()
            record_change(record, "change")

    def write_alone(model: type[Any]) -> None:
        with key_ring():
            write(model)

    if with_key:
        return in_turn([partial(write_alone, model) for model in KINDS], WRITES)
    with key_ring():
        load_keys_of(SealedFile.objects.order_by("id")[7])
        return in_turn([partial(write, model) for model in KINDS], WRITES, contextvars.copy_context)


def searches(scopes: dict[int, tuple[Any, str, str]]) -> None:
    """``scopes``: how many parcours the scope holds, who searches, the list and the search in it."""
    from tests.conftest import SecureClient, sign_in

    print("\nRecherche par nom, au-dessus de la page de liste ; médianes en millisecondes.\n")
    print(f"{'':<34}{'liste':>10}{'recherche':>10}{'écart':>10}{'barre':>8}")
    for count, (user, list_url, search_url) in scopes.items():
        client = SecureClient()
        sign_in(client, user)
        for typed in ("Traoré", "Lefèvre", "el haddad ines"):
            calls = [partial(client.get, list_url), partial(client.post, search_url, {"name": typed})]
            assert [call().status_code for call in calls] == [200, 200]
            listed, searched = in_turn(calls, 15)
            bar = 10 if count <= 400 else 100
            title = f"« {typed} » parmi {count}"
            print(f"{title:<34}{listed:>10.1f}{searched:>10.1f}{searched - listed:>10.1f}{bar:>8}")


def scopes_of(small: int) -> dict[int, tuple[Any, str, str]]:
    """One référent with so many parcours, and one team with every parcours of the city."""
    from pre_cases.demo.accounts import AMINA, BENOIT
    from pre_cases.models import Parcours
    from referents.models import Membership, Role, User

    benoit, amina = User.objects.get(email=BENOIT.email), User.objects.get(email=AMINA.email)
    team = Membership.objects.get(user=benoit, role=Role.REFERENT).team
    assert team is not None
    Parcours.objects.update(team=team)
    followed = Parcours.objects.followed_by(benoit).open()
    with acting_as(system_account()), transaction.atomic():
        _follow(benoit, Parcours.objects.open().exclude(pk__in=followed.values("pk"))[: small - followed.count()])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    names = {"pre_cases:my_parcours": [], "pre_cases:parcours_search": []}
    mine = [reverse(name, args=args) for name, args in names.items()]
    of_team = [reverse(f"pre_cases:{name}", args=[team.code]) for name in ("team_parcours", "team_search")]
    every = Parcours.objects.filter(team=team).count()
    return {followed.count(): (benoit, *mine), every: (amina, *of_team)}


def _follow(referent: Any, parcours_list: Any) -> None:
    from pre_cases.models import Assignment

    for parcours in parcours_list:
        Assignment.objects.filter(parcours=parcours).delete()
        Assignment.objects.create(parcours=parcours, referent=referent, starts_on=timezone.localdate())
