"""Two coordinations at the same instant, as two processes answer them."""

from datetime import time, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from pre_cases.models import EpreItem, EpreSession
from pre_cases.services.epre_agenda import put_on_agenda
from pre_cases.services.epre_session import plan_session
from tests.at_once import at_once
from tests.cast import Cast, make_child, make_parcours, make_session

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


class TestAtOnce:
    def test_a_team_sits_once_at_the_same_hours(self, cast: Cast, tmp_path: Path) -> None:
        on = timezone.localdate() + timedelta(days=9)

        def plan():
            hours = {"starts_at": time(14), "ends_at": time(16)}
            return plan_session(team=cast.team_a, on=on, place="Centre Binet", by=cast.amina, **hours)

        outcomes, planned = at_once(tmp_path, [plan] * 4, EpreSession.objects.count)
        assert planned == 1
        assert sum("déjà une séance à ces heures" in outcome for outcome in outcomes) == 3

    def test_a_situation_goes_to_one_agenda(self, cast: Cast, tmp_path: Path) -> None:
        parcours = make_parcours(cast.team_a, child=make_child("Lina"), referent=cast.benoit, entered_on=None)
        sessions = [make_session(cast.team_a, on=timezone.localdate() + timedelta(days=days)) for days in (3, 10)]

        def put(session: EpreSession):
            return lambda: put_on_agenda(session=session, parcours=parcours, by=cast.benoit)

        outcomes, waiting = at_once(tmp_path, [put(session) for session in sessions], EpreItem.objects.count)
        assert waiting == 1
        assert "EpreItem" in outcomes
        assert any("déjà à l’ordre du jour" in outcome for outcome in outcomes)
