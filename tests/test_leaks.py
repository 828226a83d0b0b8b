"""No name of a child in what lies on a disk or travels: database file, journal, logs, cookies, addresses."""

import logging

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import Adult
from pre_cases.services.support import add_objective
from pre_cases.services.timeline import add_comment, add_entry, add_task, save_draft
from tests.cast import Cast, make_child, make_parcours, make_residence

CANARIES = [
    "Zébulonne",  # first name
    "Quetzalcoatl-Martin",  # family name
    "2017-03-29",  # birth date
    "0699887766",  # phone
    "passage des Canaris",  # address
    "canari-de-l-échange",
    "canari-du-commentaire",
    "canari-de-la-tâche",
    "canari-de-l-objectif",
    "canari-du-brouillon",
]


def encodings_of(text: str) -> list[bytes]:
    return [text.encode(), text.encode("utf-16-le"), text.encode("latin-1"), ascii(text)[1:-1].encode()]


def found_in(data: bytes, canaries: list[str] = CANARIES) -> list[str]:
    return [canary for canary in canaries if any(form in data for form in encodings_of(canary))]


@pytest.fixture
def planted(cast: Cast):
    """A parcours whose every sealed value is a canary."""
    today = timezone.localdate()
    child = make_child("Zébulonne", family_name="Quetzalcoatl-Martin", birth_date=timezone.datetime(2017, 3, 29).date())
    parcours = make_parcours(cast.team_a, referent=cast.benoit, child=child)
    make_residence(child, address="12 passage des Canaris")
    with acting_as(system_account()):
        adult = Adult.objects.get(family=child.family)
        adult.phone = "0699887766"
        adult.save()
    add_entry(parcours=parcours, kind="phone", on=today, with_whom="family", text="canari-de-l-échange", by=cast.benoit)
    add_comment(parcours=parcours, text="canari-du-commentaire", by=cast.amina)
    add_task(parcours=parcours, assignee=cast.benoit, label="canari-de-la-tâche", due_on=today, by=cast.benoit)
    add_objective(
        parcours=parcours,
        text="canari-de-l-objectif",
        domain=Term.objects.get(pk="domain:educatif"),
        priority=Term.objects.get(pk="priority:sante"),
        set_on=today,
        by=cast.benoit,
    )
    save_draft(parcours=parcours, form="entry", content={"text": "canari-du-brouillon"}, by=cast.benoit)
    return parcours


def everything_stored() -> bytes:
    """All rows of all tables of both databases, as bytes: on SQLite the very pages of the file."""
    data = b""
    for alias in ("default", "keys"):
        database = connections[alias]
        if database.vendor == "sqlite":
            data += database.connection.serialize()
            continue
        with database.cursor() as cursor:
            for table in database.introspection.table_names(cursor):
                cursor.execute(f'SELECT t::text FROM "{table}" t')
                data += "\n".join(row[0] for row in cursor.fetchall()).encode()
    return data


class TestDatabase:
    def test_holds_no_name_in_its_raw_bytes(self, planted) -> None:
        assert found_in(everything_stored()) == []

    def test_would_be_caught_if_it_did(self, planted, cast: Cast) -> None:
        """The control: a canary written in clear is found by the same scan."""
        with acting_as(system_account()):
            cast.benoit.employer = "Zébulonne"
            cast.benoit.save()
        assert found_in(everything_stored()) == ["Zébulonne"]


class TestPages:
    def test_leave_no_name_in_journal_logs_cookies_and_addresses(self, planted, cast: Cast, signed_in, caplog) -> None:
        client = signed_in(cast.benoit)
        with caplog.at_level(logging.DEBUG):
            for name in ("parcours_detail", "parcours_print", "review_create", "bilan_write"):
                page = client.get(reverse(f"pre_cases:{name}", args=[planted.pk]))
                assert "Zébulonne" in page.content.decode()  # it is there for who may read it
            typed = {"kind": "phone", "with_whom": "family", "on": timezone.localdate(), "text": "canari-de-l-échange"}
            answer = client.post(reverse("pre_cases:entry_create", args=[planted.pk]), typed)
            refused = client.post(reverse("pre_cases:entry_create", args=[planted.pk]), typed | {"on": "2030-01-01"})
        assert refused.status_code == 422
        assert found_in("\n".join(record.getMessage() for record in caplog.records).encode()) == []
        assert found_in(str(list(Event.objects.values())).encode()) == []
        assert found_in(str([*answer.cookies.values(), answer["Location"]]).encode()) == []

    def test_say_nothing_of_the_values_when_something_breaks(
        self, planted, monkeypatch, cast: Cast, signed_in, caplog
    ) -> None:
        def broken(*args: object, **kwargs: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr("pre_cases.views.parcours.timeline_of", broken)
        client = signed_in(cast.benoit)
        client.raise_request_exception = False
        response = client.get(reverse("pre_cases:parcours_detail", args=[planted.pk]))
        assert response.status_code == 500
        assert found_in(response.content) == []
        assert found_in(caplog.text.encode()) == []


class TestWords:
    def test_of_records_are_ids(self, planted) -> None:
        for record in (planted, planted.child, planted.entries.get(), planted.tasks.get(), planted.objectives.get()):
            assert found_in(f"{record} {record!r}".encode()) == []
            assert str(record.pk) in str(record)
