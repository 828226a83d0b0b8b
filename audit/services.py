"""What every change people make has in common: an author, one transaction, and a refusal said in a sentence."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from django.db import transaction

from audit.history import MissingActor, acting_as, actor_or_none
from audit.journal.models import Action
from audit.journal.record import record_event

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

P = ParamSpec("P")
R = TypeVar("R")


class Refused(Exception):
    """A rule refuses this change, and nothing was written.

    ``str()`` is the French sentence shown to the person, which says what to do and names nobody; ``field`` is the
    form field beside which it belongs, None for the whole form.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class Overreach(Refused):
    """More rights than one has, or rights given as they may not be: besides the sentence, the journal keeps it.

    ``kind`` is the label of what was asked about, "referents.membership"; a subclass may say it once for all.
    """

    kind = ""

    def __init__(self, sentence: str, *, field: str | None = None, kind: str = "") -> None:
        super().__init__(sentence, field=field)
        self.kind = kind or self.kind


def service(function: Callable[P, R]) -> Callable[P, R]:
    """Run a change in one transaction, signed by the person given as ``by``; the arguments are keyword-only."""
    parameters = inspect.signature(function).parameters
    if "by" not in parameters or any(p.kind is not p.KEYWORD_ONLY for p in parameters.values()):
        raise TypeError(f"{function.__qualname__}: a service takes keyword-only arguments, among them by=")

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        by = cast("AbstractBaseUser | None", kwargs.get("by"))
        if by is None:
            raise MissingActor(f"{function.__qualname__}: by= names the person who makes the change.")
        is_outermost = actor_or_none() is None
        try:
            with acting_as(by), transaction.atomic():
                return function(*args, **kwargs)
        except Overreach as refusal:
            if is_outermost:  # once, after everything was rolled back
                asked = {"asked": function.__name__}
                record_event(Action.REFUSAL, kind=refusal.kind, actor=by, detail=asked)
            raise

    run.is_service = True  # type: ignore[attr-defined]
    return run
