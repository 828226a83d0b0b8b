"""One's own templates, the calendar that other software reads, and the letter of Monday."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult
from audit.journal.models import Action
from audit.journal.record import record_event
from pre_cases.calendar import occasions_of, written
from pre_cases.forms.day import EntryTemplateForm
from pre_cases.models import CalendarFeed, Digest, EntryTemplate, Parcours
from pre_cases.services.calendar_feed import digest_of, make_feed, revoke_feed
from pre_cases.services.digest import choose_digest
from pre_cases.services.entries import names_one_of
from pre_cases.services.entry_template import add_template, remove_template
from pre_cases.views.parcours import FORM
from referents.models import Role, User
from referents.requests import SignedInRequest
from referents.views.answer import attempt
from referents.views.reach import require

NAMED = "Ce modèle contient le prénom d’un enfant que vous suivez : retirez-le, un modèle sert pour tous."
FIVE_MINUTES = 300  # seconds during which software that reads a calendar need not ask again


def _works_in_a_team(request: SignedInRequest, kind: str) -> None:
    require(request, bool(request.user.standing.team_ids(Role.REFERENT, Role.COORDINATOR)), kind=kind)


@require_http_methods(FORM)
def entry_template_list(request: SignedInRequest) -> HttpResponse:
    """One's own templates, and a new one."""
    person = request.user
    require(request, person.standing.holds(Role.REFERENT), kind="pre_cases.entrytemplate")
    form = EntryTemplateForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: add_template(by=person, **form.cleaned_data)):
        messages.success(request, "Le modèle est enregistré.")
        if names_one_of(f"{form.cleaned_data['label']} {form.cleaned_data['text']}", _first_names(request)):
            messages.warning(request, NAMED)
        return redirect("pre_cases:entry_template_list")
    templates = list(EntryTemplate.objects.of(person).order_by("created_at", "pk"))
    load_keys_of(*templates)
    context = {"form": form, "templates": templates}
    return render(request, "pre_cases/entry_template_list.html", context, status=422 if form.is_bound else 200)


def _first_names(request: SignedInRequest) -> list[str]:
    """Of the children whom the person follows: compared, and shown to nobody."""
    mine = list(Parcours.objects.followed_by(request.user).open().select_related("child"))
    load_keys_of(*mine)
    return [parcours.child.first_name for parcours in mine]


@require_POST
def entry_template_remove(request: SignedInRequest, pk: UUID) -> HttpResponse:
    template = consult(request, EntryTemplate.objects.of(request.user), pk=pk)
    remove_template(template=template, by=request.user)
    messages.success(request, "Le modèle est retiré.")
    return redirect("pre_cases:entry_template_list")


@require_safe
def day_settings(request: SignedInRequest) -> HttpResponse:
    """Whether one's calendar is read elsewhere, and whether the letter of Monday is wanted."""
    _works_in_a_team(request, "pre_cases.calendarfeed")
    return _settings(request)


def _settings(request: SignedInRequest, address: str = "") -> HttpResponse:
    feed = CalendarFeed.objects.filter(user=request.user).first()
    digest = Digest.objects.filter(user=request.user).first()
    context = {"feed": feed, "address": address, "is_wanted": digest is None or digest.is_wanted}
    return render(request, "pre_cases/day_settings.html", context)


@require_POST
def calendar_make(request: SignedInRequest) -> HttpResponse:
    """A new address, shown in this answer and never again."""
    _works_in_a_team(request, "pre_cases.calendarfeed")
    token = make_feed(by=request.user)
    return _settings(request, request.build_absolute_uri(reverse("pre_cases:calendar_feed", args=[token])))


@require_POST
def calendar_revoke(request: SignedInRequest) -> HttpResponse:
    _works_in_a_team(request, "pre_cases.calendarfeed")
    if revoke_feed(by=request.user):
        messages.success(request, "L’adresse est fermée : elle n’ouvre plus rien.")
    return redirect("pre_cases:day_settings")


@require_POST
def digest_choose(request: SignedInRequest) -> HttpResponse:
    _works_in_a_team(request, "pre_cases.digest")
    digest = choose_digest(is_wanted=request.POST.get("wanted") == "1", by=request.user)
    done = "Vous recevrez le résumé du lundi." if digest.is_wanted else "Vous ne recevrez plus le résumé du lundi."
    messages.success(request, done)
    return redirect("pre_cases:day_settings")


@login_not_required
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar of whoever holds this address, while the account works in a team; no session, and no name."""
    feed = CalendarFeed.objects.select_related("user").filter(digest=digest_of(token)).first()
    if feed is None or not _may_read(feed.user):
        with transaction.atomic(durable=True):
            kind = CalendarFeed._meta.label_lower
            record_event(Action.REFUSAL, kind=kind, actor=feed.user if feed else None, detail={"asked": Action.LIST})
        raise Http404
    occasions = occasions_of(feed.user)
    with transaction.atomic(durable=True):
        shown = sorted({str(occasion.file_id) for occasion in occasions})
        record_event(Action.LIST, kind=CalendarFeed._meta.label_lower, ids=shown, actor=feed.user)
    content = written(occasions)
    etag = quote_etag(digest_of(content.decode()))
    whole = HttpResponse(content, content_type="text/calendar; charset=utf-8", headers={"ETag": etag})
    response = get_conditional_response(request, etag=etag, response=whole) or whole
    response.headers["Cache-Control"] = f"private, max-age={FIVE_MINUTES}"
    response.may_be_kept = True  # type: ignore[attr-defined]
    return response


def _may_read(person: User) -> bool:
    """As a sign-in would ask: the account is open, a role is held today, and the charter is signed."""
    return person.is_active and person.standing.is_active and not person.standing.needs_charter
