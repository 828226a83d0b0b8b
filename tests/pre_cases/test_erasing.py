"""Ten children erased among a hundred and more: what « make erasures » plays with a hundred among fourteen hundred."""

from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from audit.encryption.keys import key_ring
from pre_cases.demo.calendar import Targets
from pre_cases.demo.load import load
from pre_cases.models import Child, RetentionHold
from referents.models import User
from tests.erasing import erase_and_compare
from tests.leaks.test_leaks import everything_stored
from tests.pre_cases.demo_days import on

TODAY = date(2026, 11, 24)
SCALE, ERASED = 0.01, 10


class TestErasingTenAmongMany:
    def test_leaves_nothing_of_them_and_changes_nothing_else(self, db: None, settings: Any, tmp_path: Path) -> None:
        settings.SEALED_FILES_DIR = tmp_path / "files"
        with on(TODAY), key_ring():
            load(seed=1, today=TODAY, targets=Targets().scaled(SCALE))
            RetentionHold.objects.all()._raw_delete("default")  # the demonstration keeps its past
            RetentionHold.history.all()._raw_delete("default")
            closed = list(Child.objects.exclude(parcours_list__closed_on__isnull=True).order_by("pk").distinct())
            assert len(closed) > 40
            people = [User.objects.get(first_name=name, email__contains="demo.") for name in ("Amina", "Gaëlle")]
            assert erase_and_compare(Random(1).sample(closed, ERASED), *people, everything_stored, years=3) == []
