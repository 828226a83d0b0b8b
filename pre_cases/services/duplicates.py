"""Before a child is recorded: is it already known, here or to another team? The coordinations are told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone

from audit.encryption.errors import UnreadableValue
from audit.encryption.keys import load_keys_of
from audit.encryption.scan import read_column
from audit.journal.consult import LARGEST_SCOPE
from audit.journal.models import Action, Event
from audit.journal.record import record_change, record_event
from audit.services import Refused, service
from pre_cases.models import Child, ChildTag, DuplicateNotice, Parcours, Saisine
from pre_cases.search.index import Identity, is_same, secrets_of_index, tag_of
from pre_cases.search.words import NameQuery
from pre_cases.services.search_index import identity_of
from referents.models import Role, Team, User

logger = logging.getLogger(__name__)

CHILD = "pre_cases.child"
PURPOSE = "duplicates"
NOTICE_AGAIN_AFTER = timedelta(days=7)


class TooManySearches(Refused):
    """The person has looked for more children today than a day's work asks for."""


class NoticeSettled(Refused):
    """Somebody of the coordination has settled it already."""


@dataclass(frozen=True)
class Known:
    """What the search before recording a child found: children in reach, and whether another team may know one."""

    children: list[Child] = field(default_factory=list)
    is_elsewhere: bool = False

    def __bool__(self) -> bool:
        return bool(self.children) or self.is_elsewhere


@service
def look_for_child(*, first_name: str, family_name: str, birth_date: date | None, team: Team, by: User) -> Known:
    """Search the children in the person's reach, then the index; the coordinations concerned are told.

    The journal keeps that it happened and the ids of the children compared, never what was typed. Raises
    TooManySearches.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # two searches at once are counted one after the other
    _require_few_searches(by)
    wanted = Identity(first_name, family_name, birth_date)
    own = _in_reach(wanted, by)
    elsewhere = [*_elsewhere(wanted, own, by), *_followed_elsewhere(own, by)]
    record_event(
        Action.SEARCH,
        kind=CHILD,
        ids=[child.pk for child in own],
        purpose=PURPOSE,
        detail={"found": len(own), "elsewhere": len(elsewhere)},
    )
    for child in elsewhere:
        _tell(child, team, by)
    return Known(own, bool(elsewhere))


def _require_few_searches(person: User) -> None:
    since = timezone.now() - timedelta(days=1)
    made = Event.objects.filter(actor_id=person.pk, at__gte=since, action=Action.SEARCH, kind=CHILD, purpose=PURPOSE)
    if made.count() >= settings.CHILD_SEARCHES_A_DAY:
        raise TooManySearches(
            f"Vous avez déjà fait {settings.CHILD_SEARCHES_A_DAY} recherches en un jour : "
            "enregistrez cette saisine demain, ou demandez à un collègue de l’équipe."
        )


def _in_reach(wanted: Identity, person: User) -> list[Child]:
    """Children of the person's own reach whose names answer; another birth date tells them apart."""
    query = NameQuery(f"{wanted.first_name} {wanted.family_name}")
    field: Any = Child._meta.get_field("search_words")
    words = read_column(Child.objects.referable_by(person), field, at_most=LARGEST_SCOPE, unreadable=[])
    answers = query.answers([text for _, text in words])
    ids = [UUID(bytes=words[place][0]) for place in answers]
    children = list(Child.objects.filter(pk__in=ids).select_related("family").order_by("pk"))
    load_keys_of(*children)
    return [child for child in children if not _born_otherwise(child, wanted.birth_date)]


def _born_otherwise(child: Child, birth_date: date | None) -> bool:
    try:
        return bool(birth_date and child.birth_date and child.birth_date != birth_date)
    except UnreadableValue as error:
        logger.error("UnreadableValue: %s", error)
        return True  # nothing can be shown of it


