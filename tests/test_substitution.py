"""Every id-like input replaced by ids of somebody else: more than 10,000 substitutions, 0 reads, 0 writes.

Nothing here lists the addresses or the forms: they are found. To add…
- an address: give its row and its argument in ``tests/test_access_matrix.py``; it is then played here by everybody;
- a field of a form that a page shows: nothing; a form that no page shows on a first visit: one line in ``SHOWN_BY``;
- a parameter of an address (``request.GET``): one line in ``QUERY``; a key of ``request.POST`` that no form declares:
  one line in ``POSTED``;
- a background task that takes an argument: one line in ``TASKS``;
- a model about a child: ``tests/whole_file.py`` makes its row, and its id joins the others.

The foreign child bears names that stand nowhere else: a page that holds one has told too much. Writes are watched
statement by statement; the journal may hold refusals, and readings of the person's own records.
"""

from __future__ import annotations

import base64
import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from celery import current_app
from django import forms
from django.conf import settings
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.forms.formsets import BaseFormSet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.encryption.files.store import path_of
from audit.encryption.keys import load_keys_of
from audit.journal.consult import CURSOR_PARAMETER
from partners.models import School
from pre_cases.models import Child, ChildAdult, Document, Saisine
from pre_cases.search.proof import proof_of_search
from referents import standing
from referents.models import Role, User
from referents.standing import standing_of
from tests.cast import PDF, Cast, make_user
from tests.situations import FAMILY_NAME, FIRST_NAME, Situation, elsewhere, erase, ids_of, to_be_erased
from tests.test_access_matrix import MATRIX, OPEN, PEOPLE, WITHOUT_ARGUMENT, argument, is_about_a_child
from tests.watch import Watch, put_away
from tests.whole_file import difference, everything

AT_LEAST = {"paths": 3_700, "queries": 400, "fields": 5_900, "sent": 140}
SAMPLE = 12 if connection.vendor == "postgresql" else 1  # on PostgreSQL, one substitution in so many
CANARIES = (FIRST_NAME.encode(), FAMILY_NAME.encode())
ACTIVE = [person for person in PEOPLE if person not in ("yann", "anonyme")]
WITHOUT_TEAM = ("esther", "farid", "gaelle", "hugo")  # what they may open belongs to no team
METHODS = ("get", "post", "head", "put", "delete")
OTHERS_OF_A_PAIR = 2  # ids of other models for each person and address, all of them in turn
SENT_OF_A_FIELD = 4  # by the browser; all of them are given to the field itself
GARBAGE = ("0x10", "1e3", "NaN", "-1", "0", "9" * 19, "9" * 40, "nulle-part", "None", "..", "%00", "{}", "1 OR 1=1")
OUR_APPS = ("audit", "referents", "partners", "pre_cases")
ROOT = Path(settings.BASE_DIR)


@dataclass
class World:
    """The cast, the foreign situation, and every id that is not the cast's."""

    cast: Cast
    foreign: Situation
    client_of: Callable[[User], Client]
    clients: dict[str, Client] = field(default_factory=dict)  # signed in before anything is watched
    asked: dict[str, Any] = field(default_factory=dict)  # what each address is asked about, of the cast's own

    def __post_init__(self) -> None:
        self.ids = ids_of(self.foreign)  # by model
        people = {person: getattr(self.cast, person) for person in ACTIVE}
        people["bea"] = make_user("Béa", Role.COORDINATOR, self.cast.team_b)
        self.clients = {person: self.client_of(user) for person, user in people.items()}
        strangers = (self.foreign.amina, self.foreign.benoit, self.foreign.david)
        self.others = [
            *self.ids.values(),
            *(person.pk for person in strangers),
            self.foreign.team_a.pk,
            self.foreign.team_a.code,
            self.foreign.project.pk,
            uuid4(),
            str(self.ids["pre_cases.Parcours"]).upper(),
            self.ids["pre_cases.Parcours"].hex,
            *GARBAGE,
        ]

    def argument(self, name: str) -> Any:
        if name not in self.asked:
            self.asked[name] = argument(name, self.cast)
        return self.asked[name]

    def url(self, name: str) -> str:
        return reverse(name, args=[] if name in WITHOUT_ARGUMENT else [self.argument(name)])


