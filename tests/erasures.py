"""A child whose file has come to its term, announced long enough ago; and erasures asked, approved and carried out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from partners.models import Term
from pre_cases.models import Child, Erasure, Parcours, RetentionNotice
from pre_cases.services.erasure_job import run_erasure
from pre_cases.services.erasure_request import approve_erasure, request_erasure
from referents.models import Team, User
from tests.cast import make_child, make_parcours, make_schooling


class Killed(BaseException):
    """The process is killed there."""


def make_former(team: Team, *, ended_on: date | None = None, first_name: str = "Zoé", **values: Any) -> Parcours:
    """A parcours of ten months, entered and closed; three years ago unless told otherwise."""
    closed_on = ended_on or timezone.localdate() - relativedelta(years=3)
    opened_on = closed_on - relativedelta(months=10)
    child = values.pop("child", None) or make_child(first_name)
    parcours = make_parcours(
        team,
        child=child,
        opened_on=opened_on,
        closed_on=closed_on,
        exit_reason=Term.objects.get(pk="exit_reason:objectifs-atteints"),
        **values,
    )
    if not child.schoolings.exists():
        year = opened_on.year - (opened_on.month < 9)
        make_schooling(child, school_year=year)
    return parcours


def announce(child: Child, *, days_ago: int = 31) -> RetentionNotice:
    """The team was told of the term of this child, after its last contact."""
    team = Parcours.objects.filter(child=child).order_by("-opened_on").values_list("team", flat=True).first()
    with acting_as(system_account()):
        return RetentionNotice.objects.create(
            child=child,
            team_id=team or child.saisines.values_list("team", flat=True).first(),
            announced_on=timezone.localdate() - timedelta(days=days_ago),
            last_contact_on=timezone.localdate(),
        )


def ask(child: Child, by: User, **values: Any) -> Erasure:
    load_keys_of(child)
    return request_erasure(child=child, by=by, **{"motive": "term", "reason": "Le terme est passé."} | values)


def approved(child: Child, by: User, officer: User, **values: Any) -> Erasure:
    """Asked and approved; the worker has not begun."""
    return approve_erasure(erasure=ask(child, by, **values), by=officer)


def carried_out(erasure: Erasure, capture: Callable) -> Erasure:
    """The job run as the worker does, what waits for the commit done."""
    with capture(execute=True):
        run_erasure(erasure_id=erasure.pk)
    return Erasure.objects.get(pk=erasure.pk)


@contextmanager
def killed_at(monkeypatch: Any, target: object, name: str, *, after: bool = False) -> Any:
    """The process is killed when this function is called, or just ``after`` it has returned."""
    original = getattr(target, name)

    def killed(*args: Any, **kwargs: Any) -> None:
        if after:
            original(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(target, name, killed)
        yield
