"""The job that erases one child, step after step: each is recorded when it is done, and can be repeated after a kill.

Run by the worker. Nothing is destroyed before the child is frozen, checked again and counted; from the destruction of
the keys on, only going to the end is possible.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from audit.encryption.files.store import delete_files
from audit.encryption.keystore.models import Tombstone
from audit.erasure import Plan, erase_rows
from audit.history import acting_as
from audit.journal.record import record_change
from audit.residue import residue_of
from audit.signing import SigningError
from pre_cases.models import (
    Agreement,
    Assignment,
    Child,
    Enrolment,
    Entry,
    Erasure,
    ErasureMotive,
    ErasureStep,
    Family,
    Parcours,
    Saisine,
)
from pre_cases.services.erasure import ErasureRefused, erase_child, erasure_obstacle, plan_erasure
from pre_cases.services.erasure_certificate import certify
from pre_cases.services.erasure_request import queue_erasure, term_obstacle
from pre_cases.statistics.period import Period
from pre_cases.statistics.remaining import add_counts, counts_by_team, freeze_year, years_between
from pre_cases.statistics.report import figures
from referents.models import Role, User

logger = logging.getLogger(__name__)

State = Erasure.State
LONGEST_PAUSE = timedelta(hours=1)  # between two tries of a job that meets the same trouble
OBSTACLE, TROUBLE, RESIDUE, UNSIGNED = "obstacle", "trouble", "residue", "unsigned"
OBSTACLES = {
    OBSTACLE: "Un obstacle est apparu depuis l’approbation : rien n’a été effacé. Approuvez de nouveau, ou refusez.",
    TROUBLE: "Une étape a échoué ; elle est recommencée d’elle-même. Si cela dure, prévenez l’administration "
    "technique.",
    RESIDUE: "Des restes ont été trouvés : l’administration technique doit les examiner avant tout certificat.",
    UNSIGNED: "Tout est effacé ; le certificat attend la clé de signature.",
}


class Blocked(Exception):
    """Something forbids to go on, and nothing was destroyed."""


class ResidueFound(Exception):
    """Ids of an erased child are still somewhere; the message says in which tables."""


CODES: dict[type[Exception], str] = {ResidueFound: RESIDUE, SigningError: UNSIGNED}


def run_erasure(*, erasure_id: UUID) -> None:
    """Carry an approved erasure to its end, from the step where it stands; what is over is left alone.

    Two runs at once wait for each other at every step. An unexpected error is logged by its kind, never by its text.
    """
    erasure = Erasure.objects.filter(pk=erasure_id, state__in=[State.APPROVED, State.RUNNING]).first()
    if erasure is None:
        return
    with acting_as(User.objects.get(pk=erasure.decided_by_id)):
        try:
            for step in ErasureStep:
                _carry_out(erasure_id, step)
        except Blocked:
            _stop(erasure_id)
        except Exception as error:  # noqa: BLE001 - tried again, and seen
            logger.error("erasure %s: %s", erasure_id, type(error).__name__)
            _pause(erasure_id, next((code for kind, code in CODES.items() if isinstance(error, kind)), TROUBLE))


def sweep_erasures() -> int:
    """Queue again the jobs that no worker carries any more; how many."""
    stale = list(Erasure.objects.stale().order_by("requested_at").values_list("pk", flat=True))
    for erasure_id in stale:
        Erasure.objects.filter(pk=erasure_id).update(heartbeat_at=timezone.now())
        queue_erasure(erasure_id)
    return len(stale)


def _carry_out(erasure_id: UUID, step: ErasureStep) -> None:
    """One step and its record, in one transaction, unless it is done already."""
    if step is ErasureStep.FOLD:
        _freeze_finished_years(erasure_id)
    with transaction.atomic():
        erasure = Erasure.objects.select_for_update(of=("self",)).get(pk=erasure_id)
        if erasure.has_done(step):
            return
        if erasure.state not in (State.APPROVED, State.RUNNING):
            raise Blocked
        STEPS[step](erasure)
        now = timezone.now()
        erasure.step, erasure.steps[step.value] = step, now.isoformat(timespec="seconds")
        erasure.state = State.DONE if step is ErasureStep.CERTIFY else State.RUNNING
        erasure.heartbeat_at, erasure.obstacle = now, ""
        erasure.save()


# -- the steps ------------------------------------------------------------------------------------------------------


def _freeze(erasure: Erasure) -> None:
    """Wait for whoever is writing; from this commit on ``require_not_frozen`` refuses everybody."""
    child = _subject(erasure)
    if child is not None:
        list(Family.objects.select_for_update().filter(pk=child.family_id))
        for model, column in ((Child, "pk"), (Saisine, "child"), (Parcours, "child")):
            list(model._base_manager.select_for_update(of=("self",)).filter(**{column: child.pk}).values_list("pk"))


def _check(erasure: Erasure) -> None:
    """Holds, open parcours, a contact since: whatever appeared after the approval stops the job here."""
    child = _subject(erasure)
    if child is None:
        return
    officer = User.objects.get(pk=erasure.decided_by_id)
    if not (officer.is_active and officer.standing.holds(Role.DPO)):
        raise Blocked  # suspended, or no longer in charge, since the approval
    if erasure_obstacle(child) or (erasure.motive == ErasureMotive.TERM and term_obstacle(child)):
        raise Blocked


def _freeze_finished_years(erasure_id: UUID) -> None:
    """Outside any transaction: years are counted one after the other, and each stays frozen whatever follows."""
    erasure = Erasure.objects.get(pk=erasure_id)
    child = None if erasure.has_done(ErasureStep.FOLD) else _subject(erasure)
    if child is not None:
        for year in _years_of(child):
            if year.ends_on < timezone.localdate():
                freeze_year(year, figures)
                Erasure.objects.filter(pk=erasure_id).update(heartbeat_at=timezone.now())


def _fold(erasure: Erasure) -> None:
    """Note what leaves, and what it counted for in years that are not over: what the same figures lose without it."""
    child = _subject(erasure)
    if child is None:
        return
    plan = plan_erasure(child)
    erasure.plan = _noted(plan)
    erasure.counts = plan.counts() | {"fichiers": len(plan.files), "clés": len(plan.data_keys)}
    erasure.facts = [
        [*map(str, (year.starts_on, year.ends_on)), *row]
        for year in _years_of(child)
        if year.ends_on >= timezone.localdate()
        for row in _lost(year, plan)
    ]


def _noted(plan: Plan) -> dict[str, Any]:
    """The ids that leave, as the row of the erasure keeps them."""
    rows = {model._meta.label: sorted(map(str, ids)) for model, ids in plan.rows.items() if ids}
    return {"keys": sorted(map(str, plan.data_keys)), "rows": rows}


def _erase(erasure: Erasure) -> None:
    """Keys first, then rows, history and files; the counts of running years take their place at the same instant."""
    child = _subject(erasure)
    if child is not None:
        Family.objects.select_for_update().get(pk=child.family_id)
        if _noted(plan_erasure(child)) != erasure.plan:  # a brother or sister has left meanwhile: more leaves now
            _fold(erasure)
        try:
            erase_child(child=child, by=User.objects.get(pk=erasure.decided_by_id))
        except ErasureRefused:
            if Tombstone.objects.filter(key_id=child.data_key_id).exists():
                raise  # a run killed after the destruction: only going to the end is possible
            raise Blocked from None
    by_year: dict[tuple[str, str], list[Any]] = {}
    for first, last, *row in erasure.facts:
        by_year.setdefault((first, last), []).append(row)
    for (first, last), rows in by_year.items():
        add_counts(Period(date.fromisoformat(first), date.fromisoformat(last)), rows)
    erasure.facts = []


def _scan(erasure: Erasure) -> None:
    """Look for what left, everywhere; the ids are forgotten once nothing is found."""
    named = {apps.get_model(label): ids for label, ids in erasure.plan.get("rows", {}).items()}
    rows = {model: set(map(model._meta.pk.to_python, ids)) for model, ids in named.items()}
    keys = set(map(UUID, erasure.plan.get("keys", [])))
    plan = Plan(rows, keys)
    delete_files(plan.files)  # again: a run killed just after its commit had not
    searched, found = residue_of(plan)
    if found:
        raise ResidueFound(", ".join(found))
    erasure.plan = {"keys": erasure.plan.get("keys", []), "searched": searched}


def _certify(erasure: Erasure) -> None:
    certify(erasure)
    erasure.plan = {}
    record_change(erasure, "erasure_done")


STEPS: dict[ErasureStep, Callable[[Erasure], None]] = {
    ErasureStep.FREEZE: _freeze,
    ErasureStep.CHECK: _check,
    ErasureStep.FOLD: _fold,
    ErasureStep.ERASE: _erase,
    ErasureStep.SCAN: _scan,
    ErasureStep.CERTIFY: _certify,
}


# -- what they read -------------------------------------------------------------------------------------------------


def _subject(erasure: Erasure) -> Child | None:
    """The child, None once erased."""
    return Child.objects.filter(pk=erasure.subject_id).first()


def _years_of(child: Child) -> list[Period]:
    """The whole years in which the file of a child may count."""
    saisines = Saisine.objects.filter(child=child).aggregate(Min("received_on"), Max("received_on"), Max("outcome_on"))
    parcours = Parcours.objects.filter(child=child).aggregate(Min("opened_on"), Max("closed_on"))
    others = (
        Entry.objects.filter(parcours__child=child).aggregate(Max("on")),
        Entry.objects.filter(saisine__child=child).aggregate(Max("on")),
        Agreement.objects.filter(child=child).aggregate(Max("signed_on"), Max("refused_on"), Max("withdrawn_on")),
        Enrolment.objects.filter(parcours__child=child).aggregate(Min("starts_on"), Max("ends_on")),
        Assignment.objects.filter(parcours__child=child).aggregate(Max("ends_on")),
    )
    found = (saisines, parcours, *others)
    days = [day for values in found for day in values.values() if day is not None]
    return years_between(min(days), min(max(days), timezone.localdate())) if days else []


def _lost(year: Period, plan: Plan) -> list[list[Any]]:
    """What the tables of a year would lose if these rows were deleted; nothing is."""
    before = counts_by_team(year, figures)
    with transaction.atomic():
        erase_rows(plan)
        after = counts_by_team(year, figures)
        transaction.set_rollback(True)
    before.subtract(after)
    return [[*key, value] for key, value in before.items() if value]


# -- when a step does not go through --------------------------------------------------------------------------------


def _stop(erasure_id: UUID) -> None:
    """Back to the data protection officer: nothing is destroyed, and the file may be written again."""
    with transaction.atomic():
        erasure = Erasure.objects.freezing().select_for_update(of=("self",)).filter(pk=erasure_id).first()
        if erasure is None:  # another run, or another decision, came first
            return
        erasure.state, erasure.obstacle = State.BLOCKED, OBSTACLE
        erasure.step, erasure.steps, erasure.plan, erasure.facts = "", {}, {}, []
        erasure.save()
        record_change(erasure, "erasure_stopped")


def _pause(erasure_id: UUID, obstacle: str) -> None:
    """Tried again later, each time after a longer pause: the next sign of life is set ahead."""
    with transaction.atomic():
        erasure = Erasure.objects.select_for_update(of=("self",)).get(pk=erasure_id)
        pause = min(timedelta(minutes=2**erasure.attempts), LONGEST_PAUSE)
        erasure.attempts, erasure.obstacle = min(erasure.attempts + 1, 10), obstacle
        erasure.heartbeat_at = timezone.now() + pause
        erasure.save(update_fields=["attempts", "obstacle", "heartbeat_at"])
