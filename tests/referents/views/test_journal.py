"""The access journal, as the data protection officer reads it."""

import ast
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.journal.integrity import Verification
from audit.journal.models import Event
from audit.journal.record import record_event
from audit.tasks import seal_journal
from pre_cases.services.access import revoke_share
from referents.events import ACTIONS
from tests.audit.journal.tampering import everything_is_committed
from tests.cast import Cast

LIST = "journal_list"


def fill(cast: Cast, number: int, action: str = "read") -> None:
    for _ in range(number):
        record_event(action, kind="pre_cases.parcours", ids=[cast.ines_parcours.pk], actor=cast.benoit)


class TestJournalList:
    def test_says_who_did_what_under_which_role(self, cast: Cast, signed_in) -> None:
        fill(cast, 1)
        page = signed_in(cast.gaelle).get(reverse(LIST)).content.decode()
        for shown in ("consultation", "Benoît Test", f"compte {cast.benoit.pk}", "référent de parcours", "A</small>"):
            assert shown in page, shown
        assert str(cast.ines_parcours.pk) in page

    def test_says_to_whom_a_right_was_given(self, cast: Cast, signed_in) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        page = signed_in(cast.gaelle).get(reverse(LIST), {"action": "revoke"}).content.decode()
        assert "partage" in page
        assert f"user : {cast.david.pk}" in page

    def test_names_no_child(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).get(reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk]))
        page = signed_in(cast.gaelle).get(reverse(LIST)).content.decode()
        assert str(cast.ines_parcours.pk) in page
        assert "Inès" not in page
        assert "Morel" not in page

    def test_is_itself_journalled(self, cast: Cast, signed_in) -> None:
        fill(cast, 1)
        client = signed_in(cast.gaelle)
        shown = [str(event.pk) for event in Event.objects.order_by("-at", "-id")]
        client.get(reverse(LIST))
        event = Event.objects.get(kind="audit.event")
        assert (event.action, event.actor_id, event.record_ids) == ("list", cast.gaelle.pk, shown)

    def test_goes_back_in_time_fifty_by_fifty(self, cast: Cast, signed_in) -> None:
        fill(cast, 70)
        client = signed_in(cast.gaelle)
        first = client.get(reverse(LIST), {"action": "read"})
        rest = client.get(reverse(LIST), {"action": "read", "suite": first.context["page"].next_cursor})
        shown = [event for response in (first, rest) for event in response.context["page"].records]
        assert (len(first.context["page"].records), len({event.pk for event in shown})) == (50, 70)
        assert [event.at for event in shown] == sorted((event.at for event in shown), reverse=True)
        assert "action=read" in first.content.decode().split('class="pager"')[1]

    def test_keeps_one_action(self, cast: Cast, signed_in) -> None:
        fill(cast, 2)
        fill(cast, 1, "print")
        page = signed_in(cast.gaelle).get(reverse(LIST), {"action": "print"})
        assert [event.action for event in page.context["page"].records] == ["print"]

    def test_keeps_one_day_of_paris(self, cast: Cast, signed_in) -> None:
        late = timezone.make_aware(datetime(2026, 3, 2, 23, 30))
        for at in (late, late + timedelta(hours=1)):
            with time_machine.travel(at, tick=False):
                fill(cast, 1)
        page = signed_in(cast.gaelle).get(reverse(LIST), {"day": "2026-03-02"})
        assert [event.at for event in page.context["page"].records] == [late]

    @pytest.mark.parametrize(
        "query", [{"action": "drop"}, {"day": "hier"}, {"day": "0001-01-01"}, {"day": "9999-12-31"}]
    )
    def test_says_that_a_filter_is_none(self, cast: Cast, signed_in, query: dict[str, str]) -> None:
        fill(cast, 1)
        page = signed_in(cast.gaelle).get(reverse(LIST), query)
        assert page.context["lines"] == []
        assert "Filtre à corriger" in page.content.decode()

    def test_costs_the_same_with_one_event_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.gaelle)
        url = reverse(LIST) + "?action=read"
        fill(cast, 1)
        client.get(url)
        with CaptureQueriesContext(connection) as one:
            client.get(url)
        fill(cast, 24)
        with CaptureQueriesContext(connection) as many:
            assert len(client.get(url).context["page"].records) == 25
        assert len(many) == len(one)

    @pytest.mark.parametrize("name", ["amina", "benoit", "chloe", "david", "esther", "farid", "hugo"])
    def test_does_not_exist_for_the_others(self, cast: Cast, signed_in, name: str) -> None:
        client = signed_in(getattr(cast, name))
        refused = client.get(reverse(LIST))
        assert refused.status_code == 404
        assert refused.content == client.get("/nulle-part/").content
        assert Event.objects.get(action="refusal").detail == {"asked": "list"}


