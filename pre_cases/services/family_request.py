"""A family's request about its data: recorded, who asks checked, prolonged once, answered with its effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import models
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import (
    Adult,
    Child,
    ChildAdult,
    EffectKind,
    Enrolment,
    ErasureMotive,
    Family,
    FamilyRequest,
    IdentityMeans,
    Parcours,
    ParcoursShare,
    RequestEffect,
    RequestKind,
    RequestOutcome,
)
from pre_cases.retention import annotated
from pre_cases.services.access import revoke_share
from pre_cases.services.agreement import withdraw_agreement
from pre_cases.services.erasure_request import request_erasure
from pre_cases.services.partnership import end_enrolment
from pre_cases.services.preconditions import lock_child, not_in_future
from pre_cases.services.subject_file import end_file
from referents.days import long_day
from referents.models import User


class RequestRefused(Refused):
    """The request cannot be recorded, prolonged or answered like this."""


@service
def record_request(
    *,
    child: Child,
    kind: RequestKind | str,
    adult: Adult | None,
    text: str,
    received_on: date,
    by: User,
    identity_means: IdentityMeans | str = "",
) -> FamilyRequest:
    """Write down what an adult around the child asks, or the young person (``adult`` None). The child's key is loaded.

    The month runs from the receipt, whether or not the identity is checked.
    """
    lock_child(child.pk)
    not_in_future(received_on, RequestRefused, field="received_on")
    if not text.strip():
        raise RequestRefused("Écrivez ce que la famille demande.", field="text")
    if adult is not None and not ChildAdult.objects.filter(child=child, adult=adult).exists():
        raise RequestRefused("Cette personne ne fait pas partie des adultes autour de l’enfant.", field="adult")
    current = Child.objects.with_retention().get(pk=child.pk)
    request = FamilyRequest(
        child=current,
        team_id=annotated(current, "retained_team_id"),
        kind=kind,
        adult=adult,
        text=text.strip(),
        received_on=received_on,
        recorded_by=by,
        data_key_id=current.data_key_id,
    )
    _note_identity(request, identity_means, by)
    request.save()
    record_change(request, "create", purpose=str(kind))
    return request


@service
def check_identity(*, request: FamilyRequest, means: IdentityMeans | str, by: User) -> FamilyRequest:
    """Say how the person who asks was recognised."""
    current = _locked(request)
    if current.identity_means:
        raise RequestRefused("L’identité est déjà vérifiée.")
    _note_identity(current, means, by)
    current.save()
    record_change(current, "identity", purpose=str(means))
    return current


def _note_identity(request: FamilyRequest, means: IdentityMeans | str, checker: User) -> None:
    if means:
        request.identity_means, request.identity_on, request.identity_by = means, timezone.localdate(), checker


@service
def extend_request(*, request: FamilyRequest, told_on: date, reason: str, by: User) -> FamilyRequest:
    """Two more months for a complex request: the family was told, with the reason, within the first month."""
    current = _locked(request)
    if current.extended_on is not None:
        raise RequestRefused("Le délai est déjà prolongé : il ne l’est qu’une fois.")
    not_in_future(told_on, RequestRefused, field="told_on")
    if told_on < current.received_on:
        raise RequestRefused(f"La demande n’a été reçue que le {long_day(current.received_on)}.", field="told_on")
    if told_on > current.first_due_on:
        raise RequestRefused(
            f"La famille devait être prévenue au plus tard le {long_day(current.first_due_on)} : "
            "le délai ne peut plus être prolongé, répondez dès que possible.",
            field="told_on",
        )
    if not reason.strip():
        raise RequestRefused("Dites pourquoi un mois ne suffit pas ; la famille l’a su.", field="reason")
    current.extended_on, current.extension_reason = told_on, reason.strip()
    current.save()
    record_change(current, "extend")
    return current


@dataclass(frozen=True)
class Correction:
    """One change made to a record of the child since the request: its kind, id and instant."""

    record_kind: str
    record_id: UUID
    changed_at: datetime


@service
def answer_request(
    *,
    request: FamilyRequest,
    outcome: RequestOutcome | str,
    answer: str,
    answered_on: date,
    by: User,
    statement: str = "",
    corrections: Sequence[Correction] = (),
    shares: Sequence[ParcoursShare] = (),
    enrolments: Sequence[Enrolment] = (),
    withdraw: Parcours | None = None,
) -> FamilyRequest:
    """Answer the family, and carry out in the same transaction what the answer says: all of it, or nothing.

    ``answer`` is what the family is told; of a refusal, the reason. ``statement`` is the family's own version, kept
    beside what was not corrected. ``withdraw``: the parcours that ends with the family's agreement.
    """
    if request.kind == RequestKind.ERASURE:  # locked first by whoever erases
        Family.objects.select_for_update().get(pk=request.child.family_id)
    current = _locked(request)
    _require_answer(current, outcome, answer, answered_on)
    effects = _Effects(current, by)
    current.erasure = None  # one prepared by an earlier answer was refused
    if outcome != RequestOutcome.REFUSED:
        if current.kind == RequestKind.CORRECTION:
            effects.correct(corrections)
        elif current.kind == RequestKind.OPPOSITION:
            effects.stop(shares, enrolments, withdraw, answered_on)
        elif current.kind == RequestKind.ERASURE:
            current.erasure = request_erasure(child=current.child, motive=ErasureMotive.FAMILY, reason=answer, by=by)
        elif not current.files.filter(downloaded_at__isnull=False).exists():
            raise RequestRefused(
                "Le fichier des données n’a pas encore été téléchargé : il n’a pas pu être remis à la famille."
            )
    for file in current.files.kept():  # nobody comes to take it any more
        load_keys([file.data_key_id])
        end_file(file)
        record_change(file, "expire")
    current.outcome, current.answer = outcome, answer.strip()
    current.answered_on, current.answered_by = answered_on, by
    current.statement = statement.strip() or None
    current.save()
    record_change(current, "answer", purpose=str(outcome), detail={"effects": effects.count})
    return current


def _require_answer(request: FamilyRequest, outcome: RequestOutcome | str, answer: str, answered_on: date) -> None:
    not_in_future(answered_on, RequestRefused, field="answered_on")
    if answered_on < request.received_on:
        raise RequestRefused(f"La demande n’a été reçue que le {long_day(request.received_on)}.", field="answered_on")
    if not answer.strip():
        raise RequestRefused(
            "Dites pourquoi la demande est refusée : la famille doit le savoir."
            if outcome == RequestOutcome.REFUSED
            else "Écrivez ce qui est répondu à la famille.",
            field="answer",
        )
    if not request.identity_means and outcome != RequestOutcome.REFUSED:
        raise RequestRefused("Vérifiez d’abord l’identité de la personne qui demande.")


class _Effects:
    """What an answer changes, each noted beside the request."""

    def __init__(self, request: FamilyRequest, by: User) -> None:
        self.request = request
        self.by = by
        self.count = 0

    def correct(self, corrections: Sequence[Correction]) -> None:
        if not corrections:
            raise RequestRefused(
                "Corrigez d’abord la donnée, puis choisissez ici cette correction : la réponse la cite.",
                field="corrections",
            )
        for correction in corrections:
            self._note(EffectKind.CORRECTED, correction.record_kind, correction.record_id, correction.changed_at)

    def stop(
        self,
        shares: Sequence[ParcoursShare],
        enrolments: Sequence[Enrolment],
        withdraw: Parcours | None,
        on: date,
    ) -> None:
        """An opposition is followed by an end; the family's withdrawal ends the parcours, and all that hangs on it."""
        if not shares and not enrolments and withdraw is None:
            raise RequestRefused(
                "Choisissez ce qui s’arrête : un partage, une inscription ou l’accord.", field="stopped"
            )
        for share in shares:
            self._stopped(EffectKind.SHARE_ENDED, revoke_share(share=share, by=self.by))
        for enrolment in enrolments:
            self._stopped(EffectKind.ENROLMENT_ENDED, end_enrolment(enrolment=enrolment, by=self.by))
        if withdraw is not None:
            withdraw_agreement(parcours=withdraw, on=on, by=self.by)
            self._stopped(EffectKind.AGREEMENT_WITHDRAWN, withdraw.agreement)

    def _stopped(self, kind: EffectKind, record: models.Model) -> None:
        self._note(kind, record._meta.label_lower, record.pk, timezone.now())

    def _note(self, kind: EffectKind, record_kind: str, record_id: UUID, changed_at: datetime) -> None:
        RequestEffect.objects.create(
            request=self.request, kind=kind, record_kind=record_kind, record_id=record_id, changed_at=changed_at
        )
        self.count += 1


def _locked(request: FamilyRequest) -> FamilyRequest:
    """The request as it stands once nobody else can change it, its key loaded; refuses one already answered."""
    lock_child(request.child_id)
    current = FamilyRequest.objects.select_for_update(of=("self",)).select_related("child").get(pk=request.pk)
    if current.outcome:
        raise RequestRefused(f"Cette demande a déjà sa réponse, du {long_day(current.answered_on)}.")
    load_keys([current.data_key_id])
    return current
