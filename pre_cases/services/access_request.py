"""A colleague asks to read a parcours of the team; the référent or the coordination answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.db import transaction
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import AccessRequest, Parcours
from pre_cases.services.access import share
from pre_cases.services.preconditions import locked
from referents.models import User


class AccessRequestRefused(Refused):
    """This access cannot be asked for, or has its answer already."""


@service
def ask_access(*, parcours: Parcours, reason: str, by: User) -> AccessRequest:
    """Ask to read a colleague's parcours; its référent and the coordination are told."""
    current = locked(parcours)
    if not reason.strip():
        raise AccessRequestRefused("Dites pourquoi vous avez besoin de lire ce parcours.", field="reason")
    if Parcours.objects.visible_to(by).filter(pk=current.pk).exists():
        raise AccessRequestRefused("Vous voyez déjà ce parcours.")
    if AccessRequest.objects.pending().filter(parcours=current, asked_by=by).exists():
        raise AccessRequestRefused("Vous avez déjà demandé à lire ce parcours : la réponse viendra ici.")
    load_keys([current.data_key_id])
    request = AccessRequest.objects.create(
        parcours=current, asked_by=by, reason=reason.strip(), data_key_id=current.data_key_id
    )
    record_change(request, "create")
    transaction.on_commit(_telling(request), robust=True)  # a broker that is away stops nobody
    return request


@service
def accept_access(*, request: AccessRequest, ends_on: date, by: User) -> AccessRequest:
    """Open the parcours to who asked, until a day that is no longer included: it becomes a share."""
    parcours, current = _locked(request)
    current.share = share(parcours, current.asked_by, current.reason or "", ends_on, by)
    _answer(current, by, "accept")
    return current


@service
def refuse_access(*, request: AccessRequest, reason: str, by: User) -> AccessRequest:
    """Say no, and why: who asked reads the reason."""
    _, current = _locked(request)
    if not reason.strip():
        raise AccessRequestRefused("Dites pourquoi : la personne lira cette raison.", field="reason")
    current.refusal = reason.strip()
    _answer(current, by, "refuse")
    return current


def _locked(request: AccessRequest) -> tuple[Parcours, AccessRequest]:
    parcours = locked(request.parcours)
    current = AccessRequest.objects.select_related("asked_by").select_for_update(of=("self",)).get(pk=request.pk)
    load_keys([current.data_key_id])
    if current.answered_at is not None:
        raise AccessRequestRefused("Quelqu’un a déjà répondu à cette demande.")
    return parcours, current


def _answer(request: AccessRequest, person: User, action: str) -> None:
    request.answered_at, request.answered_by = timezone.now(), person
    request.save()
    record_change(request, action)
    transaction.on_commit(_telling(request), robust=True)


def _telling(request: AccessRequest) -> Callable[[], object]:
    from pre_cases.tasks import tell_access_request  # which calls a service of this layer

    answered = request.answered_at is not None
    return lambda: tell_access_request.delay(str(request.pk), answered=answered)
