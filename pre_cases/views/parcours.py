"""*Mes parcours*, the page of a parcours, and the decisions of the coordination on it."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.journal.consult import Found, consult, consult_page, consult_search
from audit.journal.page import capped_counts
from pre_cases.forms.parcours import AssignForm, CloseForm, EnterForm, NameSearchForm, ReopenForm
from pre_cases.forms.timeline import EntryForm
from pre_cases.missing import missing_in
from pre_cases.models import Child, Document, EpreItem, EpreSession, FamilyRequest, Parcours, ParcoursShare
from pre_cases.querysets.parcours import CONDITIONS, LACKS, ParcoursFlag, ParcoursQuerySet
from pre_cases.search.words import NameQuery
from pre_cases.services.assignment import assign_referent
from pre_cases.services.parcours import close_parcours, decide_entry, may_still_reopen, reopen_parcours
from pre_cases.timeline import Reader, timeline_of
from pre_cases.views.beside import beside
from pre_cases.views.drafts import draft_of
from referents.models import Role, StandIn, User
from referents.requests import SignedInRequest
from referents.views.answer import attempt

MY_FILTERS = (
    ParcoursFlag.UNOPENED,
    ParcoursFlag.LATE,
    ParcoursFlag.THIS_WEEK,
    ParcoursFlag.REVIEW_DUE,
    ParcoursFlag.SILENT,
    ParcoursFlag.INCOMPLETE,
    ParcoursFlag.AGREEMENT_ENDING,
    ParcoursFlag.COMING_OF_AGE,
    ParcoursFlag.DIAGNOSIS,
    ParcoursFlag.SUSPENDED,
)
SESSIONS = 6  # of the EPRE, on the home page of a member
FORM = ["GET", "HEAD", "POST"]


def chosen_flag(request: SignedInRequest, offered: tuple[ParcoursFlag, ...]) -> ParcoursFlag | None:
    """The filter of the address; an unknown one is no filter."""
    return next((flag for flag in offered if flag.value == request.GET.get("filtre")), None)


def flag_counts(parcours_list: ParcoursQuerySet, offered: tuple[ParcoursFlag, ...]) -> dict[str, int]:
    """How many each filter holds, and ``all``, in one query that stops at 1,001."""
    today = timezone.localdate()
    return capped_counts(parcours_list, {"all": Q()} | {flag.name: CONDITIONS[flag](today) for flag in offered})


def flag_links(
    request: SignedInRequest,
    counts: dict[str, int],
    offered: tuple[ParcoursFlag, ...],
    chosen: ParcoursFlag | None,
    person: User | None = None,
) -> list[dict[str, Any]]:
    """The filters as links with their counts, « Tous » first; a chosen référent stays chosen."""
    kept = {"referent": person.pk} if person else {}

    def url(**query: object) -> str:
        return f"{request.path}?{urlencode(query | kept)}" if query or kept else request.path

    links = [{"label": "Tous", "url": url(), "count": counts["all"], "active": chosen is None}]
    return links + [
        {
            "label": flag.label,
            "url": url(filtre=flag.value),
            "count": counts[flag.name],
            "active": flag is chosen,
        }
        for flag in offered
    ]


@require_safe
def my_parcours(request: SignedInRequest) -> HttpResponse:
    """The person's open parcours, the most pressing first."""
    today = timezone.localdate()
    mine = Parcours.objects.followed_by(request.user).open()
    chosen = chosen_flag(request, (*MY_FILTERS, *LACKS))
    counts = flag_counts(mine, MY_FILTERS)
    shown = mine.flagged(chosen, today) if chosen else mine
    page = consult_page(request, shown.with_card(today))
    context = {
        "page": page,
        "filters": flag_links(request, counts, MY_FILTERS, chosen),
        "chosen": chosen,
        "today": today,
        "total": counts["all"],
        "search": NameSearchForm(),
    }
    return render(request, "pre_cases/my_parcours.html", context)


def search_by_name(request: SignedInRequest, form: NameSearchForm, scope: ParcoursQuerySet) -> Found[Parcours]:
    """The parcours of a scope whose child bears the name typed; nothing, and no event, for what names nobody."""
    if not form.is_valid():
        return Found([], 0)
    query = NameQuery(form.cleaned_data["name"])
    field: Any = Child._meta.get_field("search_words")
    shown = scope.with_card(timezone.localdate())
    return consult_search(request, scope, field=field, path="child__", answers=query.answers, shown=shown)