@pytest.fixture
def world(cast: Cast, signed_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch) -> World:
    """What each person holds is read once here, and not at each of the thousands of requests."""
    read = {}
    monkeypatch.setattr(
        standing, "standing_of", lambda user: read.get(user.pk) or read.setdefault(user.pk, standing_of(user))
    )
    School.objects.bulk_create(
        School(uai=f"075000{n}D", name=f"École Neuve {n}", search_name=f"ecole neuve {n}") for n in range(3)
    )
    return World(cast, elsewhere(cast), signed_in)


# -- the path -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    person: str
    name: str
    method: str
    url: str


def paths(world: World) -> list[Asked]:
    """Each address with an argument, each person, each kind of foreign id."""
    names = [name for name in MATRIX if name not in WITHOUT_ARGUMENT]
    others, gone = cycle(world.others), erased_arguments(world.cast, names)
    made = []
    for name in names:
        own, right = world.argument(name), argument(name, world.foreign)
        url = reverse(name, args=[own])
        for person in [*ACTIVE, "bea"]:
            wanted = [(method, right) for method in METHODS] if is_foreign(name, person, own, right) else []
            wanted += [(method, gone[name]) for method in ("get", "post")] if name in gone else []
            wanted += [("get", other) for other in islice(others, OTHERS_OF_A_PAIR)]
            made += [Asked(person, name, method, url.replace(str(own), str(pk))) for method, pk in wanted]
    return made[::SAMPLE]


def erased_arguments(cast: Cast, names: list[str]) -> dict[str, Any]:
    """What each address about a child was asked about, before these children of team A were erased."""
    before, erased = set(Child.objects.values_list("pk", flat=True)), to_be_erased(cast)
    found = {name: argument(name, erased) for name in names if is_about_a_child(name)}
    for child in Child.objects.exclude(pk__in=before):
        erase(child)
    return found


def is_foreign(name: str, person: str, own: Any, right: Any) -> bool:
    """Whether the other situation's record is out of this person's reach: a school, or a file of figures, is not."""
    if own == right:
        return False
    return person == "bea" or person not in WITHOUT_TEAM or MATRIX[name][PEOPLE.index(person)] != OPEN


def test_ten_thousand_at_least() -> None:
    """Each kind below is counted where it is played."""
    assert sum(AT_LEAST.values()) >= 10_000


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


# -- the query ------------------------------------------------------------------------------------------------------

# For each parameter that a view reads: the pages that read it, and who opens them.
QUERY: dict[str, list[tuple[str, str]]] = {
    "filtre": [("pre_cases:team_parcours", "amina")],
    "referent": [("pre_cases:team_parcours", "amina")],
    "equipe": [("pre_cases:saisine_list", "benoit")],
    "lien": [("pre_cases:adult_create", "benoit")],
    "fil": [("pre_cases:parcours_detail", "benoit")],
    "suite": [("pre_cases:my_parcours", "benoit"), ("pre_cases:shared_parcours", "david"), ("journal_list", "gaelle")],
    "annee": [("pre_cases:statistics", "esther")],
    "du": [("pre_cases:team_statistics", "amina")],
    "au": [("pre_cases:team_statistics", "amina")],
    "page": [("partners:school_list", "chloe"), ("partners:project_list", "chloe")],
    "organisme": [("partners:project_create", "amina")],
}
NAMING = {"referent", "equipe", "lien", "suite", "organisme"}  # those that name a record take every foreign id


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
    for parameter, pages in QUERY.items():
        for name, person in pages:
            values = world.others[:: 1 if parameter in NAMING else 4]
            for value in [*values, *(cursors(world) if parameter == CURSOR_PARAMETER else [])]:
                yield f"{world.url(name)}?{urlencode({parameter: value})}", person


