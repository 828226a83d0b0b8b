"""The sessions of the EPRE: the calendar of a team, one session, who is invited, its sheets and its minutes."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import Page, consult, consult_page
from audit.journal.models import Action
from pre_cases.forms.epre import AttendanceForm, MemberForm, PlanForm, SessionForm
from pre_cases.models import EpreItem, EpreParticipant, EpreSession, EpreState
from pre_cases.services.epre_session import (
    cancel_session,
    close_minutes,
    hold_session,
    invite,
    move_session,
    plan_session,
    uninvite,
)
from pre_cases.sheets import for_sheets, minutes_pdf, sheets_of, sheets_pdf
from pre_cases.views.board import TO_SIGN, TO_WRITE, coordinated_team
from pre_cases.views.parcours import FORM
from referents.models import Membership, Role, User
from referents.models.user import TEAM_ROLES
from referents.requests import SignedInRequest
from referents.views.answer import attempt, carry_out
from referents.views.reach import require

PAST = "passees"
AGENDA = 60  # situations of one session, a number that no afternoon holds


@require_safe
def session_list(request: SignedInRequest) -> HttpResponse:
    """The sessions of the person's teams: those to come, the nearest first, or the past ones."""
    teams = request.user.standing.teams(Role.COORDINATOR)
    own = EpreSession.objects.prepared_by(request.user)
    require(
        request, bool(request.user.standing.team_ids(Role.REFERENT, Role.COORDINATOR)), kind="pre_cases.epresession"
    )
    past = request.GET.get("filtre") == PAST
    shown, order = (own.past(), ("-on", "-id")) if past else (own.upcoming(), ("on", "id"))
    counts = [("À venir", "", own.upcoming()), ("Passées", PAST, own.past())]
    context = {
        "page": consult_page(request, shown.select_related("team").with_counts(), order=order),
        "filters": [
            {
                "label": label,
                "url": f"{request.path}?filtre={value}" if value else request.path,
                "count": sessions.count(),
                "active": past == bool(value),
            }
            for label, value, sessions in counts
        ],
        "past": past,
        "teams": teams,
    }
    return render(request, "pre_cases/session_list.html", context)


@require_http_methods(FORM)
def team_session_create(request: SignedInRequest, code: str) -> HttpResponse:
    team = coordinated_team(request, code)
    form = PlanForm(request.POST or None)
    if form.is_valid():
        made = attempt(form, lambda: plan_session(team=team, by=request.user, **form.cleaned_data))
        if made:
            messages.success(request, "La séance est prévue.")
            return redirect("pre_cases:session_detail", pk=made.pk)
    return _page(request, "pre_cases/team_session_create.html", form, team=team)


def _page(request: SignedInRequest, template: str, form: Any, **context: Any) -> HttpResponse:
    return render(request, template, context | {"form": form}, status=422 if form.is_bound else 200)


@require_safe
def session_detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The agenda, by name for the coordination; for a référent, the situations that are the person's own."""
    session = consult(request, EpreSession.objects.prepared_by(request.user).select_related("team", "closed_by"), pk=pk)
    runs = request.user.has_perm("pre_cases.change_epresession", session)
    there = EpreItem.objects.filter(session=session).there()
    chosen = request.GET.get("filtre")
    shown = there.without_sheet() if chosen == TO_WRITE else there
    page = _agenda(request, shown if runs else shown.carried_by(request.user))
    participants = session.participants.select_related("user").order_by("institution", "name", "id")
    unsigned = set(participants.without_charter().values_list("pk", flat=True))
    if chosen == TO_SIGN:
        participants = participants.filter(pk__in=unsigned)
    context = {
        "session": session,
        "runs": runs,
        "page": page,
        "others": 0 if runs else there.count() - len(page.records),
        "participants": list(participants) if runs else [],
        "unsigned": unsigned,
        "chosen": chosen if chosen in (TO_WRITE, TO_SIGN) else "",
        "has_begun": session.on <= timezone.localdate(),
        "is_held": session.state == EpreState.HELD,
        "may_write": runs and session.is_writable,
    }
    return render(request, "pre_cases/session_detail.html", context)


def _agenda(request: SignedInRequest, items: Any) -> Page[EpreItem]:
    return consult_page(request, for_sheets(items), order=("number", "id"), size=AGENDA, cursor="")


def _run(request: SignedInRequest, pk: UUID) -> EpreSession:
    return consult(request, EpreSession.objects.coordinated_by(request.user).select_related("team"), pk=pk)


