"""Every id-like input replaced by ids of somebody else: more than 10,000 substitutions, 0 reads, 0 writes.

Here the addresses, their parameters, files, figures and tasks; what forms send is in ``test_substitution_forms.py``.
Nothing lists the addresses or the forms: they are found. To add…
- an address: give its row and its argument in ``tests/test_access_matrix.py``; it is then played here by everybody;
- a parameter of an address (``request.GET``): one line in ``QUERY``;
- a background task that takes an argument: one line in ``TASKS``;
- a model about a child: ``tests/whole_file.py`` makes its row, and its id joins the others.

The foreign child bears names that stand nowhere else: a page that holds one has told too much. Writes are watched
statement by statement; the journal may hold refusals, and readings of the person's own records.
"""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice, product
from typing import Any
from urllib.parse import urlencode

import pytest
from celery import current_app
from django.apps import apps
from django.core import mail
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audit.encryption.files.store import path_of
from audit.encryption.keys import load_keys_of
from audit.journal.consult import CURSOR_PARAMETER
from pre_cases.models import Child, Document
from tests.cast import PDF, Cast
from tests.foreign import ACTIVE, AT_LEAST, OUR_APPS, SAMPLE, World, faults, read_from, world
from tests.situations import erase, to_be_erased
from tests.test_access_matrix import (
    ABOUT_NOBODY,
    HIDDEN,
    MATRIX,
    OPEN,
    OUTLIVING,
    PEOPLE,
    WITHOUT_ARGUMENT,
    argument,
    is_about_a_child,
)
from tests.watch import Watch
from tests.whole_file import difference, everything

__all__ = ["world"]

WITHOUT_TEAM = ("esther", "farid", "gaelle", "hugo")  # what they may open belongs to no team
METHODS = ("get", "post", "head", "put", "delete")
OTHERS_OF_A_PAIR = 1  # ids of other models for each person and address, all of them in turn


# -- the path -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    person: str
    name: str
    method: str
    url: str


def paths(world: World) -> list[Asked]:
    """Each address with an argument, each person, each kind of foreign id."""
    names = [name for name in MATRIX if name not in WITHOUT_ARGUMENT | ABOUT_NOBODY]
    others, turns, gone = cycle(world.others), cycle(METHODS), erased_arguments(world.cast, names)
    made = []
    for name in names:
        own, right = world.argument(name), argument(name, world.foreign)
        url = reverse(name, args=[own])
        for person in [*ACTIVE, "bea"]:
            methods = METHODS if opens_something(name, person) else islice(turns, 4)
            wanted = [(method, right) for method in methods] if is_foreign(name, person, own, right) else []
            wanted += [(method, gone[name]) for method in ("get", "post")] if name in gone else []
            left = (other for other in others if is_out_of_reach(name, person, own, other))
            wanted += [("get", other) for other in islice(left, OTHERS_OF_A_PAIR)]
            made += [Asked(person, name, method, url.replace(str(own), str(pk))) for method, pk in wanted]
    return made[::SAMPLE]


def erased_arguments(cast: Cast, names: list[str]) -> dict[str, Any]:
    """What each address about a child was asked about, before these children of team A were erased."""
    before, erased = set(Child.objects.values_list("pk", flat=True)), to_be_erased(cast)
    found = {name: argument(name, erased) for name in names if is_about_a_child(name) and name not in OUTLIVING}
    for child in Child.objects.exclude(pk__in=before):
        erase(child)
    return found


def is_foreign(name: str, person: str, own: Any, right: Any) -> bool:
    """Whether the other situation's record is out of this person's reach: a school, or a file of figures, is not."""
    if own == right:
        return False
    return not opens_every_team(name, person)


def opens_something(name: str, person: str) -> bool:
    """Whoever is refused the page about Inès too is played there on every method by the matrix: here, four in turn."""
    return person == "bea" or MATRIX[name][PEOPLE.index(person)] != HIDDEN


def opens_every_team(name: str, person: str) -> bool:
    return person in WITHOUT_TEAM and MATRIX[name][PEOPLE.index(person)] == OPEN


def is_out_of_reach(name: str, person: str, own: Any, other: Any) -> bool:
    """An id that is written like the page's own may be one that the page opens to whoever sees every team."""
    return not (opens_every_team(name, person) and type(other) is type(own))


def test_ten_thousand_at_least() -> None:
    """Each kind below is counted where it is played."""
    assert sum(AT_LEAST.values()) >= 10_000


