"""The EPRE of the demonstration's team: a session whose minutes are closed, one in two days, one to prepare."""

from __future__ import annotations

from datetime import time, timedelta

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from pre_cases.demo import accounts
from pre_cases.demo.staff import Staff
from pre_cases.models import EpreDecision, EpreItem, EpreParticipant, EprePurpose, EpreSession, Parcours
from pre_cases.services.epre_agenda import put_on_agenda
from pre_cases.services.epre_decision import NextStep, decide_item
from pre_cases.services.epre_session import close_minutes, hold_session, invite, plan_session

PLACE = "Centre d’animation Binet, salle du premier étage"
WITHOUT_ACCOUNT = (
    ("Mme Florence Delmas", "Service social scolaire", "Assistante sociale"),
    ("Dr Paul Hamel", "PMI", "Médecin"),
    ("M. Thierry Vasseur", "École élémentaire", "Directeur"),
)


def tell_epre(staff: Staff, ines: Parcours) -> None:
    """Three weeks ago, in two days and in a month; what the sheets say names nobody."""
    amina = staff.of(accounts.AMINA)
    held, coming = (_plan(staff, days) for days in (-21, 2))
    for name, institution, function in WITHOUT_ACCOUNT:
        invite(session=coming, name=name, institution=institution, function=function, by=amina)
        invite(session=held, name=name, institution=institution, function=function, by=amina)
    david = invite(session=held, user=staff.of(accounts.DAVID), function="Psychologue scolaire", by=amina)
    invite(session=coming, user=staff.of(accounts.DAVID), function="Psychologue scolaire", by=amina)
    _plan(staff, 30)
    evaluated = Parcours.objects.in_team(staff.home.pk).open().filter(entered_on__isnull=True)
    examined = list(evaluated.filter(opened_on__lt=held.on).order_by("-opened_on", "pk")[:2])
    _tell_past(staff, held, coming, david, [ines, *examined])
    new = evaluated.exclude(pk__in=[parcours.pk for parcours in examined]).order_by("opened_on", "pk")[:2]
    for rank, parcours in enumerate(new):
        question = "" if rank else "Quel lieu ouvert après l’école lui proposer, près de chez l’enfant ?"
        put_on_agenda(session=coming, parcours=parcours, question=question, by=amina)


def _plan(staff: Staff, days: int) -> EpreSession:
    """A weekday around that day."""
    on = timezone.localdate() + timedelta(days=days)
    while on.weekday() > 4:
        on += timedelta(days=1 if days > 0 else -1)
    amina = staff.of(accounts.AMINA)
    return plan_session(team=staff.home, on=on, starts_at=time(14), ends_at=time(16, 30), place=PLACE, by=amina)


def _tell_past(
    staff: Staff, held: EpreSession, coming: EpreSession, david: EpreParticipant, parcours_list: list[Parcours]
) -> None:
    """A renewal, an advice whose follow-up waits for the psychologist, and a situation adjourned to the next one."""
    amina = staff.of(accounts.AMINA)
    renewed, *others = parcours_list
    item = _put(
        held, renewed, staff, EprePurpose.RENEWAL, "Poursuivre un an, avec quel appui pour les devoirs du lundi ?"
    )
    until = renewed.agreement.agreed_until_on or held.on
    decide_item(
        item=item,
        decision=EpreDecision.RENEWAL,
        renewed_until_on=until + relativedelta(months=6),
        reason="L’enfant lit de nouveau à voix haute : six mois de plus, avec l’aide aux devoirs.",
        family_told_on=held.on + timedelta(days=3),
        by=amina,
    )
    for rank, parcours in enumerate(others):
        asked = "L’absence du matin relève-t-elle d’un suivi de santé ?" if rank else "Qui peut rencontrer la famille ?"
        item = _put(held, parcours, staff, EprePurpose.ENTRY, asked)
        if not rank:
            decide_item(item=item, decision=EpreDecision.ADJOURNED, adjourned_to=coming, by=amina)
            continue
        told = NextStep("Prendre l’avis du médecin scolaire", timezone.localdate() + timedelta(days=6), None, david)
        reason = "Recueillir d’abord l’avis de la santé scolaire, avec l’accord des parents."
        decide_item(item=item, decision=EpreDecision.ADVICE, reason=reason, follow_up=told, by=amina)
    present = list(held.participants.all())
    charters = {one.pk: held.on for one in present if one.user_id is None}
    hold_session(session=held, attended={one.pk: True for one in present}, charters=charters, by=amina)
    close_minutes(session=held, by=amina)


def _put(session: EpreSession, parcours: Parcours, staff: Staff, purpose: EprePurpose, question: str) -> EpreItem:
    return put_on_agenda(
        session=session,
        parcours=parcours,
        purpose=purpose,
        question=question,
        resources="Aime lire ; parents présents aux rendez-vous.",
        tried="Aide aux devoirs à l’école ; rencontre avec l’enseignante.",
        by=staff.of(accounts.AMINA),
    )
