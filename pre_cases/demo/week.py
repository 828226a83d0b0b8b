"""The week of the demonstration's référent: meetings, a shared exchange, a question of the coordination, templates."""

from __future__ import annotations

from datetime import date, time, timedelta

from django.utils import timezone

from pre_cases.demo import accounts
from pre_cases.demo.staff import Staff
from pre_cases.models import AppointmentMeans, Entry, EntryKind, EntryWith, Parcours
from pre_cases.services.appointment import plan_appointment
from pre_cases.services.entries import add_entries
from pre_cases.services.entry_template import add_template
from pre_cases.services.follow_up import answer_follow_up, ask_follow_up

SATURDAY = 5
LATELY = timedelta(days=2)
TEMPLATES = (
    (
        "Relance de l’école",
        EntryKind.MESSAGE,
        EntryWith.SCHOOL,
        "Message à l’école : point demandé avant les vacances.",
    ),
    ("Rappel de rendez-vous", EntryKind.MESSAGE, EntryWith.FAMILY, "Message à la famille : rappel du rendez-vous."),
)


def tell_week(staff: Staff, ines: Parcours) -> None:
    """Told today: a meeting is planned for later only."""
    benoit, today = staff.of(accounts.BENOIT), timezone.localdate()
    followed = Parcours.objects.open().assigned_to(benoit.pk).filter(opened_on__lt=today - LATELY).exclude(pk=ines.pk)
    others = list(followed.select_related("child").order_by("due_on", "pk")[:2])
    meetings = zip((ines, *others), (1, 2, 4), _PLACES, strict=False)
    for parcours, days, (means, with_whom, place, hour) in meetings:
        plan_appointment(
            parcours=parcours,
            user=benoit,
            on=_weekday(today + timedelta(days=days)),
            starts_at=hour,
            means=means,
            with_whom=with_whom,
            place=place,
            by=benoit,
        )
    for label, kind, with_whom, text in TEMPLATES:
        add_template(label=label, kind=kind, with_whom=with_whom, text=text, by=benoit)
    add_entries(
        parcours_list=[Parcours.objects.select_related("child").get(pk=ines.pk), *others[:1]],
        kind=EntryKind.PARTNER,
        on=today - LATELY,
        with_whom=EntryWith.PARTNER,
        text="Le centre social ouvre l’aide aux devoirs aux deux enfants dès lundi.",
        by=benoit,
    )
    _tell_questions(staff, ines)


_PLACES = (
    (AppointmentMeans.SCHOOL, EntryWith.FAMILY, "avec les deux parents et l’enseignante", time(16, 45)),
    (AppointmentMeans.HOME, EntryWith.FAMILY_AND_CHILD, "", time(10, 30)),
    (AppointmentMeans.PHONE, EntryWith.FAMILY, "", time(9, 15)),
)


def _weekday(on: date) -> date:
    """The Monday after a day of the week-end."""
    return on + timedelta(days=7 - on.weekday()) if on.weekday() >= SATURDAY else on


def _tell_questions(staff: Staff, ines: Parcours) -> None:
    """One that waits in Benoît's day, and one that he has answered."""
    amina, benoit = staff.of(accounts.AMINA), staff.of(accounts.BENOIT)
    exchanges = Entry.objects.filter(parcours=ines, author=benoit).select_related("parcours").order_by("-on", "-pk")
    latest, *_, first = exchanges
    answered = ask_follow_up(entry=first, question="L’enseignante a-t-elle rencontré le père ?", by=amina)
    answer_follow_up(follow_up=answered, answer="Oui, la semaine suivante, à la sortie de l’école.", by=benoit)
    ask_follow_up(entry=latest, question="Qui accompagne les enfants le lundi soir ?", by=amina)
