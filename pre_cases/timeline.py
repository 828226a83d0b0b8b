"""The one timeline of a parcours: everything that happened, whoever wrote it, the latest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils import timezone

from pre_cases.models import (
    Action,
    Agreement,
    AppointmentState,
    Enrolment,
    Entry,
    EntryKind,
    EntryWith,
    EpreItem,
    ExceptionalAccess,
    FollowUp,
    HandOver,
    HandOverOutcome,
    Parcours,
    ParcoursShare,
)
from referents.days import day

SHOWN_AT_FIRST = 30
# the kind already says with whom
SAID_BY_KIND = {(EntryKind.SCHOOL, EntryWith.SCHOOL), (EntryKind.PARTNER, EntryWith.PARTNER)}


@dataclass(frozen=True)
class Moment:
    """One line: the day, what kind of thing happened (a code for its shape), its words, who wrote it, and what the
    reader may do about it (words and addresses).
    """

    on: date
    kind: str
    label: str
    text: str = ""
    author: str = ""
    detail: str = ""
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reader:
    """Who reads, and what the page offers on an exchange: to correct one's own, to ask about one, to answer."""

    person_id: int
    may_edit: bool = False
    may_ask: bool = False
    may_answer: bool = False


@dataclass(frozen=True)
class Timeline:
    moments: list[Moment]
    hidden: int  # older lines not shown


NOBODY = Reader(0)


def timeline_of(
    parcours: Parcours, *, everything: bool = False, inside: bool = True, reader: Reader = NOBODY
) -> Timeline:
    """The timeline of a parcours read with ``with_page()``; a constant number of queries.

    Comments, documents and the reasons of shares are for the référent and the coordination, not for the readers of
    a share.
    """
    moments = [
        *_exchanges(parcours, reader),
        *(_questions(parcours, reader) if inside else ()),
        *_meetings(parcours),
        *(_comments(parcours) if inside else ()),
        *(_documents(parcours) if inside else ()),
        *_reviews(parcours),
        *_referents(parcours),
        *(_shares(parcours) if inside else ()),
        *(_exceptional(parcours) if inside else ()),
        *(_refused_relays(parcours) if inside else ()),
        *_support(parcours),
        *_epre(parcours),
        *_milestones(parcours),
    ]
    moments.sort(key=lambda moment: moment.on, reverse=True)
    shown = moments if everything else moments[:SHOWN_AT_FIRST]
    return Timeline(shown, len(moments) - len(shown))


def _exchanges(parcours: Parcours, reader: Reader) -> Iterator[Moment]:
    for entry in parcours.entries.select_related("author").order_by("-on", "-id"):
        yield Moment(
            entry.on,
            f"entry-{entry.kind}",
            entry.get_kind_display().capitalize(),
            entry.text or "",
            entry.author.get_full_name(),
            "" if (entry.kind, entry.with_whom) in SAID_BY_KIND else f"avec {entry.get_with_whom_display()}",
            tuple(_offered(entry, reader)),
        )


def _offered(entry: Entry, reader: Reader) -> Iterator[tuple[str, str]]:
    if reader.may_edit and entry.author_id == reader.person_id:
        yield "Corriger", reverse("pre_cases:entry_correct", args=[entry.pk])
    if reader.may_ask and entry.author_id != reader.person_id:
        yield "Poser une question", reverse("pre_cases:follow_up_ask", args=[entry.pk])


def _questions(parcours: Parcours, reader: Reader) -> Iterator[Moment]:
    asked = FollowUp.objects.filter(entry__parcours=parcours).select_related("entry", "asked_by", "answered_by")
    for each in asked.order_by("-asked_at", "-id"):
        detail = f"sur l’échange du {day(each.entry.on)}"
        text = each.question
        links: tuple[tuple[str, str], ...] = ()
        if each.answered_at is not None and each.answered_by is not None:
            answered_on = day(timezone.localdate(each.answered_at))
            text += f"\nRéponse de {each.answered_by.get_full_name()}, {answered_on} : {each.answer}"
        elif reader.may_answer:
            links = (("Répondre", reverse("pre_cases:follow_up_answer", args=[each.pk])),)
        asked_on, author = timezone.localdate(each.asked_at), each.asked_by.get_full_name()
        yield Moment(asked_on, "question", "Question", text, author, detail, links)


def _meetings(parcours: Parcours) -> Iterator[Moment]:
    """Those to come stand beside the timeline; one that was held has become an exchange."""
    told = (AppointmentState.ABSENT, AppointmentState.CANCELLED)
    for meeting in parcours.appointments.filter(state__in=told, on__lte=timezone.localdate()).select_related("user"):
        detail = f"{meeting.get_means_display()}, {meeting.get_state_display()}"
        yield Moment(meeting.on, "appointment", "Rendez-vous", "", meeting.user.get_full_name(), detail)


def _comments(parcours: Parcours) -> Iterator[Moment]:
    for comment in parcours.comments.select_related("author").order_by("-created_at"):
        written_on = timezone.localdate(comment.created_at)
        yield Moment(written_on, "comment", "Commentaire", comment.text, comment.author.get_full_name())