@pytest.fixture
def bare_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contexts of the templates, which the client of the tests copies one by one, are read by nobody here."""
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *args, **kwargs: None)


@pytest.mark.usefixtures("bare_answers")
class TestPath:
    def test_leads_nowhere_with_a_foreign_id(self, world: World) -> None:
        """The answer is that of an address that does not exist, to the byte, and the journal holds the refusal."""
        nowhere = world.clients["gaelle"].get("/nulle/part/").content
        told: list[str] = []
        asked_list = paths(world)
        before = everything()
        with Watch() as watch:
            for asked in asked_list:
                watch.forget()
                response = getattr(world.clients[asked.person], asked.method)(asked.url)
                refused = response.status_code == 404 and response.content in (nowhere, b"")
                if not refused and (response.status_code, response.content) != (405, b""):
                    told.append(f"{asked} answers {response.status_code}")
                if watch.writes or any(event.action != "refusal" for event in watch.events):
                    told.append(f"{asked} does {watch.writes or [event.action for event in watch.events]}")
        assert told == []
        assert set(difference(everything(), before)) <= {"default.audit_event", "default.django_session"}
        assert len(asked_list) * SAMPLE >= AT_LEAST["paths"]

    def test_of_an_invitation_is_whole(self, world: World) -> None:
        """The link is signed: a number is none, be it the right one under another's signature."""
        number, _, signature = world.invitation.token.partition(".")
        links = [*world.others, number, f"{int(number) + 1}.{signature}", f".{signature}", world.invitation.token[:-1]]
        told: list[str] = []
        with Watch() as watch:
            for link, method in product(links, ("get", "post")):
                watch.forget()
                url = reverse("invitation_accept", args=["x"]).replace("x", str(link))
                response = getattr(world.clients["benoit"], method)(url, {"password": "correct-horse-battery"})
                told += faults(world, watch, f"{method} {url}", response, (404,))
        assert told == []


# -- the query ------------------------------------------------------------------------------------------------------

# For each parameter that a view reads: the pages that read it, and who opens them.
QUERY: dict[str, list[tuple[str, str]]] = {
    "filtre": [
        ("pre_cases:retention_list", "amina"),
        ("pre_cases:team_parcours", "amina"),
        ("pre_cases:my_parcours", "benoit"),
        ("pre_cases:saisine_list", "benoit"),
        ("pre_cases:exceptional_list", "amina"),
    ],
    "referent": [("pre_cases:team_parcours", "amina")],
    "equipe": [
        ("pre_cases:saisine_list", "benoit"),
        ("pre_cases:exceptional_list", "amina"),
        ("pre_cases:exceptional_list", "bea"),
    ],
    "etat": [("account_list", "amina")],
    "nature": [("pre_cases:entry_create", "benoit")],
    "lien": [("pre_cases:adult_create", "benoit")],
    "fil": [("pre_cases:parcours_detail", "benoit")],
    "tout": [("pre_cases:parcours_history", "benoit")],
    "suite": [
        ("pre_cases:retention_list", "amina"),
        ("pre_cases:erasure_list", "amina"),
        ("pre_cases:my_parcours", "benoit"),
        ("pre_cases:team_parcours", "amina"),
        ("pre_cases:shared_parcours", "david"),
        ("pre_cases:stood_in_parcours", "chloe"),
        ("pre_cases:colleague_list", "chloe"),
        ("pre_cases:caseload_hand_over", "benoit"),
        ("pre_cases:exceptional_list", "bea"),
        ("pre_cases:team_requests", "amina"),
        ("account_list", "amina"),
        ("journal_list", "gaelle"),
    ],
    "passage": [("pre_cases:passage_decide", "amina")],
    "compte": [("pre_cases:professional_name", "amina")],
    "annee": [("pre_cases:statistics", "esther")],
    "du": [("pre_cases:team_statistics", "amina")],
    "au": [("pre_cases:team_statistics", "amina")],
    "page": [("partners:school_list", "chloe"), ("partners:project_list", "chloe")],
    "organisme": [("partners:project_create", "amina")],
}
NAMING = {
    "referent",
    "equipe",
    "lien",
    "suite",
    "organisme",
    "compte",
}  # those that name a record take every foreign id


@pytest.mark.usefixtures("bare_answers")
class TestQuery:
    def test_every_parameter_has_its_pages(self) -> None:
        assert read_from("GET") | {CURSOR_PARAMETER} <= set(QUERY)

    def test_shows_nothing_of_a_foreign_id(self, world: World) -> None:
        told: list[str] = []
        played = list(queries(world))
        with Watch() as watch:
            for url, person in played[::SAMPLE]:
                watch.forget()
                response = world.clients[person].get(url)
                told += faults(world, watch, f"{person} {url}", response, (200, 302, 404, 422))
        assert told == []
        assert len(played) >= AT_LEAST["queries"]


