"""The point d'étape, and the bilan that prepares the closing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Term
from pre_cases.models import Bilan, Objective, ObjectiveResult, Parcours, Review
from pre_cases.services.dates import refresh_dates
from pre_cases.services.draft import discard_draft
from pre_cases.services.preconditions import locked, not_in_future
from referents.models import User


class ReviewRefused(Refused):
    """The point d'étape does not fit the parcours."""


class BilanRefused(Refused):
    """The bilan cannot be written yet, or is incomplete."""


@service
def record_review(
    *,
    parcours: Parcours,
    on: date,
    family_present: bool,
    child_present: bool,
    text: str,
    by: User,
    next_steps: str = "",
) -> Review:
    """Record a point d'étape; the next one is due some months later (``REVIEW_EVERY_MONTHS``). Its draft goes."""
    current = locked(parcours)
    not_in_future(on, ReviewRefused, field="on")
    if current.entered_on is None:
        raise ReviewRefused("La situation est encore en évaluation : l’entrée en parcours doit d’abord être décidée.")
    if on < current.entered_on:
        raise ReviewRefused("Cette date précède l’entrée en parcours.", field="on")
    if current.reviews.filter(on=on).exists():
        raise ReviewRefused("Un point d’étape est déjà enregistré ce jour-là.", field="on")
    review = Review.objects.create(
        parcours=current,
        author=by,
        on=on,
        family_present=family_present,
        child_present=child_present,
        text=text,
        next_steps=next_steps,
        data_key_id=current.data_key_id,
    )
    record_change(review, "create")
    discard_draft(parcours=current, form="review", by=by)
    refresh_dates(current)
    return review


@service
def write_bilan(
    *,
    parcours: Parcours,
    on: date,
    text: str,
    exit_reason: Term,
    by: User,
    family_word: str = "",
    relay: str = "",
    results: Mapping[UUID, ObjectiveResult] | None = None,
) -> Bilan:
    """Write the closing review, or write it again until the closing; every objective says how far it got."""
    current = locked(parcours)
    not_in_future(on, BilanRefused, field="on")
    if current.entered_on is None:
        raise BilanRefused("La situation est encore en évaluation : il n’y a pas de bilan sans entrée en parcours.")
    if on < current.entered_on:
        raise BilanRefused("Cette date précède l’entrée en parcours.", field="on")
    _record_results(current, results or {}, on)
    bilan = Bilan.objects.filter(parcours=current).first()
    action = "create" if bilan is None else "change"
    if bilan is None:
        bilan = Bilan(parcours=current, data_key_id=current.data_key_id)
    bilan.author, bilan.on, bilan.text, bilan.exit_reason = by, on, text, exit_reason
    bilan.family_word, bilan.relay = family_word, relay
    bilan.save()
    record_change(bilan, action)
    discard_draft(parcours=current, form="bilan", by=by)
    return bilan


def _record_results(parcours: Parcours, results: Mapping[UUID, ObjectiveResult], on: date) -> None:
    objectives: list[Objective] = list(parcours.objectives.select_for_update())
    if any(not objective.result and objective.pk not in results for objective in objectives):
        raise BilanRefused("Dites pour chaque objectif s’il est atteint.")
    for objective in objectives:
        result = results.get(objective.pk)
        if result and result != objective.result:
            objective.result, objective.result_on = result, max(on, objective.set_on)
            objective.save()
            record_change(objective, "change")