@require_http_methods(FORM)
def parcours_search(request: SignedInRequest) -> HttpResponse:
    """*Mes parcours* by name. Sent by POST: what is typed stands in no address, and no log."""
    form = NameSearchForm(request.POST if request.method == "POST" else None)
    found = search_by_name(request, form, Parcours.objects.followed_by(request.user).open())
    context = {"search": form, "found": found, "today": timezone.localdate()}
    return render(request, "pre_cases/parcours_search.html", context, status=422 if form.errors else 200)


@require_safe
def shared_parcours(request: SignedInRequest) -> HttpResponse:
    """Parcours that somebody has shared with the person, until a day."""
    today = timezone.localdate()
    held = Prefetch("shares", ParcoursShare.objects.held_by(request.user), to_attr="my_shares")
    page = consult_page(request, Parcours.objects.shared_with(request.user).with_card(today).prefetch_related(held))
    standing = request.user.standing
    context = {"page": page, "follows": standing.holds(Role.REFERENT), "charter_until": standing.charter_until}
    return render(request, "pre_cases/shared_parcours.html", context | {"epre": _epre_of(request)})


def _epre_of(request: SignedInRequest) -> dict[str, Any]:
    """The person's sessions to come and those whose sheets are still open, and what was entrusted; none for others."""
    first = timezone.localdate() - timedelta(days=settings.EPRE_DAYS_AFTER)
    invited = EpreSession.objects.attended_by(request.user).filter(on__gte=first).select_related("team")
    entrusted = EpreItem.objects.entrusted_to(request.user)
    sessions, follow_ups = list(invited.order_by("on", "starts_at", "id")[:SESSIONS]), []
    if entrusted.exists():
        shown = entrusted.select_related("session")
        follow_ups = consult_page(request, shown, order=("follow_up_on", "id"), cursor="").records
    if not (sessions or follow_ups or request.user.standing.holds(Role.EPRE_MEMBER)):
        return {}
    return {"sessions": sessions, "follow_ups": follow_ups}


@require_safe
def parcours_detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.visible_to(request.user).with_page(), pk=pk)
    may_edit = request.user.has_perm("pre_cases.change_parcours", parcours)
    may_decide = request.user.has_perm("pre_cases.decide_parcours", parcours)
    draft = draft_of(request, "entry", parcours) if may_edit else None
    context = {
        "parcours": parcours,
        "today": timezone.localdate(),
        "may_edit": may_edit,
        "may_decide": may_decide,
        "may_reopen": may_decide and may_still_reopen(parcours),
        "missing": missing_in(parcours, may_decide=may_decide) if may_edit else [],
        "timeline": timeline_of(
            parcours,
            everything=request.GET.get("fil") == "tout",
            inside=may_edit or may_decide,
            reader=_reader(request.user, parcours, may_edit, may_decide),
        ),
        "appointments": list(parcours.appointments.planned().select_related("user").order_by("on", "starts_at"))
        if may_edit
        else [],
        "documents": documents_of(parcours, may_read=may_edit or may_decide),
        "family_requests": requests_about(parcours, may_read=may_edit or may_decide),
        "entry_form": EntryForm(initial=draft.content if draft else None),
        "draft": draft,
    }
    context |= beside(request, parcours, inside=may_edit or may_decide)
    return render(request, "pre_cases/parcours_detail.html", context | access_of(parcours, request.user, may_edit))


def _reader(person: User, parcours: Parcours, may_edit: bool, may_decide: bool) -> Reader:
    """Questions are asked by the coordination, and answered by whoever follows the parcours today."""
    in_team = parcours.team_id in person.standing.team_ids(Role.REFERENT)
    follows = (in_team and person.pk == parcours.referent_id) or person.replaced_on(parcours) is not None  # type: ignore[attr-defined]
    return Reader(person.pk, may_edit, may_decide and not parcours.is_closed, may_edit and follows)


