"""A person's calendar as other software reads it (RFC 5545): tasks, meetings and points d'étape, and no name.

An event says what it is and the number of the parcours; whoever finds the calendar learns nothing about a child.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from pre_cases.models import Appointment, Parcours, Task
from referents.models import User

LONGEST_LINE = 75  # octets, the end of the line apart
MEETING = timedelta(hours=1)  # how long one stands in the calendar: nobody is asked
BEHIND = timedelta(days=31)  # meetings that nobody has settled are told no longer


@dataclass(frozen=True)
class Occasion:
    """One event: ``begins`` is a day, or an instant for what has an hour; ``file_id`` is the file that it is about."""

    uid: str
    summary: str
    begins: date | datetime
    file_id: UUID
    path: str
    where: str = ""


def occasions_of(person: User) -> list[Occasion]:
    """What stands in the calendar of a person today, in three queries."""
    return sorted([*_tasks(person), *_appointments(person), *_reviews(person)], key=lambda found: found.uid)


def _tasks(person: User) -> Iterator[Occasion]:
    for task in Task.objects.of(person).open().select_related("parcours"):
        if task.parcours is not None:
            yield _about(task.parcours, f"tache-{task.pk}", "Tâche", task.due_on)
        elif task.saisine_id is not None:
            path = reverse("pre_cases:saisine_detail", args=[task.saisine_id])
            yield Occasion(f"tache-{task.pk}", "Tâche, saisine", task.due_on, task.saisine_id, path)


def _appointments(person: User) -> Iterator[Occasion]:
    since = timezone.localdate() - BEHIND
    for meeting in Appointment.objects.of(person).planned().filter(on__gte=since).select_related("parcours"):
        where = meeting.get_means_display()
        yield _about(meeting.parcours, f"rendez-vous-{meeting.pk}", "Rendez-vous", meeting.at, where)


def _reviews(person: User) -> Iterator[Occasion]:
    followed = Parcours.objects.followed_by(person).open().filter(entered_on__isnull=False)
    for parcours in followed.annotate(reviewed_on=Max("reviews__on")):
        since = max(filter(None, (parcours.entered_on, parcours.reviewed_on)))
        due_on = since + relativedelta(months=settings.REVIEW_EVERY_MONTHS)
        yield _about(parcours, f"point-d-etape-{parcours.pk}", "Point d’étape", due_on)


def _about(parcours: Parcours, uid: str, what: str, begins: date | datetime, where: str = "") -> Occasion:
    path = reverse("pre_cases:parcours_detail", args=[parcours.pk])
    return Occasion(uid, f"{what}, parcours n° {parcours.number}", begins, parcours.pk, path, where)


# -- RFC 5545 -------------------------------------------------------------------------------------------------------


def written(occasions: Iterable[Occasion]) -> bytes:
    """The calendar as a file; two of the same day with the same events are the same to the byte."""
    stamp = _instant(timezone.make_aware(datetime.combine(timezone.localdate(), time.min)))
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Marelle//Agenda//FR", "CALSCALE:GREGORIAN"]
    lines += ["X-WR-CALNAME:Marelle", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"]
    for occasion in occasions:
        lines += _event(occasion, stamp)
    return "".join(map(folded, [*lines, "END:VCALENDAR"])).encode()


def _event(occasion: Occasion, stamp: str) -> list[str]:
    lines = ["BEGIN:VEVENT", f"UID:{occasion.uid}@marelle", f"DTSTAMP:{stamp}"]
    if isinstance(occasion.begins, datetime):
        lines += [f"DTSTART:{_instant(occasion.begins)}", f"DTEND:{_instant(occasion.begins + MEETING)}"]
    else:
        lines += [f"DTSTART;VALUE=DATE:{occasion.begins:%Y%m%d}"]
        lines += [f"DTEND;VALUE=DATE:{occasion.begins + timedelta(days=1):%Y%m%d}", "TRANSP:TRANSPARENT"]
    lines += [f"SUMMARY:{escaped(occasion.summary)}", "CLASS:PRIVATE"]
    if occasion.where:
        lines.append(f"LOCATION:{escaped(occasion.where)}")
    return [*lines, f"URL:{settings.SITE_URL}{occasion.path}", "END:VEVENT"]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def escaped(text: str) -> str:
    """A text value: section 3.3.11."""
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\r\n", "\n").replace("\n", "\\n")


def folded(line: str) -> str:
    """A content line in pieces of at most 75 octets, no letter cut in two: section 3.1."""
    pieces, piece, size = [], "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > LONGEST_LINE:
            pieces.append(piece)
            piece, size = " ", 1
        piece, size = piece + letter, size + octets
    return "\r\n".join([*pieces, piece]) + "\r\n"
