"""The calendar against RFC 5545, read by rules written here and not by what wrote it."""

import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pre_cases.calendar import Occasion, escaped, folded, occasions_of, written
from pre_cases.services.review import record_review
from tests.cast import Cast

TEXT = re.compile(r"(?:[^\\;,\x00-\x08\x0a-\x1f\x7f]|\\[\\;,nN])*")  # TSAFE-CHAR and escapes, section 3.3.11
NAME = re.compile(r"[A-Z0-9-]+")
ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "CLASS", "URL"}


def read(content: bytes) -> list[dict[str, str]]:
    """The events of a calendar, each property by its name and parameters; fails on what the standard does not allow."""
    assert content.endswith(b"\r\n")
    raw = content.split(b"\r\n")[:-1]
    for line in raw:
        assert len(line) <= 75
        assert not set(line) & set(b"\r\n")
        line.decode()  # no letter is cut in two
    lines = content.decode().replace("\r\n ", "").split("\r\n")[:-1]
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    assert "VERSION:2.0" in lines
    assert sum(line.startswith("PRODID:") for line in lines) == 1
    events, current = [], None
    for line in lines[1:-1]:
        name, _, value = line.partition(":")
        assert NAME.fullmatch(name.partition(";")[0]), line
        if line == "BEGIN:VEVENT":
            current = {}
        elif line == "END:VEVENT":
            events.append(current)
            current = None
        elif current is not None:
            assert name not in current, "a property stands once"
            current[name] = value
    for event in events:
        assert {name.partition(";")[0] for name in event} >= ONCE
        assert TEXT.fullmatch(event["SUMMARY"])
        assert TEXT.fullmatch(event.get("LOCATION", ""))
    assert len({event["UID"] for event in events}) == len(events)
    return events


def an_occasion(**values) -> Occasion:
    return Occasion(
        **{"uid": "x", "summary": "Tâche", "begins": date(2026, 3, 1), "file_id": uuid4(), "path": "/x/"} | values
    )


class TestWritten:
    def test_of_nothing_is_a_calendar(self) -> None:
        assert read(written([])) == []

    def test_gives_a_whole_day_its_end_on_the_next(self) -> None:
        [event] = read(written([an_occasion(begins=date(2026, 2, 28))]))
        assert event["DTSTART;VALUE=DATE"] == "20260228"
        assert event["DTEND;VALUE=DATE"] == "20260301"

    def test_gives_an_hour_in_universal_time(self) -> None:
        at = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
        [event] = read(written([an_occasion(begins=at, where="à l’école; salle 2, « B »")]))
        assert (event["DTSTART"], event["DTEND"]) == ("20260701T123000Z", "20260701T133000Z")
        assert event["LOCATION"] == "à l’école\\; salle 2\\, « B »"

    @given(st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=300), max_size=3))
    def test_reads_back_whatever_the_text(self, texts: list[str]) -> None:
        occasions = [an_occasion(uid=str(rank), summary=text) for rank, text in enumerate(texts)]
        events = read(written(occasions))
        assert [re.sub(r"\\(.)", r"\1", event["SUMMARY"]) for event in events] == texts

    def test_escapes_the_end_of_a_line(self) -> None:
        assert escaped("a\r\nb\nc") == "a\\nb\\nc"

    @pytest.mark.parametrize("length", [74, 75, 76, 148, 149, 150, 400])
    def test_folds_at_seventy_five_octets(self, length: int) -> None:
        for letter in ("x", "é", "—", "😀"):
            line = folded(letter * length)
            assert line.replace("\r\n ", "") == letter * length + "\r\n"
            assert all(len(piece.encode()) <= 75 for piece in line.split("\r\n"))


class TestOccasionsOf:
    def test_puts_the_next_review_six_months_after_the_last(self, cast: Cast) -> None:
        [first] = occasions_of(cast.benoit)
        entered_on = cast.ines_parcours.entered_on
        assert first.begins > entered_on + timedelta(days=170)
        record_review(
            parcours=cast.ines_parcours,
            on=entered_on + timedelta(days=10),
            family_present=True,
            child_present=False,
            text="x",
            by=cast.benoit,
        )
        [second] = occasions_of(cast.benoit)
        assert (second.begins - first.begins).days in range(8, 13)

    def test_is_nothing_for_who_follows_nobody(self, cast: Cast) -> None:
        assert occasions_of(cast.esther) == []
