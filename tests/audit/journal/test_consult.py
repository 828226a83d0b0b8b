from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection, transaction
from django.http import Http404, HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from audit.history import acting_as, system_account
from audit.journal import consult as module
from audit.journal.consult import consult, consult_page
from audit.journal.models import Event
from referents.models import Arrondissement, Membership, Role, Team, User

pytestmark = pytest.mark.django_db

AMINA = SimpleNamespace(pk=7, is_authenticated=True, journal_capacity=("coordinator", 3))


@pytest.fixture
def request_of_amina(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.user = AMINA
    return request


@pytest.fixture
def teams() -> list[Team]:
    arrondissement = Arrondissement.objects.create(number=18, name="18e")
    return [Team.objects.create(code=code, name=code, arrondissement=arrondissement) for code in ("a", "b")]


@pytest.fixture
def memberships(teams: list[Team]) -> list[Membership]:
    """Five rows in two teams; three of them begin the same day."""
    with acting_as(system_account()):
        benoit = User.objects.create_user("benoit@example.org")
        return [
            Membership.objects.create(
                user=benoit, team=team, role=Role.REFERENT, starts_on=date(2026, 1, day), ends_on=date(2026, 2, 1)
            )
            for day, team in [(1, teams[0]), (5, teams[0]), (5, teams[0]), (5, teams[1]), (9, teams[1])]
        ]


def statements(queries: CaptureQueriesContext) -> list[str]:
    """The statements, transaction control apart."""
    control = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")
    return [query["sql"] for query in queries if not query["sql"].startswith(control)]


@contextmanager
def unwritable_journal(monkeypatch: pytest.MonkeyPatch):
    def fail(*args, **kwargs):
        raise DatabaseError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Event.objects, "create", fail)
        yield


class TestConsult:
    def test_gives_the_record_and_leaves_its_event(self, request_of_amina: HttpRequest, teams: list[Team]):
        team = consult(request_of_amina, Team.objects.all(), pk=teams[0].pk, purpose="review")
        assert team == teams[0]
        event = Event.objects.get()
        assert (event.action, event.kind, event.record_ids) == ("read", "referents.team", [str(team.pk)])
        assert (event.actor_id, event.role, event.team_id, event.purpose) == (7, "coordinator", 3, "review")

    def test_makes_two_queries(self, request_of_amina: HttpRequest, teams: list[Team]):
        with CaptureQueriesContext(connection) as queries:
            consult(request_of_amina, Team.objects.all(), pk=teams[0].pk)
        assert len(statements(queries)) == 2

    def test_finds_the_file_and_its_team(self, request_of_amina: HttpRequest, memberships: list[Membership]):
        consult(request_of_amina, Membership.objects.all(), pk=memberships[0].pk)
        assert Event.objects.get(kind="referents.membership").subject_team_id == memberships[0].team_id
        event = Event.objects.create(action="read")
        consult(request_of_amina, Event.objects.all(), pk=str(event.pk))
        assert Event.objects.get(kind="audit.event").subject_id == event.pk

    def test_loads_the_keys_of_the_record(
        self, request_of_amina: HttpRequest, teams: list[Team], monkeypatch: pytest.MonkeyPatch
    ):
        loaded: list[object] = []
        monkeypatch.setattr(module, "load_keys_of", lambda *records: loaded.extend(records))
        team = consult(request_of_amina, Team.objects.all(), pk=teams[0].pk)
        assert loaded == [team]

    def test_hides_what_is_out_of_scope(self, request_of_amina: HttpRequest, teams: list[Team]):
        with CaptureQueriesContext(connection) as queries, pytest.raises(Http404) as hidden:
            consult(request_of_amina, Team.objects.filter(code="a"), pk=teams[1].pk)
        assert len(statements(queries)) == 2
        with CaptureQueriesContext(connection) as others, pytest.raises(Http404) as missing:
            consult(request_of_amina, Team.objects.filter(code="a"), pk=teams[1].pk + 1000)
        assert len(statements(others)) == 2
        assert str(hidden.value) == str(missing.value) == ""
        assert hidden.value.__cause__ is None

    def test_keeps_the_refusal_with_the_id_asked_for(self, request_of_amina: HttpRequest):
        asked = uuid7()
        with pytest.raises(Http404):
            consult(request_of_amina, Event.objects.all(), pk=asked, action="print")
        event = Event.objects.get()
        assert (event.action, event.record_ids, event.subject_id) == ("refusal", [str(asked)], UUID(str(asked)))
        assert (event.actor_id, event.kind, event.detail) == (7, "audit.event", {"asked": "print"})

    @pytest.mark.parametrize("pk", ["Inès", "", "1; drop", None, 10**30, "x" * 5000, object(), "\0"])
    @pytest.mark.parametrize("model", [Team, Event])
    def test_treats_what_is_no_id_like_what_does_not_exist(self, request_of_amina: HttpRequest, model, pk: object):
        with pytest.raises(Http404):
            consult(request_of_amina, model.objects.all(), pk=pk)
        event = Event.objects.get()
        assert event.action == "refusal"
        assert event.record_ids in ([], [str(10**30)])

    def test_shows_nothing_when_the_event_cannot_be_written(
        self, request_of_amina: HttpRequest, teams: list[Team], monkeypatch: pytest.MonkeyPatch
    ):
        with unwritable_journal(monkeypatch), pytest.raises(DatabaseError, match="disk full"):
            consult(request_of_amina, Team.objects.all(), pk=teams[0].pk)

    def test_does_not_answer_when_a_refusal_cannot_be_written(
        self, request_of_amina: HttpRequest, monkeypatch: pytest.MonkeyPatch
    ):
        with unwritable_journal(monkeypatch), pytest.raises(DatabaseError, match="disk full"):
            consult(request_of_amina, Team.objects.all(), pk=1)

    def test_keeps_who_was_not_signed_in_as_nobody(self, rf: RequestFactory, teams: list[Team]):
        request = rf.get("/")
        request.user = AnonymousUser()
        consult(request, Team.objects.all(), pk=teams[0].pk)
        assert Event.objects.get().actor_id is None

    @pytest.mark.django_db(transaction=True)
    def test_commits_the_refusal_before_the_page_is_refused(self, request_of_amina: HttpRequest):
        with pytest.raises(Http404):
            consult(request_of_amina, Team.objects.all(), pk=1)
        assert not connection.in_atomic_block
        connection.close()
        assert Event.objects.get().action == "refusal"

    @pytest.mark.django_db(transaction=True)
    def test_refuses_to_share_the_transaction_of_its_caller(self, request_of_amina: HttpRequest, teams: list[Team]):
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            consult(request_of_amina, Team.objects.all(), pk=teams[0].pk)