class TestWords:
    def test_are_those_of_every_verb_that_a_service_writes(self) -> None:
        """A verb without its word would stand in English on the page, and out of the filter."""
        folders = [Path(settings.BASE_DIR, app, "services") for app in ("referents", "partners", "pre_cases")]
        verbs = {
            node.args[1].value
            for path in (path for folder in folders for path in folder.rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record_change"
            if len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
        }
        assert len(verbs) > 15
        assert verbs - set(dict(ACTIONS)) == set()


class TestJournalIntegrity:
    def test_gives_the_checkpoint_to_keep(self, cast: Cast, signed_in) -> None:
        fill(cast, 3)
        with everything_is_committed():
            seal_journal()
        page = signed_in(cast.gaelle).get(reverse("journal_integrity")).content.decode()
        assert settings.JOURNAL_ORIGIN in page
        assert "n’a pas encore été vérifié" in page
        assert "recommencé" not in page

    def test_says_that_the_checkpoints_were_begun_again(self, cast: Cast, signed_in) -> None:
        with everything_is_committed():
            for number in (1, 2):
                fill(cast, number)
                seal_journal()
                Path(settings.JOURNAL_CHECKPOINTS).unlink()
            fill(cast, 1)
            seal_journal()
        page = signed_in(cast.gaelle).get(reverse("journal_integrity")).content.decode()
        assert "a été recommencé après 4 événements" in page

    def test_says_that_an_event_was_altered(self, cast: Cast, signed_in) -> None:
        Verification.objects.create(fault="altered", events=3, unsealed=0, seals=1, event_id=cast.ines_parcours.pk)
        for name in ("journal_integrity", "pre_cases:protection"):
            page = signed_in(cast.gaelle).get(reverse(name)).content.decode()
            assert "Prévenez l’administration technique" in page
            assert str(cast.ines_parcours.pk) in page

    def test_says_that_nothing_is_sealed_yet(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.gaelle).get(reverse("journal_integrity")).content.decode()
        assert "Aucun point de contrôle encore" in page

    def test_is_itself_journalled(self, cast: Cast, signed_in) -> None:
        signed_in(cast.gaelle).get(reverse("journal_integrity"))
        event = Event.objects.get(kind="audit.event")
        assert (event.action, event.purpose, event.actor_id) == ("list", "integrity", cast.gaelle.pk)


class TestJournalAlerts:
    def test_opens_the_events_of_a_day_that_it_points_out(self, cast: Cast, signed_in) -> None:
        night = timezone.localtime().replace(hour=3) - timedelta(days=2)
        with time_machine.travel(night, tick=False):
            record_event("read", kind="pre_cases.parcours", actor=cast.benoit, subject_id=cast.ines_parcours.pk)
        client = signed_in(cast.gaelle)
        assert cast.benoit.get_full_name() in client.get(reverse("journal_alerts")).content.decode()
        day = {"actor": cast.benoit.pk, "day": timezone.localdate(night).isoformat()}
        assert "03:" in client.get(reverse(LIST), day).content.decode()

    def test_finds_by_the_situation(self, cast: Cast, signed_in) -> None:
        record_event("read", kind="pre_cases.parcours", actor=cast.benoit, subject_id=cast.ines_parcours.pk)
        client = signed_in(cast.gaelle)
        found = client.get(reverse(LIST), {"subject": str(cast.ines_parcours.pk)}).content.decode()
        assert cast.benoit.get_full_name() in found
        nobody = client.get(reverse(LIST), {"subject": str(cast.tom_parcours.pk)}).content.decode()
        assert "Aucun événement" in nobody
        assert "valide" in client.get(reverse(LIST), {"subject": "Inès"}).content.decode()
