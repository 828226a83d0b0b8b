"""A request reaches a team: recording it, saying who follows it, and ending it without a parcours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.utils import timezone

from audit.encryption.keys import create_data_key, load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import School, Sex, Term
from pre_cases.models import Child, Family, Parcours, Residence, Saisine, SaisineOutcome, SaisineSign, Schooling
from pre_cases.services.draft import discard_draft
from pre_cases.services.family import (
    KnownAdult,
    NewAdult,
    create_adult,
    link_known_adult,
    require_possible_birth,
    write_schooling,
)
from pre_cases.services.preconditions import not_in_future, require_not_frozen
from pre_cases.services.search_index import index_child
from pre_cases.services.timeline import locked_saisine
from referents.days import long_day
from referents.models import Membership, Role, Team, User

SAISINE_DRAFT = "saisine"  # the draft of a saisine about a child not recorded yet


class SaisineRefused(Refused):
    """The saisine cannot be recorded like this."""


class AssigneeRefused(Refused):
    """This person cannot follow the saisine, or somebody does already."""


class OutcomeRefused(Refused):
    """The saisine cannot end like this."""


@dataclass(frozen=True)
class NewChild:
    """What is typed about a child met for the first time; ``family`` is that of a known sibling, None otherwise."""

    first_name: str
    family_name: str
    birth_date: date | None = None
    sex: Sex | str = ""
    family: Family | None = None
    adults: list[NewAdult] = field(default_factory=list)
    known_adults: list[KnownAdult] = field(default_factory=list)
    school: School | None = None
    level: Term | None = None
    address: str = ""


@service
def receive_saisine(
    *,
    team: Team,
    received_on: date,
    source: Term,
    signs: list[Term],
    by: User,
    child: Child | None = None,
    new_child: NewChild | None = None,
    main_sign: Term | None = None,
    situation: str = "",
    strengths: str = "",
    already_done: str = "",
    child_words: str = "",
    parents_words: str = "",
    is_urgent: bool = False,
    is_draft: bool = False,
) -> Saisine:
    """Record a saisine about a known child, or about a new one with the adults, the class and the address typed, whose
    typing kept so far is thrown away.

    A draft may be typed on later (``change_saisine``); nothing is asked of the team meanwhile.
    """
    not_in_future(received_on, SaisineRefused, field="received_on")
    if main_sign is not None and main_sign not in signs:
        raise SaisineRefused("Le signe principal doit être parmi les signes cochés.", field="main_sign")
    if child is None:
        assert new_child is not None  # noqa: S101 - a caller's mistake, not a person's
        child = _create_child(new_child, received_on)
    else:
        child = Child.objects.select_for_update(of=("self",)).get(pk=child.pk)
        require_not_frozen(child.pk)
        load_keys([child.data_key_id])
        if child.birth_date is not None and received_on < child.birth_date:
            raise SaisineRefused("L’enfant n’était pas né ce jour-là.", field="received_on")
    saisine = Saisine.objects.create(
        child=child,
        team=team,
        author=by,
        source=source,
        received_on=received_on,
        submitted_on=None if is_draft else timezone.localdate(),
        is_urgent=is_urgent,
        situation=situation,
        strengths=strengths,
        already_done=already_done,
        child_words=child_words,
        parents_words=parents_words,
        data_key_id=child.data_key_id,
    )
    for sign in signs:
        SaisineSign.objects.create(saisine=saisine, sign=sign, is_main=sign == main_sign)
    record_change(saisine, "create")
    if new_child is not None and new_child.family is None:  # the form of a sibling keeps no draft
        discard_draft(parcours=None, form=SAISINE_DRAFT, by=by)
    return saisine


def _create_child(new: NewChild, received_on: date) -> Child:
    """The child and everything known at the receipt; the keys are committed first, apart."""
    require_possible_birth(new.birth_date, received_on)
    if new.level is None and new.school is not None:
        raise SaisineRefused("Choisissez la classe.", field="level")
    if new.family is None:
        family = Family.objects.create(data_key_id=create_data_key("family"))
        record_change(family, "create")
    else:
        found = Family.objects.select_for_update().filter(pk=new.family.pk).first()
        if found is None:
            raise SaisineRefused("Cette fratrie vient d’être effacée : recommencez la saisine.")
        family = found
        load_keys([family.data_key_id])
    child = Child.objects.create(
        family=family,
        first_name=new.first_name,
        family_name=new.family_name,
        birth_date=new.birth_date,
        sex=new.sex,
        data_key_id=create_data_key("child"),
    )
    index_child(child)
    record_change(child, "create")
    for adult in new.adults:
        create_adult(child, adult, received_on)
    for known in new.known_adults:
        link_known_adult(child, known, received_on)
    if new.level is not None:
        write_schooling(Schooling(child=child, starts_on=received_on), new.school, new.level, received_on)
    if new.address.strip():
        residence = Residence.objects.create(
            child=child, address=new.address, starts_on=received_on, data_key_id=child.data_key_id
        )
        record_change(residence, "create")
    return child


@service
def assign_saisine(*, saisine: Saisine, assignee: User, by: User) -> Saisine:
    """Say who follows a saisine. A référent only takes one that nobody follows; the coordination may hand it over."""
    current = locked_saisine(saisine)
    coordinates = current.team_id in by.standing.team_ids(Role.COORDINATOR)
    if current.assignee_id == assignee.pk:
        raise AssigneeRefused("Cette personne suit déjà la saisine.", field="assignee")
    if not coordinates and current.assignee_id is not None:
        raise AssigneeRefused("Quelqu’un suit déjà cette saisine : demandez à la coordination.", field="assignee")
    if not coordinates and assignee.pk != by.pk:
        raise AssigneeRefused("Seule la coordination confie une saisine à quelqu’un d’autre.", field="assignee")
    followed = Parcours.objects.open().filter(child=current.child_id)
    if not coordinates and followed.exists() and not followed.followed_by(by).exists():
        raise AssigneeRefused("Un parcours suit déjà cet enfant : la coordination y rattachera la saisine.")
    team_roles = Membership.objects.current().filter(
        user=assignee, team=current.team_id, role__in=[Role.REFERENT, Role.COORDINATOR]
    )
    if not assignee.is_active or not team_roles.exists():
        raise AssigneeRefused("Cette personne ne travaille pas dans l’équipe de la saisine.", field="assignee")
    current.assignee = assignee
    current.save()
    record_change(current, "assign")
    return current


@service
def decide_outcome(
    *,
    saisine: Saisine,
    outcome: SaisineOutcome,
    on: date,
    reason: str,
    by: User,
    redirected_to: str = "",
    family_told_on: date | None = None,
    requester_told_on: date | None = None,
) -> Saisine:
    """End a saisine without opening a parcours; about a child already followed it can only be attached."""
    current = locked_saisine(saisine)
    if current.is_draft:
        raise OutcomeRefused("Transmettez d’abord la saisine, qui n’est qu’un brouillon.")
    _require_fitting(current, SaisineOutcome(outcome), reason, redirected_to)
    _require_day(current, on, "on")
    for name, day in (("family_told_on", family_told_on), ("requester_told_on", requester_told_on)):
        if day is not None:
            _require_day(current, day, name)
    current.outcome, current.outcome_on, current.outcome_by = outcome, on, by
    current.outcome_reason = reason
    current.redirected_to = redirected_to if outcome == SaisineOutcome.REDIRECTED else ""
    current.family_told_on, current.requester_told_on = family_told_on, requester_told_on
    current.save()
    record_change(current, "decide")
    return current


def is_followed(child_id: UUID) -> bool:
    """Whether the child has an open parcours: a saisine can then only be attached to it."""
    return Parcours.objects.open().filter(child=child_id).exists()


def _require_fitting(saisine: Saisine, outcome: SaisineOutcome, reason: str, redirected_to: str) -> None:
    followed = is_followed(saisine.child_id)
    if followed and outcome != SaisineOutcome.ATTACHED:
        raise OutcomeRefused(
            "Un parcours est ouvert pour cet enfant : la saisine ne peut qu’y être rattachée.", field="outcome"
        )
    if not followed and outcome == SaisineOutcome.ATTACHED:
        raise OutcomeRefused(
            "Aucun parcours n’est ouvert pour cet enfant : choisissez une autre suite.", field="outcome"
        )
    if outcome == SaisineOutcome.REDIRECTED and not redirected_to.strip():
        raise OutcomeRefused("Dites vers qui la famille est orientée.", field="redirected_to")
    if not reason.strip():
        raise OutcomeRefused("Dites en une phrase pourquoi.", field="reason")


def _require_day(saisine: Saisine, day: date, name: str) -> None:
    not_in_future(day, OutcomeRefused, field=name)
    if day < saisine.received_on:
        raise OutcomeRefused(f"La saisine n’a été reçue que le {long_day(saisine.received_on)}.", field=name)


@service
def record_told(*, saisine: Saisine, family_told_on: date | None, requester_told_on: date | None, by: User) -> Saisine:
    """Once a saisine has ended, the days on which the family and the requester learned it."""
    current = Saisine.objects.select_for_update(of=("self",)).get(pk=saisine.pk)
    if not current.outcome:
        raise OutcomeRefused("Décidez d’abord de la suite à donner.")
    for name, day in (("family_told_on", family_told_on), ("requester_told_on", requester_told_on)):
        if day is not None:
            _require_day(current, day, name)
    current.family_told_on, current.requester_told_on = family_told_on, requester_told_on
    current.save()
    record_change(current, "change")
    return current