class TestConsultPage:
    def page(self, request: HttpRequest, cursor: str | None = None, size: int = 2):
        scope = Membership.objects.select_related("team")
        return consult_page(request, scope, order=("starts_on", "id"), cursor=cursor, size=size)

    def test_shows_every_row_once_in_order(self, request_of_amina: HttpRequest, memberships: list[Membership]):
        first = self.page(request_of_amina)
        second = self.page(request_of_amina, first.next_cursor)
        third = self.page(request_of_amina, second.next_cursor)
        assert [*first, *second, *third] == memberships
        assert [page.has_next for page in (first, second, third)] == [True, True, False]
        assert [page.is_first for page in (first, second, third)] == [True, False, False]

    def test_leaves_one_event_with_the_rows_it_shows(self, request_of_amina: HttpRequest, memberships):
        self.page(request_of_amina)
        event = Event.objects.get()
        assert (event.action, event.kind) == ("list", "referents.membership")
        assert event.record_ids == [str(membership.pk) for membership in memberships[:2]]
        assert event.subject_team_id == memberships[0].team_id

    def test_names_no_team_for_a_page_of_several(self, request_of_amina: HttpRequest, memberships):
        self.page(request_of_amina, size=25)
        assert Event.objects.get().subject_team_id is None

    def test_reads_the_place_in_the_address(self, rf: RequestFactory, request_of_amina: HttpRequest, memberships):
        request = rf.get("/", {"suite": self.page(request_of_amina).next_cursor})
        request.user = AMINA
        assert list(self.page(request)) == memberships[2:4]

    @pytest.mark.parametrize("size", [1, 25])
    def test_makes_two_queries_however_long_it_is(self, request_of_amina: HttpRequest, memberships, size: int):
        with CaptureQueriesContext(connection) as queries:
            self.page(request_of_amina, size=size)
        assert len(statements(queries)) == 2

    def test_keeps_a_list_that_found_nothing(self, request_of_amina: HttpRequest):
        page = self.page(request_of_amina)
        assert (list(page), page.has_next, Event.objects.get().record_ids) == ([], False, [])

    def test_shows_nothing_when_the_event_cannot_be_written(
        self, request_of_amina: HttpRequest, monkeypatch: pytest.MonkeyPatch
    ):
        with unwritable_journal(monkeypatch), pytest.raises(DatabaseError, match="disk full"):
            self.page(request_of_amina)
