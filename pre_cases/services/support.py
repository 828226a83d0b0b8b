"""Objectives agreed with the family, their results, and the actions that serve them."""

from __future__ import annotations

from datetime import date, timedelta

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Organisation, Term
from pre_cases.models import Action, ActionMode, ActionNature, Objective, ObjectiveResult, Parcours
from pre_cases.services.preconditions import locked, not_in_future, require_no_objection
from referents.models import User


class ObjectiveRefused(Refused):
    """The objective or its result does not fit the parcours."""


class ActionRefused(Refused):
    """The action does not fit its objective or its dates."""


@service
def add_objective(*, parcours: Parcours, text: str, domain: Term, priority: Term, set_on: date, by: User) -> Objective:
    """Agree on an objective, within the programme's domains and priorities."""
    current = locked(parcours)
    not_in_future(set_on, ObjectiveRefused, field="set_on")
    if set_on < current.opened_on:
        raise ObjectiveRefused("Le parcours n’était pas ouvert ce jour-là.", field="set_on")
    objective = Objective.objects.create(
        parcours=current, text=text, domain=domain, priority=priority, set_on=set_on, data_key_id=current.data_key_id
    )
    record_change(objective, "create")
    return objective


@service
def record_result(*, objective: Objective, result: ObjectiveResult, on: date, by: User) -> Objective:
    """Say how far an objective got, on a day; a later result replaces it and the history keeps both."""
    locked(objective.parcours)
    not_in_future(on, ObjectiveRefused, field="on")
    current = Objective.objects.select_for_update().get(pk=objective.pk)
    if on < current.set_on:
        raise ObjectiveRefused("L’objectif n’était pas encore fixé ce jour-là.", field="on")
    current.result, current.result_on = result, on
    current.save()
    record_change(current, "change")
    return current


@service
def add_action(
    *,
    objective: Objective,
    label: str,
    domain: Term,
    mode: ActionMode,
    nature: ActionNature,
    by: User,
    partner: Organisation | None = None,
    time_slot: str = "",
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Action:
    """Add what is done for an objective; without a start it is only planned."""
    current = locked(objective.parcours)
    require_no_objection(current, ActionRefused)
    _require_days(current, starts_on, ends_on)
    action = Action.objects.create(
        objective=objective,
        label=label,
        domain=domain,
        mode=mode,
        nature=nature,
        partner=partner,
        time_slot=time_slot,
        starts_on=starts_on,
        ends_on=ends_on,
        data_key_id=current.data_key_id,
    )
    record_change(action, "create")
    return action


def _require_days(parcours: Parcours, starts_on: date | None, ends_on: date | None) -> None:
    if starts_on is None and ends_on is not None:
        raise ActionRefused("Une action qui finit a commencé : dites quand.", field="starts_on")
    if starts_on is not None and starts_on < parcours.opened_on:
        raise ActionRefused("Le parcours n’était pas ouvert ce jour-là.", field="starts_on")
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        raise ActionRefused("La fin ne peut pas précéder le début.", field="ends_on")


@service
def change_action(
    *,
    action: Action,
    label: str,
    domain: Term,
    mode: ActionMode,
    nature: ActionNature,
    by: User,
    partner: Organisation | None = None,
    time_slot: str = "",
    starts_on: date | None = None,
) -> Action:
    """Say an action better, or that one that was only planned has begun; its end stays as it is."""
    parcours = locked(action.objective.parcours)
    load_keys([parcours.data_key_id])
    current = Action.objects.select_for_update(of=("self",)).select_related("objective").get(pk=action.pk)
    if current.starts_on is None and starts_on is not None:
        require_no_objection(parcours, ActionRefused)
    _require_days(parcours, starts_on, current.ends_on)
    current.label, current.domain, current.mode, current.nature = label, domain, mode, nature
    current.partner, current.time_slot, current.starts_on = partner, time_slot, starts_on
    current.save()
    record_change(current, "change")
    return current


@service
def end_action(*, action: Action, on: date, by: User) -> Action:
    """End an action: ``on`` is its last day."""
    locked(action.objective.parcours)
    not_in_future(on, ActionRefused, field="on")
    current = Action.objects.select_for_update().get(pk=action.pk)
    if current.ends_on is not None:
        raise ActionRefused("Cette action est déjà terminée.")
    if current.starts_on is None or on < current.starts_on:
        raise ActionRefused("L’action n’avait pas commencé ce jour-là.", field="on")
    current.ends_on = on + timedelta(days=1)
    current.save()
    record_change(current, "change")
    return current
