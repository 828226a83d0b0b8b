"""The life of a parcours: opening, entry, end, reopening."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Nomenclature, Term
from pre_cases.models import Agreement, ChildAdult, Comment, EpreRemoval, Parcours, Saisine, SaisineStage
from pre_cases.services.access import end_access
from pre_cases.services.assignment import assign, end_assignment
from pre_cases.services.dates import refresh_dates
from pre_cases.services.epre_agenda import leave_agendas
from pre_cases.services.preconditions import lock_child, locked, not_in_future
from pre_cases.services.suspension import end_suspensions
from referents.models import Role, User

REOPENING_DAYS = 60  # a reopening only corrects a mistaken closing


class OpeningRefused(Refused):
    """The facts do not allow to open a parcours yet."""


class EntryRefused(Refused):
    """The entry into parcours cannot be decided on that day."""


class ClosingRefused(Refused):
    """The parcours cannot be closed like this."""


class ReopeningRefused(Refused):
    """The closing can no longer be corrected."""


@service
def open_parcours(*, saisine: Saisine, on: date, by: User, referent: User | None = None) -> Parcours:
    """Open the parcours that a saisine asked for, on the family's signed agreement, and assign its référent.

    Exchanges and tasks noted on the saisine follow it into the parcours.
    """
    not_in_future(on, OpeningRefused, field="on")
    current = Saisine.objects.select_for_update(of=("self",)).get(pk=saisine.pk)
    coordinates = current.team_id in by.standing.team_ids(Role.COORDINATOR)
    if not coordinates and referent is not None and referent.pk != (current.assignee_id or by.pk):
        raise OpeningRefused("Le parcours revient à qui suit la saisine ; la coordination choisit.", field="referent")
    stage = Saisine.objects.with_stage().get(pk=current.pk).stage
    if stage is not SaisineStage.AGREEMENT_SIGNED:
        raise OpeningRefused(_what_is_missing(stage))
    agreement = current.agreements.get(refused_on__isnull=True, withdrawn_on__isnull=True)
    if agreement.signed_on is None or on < agreement.signed_on:
        raise OpeningRefused("Le parcours ne peut pas s’ouvrir avant la signature de l’accord.", field="on")
    if agreement.agreed_until_on is not None and agreement.agreed_until_on <= on:
        raise OpeningRefused("L’accord de la famille a expiré : faites-en signer un nouveau.", field="on")
    _require_every_holder(current, agreement)
    previous = _previous(current, on)
    parcours = Parcours.objects.create(
        child_id=current.child_id,
        team_id=current.team_id,
        saisine=current,
        agreement=agreement,
        previous=previous,
        opened_on=on,
        data_key_id=current.data_key_id,
    )
    record_change(parcours, "create")
    for entry in current.entries.all():
        entry.parcours = parcours
        entry.save()
    for task in current.tasks.all():
        task.parcours = parcours
        task.save()
    if referent is not None:
        assign(parcours, referent, on)
    refresh_dates(parcours)
    return parcours


def _require_every_holder(saisine: Saisine, agreement: Agreement) -> None:
    """One holder's signature opens if every other known holder has been informed and none has objected in writing."""
    answers = {holder.adult_id: holder for holder in agreement.holders.all()}
    if any(answer.is_objecting for answer in answers.values()):
        raise OpeningRefused(
            "Un titulaire de l’autorité parentale s’est opposé par écrit : la coordination doit trancher ou clore."
        )
    for link in ChildAdult.objects.current().filter(child=saisine.child_id, holds_authority=True):
        answer = answers.get(link.adult_id)
        if answer is None or not (answer.signed_on or answer.informed_on or answer.not_informed_reason):
            raise OpeningRefused(
                "Un titulaire de l’autorité parentale n’a ni signé ni été informé : complétez la page de l’accord."
            )


def _what_is_missing(stage: SaisineStage) -> str:
    return {
        SaisineStage.DRAFT: "Transmettez d’abord la saisine, qui n’est qu’un brouillon.",
        SaisineStage.RECEIVED: "Présentez d’abord le formulaire d’accord à la famille.",
        SaisineStage.TO_COMPLETE: "Présentez d’abord le formulaire d’accord à la famille.",
        SaisineStage.AGREEMENT_AWAITED: (
            "La famille n’a pas encore signé : l’accord oral permet de préparer, pas d’ouvrir."
        ),
        SaisineStage.AGREEMENT_REFUSED: "La famille a refusé ou retiré son accord : le parcours ne peut pas s’ouvrir.",
        SaisineStage.OPENED: "Le parcours de cette saisine est déjà ouvert.",
    }.get(stage, "Cette saisine est terminée : enregistrez-en une nouvelle.")


def _previous(saisine: Saisine, on: date) -> Parcours | None:
    """The child's former parcours; refuses while one is open, or on a day that it still holds.

    The child is locked: of two saisines opened together, the second one is told.
    """
    lock_child(saisine.child_id)
    previous = Parcours.objects.filter(child=saisine.child_id).order_by("-opened_on", "-id").first()
    if previous is None:
        return None
    if previous.closed_on is None:
        raise OpeningRefused("Un parcours est déjà ouvert pour cet enfant : rattachez-y la saisine.")
    if on <= previous.closed_on:
        raise OpeningRefused(
            "Le parcours précédent s’étend jusqu’à ce jour : ouvrez au plus tôt le lendemain.", field="on"
        )
    return previous


