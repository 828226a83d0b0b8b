"""The history of a file: which records it holds."""

import pytest
from django.apps import apps

from pre_cases.models import (
    AidEnvelope,
    ConcernReported,
    DuplicateNotice,
    EpreParticipant,
    EpreSession,
    ErasureReason,
    Family,
    FileDecision,
    Parcours,
    RequestEffect,
    SubjectFile,
)
from pre_cases.past import past_of, records_of
from tests.cast import Cast

# tracked, and no part of the history that the people of a parcours read
LEFT_OUT = {
    AidEnvelope: "of a team, not of a child",
    ConcernReported: "for its author and the coordination only",
    Family: "groups siblings: nothing in it is chosen or typed",
    SubjectFile: "on the page of the family's request",
    FileDecision: "on the page of the family's request",
    RequestEffect: "on the page of the family's request, each beside the change that it names",
    ErasureReason: "on the page of the erasure, for the two who decide it",
    EpreSession: "of a team: on the page of the session",
    EpreParticipant: "of a team: on the page of the session",
    DuplicateNotice: "between two coordinations, on their boards",
}


@pytest.mark.django_db
class TestRecordsOf:
    def test_holds_every_tracked_record_of_a_file(self) -> None:
        tracked = {model for model in apps.get_app_config("pre_cases").get_models() if hasattr(model, "history")}
        held = {records.model for records in records_of(Parcours())}
        assert held | set(LEFT_OUT) == tracked
        assert not held & set(LEFT_OUT)


class TestPastOf:
    def test_begins_with_what_the_file_was_made_of(self, cast: Cast) -> None:
        changes = past_of(cast.ines_parcours, everything=True).changes
        assert {change.sign for change in changes} == {"ajout"}
        assert {"parcours", "enfant", "saisine", "adulte"} <= {change.record for change in changes}