def _documents(parcours: Parcours) -> Iterator[Moment]:
    for document in parcours.documents.select_related("author").order_by("-added_at"):
        added_on, kind = timezone.localdate(document.added_at), document.get_kind_display()
        author = document.author.get_full_name()
        yield Moment(added_on, "document", "Document ajouté", document.name, author, kind)
        if document.removed_at is not None:
            removed_on, reason = timezone.localdate(document.removed_at), document.removal_reason or ""
            yield Moment(removed_on, "document", "Document retiré", reason, detail=kind)


def _reviews(parcours: Parcours) -> Iterator[Moment]:
    for review in parcours.reviews.select_related("author").order_by("-on"):
        present = [
            word for word, there in (("la famille", review.family_present), ("l’enfant", review.child_present)) if there
        ]
        detail = f"avec {' et '.join(present)}" if present else "sans la famille"
        text = f"{review.text}\nSuite prévue : {review.next_steps}" if review.next_steps else review.text
        yield Moment(review.on, "review", "Point d’étape", text, review.author.get_full_name(), detail)
    if hasattr(parcours, "bilan"):
        bilan = parcours.bilan
        yield Moment(bilan.on, "bilan", "Bilan de fin de parcours", bilan.text)


def _referents(parcours: Parcours) -> Iterator[Moment]:
    for assignment in parcours.assignments.select_related("referent"):
        yield Moment(assignment.starts_on, "assignment", "Référent", assignment.referent.get_full_name())


def _shares(parcours: Parcours) -> Iterator[Moment]:
    for share in ParcoursShare.objects.filter(content_object=parcours).select_related("user", "granted_by"):
        until = f"jusqu’au {day(share.last_day)}"
        yield Moment(
            share.starts_on,
            "share",
            "Partage",
            f"{share.user.get_full_name()} : {share.reason}",
            share.granted_by.get_full_name(),
            until,
        )
        if share.revoked_at is not None:
            yield Moment(timezone.localdate(share.revoked_at), "share", "Fin du partage", share.user.get_full_name())


def _exceptional(parcours: Parcours) -> Iterator[Moment]:
    for access in ExceptionalAccess.objects.filter(content_object=parcours).select_related("user"):
        opened_on, reader = timezone.localdate(access.granted_at), access.user.get_full_name()
        detail = access.get_outcome_display() if access.outcome else "à examiner"
        yield Moment(opened_on, "share", "Accès exceptionnel", f"{reader} : {access.reason}", detail=detail)


def _refused_relays(parcours: Parcours) -> Iterator[Moment]:
    """An accepted relay is the new référent's own line."""
    refused = HandOver.objects.filter(parcours=parcours, outcome=HandOverOutcome.REFUSED)
    for relay in refused.select_related("to_referent"):
        text = f"{relay.to_referent.get_full_name()} : {relay.refusal}"
        yield Moment(timezone.localdate(relay.answered_at), "assignment", "Relais refusé", text)


def _support(parcours: Parcours) -> Iterator[Moment]:
    for objective in parcours.objectives.all():
        yield Moment(objective.set_on, "objective", "Objectif fixé", objective.text, detail=objective.domain.label)
        if objective.result_on is not None:
            label = f"Objectif {objective.get_result_display()}"
            yield Moment(objective.result_on, "objective", label, objective.text)
        for action in objective.actions.all():
            yield from _action(action)
    for enrolment in Enrolment.objects.filter(parcours=parcours).select_related("project__organisation"):
        project = enrolment.project
        yield Moment(enrolment.starts_on, "enrolment", "Inscription", project.title, detail=project.organisation.name)
        if enrolment.ends_on is not None:
            yield Moment(enrolment.ends_on - timedelta(days=1), "enrolment", "Fin d’inscription", project.title)


def _epre(parcours: Parcours) -> Iterator[Moment]:
    """What the EPRE decided, on the day of its session; and when the family was told."""
    for item in EpreItem.objects.decided().filter(parcours=parcours).select_related("session"):
        label = f"EPRE : {item.get_decision_display()}"
        yield Moment(item.session.on, "epre", label, item.reason or "", detail=item.get_purpose_display())
        if item.family_told_on is not None:
            yield Moment(item.family_told_on, "epre", "Famille informée de la décision de l’EPRE")


def _action(action: Action) -> Iterator[Moment]:
    if action.starts_on is None:
        return
    detail = action.get_nature_display()
    yield Moment(action.starts_on, "action", "Début d’action", action.label, detail=detail)
    if action.ends_on is not None:
        yield Moment(action.ends_on - timedelta(days=1), "action", "Fin d’action", action.label, detail=detail)


def _milestones(parcours: Parcours) -> Iterator[Moment]:
    """The latest step first: on a same day they keep this order."""
    if parcours.closed_on is not None and parcours.exit_reason is not None:
        yield Moment(parcours.closed_on, "milestone", "Clôture", detail=parcours.exit_reason.label)
    agreements = list(Agreement.objects.filter(saisine=parcours.saisine_id))
    for agreement in agreements:
        if agreement.withdrawn_on is not None:
            yield Moment(agreement.withdrawn_on, "milestone", "Accord de la famille retiré")
    if parcours.entered_on is not None:
        yield Moment(parcours.entered_on, "milestone", "Entrée en parcours")
    yield Moment(parcours.opened_on, "milestone", "Ouverture du parcours")
    for agreement in agreements:
        if agreement.signed_on is not None:
            yield Moment(agreement.signed_on, "milestone", "Accord de la famille signé")
    yield Moment(parcours.saisine.received_on, "milestone", "Saisine", detail=parcours.saisine.source.label)