@service
def decide_entry(*, parcours: Parcours, on: date, by: User) -> Parcours:
    """The EPRE has decided the entry: the evaluation ends and the parcours counts from that day."""
    not_in_future(on, EntryRefused, field="on")
    current = locked(parcours)
    if current.entered_on is not None:
        raise EntryRefused("L’entrée en parcours est déjà décidée.")
    if on < current.opened_on:
        raise EntryRefused("L’entrée ne peut pas précéder l’ouverture du parcours.", field="on")
    current.entered_on = on
    current.save()
    record_change(current, "change")
    refresh_dates(current)
    return current


@service
def close_parcours(*, parcours: Parcours, on: date, reason: Term, by: User) -> Parcours:
    """End the support on its last day followed: the référent is released and nobody outside keeps access.

    A bilan is asked for, save when there was no entry or when the contact was lost (a short form is enough then).
    """
    current = locked(parcours)
    if (reason.code == "sans-entree") != (current.entered_on is None):
        raise ClosingRefused("« Sans entrée en parcours » termine une évaluation, et elle seule.", field="reason")
    needs_bilan = current.entered_on is not None and reason.code not in ("contact-perdu", "jamais-commence")
    if needs_bilan and not hasattr(current, "bilan"):
        raise ClosingRefused("Écrivez d’abord le bilan de fin de parcours.")
    return end_parcours(parcours=current, on=on, reason=reason)


def end_parcours(*, parcours: Parcours, on: date, reason: Term, removal: EpreRemoval = EpreRemoval.CLOSED) -> Parcours:
    """What every end does, inside the transaction of its service; ``parcours`` is locked and open."""
    not_in_future(on, ClosingRefused, field="on")
    if reason.nomenclature != Nomenclature.EXIT_REASON:
        raise ClosingRefused("Choisissez un motif de sortie.", field="reason")
    if on < (parcours.entered_on or parcours.opened_on):
        raise ClosingRefused("Le dernier jour suivi ne peut pas précéder l’entrée ni l’ouverture.", field="on")
    parcours.closed_on, parcours.exit_reason = on, reason
    parcours.save()
    record_change(parcours, "close")
    today = timezone.localdate()
    after = max(on, parcours.opened_on)
    for assignment in parcours.assignments.filter(ends_on__isnull=True):
        end_assignment(assignment, max(min(after + timedelta(days=1), today), assignment.starts_on))
    for enrolment in parcours.enrolments.filter(ends_on__isnull=True):
        enrolment.ends_on = max(min(after + timedelta(days=1), today), enrolment.starts_on)
        enrolment.save()
        record_change(enrolment, "change")
    end_suspensions(parcours, on)
    end_access(parcours)
    leave_agendas(parcours, removal)
    for draft in parcours.drafts.all():
        draft.delete()
    refresh_dates(parcours)
    return parcours


def may_still_reopen(parcours: Parcours) -> bool:
    """Whether a closing is recent enough to be a mistake that one corrects, under an agreement still given."""
    if parcours.closed_on is None or parcours.agreement.withdrawn_on is not None:
        return False
    return parcours.closed_on >= timezone.localdate() - timedelta(days=REOPENING_DAYS)


@service
def reopen_parcours(*, parcours: Parcours, reason: str, by: User) -> Parcours:
    """Correct a mistaken closing, within sixty days; the reason is kept as a comment. Access is given anew."""
    current = Parcours.objects.select_for_update(of=("self",)).select_related("agreement").get(pk=parcours.pk)
    if current.closed_on is None:
        raise ReopeningRefused("Le parcours est déjà ouvert.")
    if current.closed_on < timezone.localdate() - timedelta(days=REOPENING_DAYS):
        raise ReopeningRefused(
            f"Le parcours est clos depuis plus de {REOPENING_DAYS} jours : enregistrez une nouvelle saisine."
        )
    if current.agreement.withdrawn_on is not None:
        raise ReopeningRefused("La famille a retiré son accord : il faut une nouvelle saisine et un nouvel accord.")
    lock_child(current.child_id)
    if Parcours.objects.filter(child=current.child_id, opened_on__gt=current.closed_on).exists():
        raise ReopeningRefused("L’enfant a eu un autre parcours depuis : celui-ci ne peut plus être rouvert.")
    if not reason.strip():
        raise ReopeningRefused("Dites pourquoi la clôture est corrigée.", field="reason")
    current.closed_on, current.exit_reason = None, None
    current.save()
    record_change(current, "reopen")
    comment = Comment.objects.create(
        parcours=current, author=by, text=f"Réouverture : {reason.strip()}", data_key_id=current.data_key_id
    )
    record_change(comment, "create")
    refresh_dates(current)
    return current
