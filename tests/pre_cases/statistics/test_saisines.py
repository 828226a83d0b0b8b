"""Saisines received: source, outcome at the end of the period, delays."""

from datetime import date, timedelta

import pytest

from audit.disclosure.cells import TOTAL
from audit.history import acting_as, system_account
from partners.models import Term
from pre_cases.models import Entry, Parcours, SaisineSign
from pre_cases.statistics.saisines import delay_band, negative_delays, saisines
from tests.cast import make_agreement, make_child, make_saisine
from tests.pre_cases.statistics.invented import PARIS, YEAR, Programme, column, day, saved

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

MARCH = day(3, 3)


@pytest.fixture
def programme() -> Programme:
    return Programme()


def found(programme: Programme, code: str, measure: str = ""):
    return column(next(table for table in saisines(YEAR, programme.extent) if table.spec.code == code), PARIS, measure)


def receive(programme: Programme, on: date = MARCH, **values):
    return make_saisine(make_child(), programme.north, received_on=on, **values)


def open_from(programme: Programme, saisine, opened_on: date, entered_on: date | None, closed_on: date | None = None):
    agreement = make_agreement(saisine, signed_on=opened_on)
    reason = {"exit_reason": Term.objects.get(pk="exit_reason:autre")} if closed_on else {}
    return saved(
        Parcours,
        child=saisine.child,
        team=programme.north,
        saisine=saisine,
        agreement=agreement,
        opened_on=opened_on,
        entered_on=entered_on,
        closed_on=closed_on,
        data_key_id=saisine.data_key_id,
        **reason,
    )


class TestSources:
    def test_count_what_was_received_in_the_period(self, programme: Programme) -> None:
        receive(programme, day(1, 1))
        receive(programme, day(12, 31), source=Term.objects.get(pk="source:caf"))
        receive(programme, date(2013, 12, 31))
        receive(programme, date(2015, 1, 1))
        assert found(programme, "saisine_source") == {TOTAL: 2, "ecole-elementaire": 1, "caf": 1}

    def test_leave_drafts_out(self, programme: Programme) -> None:
        receive(programme)
        receive(programme, submitted_on=None)
        for code in ("saisine_source", "saisine_outcome"):
            assert found(programme, code)[TOTAL] == 1


class TestOutcomes:
    def test_are_those_of_the_last_day(self, programme: Programme) -> None:
        receive(programme)
        receive(programme, outcome="redirected", outcome_on=day(4, 1))
        receive(programme, outcome="no_follow_up", outcome_on=date(2015, 1, 1))  # decided since: still received
        make_agreement(receive(programme))
        make_agreement(receive(programme), signed_on=day(4, 1))
        make_agreement(receive(programme), signed_on=date(2015, 2, 1))  # awaited on the last day
        open_from(programme, receive(programme), day(4, 1), day(5, 1))
        open_from(programme, receive(programme), day(4, 1), None)
        open_from(programme, receive(programme), day(4, 1), None, day(6, 1))
        refused = make_agreement(receive(programme))
        refused.refused_on = day(5, 5)
        with acting_as(system_account()):
            refused.save()
        assert found(programme, "saisine_outcome") == {
            TOTAL: 10,
            "received": 2,
            "redirected": 1,
            "awaited": 2,
            "signed": 1,
            "entered": 1,
            "evaluation": 1,
            "no_entry": 1,
            "refused": 1,
        }


class TestSaisineSigns:
    def test_count_once_a_saisine_with_those_without(self, programme: Programme) -> None:
        first = receive(programme)
        for code in ("resultats", "absences"):
            saved(SaisineSign, saisine=first, sign=Term.objects.get(pk=f"sign:{code}"))
        receive(programme)
        assert found(programme, "saisine_signs_heading") == {TOTAL: 1, "scolarite": 1, "nr": 1}
        assert found(programme, "saisine_signs") == {TOTAL: 1, "resultats": 1, "absences": 1, "nr": 1}


class TestDelays:
    @pytest.mark.parametrize(
        ("days", "band"),
        [(-1, "error"), (0, "0_14"), (14, "0_14"), (15, "15_30"), (31, "31_60"), (61, "61_90"), (91, "91_over")],
    )
    def test_have_bands(self, days: int, band: str) -> None:
        assert delay_band(days) == band

    def test_to_the_agreement_count_when_they_end(self, programme: Programme) -> None:
        make_agreement(receive(programme, date(2013, 12, 20)), signed_on=day(1, 9))
        make_agreement(receive(programme, day(3, 1)), signed_on=day(3, 11))
        make_agreement(receive(programme, day(12, 20)), signed_on=date(2015, 1, 2))
        assert found(programme, "delay_agreement") == {TOTAL: 2, "15_30": 1, "0_14": 1}
        assert found(programme, "delay_agreement", "mean_days") == {TOTAL: 15}

    def test_that_are_negative_are_errors_listed(self, programme: Programme) -> None:
        saisine = receive(programme, day(3, 10))
        agreement = make_agreement(saisine)
        agreement.presented_on = agreement.signed_on = day(3, 1)
        agreement.agreed_until_on = day(3, 1) + timedelta(days=365)
        with acting_as(system_account()):
            agreement.save()
        assert found(programme, "delay_agreement") == {TOTAL: 1, "error": 1}
        assert found(programme, "delay_agreement", "mean_days") == {}
        assert negative_delays(YEAR, programme.extent) == [(saisine.pk, day(3, 10))]

    def test_to_the_first_meeting_ignore_the_next_ones(self, programme: Programme) -> None:
        saisine = receive(programme, day(3, 1))
        meet(saisine, None, day(3, 4), kind="phone")
        meet(saisine, None, day(3, 5), with_whom="school")
        parcours = open_from(programme, saisine, day(4, 1), day(4, 1))
        meet(None, parcours, day(4, 20))
        meet(None, parcours, day(3, 31), kind="home_visit")
        earlier = receive(programme, date(2013, 11, 1))
        meet(earlier, None, date(2013, 12, 1))
        meet(earlier, None, day(1, 15))
        assert found(programme, "delay_meeting") == {TOTAL: 1, "15_30": 1}
        assert found(programme, "delay_meeting", "mean_days") == {TOTAL: 30}


def meet(saisine, parcours, on: date, kind: str = "meeting", with_whom: str = "family") -> None:
    saved(
        Entry,
        saisine=saisine,
        parcours=parcours,
        on=on,
        kind=kind,
        with_whom=with_whom,
        author=system_account(),
        data_key_id=(saisine or parcours).data_key_id,
    )
