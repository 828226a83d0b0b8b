from datetime import date, timedelta

import pytest

from audit.encryption.keys import key_ring, load_keys_of
from pre_cases.demo.calendar import Targets
from pre_cases.demo.load import load
from pre_cases.models import Child, RetentionHold
from pre_cases.retention import RetentionState
from tests.pre_cases.demo_days import on

TODAY = date(2026, 11, 24)

pytestmark = pytest.mark.django_db


class TestKeepThePast:
    def test_holds_every_old_file_with_an_author_and_an_end(self) -> None:
        with on(TODAY), key_ring():
            load(seed=1, today=TODAY, targets=Targets().scaled(0.02))
            held = RetentionHold.objects.count()
            assert held > 50
            assert Child.objects.at_retention(RetentionState.ON_HOLD).count() == held
            waiting = Child.objects.at_retention(RetentionState.DUE, RetentionState.ANNOUNCED, RetentionState.READY)
            assert waiting.count() <= 4
            for hold in RetentionHold.objects.select_related("author"):
                assert hold.author.is_active
                assert TODAY + timedelta(days=199) < hold.ends_on <= TODAY + timedelta(days=360)
            load_keys_of(hold)
            assert "Bilan" in hold.reason
            assert RetentionHold.history.count() == held
