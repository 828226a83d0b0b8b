"""The family's agreement: presented, perhaps oral first, then signed or refused; withdrawn, it ends the parcours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Nomenclature, Term
from pre_cases.models import (
    Adult,
    Agreement,
    AgreementHolder,
    ChildAdult,
    EpreRemoval,
    InformedMeans,
    Parcours,
    Saisine,
)
from pre_cases.services.parcours import end_parcours
from pre_cases.services.preconditions import locked, not_in_future
from pre_cases.services.saisine import is_followed
from pre_cases.services.timeline import locked_saisine
from referents.days import long_day
from referents.models import User


class AgreementRefused(Refused):
    """The facts do not allow this step of the agreement; the sentence says which one comes first."""


@dataclass(frozen=True)
class HolderAnswer:
    """What one holder of parental authority did: signed, was informed (or why not), or objected in writing."""

    adult: Adult
    signed_on: date | None = None
    informed_on: date | None = None
    informed_means: InformedMeans | str = ""
    not_informed_reason: str = ""
    objected_on: date | None = None
    restriction: str = ""


def _require_day(day: date, since: date, sentence: str, *, field: str | None) -> None:
    """Refuse a day of the future, or one before ``since``."""
    not_in_future(day, AgreementRefused, field=field or "")
    if day < since:
        raise AgreementRefused(f"{sentence} {long_day(since)}.", field=field)


@service
def present_agreement(
    *, saisine: Saisine, on: date, form_version: str, covers_school: bool, covers_partners: bool, by: User
) -> Agreement:
    """The form was given and explained to the family, and its scope agreed."""
    current = locked_saisine(saisine)
    if current.is_draft:
        raise AgreementRefused("Transmettez d’abord la saisine, qui n’est qu’un brouillon.")
    if is_followed(current.child_id):
        raise AgreementRefused("Un parcours est ouvert pour cet enfant : rattachez-y la saisine.")
    _require_day(on, current.received_on, "La saisine n’a été reçue que le", field="on")
    for former in current.agreements.order_by("presented_on", "id"):
        ended_on = former.refused_on or former.withdrawn_on
        if ended_on is None:
            raise AgreementRefused(
                "Le formulaire est déjà présenté : enregistrez la signature, ou le refus de la famille."
            )
        _require_day(on, ended_on, "Le refus précédent date du", field="on")
    agreement = Agreement.objects.create(
        child_id=current.child_id,
        saisine=current,
        form_version=form_version,
        covers_school=covers_school,
        covers_partners=covers_partners,
        presented_on=on,
        data_key_id=current.data_key_id,
    )
    record_change(agreement, "create")
    return agreement


def _locked_pending(agreement: Agreement) -> Agreement:
    """The agreement once nobody else can change it; refuses one that was refused or withdrawn."""
    locked_saisine(agreement.saisine)
    current = Agreement.objects.select_related("saisine").get(pk=agreement.pk)
    if current.refused_on is not None or current.withdrawn_on is not None:
        raise AgreementRefused("La famille a refusé ou retiré cet accord : présentez de nouveau le formulaire.")
    return current


def holders_of(agreement: Agreement) -> list[ChildAdult]:
    """The adults who hold authority over the child today, the longest known first."""
    links = ChildAdult.objects.current().filter(child=agreement.child_id, holds_authority=True)
    return list(links.select_related("adult").order_by("starts_on", "id"))


@service
def record_oral_agreement(*, agreement: Agreement, on: date, given_by: Adult, by: User) -> Agreement:
    """A holder of authority said yes aloud: this gives the right to prepare, never to open."""
    current = _locked_pending(agreement)
    if current.signed_on is not None:
        raise AgreementRefused("L’accord est déjà signé.")
    _require_day(on, current.presented_on, "Le formulaire n’a été présenté que le", field="on")
    if given_by.pk not in {link.adult_id for link in holders_of(current)}:
        raise AgreementRefused("Seul un titulaire de l’autorité parentale peut donner l’accord.", field="given_by")
    current.oral_on, current.oral_given_by, current.oral_received_by = on, given_by, by
    current.save()
    record_change(current, "oral")
    return current


@service
def sign_agreement(*, agreement: Agreement, on: date, holders: list[HolderAnswer], by: User) -> Agreement:
    """One holder's signature is enough when every other known holder was informed; each one's answer is recorded.

    ``on`` is the day of the first signature, from which the agreement holds ``AGREEMENT_MONTHS``. Until the opening
    the answers may be recorded again: a late objection, an objection lifted, a signature that has expired.
    """
    current = _locked_pending(agreement)
    load_keys([current.data_key_id])
    _require_day(on, current.presented_on, "Le formulaire n’a été présenté que le", field="on")
    until = on + relativedelta(months=settings.AGREEMENT_MONTHS)
    not_after = f"Cette signature ne vaut plus depuis le {long_day(until)} : faites signer de nouveau."
    if until <= timezone.localdate():
        raise AgreementRefused(not_after, field="on")
    _require_every_holder(current, holders)
    for answer in holders:
        _require_complete(current, answer)
    if not any(answer.signed_on == on for answer in holders):
        raise AgreementRefused("Au moins un titulaire de l’autorité parentale doit avoir signé ce jour-là.", field="on")
    if any(answer.signed_on is not None and answer.signed_on < on for answer in holders):
        raise AgreementRefused("L’accord porte la date de la première signature.", field="on")
    current.signed_on, current.agreed_until_on = on, until
    current.save()
    for answer in holders:
        _write_holder(current, answer)
    record_change(current, "sign")
    return current


def _require_every_holder(agreement: Agreement, answers: list[HolderAnswer]) -> None:
    known = {link.adult_id for link in holders_of(agreement)}
    if not known:
        raise AgreementRefused("Aucun titulaire de l’autorité parentale n’est connu : ajoutez-le d’abord.")
    answered = [answer.adult.pk for answer in answers]
    if set(answered) - known or len(answered) != len(set(answered)):
        raise AgreementRefused(
            "Les titulaires de l’autorité parentale ont changé entre-temps : relisez leurs réponses."
        )
    if known - set(answered):
        raise AgreementRefused(
            "Dites pour chaque titulaire de l’autorité parentale s’il a signé, s’il a été informé, ou pourquoi non."
        )


def _require_complete(agreement: Agreement, answer: HolderAnswer) -> None:
    """One answer a holder, with its date; a signature and an objection come after the presentation."""
    if answer.signed_on is not None and answer.objected_on is not None:
        raise AgreementRefused("Un titulaire signe ou s’oppose, pas les deux.")
    for day in (answer.signed_on, answer.objected_on):
        if day is not None:
            _require_day(day, agreement.presented_on, "Le formulaire n’a été présenté que le", field=None)
    if answer.informed_on is not None:
        _require_day(answer.informed_on, agreement.saisine.received_on, "La saisine n’a été reçue que le", field=None)
        if not answer.informed_means:
            raise AgreementRefused("Dites par quel moyen chaque titulaire a été informé.")
    answered = (answer.signed_on, answer.objected_on, answer.informed_on, answer.not_informed_reason.strip())
    if not any(answered):
        raise AgreementRefused(
            "Dites pour chaque titulaire de l’autorité parentale s’il a signé, s’il a été informé, ou pourquoi non."
        )


def _write_holder(agreement: Agreement, answer: HolderAnswer) -> None:
    holder = AgreementHolder.objects.filter(agreement=agreement, adult=answer.adult).first()
    action = "create" if holder is None else "change"
    if holder is None:
        holder = AgreementHolder(agreement=agreement, adult=answer.adult, data_key_id=agreement.data_key_id)
    holder.signed_on, holder.objected_on = answer.signed_on, answer.objected_on
    holder.informed_on, holder.informed_means = answer.informed_on, answer.informed_means
    holder.not_informed_reason, holder.restriction = answer.not_informed_reason, answer.restriction
    if answer.objected_on is None:
        holder.settled_on, holder.settled_by, holder.settlement = None, None, None
    holder.save()
    record_change(holder, action)


@service
def refuse_agreement(*, agreement: Agreement, on: date, by: User, reason: str = "") -> Agreement:
    """The family says no, or takes its signature back before the opening; the form may be presented again later."""
    current = _locked_pending(agreement)
    load_keys([current.data_key_id])
    if current.signed_on is None:
        _require_day(on, current.presented_on, "Le formulaire n’a été présenté que le", field="on")
        current.refused_on = on
    else:
        _require_day(on, current.signed_on, "La famille a signé le", field="on")
        current.withdrawn_on = on
    current.reason = reason
    current.save()
    record_change(current, "refuse")
    return current


@service
def withdraw_agreement(*, parcours: Parcours, on: date, by: User, reason: str = "") -> Parcours:
    """The family withdraws its agreement: the parcours ends that very day, and with it every access it gave.

    No bilan is asked for. Before the entry the reason of exit is « sans entrée », after it the family's wish.
    """
    current = locked(parcours)
    load_keys([current.data_key_id])
    agreement = Agreement.objects.select_for_update(of=("self",)).get(pk=current.agreement_id)
    since = max(current.entered_on or current.opened_on, agreement.signed_on or current.opened_on)
    _require_day(on, since, "Le parcours a commencé le", field="on")
    agreement.withdrawn_on, agreement.reason = on, reason
    agreement.save()
    record_change(agreement, "withdraw")
    code = "sans-entree" if current.entered_on is None else "souhait-famille"
    exit_reason = Term.objects.of(Nomenclature.EXIT_REASON).get(code=code)
    return end_parcours(parcours=current, on=on, reason=exit_reason, removal=EpreRemoval.AGREEMENT)