def queries(world: World) -> Iterator[tuple[str, str]]:
    """Every value on the first page of a parameter that names a record, some of them elsewhere."""
    for parameter, pages in QUERY.items():
        for rank, (name, person) in enumerate(pages):
            values = world.others[rank % 4 :: 1 if parameter in NAMING and rank == 0 else 5]
            for value in [*values, *(cursors(world) if parameter == CURSOR_PARAMETER else [])]:
                yield f"{world.url(name)}?{urlencode({parameter: value})}", person


def cursors(world: World) -> list[str]:
    """Places in the order of a list, as the foreign team's pages would give them."""
    parcours = world.foreign.ines_parcours
    places = [[str(day), str(parcours.pk)] for day in (parcours.due_on, parcours.opened_on, date.min)]
    return [base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=") for place in places]


# -- files, figures, tasks ------------------------------------------------------------------------------------------


class TestFile:
    def test_named_like_another_s_is_a_file_of_its_own(self, world: World) -> None:
        """The name of a file chooses nothing on the disk: the foreign document is as it was."""
        foreign = Document.objects.get(pk=world.ids["pre_cases.Document"])
        load_keys_of(foreign)
        path = path_of(foreign.pk)
        before = path.read_bytes()
        url = world.url("pre_cases:document_create")
        for name in (path.name, f"../{path.name}", str(foreign.pk), f"{foreign.data_key_id}/{path.name}.pdf"):
            file = SimpleUploadedFile(name, PDF, content_type="application/pdf")
            world.clients["benoit"].post(url, {"kind": "agreement", "file": file})
        assert path.read_bytes() == before
        assert Document.objects.filter(parcours=foreign.parcours_id).count() == 1


class TestExport:
    def test_is_made_of_a_year_of_the_list(self, world: World) -> None:
        told: list[str] = []
        with Watch() as watch:
            for value in world.others:
                watch.forget()
                response = world.clients["esther"].post(reverse("pre_cases:export_create"), {"annee": str(value)})
                told += faults(world, watch, f"annee={value}", response, (422,))
        assert told == []


# The tasks that take an argument, and the model that it names; what another id, or none at all, may do is nothing.
TASKS = {
    "pre_cases.make_statistics_export": "pre_cases.StatisticsExport",
    "pre_cases.make_subject_file": "pre_cases.SubjectFile",
    "pre_cases.send_duplicate_notice": "pre_cases.DuplicateNotice",
    "pre_cases.alert_exceptional_access": "pre_cases.ExceptionalAccess",
    "pre_cases.tell_access_request": "pre_cases.AccessRequest",
    "pre_cases.tell_hand_over": "pre_cases.HandOver",
    "pre_cases.erase": "pre_cases.Erasure",
    "pre_cases.tell_retention": "referents.Team",
    "referents.mail_invitation": "referents.Invitation",
    "referents.tell_role_given": "referents.Membership",
    "referents.tell_role_refused": "referents.User",
    "referents.tell_former_address": "referents.HistoricalUser",
    "referents.tell_stand_in": "referents.StandIn",
    "referents.tell_second_factor_reset": "referents.User",
}


def parameters_of(task: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(task.run).parameters.values())


def is_asked(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty


def calls_of(task: Any, argument_: str) -> Iterator[tuple[tuple[str], dict[str, bool]]]:
    """With every value of what else it asks, which is a yes or a no."""
    _, *more = filter(is_asked, parameters_of(task))
    for values in product((True, False), repeat=len(more)):
        yield (argument_,), dict(zip((parameter.name for parameter in more), values, strict=True))


class TestTasks:
    @pytest.fixture(autouse=True)
    def tasks(self) -> None:
        current_app.loader.import_default_modules()

    def test_with_an_argument_are_all_played(self) -> None:
        ours = {name: task for name, task in current_app.tasks.items() if name.partition(".")[0] in OUR_APPS}
        asking = {name for name, task in ours.items() if any(map(is_asked, parameters_of(task)))}
        assert asking == set(TASKS)

    def test_do_nothing_with_a_foreign_id(self, world: World) -> None:
        """Every id but those of the model that the task is about."""
        mail.outbox.clear()
        count = 0
        with Watch() as watch:
            for name, label in TASKS.items():
                right = {str(pk) for pk in apps.get_model(label)._base_manager.values_list("pk", flat=True)}
                for other in {str(other) for other in world.others} - right - {same_as(world, label)}:
                    for args, kwargs in calls_of(current_app.tasks[name], other):
                        count += 1
                        try:
                            current_app.tasks[name].run(*args, **kwargs)
                        except (ValueError, ObjectDoesNotExist):  # not an id, or an id of nothing
                            continue
            assert watch.writes == []
            assert watch.events == []
        assert mail.outbox == []
        assert count >= AT_LEAST["tasks"]


def same_as(world: World, label: str) -> str:
    return str(world.ids.get(label, ""))