def access_of(parcours: Parcours, person: User, may_edit: bool) -> dict[str, Any]:
    """By which grant the person reads, None for one's own role; and who replaces the référent, for those inside."""
    now = timezone.now()
    replaced = (person.replaced_on(parcours), parcours.team_id)
    opened: dict[str, Any] = {
        "read_by_share": next((held for held in parcours.current_shares if held.user_id == person.pk), None),  # type: ignore[attr-defined]
        "read_by_exception": next(
            (held for held in parcours.current_exceptional if held.user_id == person.pk and held.ends_at > now),  # type: ignore[attr-defined]
            None,
        ),
        "read_by_replacing": next(
            (
                held
                for held in person.replacements
                if (held.content_object.user_id, held.content_object.team_id) == replaced
            ),
            None,
        ),
    }
    if may_edit:
        of_team = StandIn.objects.in_force().filter(content_object__team=parcours.team_id).select_related("user")
        referent_id: int | None = parcours.referent_id  # type: ignore[attr-defined]
        opened["stand_in"] = of_team.filter(content_object__user=referent_id).first()
    return opened


def documents_of(parcours: Parcours, *, may_read: bool) -> list[Document]:
    """The files kept on a parcours, the latest first; none for whom it is only shared with."""
    if not may_read:
        return []
    return list(Document.objects.kept().filter(parcours=parcours).select_related("author").order_by("-added_at", "-pk"))


def requests_about(parcours: Parcours, *, may_read: bool) -> list[FamilyRequest]:
    """What the family asked about its data, the latest first; nothing for whom the parcours is only shared with."""
    if not may_read:
        return []
    asked = FamilyRequest.objects.filter(child=parcours.child_id)
    if parcours.closed_on is not None:  # those that came afterwards are for whoever follows the child now
        asked = asked.filter(received_on__lte=parcours.closed_on)
    return list(asked.order_by("-received_on", "-id"))


@require_safe
def parcours_print(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The parcours on paper for the family: what was agreed and what is done, without internal comments."""
    parcours = consult(request, Parcours.objects.visible_to(request.user).with_page(), pk=pk, action="print")
    return render(request, "pre_cases/parcours_print.html", {"parcours": parcours, "today": timezone.localdate()})


def referents_of(parcours: Parcours) -> Any:
    """Who may be the référent: current référents of its team."""
    return User.objects.holding(Role.REFERENT, parcours.team_id)


@require_http_methods(FORM)
def parcours_assign(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.decidable_by(request.user).open().with_card(), pk=pk)
    seen = {"seen": parcours.referent_id or 0}  # type: ignore[attr-defined]
    form = AssignForm(request.POST or None, people=referents_of(parcours), initial=seen)
    if form.is_valid() and attempt(
        form, lambda: assign_referent(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le référent est enregistré : il voit le parcours dès maintenant.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/parcours_assign.html", parcours, form)


@require_http_methods(FORM)
def parcours_enter(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.decidable_by(request.user).open().with_card(), pk=pk)
    form = EnterForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: decide_entry(parcours=parcours, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’entrée en parcours est enregistrée.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/parcours_enter.html", parcours, form)


@require_http_methods(FORM)
def parcours_close(request: SignedInRequest, pk: UUID) -> HttpResponse:
    scope = Parcours.objects.decidable_by(request.user).open().with_card().select_related("bilan__exit_reason")
    parcours = consult(request, scope, pk=pk)
    bilan = getattr(parcours, "bilan", None)
    initial = {"reason": bilan.exit_reason_id, "on": bilan.on} if bilan else None
    form = CloseForm(request.POST or None, initial=initial)
    if form.is_valid() and attempt(
        form, lambda: close_parcours(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le parcours est clos.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/parcours_close.html", parcours, form, bilan=bilan)


@require_http_methods(FORM)
def parcours_reopen(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.decidable_by(request.user).closed().with_card(), pk=pk)
    form = ReopenForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: reopen_parcours(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le parcours est rouvert. Choisissez maintenant son référent.")
        return redirect("pre_cases:parcours_assign", pk=pk)
    return answer(request, "pre_cases/parcours_reopen.html", parcours, form)


def answer(request: SignedInRequest, template: str, parcours: Parcours, form: Any, **context: Any) -> HttpResponse:
    """A form page of a parcours: its banner, what was typed, and 422 when it was refused."""
    context |= {"parcours": parcours, "form": form, "today": timezone.localdate()}
    return render(request, template, context, status=422 if form.is_bound else 200)
