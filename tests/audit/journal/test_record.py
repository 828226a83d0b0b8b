from types import SimpleNamespace
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from audit.history import MissingActor, acting_as, system_account
from audit.journal import trace
from audit.journal.models import Event
from audit.journal.record import NotACode, record_change, record_event, subject_of, team_of
from referents.models import Arrondissement, Team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return Team.objects.create(
        code="18-a", name="Goutte d’Or", arrondissement=Arrondissement.objects.create(number=18, name="18e")
    )


class TestRecordEvent:
    def test_keeps_ids_and_where_they_were_asked_from(self):
        identifiers = [uuid7(), uuid7()]
        with trace.tracing("192.0.2.9") as request_id:
            record_event("list", kind="pre_cases.parcours", ids=identifiers, purpose="review", detail={"count": 2})
        event = Event.objects.get()
        assert event.record_ids == [str(identifier) for identifier in identifiers]
        assert (event.kind, event.purpose, event.detail) == ("pre_cases.parcours", "review", {"count": 2})
        assert (event.request_id, event.address) == (request_id, "192.0.2.0/24")
        assert event.id.version == 7
        assert (event.actor_id, event.role, event.team_id) == (None, "", None)

    def test_keeps_the_role_and_team_of_that_time(self):
        amina = SimpleNamespace(pk=7, journal_capacity=("coordinator", 3))
        event = record_event("read", actor=amina, acting_for=SimpleNamespace(pk=8))
        assert (event.actor_id, event.role, event.team_id, event.acting_for_id) == (7, "coordinator", 3, 8)

    def test_is_signed_by_the_running_actor(self):
        account = system_account()
        with acting_as(account):
            assert record_event("read").actor_id == account.pk

    @pytest.mark.parametrize(
        "values",
        [
            {"purpose": "Inès a été vue"},
            {"detail": {"name": "Inès"}},
            {"detail": {"Inès": 1}},
            {"detail": {"nested": [{"x": "deux mots"}]}},
            {"detail": {"record": object()}},
            {"ids": ["Inès Diallo"]},
            {"data_kind": "x" * 65},
        ],
    )
    def test_refuses_what_could_be_a_value(self, values: dict):
        with pytest.raises(NotACode):
            record_event("read", **values)
        assert not Event.objects.exists()

    def test_takes_counts_codes_and_dates(self):
        detail = {"created": 3, "ok": True, "ratio": 0.5, "none": None, "codes": ["a.b", "2026-01-31"]}
        assert record_event("import", detail=detail).detail == detail


class TestRecordChange:
    def test_names_the_record_and_its_author(self, team: Team):
        account = system_account()
        with acting_as(account):
            event = record_change(team, "create", purpose="opening")
        assert (event.action, event.kind, event.record_ids) == ("create", "referents.team", [str(team.pk)])
        assert (event.actor_id, event.purpose, event.subject_id) == (account.pk, "opening", None)

    def test_needs_an_author(self, team: Team):
        with pytest.raises(MissingActor):
            record_change(team, "create")


class TestSubjectOf:
    def record(self, **columns: object) -> object:
        made = type("Entry", (), {"journal_subject": ("parcours_id", "saisine_id")})()
        vars(made).update({"pk": uuid7(), "parcours_id": None, "saisine_id": None} | columns)
        return made

    def test_is_the_first_file_that_the_record_belongs_to(self):
        parcours, saisine = uuid7(), uuid7()
        assert subject_of(self.record(parcours_id=parcours, saisine_id=saisine)) == parcours
        assert subject_of(self.record(saisine_id=saisine)) == saisine

    def test_is_the_record_itself_when_it_belongs_to_none(self):
        record = self.record()
        assert subject_of(record) == record.pk
        event = Event()
        assert isinstance(subject_of(event), UUID)

    def test_is_nothing_for_reference_data(self, team: Team):
        assert subject_of(team) is None


class TestTeamOf:
    def test_is_that_of_the_record(self, team: Team):
        assert team_of(SimpleNamespace(team_id=3)) == 3
        assert team_of(team) is None
