"""A day to stand on, databases put back as they were, and the definition of *followed*."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

import time_machine
from django.db.models import Q, QuerySet
from django.test import TestCase

from pre_cases.models import Parcours


@contextmanager
def on(day: date) -> Iterator[None]:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("Europe/Paris"))
    with time_machine.travel(noon, tick=True):
        yield


@contextmanager
def rolled_back() -> Iterator[None]:
    """Both databases as they were once the block ends; data keys may be committed inside, as in any test."""

    class Enclosing(TestCase):
        databases = {"default", "keys"}

    atomics = Enclosing._enter_atomics()  # not setUpClass(): its end would close the connections of the test around
    try:
        yield
    finally:
        Enclosing._rollback_atomics(atomics)


def followed(period: tuple[date, date]) -> QuerySet[Parcours]:
    """Parcours with a day followed in the period, both ends included; an evaluation is not followed."""
    first, last = period
    return Parcours.objects.filter(Q(closed_on__isnull=True) | Q(closed_on__gte=first), entered_on__lte=last)


def children_followed(period: tuple[date, date]) -> int:
    return followed(period).values("child").distinct().count()
