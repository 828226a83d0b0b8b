"""The évaluation de la situation: needs within the parcours, corrected with their history."""

from datetime import timedelta

import pytest
from django.utils import timezone

from partners.models import Term
from pre_cases.models import EntryKind, EntryWith, Need, Parcours
from pre_cases.services.evaluation import NeedRefused, change_need, note_need
from pre_cases.services.timeline import add_entry
from tests.cast import Cast

DAY = timedelta(days=1)


def typed(**values):
    said = {
        "text": "Un endroit calme pour lire",
        "domain": Term.objects.get(pk="domain:educatif"),
        "priority": Term.objects.get(pk="priority:decrochage"),
        "noted_on": timezone.localdate(),
    }
    return said | values


class TestNoteNeed:
    def test_keeps_it_under_the_key_of_the_child(self, cast: Cast) -> None:
        need = note_need(parcours=cast.ines_parcours, by=cast.benoit, **typed())
        assert Need.objects.get(pk=need.pk).text == "Un endroit calme pour lire"
        assert need.data_key_id == cast.ines.data_key_id

    @pytest.mark.parametrize("days", [1, -51])
    def test_refuses_a_day_to_come_or_before_the_opening(self, cast: Cast, days: int) -> None:
        with pytest.raises(NeedRefused) as refusal:
            note_need(parcours=cast.ines_parcours, by=cast.benoit, **typed(noted_on=timezone.localdate() + days * DAY))
        assert refusal.value.field == "noted_on"


class TestChangeNeed:
    def test_keeps_what_it_was(self, cast: Cast) -> None:
        need = note_need(parcours=cast.ines_parcours, by=cast.benoit, **typed())
        change_need(need=need, by=cast.benoit, **typed(text="Une table à soi"))
        assert [version.text for version in need.history.order_by("history_id")] == [
            "Un endroit calme pour lire",
            "Une table à soi",
        ]


class TestInterview:
    def test_is_an_exchange_and_a_contact(self, cast: Cast) -> None:
        add_entry(
            parcours=cast.ines_parcours,
            kind=EntryKind.EVALUATION,
            on=timezone.localdate(),
            with_whom=EntryWith.FAMILY,
            text="Premier entretien.",
            by=cast.benoit,
        )
        assert Parcours.objects.get(pk=cast.ines_parcours.pk).last_contact_on == timezone.localdate()
