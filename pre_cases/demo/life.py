"""What happens to running parcours besides exchanges: an evaluation, an aid, a suspension, an opposition, a concern."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db.models import Count
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import system_account
from partners.models import Term
from pre_cases.demo import accounts
from pre_cases.demo.staff import Staff
from pre_cases.models import AidDecision, ConcernAddressee, EntryKind, EntryWith, Parcours
from pre_cases.services.agreement import holders_of
from pre_cases.services.aid import ask_aid, decide_aid, pay_aid, set_envelope
from pre_cases.services.concern import report_concern
from pre_cases.services.evaluation import note_need
from pre_cases.services.objection import record_objection
from pre_cases.services.reminders import remind_team
from pre_cases.services.suspension import suspend_parcours
from pre_cases.services.timeline import add_entry
from referents.models import Team, User

ENVELOPE = Decimal(2400)  # euros a year for each team


def tell_life(staff: Staff, ines: Parcours) -> None:
    """The year's envelopes, Inès's evaluation and aid, and three more of Benoît's parcours that something stops."""
    today, home = timezone.localdate(), staff.home
    for team in Team.objects.filter(pk__in=staff.coordinators):
        set_envelope(team=team, year=today.year, amount=ENVELOPE, by=staff.coordinators[team.pk])
    _evaluate(staff, ines)
    _help(staff, ines)
    benoit = staff.of(accounts.BENOIT)
    running = Parcours.objects.in_team(home.pk).open().assigned_to(benoit.pk).exclude(pk=ines.pk)
    running = running.filter(entered_on__lt=today - timedelta(days=60), bilan__isnull=True)
    several = running.annotate(holders=Count("agreement__holders"))
    opposed = several.filter(holders__gte=2).order_by("pk").first()
    others = running if opposed is None else running.exclude(pk=opposed.pk)
    stops = [_suspend, _report, _ask]
    for stop, parcours in zip(stops, others.order_by("pk")[: len(stops)], strict=False):  # a small city has fewer
        load_keys_of(parcours)
        stop(parcours, benoit)
    if opposed is not None:
        _oppose(staff, opposed)
    remind_team(team=home, by=system_account())


def _suspend(parcours: Parcours, benoit: User) -> None:
    suspend_parcours(
        parcours=parcours,
        reason="Toute la famille est partie deux mois auprès d’une grand-mère malade.",
        starts_on=timezone.localdate() - timedelta(days=12),
        ends_on=timezone.localdate() + timedelta(days=45),
        by=benoit,
    )


def _report(parcours: Parcours, benoit: User) -> None:
    four_days_ago = timezone.localdate() - timedelta(days=4)
    report_concern(parcours=parcours, reported_on=four_days_ago, addressee=ConcernAddressee.CRIP, by=benoit)


def _ask(parcours: Parcours, benoit: User) -> None:
    ask_aid(
        parcours=parcours,
        purpose="Un trimestre de cantine, le temps que le tarif social soit revu.",
        requested=Decimal("132.60"),
        by=benoit,
    )


def _evaluate(staff: Staff, ines: Parcours) -> None:
    benoit, day = staff.of(accounts.BENOIT), ines.opened_on + timedelta(days=6)
    add_entry(
        parcours=ines,
        kind=EntryKind.EVALUATION,
        on=day,
        with_whom=EntryWith.FAMILY_AND_CHILD,
        text="Premier entretien chez la mère. Inès montre ses livres ; les devoirs se font dans la cuisine, tard.",
        by=benoit,
    )
    needs = [
        ("Un endroit calme pour les devoirs, chez chacun des parents", "educatif", "decrochage"),
        ("Des camarades de son âge hors de l’école", "periscolaire", "sante"),
        ("Que les deux parents reçoivent les mots de l’école", "social", "parents"),
    ]
    for text, domain, priority in needs:
        note_need(
            parcours=ines,
            text=text,
            domain=Term.objects.get(pk=f"domain:{domain}"),
            priority=Term.objects.get(pk=f"priority:{priority}"),
            noted_on=day,
            by=benoit,
        )


def _help(staff: Staff, ines: Parcours) -> None:
    """An aid granted in part and paid today; its receipt is still expected."""
    benoit, amina = staff.of(accounts.BENOIT), staff.of(accounts.AMINA)
    aid = ask_aid(
        parcours=ines, purpose="Un bureau d’enfant pour la chambre chez le père.", requested=Decimal(95), by=benoit
    )
    decide_aid(
        aid=aid, decision=AidDecision.GRANTED, granted=Decimal(80), reason="Le père paie la livraison.", by=amina
    )
    pay_aid(aid=aid, on=timezone.localdate(), by=benoit)


def _oppose(staff: Staff, parcours: Parcours) -> None:
    """The other parent writes that nothing more should be shared; the coordination has three weeks left."""
    load_keys_of(parcours)
    signed = {holder.adult_id for holder in parcours.agreement.holders.all() if holder.signed_on}
    links = holders_of(parcours.agreement)
    other = next((link.adult for link in links if link.adult_id not in signed), links[-1].adult)
    on = timezone.localdate() - timedelta(days=8)
    record_objection(parcours=parcours, adult=other, on=on, by=staff.of(accounts.BENOIT))