def cursors(world: World) -> list[str]:
    """Places in the order of a list, as the foreign team's pages would give them."""
    parcours = world.foreign.ines_parcours
    places = [[str(day), str(parcours.pk)] for day in (parcours.due_on, parcours.opened_on, date.min)]
    return [base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=") for place in places]


def faults(world: World, watch: Watch, what: str, response: Any, expected: tuple[int, ...]) -> list[str]:
    """What a request to the person's own page should not have shown, read or written."""
    found = []
    if response.status_code not in expected:
        found.append(f"{what} answers {response.status_code}")
    if any(canary in response.content for canary in CANARIES):
        found.append(f"{what} shows the foreign child")
    if read := watch.ids_read() & {str(pk) for pk in world.ids.values()}:
        found.append(f"{what} reads {read}")
    if watch.writes:
        found.append(f"{what} writes {watch.writes}")
    return found


def read_from(method: str) -> set[str]:
    """The literal keys of ``request.GET`` (or ``POST``) in the code of the applications."""
    key = rf"request\.{method}(?:\.get|\.getlist)?[\[(]f?[\"']([^\"'{{]*)|[\"'](\w+)[\"'] in request\.{method}"
    code = "".join(path.read_text() for app in OUR_APPS for path in (ROOT / app).rglob("*.py"))
    return {one or other for one, other in re.findall(key, code)}


# -- forms ----------------------------------------------------------------------------------------------------------

# Forms that no page shows on a first visit: who sends what where, for the page to show it again.
SHOWN_BY: list[tuple[str, str, dict[str, str]]] = [
    ("benoit", "pre_cases:saisine_create", {"school_text": "neuve"}),
    ("benoit", "pre_cases:saisine_sibling", {"school_text": "neuve"}),
    ("benoit", "pre_cases:schooling_record", {"school_text": "neuve"}),
]
NOT_SHOWN = {"BulkAssignForm"}  # the boxes of a list: see TestSeveralAtOnce
# Keys that views read themselves: what a button says, and nothing that names a record unless a test says so.
POSTED = {
    "draft",  # « Enregistrer le brouillon »
    "discard",
    "next",  # one of two pages to come back to
    "agreed",  # the charter
    "login",  # the address typed at the sign-in, for the count of failures
    "referent",  # TestSeveralAtOnce
    "parcours_list",  # TestSeveralAtOnce
    "seen-",  # TestSeveralAtOnce
}
VISITORS = ("benoit", "amina", "esther", "gaelle")
Shown = tuple[str, str, forms.BaseForm]


def shown_forms(world: World) -> list[Shown]:
    """Every form of every page, once for each visitor: who is shown it, at which address, and the form itself."""
    found: dict[tuple[str, type[forms.BaseForm]], Shown] = {}
    visits = [(person, name, None) for name in MATRIX for person in VISITORS if is_open(name, person)]
    for person, name, data in [*visits, *SHOWN_BY]:
        url, client = world.url(name), world.clients[person]
        response = client.get(url) if data is None else client.post(url, data)
        put_away(response)
        for context in response.context or []:
            for value in context.flatten().values():
                if isinstance(value, forms.BaseForm):
                    found[person, type(value)] = (person, url, value)
    return list(found.values())


def is_open(name: str, person: str) -> bool:
    return MATRIX[name][PEOPLE.index(person)] == OPEN


def foreign_values(world: World, field_: forms.ModelChoiceField) -> list[Any]:
    """All that the page does not offer, ids of the right model first."""
    key = field_.to_field_name or "pk"
    offered = {str(pk) for pk in field_.queryset.values_list(key, flat=True)}
    same = field_.queryset.model._base_manager.values_list(key, flat=True)[:100]
    return [value for value in [*same, *world.others] if str(value) not in offered]


def subclasses(base: type) -> set[type]:
    return {base} | {deeper for one in base.__subclasses__() for deeper in subclasses(one)}


def declared(base: type) -> set[type]:
    return {one for one in subclasses(base) if one.__module__.partition(".")[0] in OUR_APPS}


class TestForms:
    def test_refuse_what_their_page_does_not_offer(self, world: World) -> None:
        """Every form that holds an id is met; one that no page shows on a first visit has its line in ``SHOWN_BY``.

        Each field is given every foreign id, and some are sent as a browser would: nothing is read, nothing written.
        """
        shown, taken, count = shown_forms(world), [], 0
        met = {base for _, _, form in shown for base in type(form).__mro__}
        for form in declared(forms.BaseForm):
            fields = getattr(form, "base_fields", {}).values()
            names_a_record = any(isinstance(f, forms.ModelChoiceField) or f.widget.is_hidden for f in fields)
            assert not names_a_record or form in met or form.__name__ in NOT_SHOWN, form
        for name, field_, value in fields_replaced(world, shown):
            count += 1
            several = isinstance(field_, forms.ModelMultipleChoiceField)
            try:
                field_.clean([str(value)] if several else str(value))
                taken.append(f"{name} takes {value}")
            except forms.ValidationError:
                continue
        assert taken == []
        assert count >= AT_LEAST["fields"]
        told: list[str] = []
        last_of_each = {type(form): (person, url, form) for person, url, form in shown}
        sent = [(*shown, data) for shown in last_of_each.values() for data in sendings(world, shown[2])]
        with Watch() as watch:
            for person, url, _, data in sent[::SAMPLE]:
                watch.forget()
                response = world.clients[person].post(url, data)
                told += faults(world, watch, f"{person} {url} {data}", response, (405, 422))
        assert told == []
        assert len(sent) >= AT_LEAST["sent"]

    def test_have_no_formset(self) -> None:
        """The day one is written, its rows are named by hidden ids and want their own test here."""
        assert declared(BaseFormSet) == set()

    def test_leave_no_other_key_to_the_views(self) -> None:
        assert read_from("POST") <= POSTED


def fields_replaced(world: World, shown: list[Shown]) -> Iterator[tuple[str, forms.ModelChoiceField, Any]]:
    """Each field that names a record, as each visitor is shown it, with each foreign id."""
    for person, _, form in shown:
        for name, field_ in form.fields.items():
            if isinstance(field_, forms.ModelChoiceField):
                for value in foreign_values(world, field_):
                    yield f"{person}, {type(form).__name__}.{name}", field_, value


def sendings(world: World, form: forms.BaseForm) -> Iterator[dict[str, Any]]:
    """The form as its page shows it, one field replaced, for each field that names a record."""
    shown = {form.add_prefix(name): form[name].value() for name in form.fields}
    typed = {name: "" if value is None else value for name, value in shown.items()}
    for name, field_ in form.fields.items():
        if isinstance(field_, forms.ModelChoiceField):
            for value in foreign_values(world, field_)[:SENT_OF_A_FIELD]:
                yield typed | {form.add_prefix(name): str(value)}


class TestHiddenFields:
    def test_seen_is_the_referent_of_this_parcours(self, world: World) -> None:
        """The référent whom the page showed: another one means that the page is out of date, and nothing is done."""
        url = world.url("pre_cases:parcours_assign")
        today = timezone.localdate().isoformat()
        told: list[str] = []
        people = [person.pk for person in User.objects.exclude(pk=world.cast.benoit.pk)]
        with Watch() as watch:
            for seen in [*people, *(other for other in world.others if str(other).isdecimal())]:
                watch.forget()
                data = {"referent": world.cast.benoit.pk, "on": today, "seen": str(seen)}
                told += faults(world, watch, f"seen={seen}", world.clients["amina"].post(url, data), (422,))
        assert told == []

    def test_searched_is_the_proof_of_this_person_and_these_names(self, world: World) -> None:
        """Another's proof is none: the search is done again before anything is recorded."""
        child, team = world.foreign.ines, world.cast.team_a
        names = {"first_name": FIRST_NAME, "family_name": FAMILY_NAME, "birth_date": child.birth_date, "team": team}
        proofs = [proof_of_search(person, names) for person in (world.cast.chloe, world.foreign.benoit)]
        proofs.append(proof_of_search(world.cast.benoit, names | {"first_name": "Inès"}))
        data = names | {
            "birth_date": child.birth_date.isoformat(),
            "team": team.pk,
            "received_on": timezone.localdate().isoformat(),
            "source": "source:ecole-elementaire",
        }
        saisines = Saisine.objects.count()
        for proof in [*proofs, *(str(other) for other in world.others[::6])]:
            response = world.clients["benoit"].post(world.url("pre_cases:saisine_create"), data | {"searched": proof})
            assert response.status_code == 422
            assert str(child.pk) not in response.content.decode()
        assert Saisine.objects.count() == saisines


class TestFieldsNamedByAnAdult:
    def test_sign_takes_the_answers_of_this_child_s_adults(self, world: World) -> None:
        """``answer_<adult>``: an answer under another adult's id is no answer."""
        url, foreign = world.url("pre_cases:agreement_sign"), world.ids["pre_cases.Adult"].hex
        today = timezone.localdate().isoformat()
        with Watch() as watch:
            response = world.clients["benoit"].post(url, {f"answer_{foreign}": "signed", f"on_{foreign}": today})
            assert faults(world, watch, url, response, (422,)) == []

    def test_sibling_takes_the_adults_of_this_family(self, world: World) -> None:
        """``known_<adult>``: ticking another family's adult ties nobody to the new child."""
        foreign = world.ids["pre_cases.Adult"]
        data = {
            "first_name": "Oriane",
            "family_name": "Morel",
            "team": world.cast.team_a.pk,
            "received_on": timezone.localdate().isoformat(),
            "source": "source:ecole-elementaire",
            "level": "level:cp",
            f"known_{foreign.hex}": "on",
            f"known_{foreign.hex}_relation": "mother",
        }
        url = world.url("pre_cases:saisine_sibling")
        links = ChildAdult.objects.filter(adult=foreign).count()
        assert world.clients["benoit"].post(url, data).status_code == 302
        assert ChildAdult.objects.filter(adult=foreign).count() == links


class TestSeveralAtOnce:
    def test_leaves_foreign_parcours_where_they_are(self, world: World) -> None:
        """Boxes ticked under other ids: the whole is refused, those of the team included."""
        url = world.url("pre_cases:team_parcours")
        own = world.cast.ines_parcours.pk
        told: list[str] = []
        with Watch() as watch:
            people = {str(user.pk) for user in User.objects.holding(Role.REFERENT, world.cast.team_a.pk)}
            for other in (other for other in world.others[::3] if str(other) not in people):
                for ticked, who in (([own, other], world.cast.benoit.pk), ([own], other)):
                    watch.forget()
                    data = {"parcours_list": ticked, "referent": who, f"seen-{other}": world.foreign.benoit.pk}
                    told += faults(world, watch, str(data), world.clients["amina"].post(url, data), (422,))
        assert told == []

    def test_is_refused_when_the_list_showed_somebody_else(self, world: World) -> None:
        """``seen-<parcours>`` of another référent: the row is out of date and stays as it is."""
        url = world.url("pre_cases:team_parcours")
        own = world.cast.ines_parcours.pk
        with Watch() as watch:
            data = {"parcours_list": [own], "referent": world.cast.benoit.pk, f"seen-{own}": world.foreign.benoit.pk}
            assert faults(world, watch, str(data), world.clients["amina"].post(url, data), (302,)) == []


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


# The tasks that take an argument: what a foreign id, or no id at all, may do is nothing.
TASKS = {"pre_cases.make_statistics_export", "pre_cases.send_duplicate_notice"}


def parameters_of(task: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(task.run).parameters.values())


def is_asked(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty


class TestTasks:
    @pytest.fixture(autouse=True)
    def tasks(self) -> None:
        current_app.loader.import_default_modules()

    def test_with_an_argument_are_all_played(self) -> None:
        ours = {name: task for name, task in current_app.tasks.items() if name.partition(".")[0] in OUR_APPS}
        asking = {name for name, task in ours.items() if any(map(is_asked, parameters_of(task)))}
        assert asking == TASKS

    def test_do_nothing_with_a_foreign_id(self, world: World) -> None:
        notice = world.ids["pre_cases.DuplicateNotice"]
        with Watch() as watch:
            for name in sorted(TASKS):
                for other in (other for other in world.others if other != notice):
                    try:
                        current_app.tasks[name].run(str(other))
                    except ValueError:  # not an id
                        continue
            assert watch.writes == []
            assert watch.events == []
        assert mail.outbox == []