def _elsewhere(wanted: Identity, exclude: list[Child], person: User) -> list[Child]:
    """Children out of reach who may be the same: those whose tag it is, decrypted and compared."""
    candidates = Q(pk__in=[])
    for key_id, secret in secrets_of_index().items():
        candidates |= Q(pk__in=ChildTag.objects.sharing(key_id, tag_of(wanted, secret)).values("child"))
    reached = Child.objects.referable_by(person)
    children = list(
        Child.objects.filter(candidates)
        .exclude(pk__in=[child.pk for child in exclude])
        .exclude(pk__in=reached.values("pk"))
        .order_by("pk")
    )
    load_keys_of(*children)
    if children:
        record_event(Action.KEY_USE, kind=CHILD, ids=[child.pk for child in children], purpose=PURPOSE)
    return [child for child in children if _is_same(wanted, child)]


def _followed_elsewhere(children: list[Child], person: User) -> list[Child]:
    """Of the children in reach, by a former parcours or saisine, those whom another team follows now."""
    followed = Parcours.objects.open().filter(child__in=children)
    theirs = followed.exclude(pk__in=Parcours.objects.carried_by(person).values("pk")).values_list("child", flat=True)
    known_to_other_teams = set(theirs)
    return [child for child in children if child.pk in known_to_other_teams]


def _is_same(wanted: Identity, child: Child) -> bool:
    """A child whose names do not open stops nobody's work; it is in the log, and in ``check_keys``."""
    try:
        return is_same(wanted, identity_of(child))
    except UnreadableValue as error:
        logger.error("UnreadableValue: %s", error)
        return False


def _tell(child: Child, team: Team, person: User) -> None:
    """A notice to each coordination, once a week for the same person and child; the messages hold no name."""
    since = timezone.now() - NOTICE_AGAIN_AFTER
    if DuplicateNotice.objects.filter(child=child, other_team=team, sought_by=person, told_at__gte=since).exists():
        return
    known_to = team_of_child(child)
    notices = [DuplicateNotice(team=known_to, other_team=team, child=child, sought_by=person)]
    if known_to != team:
        notices.append(DuplicateNotice(team=team, other_team=known_to, sought_by=person))
    for notice in notices:
        notice.save()
        record_change(notice, "create")
        transaction.on_commit(_sending(notice), robust=True)  # a broker that is away stops nobody


def _sending(notice: DuplicateNotice) -> Callable[[], object]:
    from pre_cases.tasks import send_duplicate_notice  # which calls a service of this layer

    def send() -> None:
        send_duplicate_notice.delay(str(notice.pk))

    return send


def team_of_child(child: Child) -> Team:
    """The team to call about a child: that of the open parcours, else of the latest parcours or saisine."""
    parcours = Parcours.objects.filter(child=child).select_related("team").order_by("-opened_on", "-pk")
    latest: Parcours | Saisine | None = parcours.open().first() or parcours.first()
    if latest is None:
        latest = Saisine.objects.filter(child=child).select_related("team").order_by("-received_on", "-pk").first()
    assert latest is not None  # noqa: S101 - a child is recorded by a saisine
    return latest.team


@service
def settle_notice(*, notice: DuplicateNotice, by: User) -> DuplicateNotice:
    """The two coordinations have spoken: the notice leaves the board."""
    current = DuplicateNotice.objects.select_for_update(of=("self",)).get(pk=notice.pk)
    if current.settled_at is not None:
        raise NoticeSettled("Cette situation est déjà réglée.")
    current.settled_at, current.settled_by = timezone.now(), by
    current.save()
    record_change(current, "change")
    return current


def send_notice(*, notice_id: UUID) -> int:
    """E-mail a notice to those who coordinate its team now; how many letters. It names nobody and no child."""
    notice = DuplicateNotice.objects.to_settle().select_related("team", "other_team").filter(pk=notice_id).first()
    if notice is None:
        return 0
    people = User.objects.holding(Role.COORDINATOR, notice.team_id)
    context = {"notice": notice, "same_team": notice.team_id == notice.other_team_id}
    subject = render_to_string("emails/duplicate.subject.txt", context).strip()
    body = render_to_string("emails/duplicate.txt", context)
    return sum(EmailMessage(subject, body, to=[person.email]).send() for person in people)