@require_http_methods(FORM)
def session_change(request: SignedInRequest, pk: UUID) -> HttpResponse:
    session = _run(request, pk)
    names = ("on", "starts_at", "ends_at", "place")
    form = SessionForm(request.POST or None, initial={name: getattr(session, name) for name in names})
    if form.is_valid() and attempt(form, lambda: move_session(session=session, by=request.user, **form.cleaned_data)):
        messages.success(request, "La séance est modifiée.")
        return redirect("pre_cases:session_detail", pk=pk)
    return _page(request, "pre_cases/session_change.html", form, session=session)


@require_http_methods(FORM)
def session_cancel(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Asked once more: the situations leave the agenda."""
    session = _run(request, pk)
    if request.method == "POST":
        done = "La séance est annulée : ses situations peuvent aller à une autre."
        carry_out(request, lambda: cancel_session(session=session, by=request.user), done)
        return redirect("pre_cases:session_detail", pk=pk)
    waiting = EpreItem.objects.filter(session=session).pending().count()
    return render(request, "pre_cases/session_cancel.html", {"session": session, "waiting": waiting})


@require_http_methods(FORM)
def participant_invite(request: SignedInRequest, pk: UUID) -> HttpResponse:
    session = _run(request, pk)
    form = MemberForm(request.POST or None, people=_people(session))
    if form.is_valid() and attempt(form, lambda: invite(session=session, by=request.user, **form.cleaned_data)):
        messages.success(request, "La personne est invitée.")
        return redirect("pre_cases:session_detail", pk=pk)
    return _page(request, "pre_cases/participant_invite.html", form, session=session)


def _people(session: EpreSession) -> QuerySet[User]:
    """Those of the team who are not invited yet."""
    members = Membership.objects.current().filter(team=session.team_id, role__in=TEAM_ROLES)
    found = User.objects.filter(pk__in=members.values("user"), is_active=True)
    return found.exclude(epre_participations__session=session).order_by("last_name", "first_name", "pk")


@require_POST
def participant_remove(request: SignedInRequest, pk: UUID) -> HttpResponse:
    scope = EpreParticipant.objects.editable_by(request.user).select_related("session")
    participant = consult(request, scope, pk=pk)
    done = "L’invitation est retirée."
    carry_out(request, lambda: uninvite(participant=participant, by=request.user), done)
    return redirect("pre_cases:session_detail", pk=participant.session_id)


@require_http_methods(FORM)
def session_attendance(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The sheet of presence, as it was signed: it says that the session took place."""
    session = _run(request, pk)
    participants = list(session.participants.order_by("institution", "name", "id"))
    form = AttendanceForm(request.POST if request.method == "POST" else None, participants=participants)
    if form.is_valid() and attempt(form, lambda: hold_session(session=session, by=request.user, **form.values())):
        messages.success(request, "La feuille de présence est enregistrée.")
        return redirect("pre_cases:session_detail", pk=pk)
    return _page(request, "pre_cases/session_attendance.html", form, session=session)


@require_POST
def session_close(request: SignedInRequest, pk: UUID) -> HttpResponse:
    session = _run(request, pk)
    carry_out(request, lambda: close_minutes(session=session, by=request.user), "Le compte rendu est clos.")
    return redirect("pre_cases:session_detail", pk=pk)


@require_safe
def session_sheets(request: SignedInRequest, pk: UUID, form: str = "html") -> HttpResponse:
    """The anonymised sheets that the person may read: all of them for the coordination and, for a few days, for the
    members invited; their own for the référents.
    """
    session = consult(request, EpreSession.objects.visible_to(request.user).select_related("team"), pk=pk)
    items = EpreItem.objects.filter(session=session).visible_to(request.user)
    action = Action.DOWNLOAD if form == "pdf" else Action.LIST
    page = consult_page(
        request, for_sheets(items), order=("number", "id"), size=AGENDA, cursor="", action=action, data_kind="sheet"
    )
    sheets = sheets_of(page)
    if form == "pdf":
        return as_file(sheets_pdf(session, sheets), f"fiches-epre-{session.on}")
    prepares = EpreSession.objects.prepared_by(request.user).filter(pk=pk).exists()
    context = {"session": session, "sheets": sheets, "page": page, "prepares": prepares}
    return render(request, "pre_cases/session_sheets.html", context)


@require_safe
def session_minutes(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The minutes as a PDF: situations by their numbers."""
    held = EpreSession.objects.coordinated_by(request.user).select_related("team")
    session = consult(request, held, pk=pk, action=Action.DOWNLOAD, data_kind="minutes")
    page = _agenda(request, EpreItem.objects.filter(session=session).there())
    participants = list(session.participants.order_by("institution", "name", "id"))
    return as_file(minutes_pdf(session, participants, list(page)), f"compte-rendu-epre-{session.on}")


def as_file(content: bytes, name: str) -> HttpResponse:
    """A PDF to be kept or printed."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
