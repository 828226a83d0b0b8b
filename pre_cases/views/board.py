"""The coordination: a team's board, its list, and who follows what."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import consult, consult_page
from audit.services import Refused
from pre_cases.day import question_figure, tiles_of, urgent_figure
from pre_cases.forms.board import BulkAssignForm
from pre_cases.forms.parcours import NameSearchForm
from pre_cases.models import (
    Assignment,
    DuplicateNotice,
    EpreItem,
    EpreSession,
    ExceptionalAccess,
    ExceptionalAid,
    FamilyRequest,
    Parcours,
    ParcoursStage,
    Saisine,
)
from pre_cases.querysets.family_request import late
from pre_cases.querysets.parcours import LACKS, ParcoursFlag
from pre_cases.querysets.saisine import WAITING
from pre_cases.services.assignment import assign_referent
from pre_cases.services.duplicates import settle_notice
from pre_cases.views.exceptional import TO_REVIEW
from pre_cases.views.parcours import FORM, chosen_flag, flag_counts, flag_links, search_by_name
from pre_cases.views.saisine import FILTERS as SAISINE_FILTERS
from referents.intervals import in_force
from referents.models import Membership, Role, Team, User
from referents.requests import SignedInRequest
from referents.views.answer import carry_out
from referents.views.reach import require

TO_DECIDE = (ParcoursFlag.OPPOSED, ParcoursFlag.DIAGNOSIS, ParcoursFlag.TO_RATIFY, ParcoursFlag.TO_CLOSE)
UNFOLLOWED = (ParcoursFlag.NO_REFERENT, ParcoursFlag.UNOPENED)
TO_WATCH = (
    ParcoursFlag.LATE,
    ParcoursFlag.REVIEW_DUE,
    ParcoursFlag.NO_REVIEW,
    ParcoursFlag.SILENT,
    ParcoursFlag.AGREEMENT_ENDING,
    ParcoursFlag.COMING_OF_AGE,
    ParcoursFlag.INCOMPLETE,
    ParcoursFlag.SUSPENDED,
)
TO_WRITE, TO_SIGN = "fiches-a-ecrire", "chartes-a-signer"  # the parts of a session's page
TEAM_FILTERS = (*UNFOLLOWED, *TO_DECIDE, *TO_WATCH)
NOBODY = "personne"  # in the address of the list: the parcours given to nobody


@require_safe
def team_list(request: SignedInRequest) -> HttpResponse:
    """The teams that the person coordinates; with a single one, straight to its board."""
    teams = request.user.standing.teams(Role.COORDINATOR)
    require(request, bool(teams), kind="referents.team")
    if len(teams) == 1:
        return redirect("pre_cases:team_board", code=teams[0].code)
    return render(request, "pre_cases/team_list.html", {"teams": teams})


def coordinated_team(request: SignedInRequest, code: str) -> Team:
    """The team of this code, when the person coordinates it; 404 otherwise, whether or not it exists."""
    found = [team.pk for team in request.user.standing.teams(Role.COORDINATOR) if team.code == code]
    return consult(request, Team.objects.coordinated_by(request.user), pk=found[0] if found else 0)


@require_safe
def team_board(request: SignedInRequest, code: str) -> HttpResponse:
    """What to decide and what to watch in one team; every tile opens the list it counts."""
    team = coordinated_team(request, code)
    today = timezone.localdate()
    open_parcours = Parcours.objects.in_team(team.pk).open()
    counts = flag_counts(open_parcours, TEAM_FILTERS)
    urgent, questions = _urgent_tiles(request, team)
    load = _load(team)
    context = {
        "team": team,
        "today": today,
        "total": counts["all"],
        "to_decide": [
            urgent,
            *_tiles(team, counts, TO_DECIDE),
            questions,
            _exceptional_tile(request, team),
            _aid_tile(request, team),
            _requests_tile(request, team),
        ],
        "unfollowed": _tiles(team, counts, UNFOLLOWED),
        "to_watch": _tiles(team, counts, TO_WATCH),
        **_next_epre(team),
        "saisines": _saisine_tiles(team),
        "stages": _stages(team),
        "load": load,
        "mean": round(sum(row["held"] for row in load) / len(load)) if load else 0,
        "notices": _notices(request, team),
    }
    return render(request, "pre_cases/team_board.html", context)


def _tiles(team: Team, counts: dict[str, int], flags: tuple[ParcoursFlag, ...]) -> list[dict[str, Any]]:
    url = reverse("pre_cases:team_parcours", args=[team.code])
    return [{"label": flag.label, "count": counts[flag.name], "url": f"{url}?filtre={flag.value}"} for flag in flags]


def _urgent_tiles(request: SignedInRequest, team: Team) -> list[dict[str, Any]]:
    """Urgent saisines, and questions that have no answer yet."""
    figures = [urgent_figure(request.user, team), question_figure(request.user, team)]
    return [asdict(tile) for tiles in tiles_of(request.user, figures) for tile in tiles]


def _exceptional_tile(request: SignedInRequest, team: Team) -> dict[str, Any]:
    """Exceptional accesses to the team's parcours that have not been reviewed."""
    waiting = ExceptionalAccess.objects.visible_to(request.user).filter(content_object__team=team).to_review()
    url = f"{reverse('pre_cases:exceptional_list')}?filtre={TO_REVIEW}&equipe={team.code}"
    return {"label": "Accès exceptionnels à examiner", "count": waiting.count(), "url": url}


def _requests_tile(request: SignedInRequest, team: Team) -> dict[str, Any]:
    """Requests of families that wait for an answer, and how many of them are past their deadline."""
    today = timezone.localdate()
    waiting = FamilyRequest.objects.decidable_by(request.user).filter(team=team).waiting()
    counts = waiting.aggregate(all=Count("pk"), late=Count("pk", filter=late(today)))
    label = f"Demandes des familles, dont {counts['late']} en retard" if counts["late"] else "Demandes des familles"
    return {"label": label, "count": counts["all"], "url": reverse("pre_cases:team_requests", args=[team.code])}


def _next_epre(team: Team) -> dict[str, Any]:
    """The team's next session, and what it still asks: each tile opens the part of its page that it counts."""
    session = EpreSession.objects.in_team(team.pk).upcoming().order_by("on", "starts_at", "id").first()
    if session is None:
        return {"epre": None, "epre_tiles": []}
    items = EpreItem.objects.filter(session=session)
    url = reverse("pre_cases:session_detail", args=[session.pk])
    tiles = [
        ("Situations à l’ordre du jour", items.there().count(), url),
        ("Fiches à écrire", items.without_sheet().count(), f"{url}?filtre={TO_WRITE}"),
        ("Chartes à signer", session.participants.without_charter().count(), f"{url}?filtre={TO_SIGN}"),
    ]
    return {
        "epre": session,
        "epre_tiles": [{"label": label, "count": count, "url": link} for label, count, link in tiles],
    }


def _aid_tile(request: SignedInRequest, team: Team) -> dict[str, Any]:
    """Aids of the fonds exceptionnel that wait for a decision."""
    waiting = ExceptionalAid.objects.decidable_by(request.user).waiting().filter(parcours__team=team)
    url = reverse("pre_cases:team_fund", args=[team.code])
    return {"label": "Aides du fonds exceptionnel", "count": waiting.count(), "url": url}


def _notices(request: SignedInRequest, team: Team) -> list[DuplicateNotice]:
    """Children of the team whom somebody else was about to record, and those that another team may know."""
    told = DuplicateNotice.objects.decidable_by(request.user).to_settle().filter(team=team)
    if not told.exists():
        return []
    page = consult_page(request, told.select_related("child", "other_team", "sought_by"), order=("-told_at", "-id"))
    return page.records


@require_POST
def notice_settle(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The coordinations have spoken: the notice leaves the board."""
    notice = consult(request, DuplicateNotice.objects.decidable_by(request.user).select_related("team"), pk=pk)
    carry_out(request, lambda: settle_notice(notice=notice, by=request.user), "La situation est réglée.")
    return redirect("pre_cases:team_board", code=notice.team.code)


def by_stage(records: Any) -> dict[str, int]:
    """How many records, read through ``with_stage()``, stand at each stage."""
    return dict(records.values_list("stage_code").annotate(Count("pk")).order_by())


def _saisine_tiles(team: Team) -> list[dict[str, Any]]:
    """Saisines that wait, by stage."""
    url = reverse("pre_cases:saisine_list")
    stages = by_stage(Saisine.objects.in_team(team.pk).waiting())
    return [
        {
            "label": SAISINE_FILTERS[stage.value][0],
            "count": stages.get(stage.value, 0),
            "url": f"{url}?equipe={team.code}&filtre={stage.value}",
        }
        for stage in WAITING
    ]


def _stages(team: Team) -> list[dict[str, Any]]:
    """Open parcours by stage, for the share of each."""
    found = by_stage(Parcours.objects.in_team(team.pk).open().with_stage())
    stages = (
        ParcoursStage.DIAGNOSIS,
        ParcoursStage.EPRE,
        ParcoursStage.RUNNING,
        ParcoursStage.REVIEW_DUE,
        ParcoursStage.SUSPENDED,
    )
    return [{"code": s.value, "label": s.label, "count": found.get(s.value, 0)} for s in stages]


def _load(team: Team) -> list[dict[str, Any]]:
    """Open parcours and late ones of each current référent of the team, the heaviest first."""
    today = timezone.localdate()
    held = in_force(today, "assignments__") & Q(
        assignments__parcours__team=team.pk, assignments__parcours__closed_on__isnull=True
    )
    late = held & Q(assignments__parcours__due_on__lt=today)
    people = (
        User.objects.holding(Role.REFERENT, team.pk)
        .annotate(
            held=Count("assignments", filter=held, distinct=True), late=Count("assignments", filter=late, distinct=True)
        )
        .order_by("-held", "last_name", "pk")
    )
    url = reverse("pre_cases:team_parcours", args=[team.code])
    memberships = dict(Membership.objects.current().filter(team=team, role=Role.REFERENT).values_list("user", "pk"))
    rows = [
        {
            "name": p.get_full_name(),
            "held": p.held,
            "late": p.late,
            "url": f"{url}?referent={p.pk}",
            "membership": memberships.get(p.pk),
        }
        for p in people
    ]
    heaviest = max((row["held"] for row in rows), default=0)
    mean = sum(row["held"] for row in rows) / len(rows) if rows else 0
    return [
        row | {"heaviest": heaviest, "gap": round(row["held"] - mean), "distance": abs(round(row["held"] - mean))}
        for row in rows
    ]


@require_http_methods(FORM)
def team_parcours(request: SignedInRequest, code: str) -> HttpResponse:
    """The team's open parcours, filtered like the tiles; boxes and one button assign several at once."""
    team = coordinated_team(request, code)
    if request.method == "POST":
        return _assign_several(request, team)
    return _list(request, team)


def _list(request: SignedInRequest, team: Team, error: str = "", status: int = 200) -> HttpResponse:
    today = timezone.localdate()
    scope = Parcours.objects.in_team(team.pk)
    closed = request.GET.get("filtre") == "clos"
    everything = scope.closed() if closed else scope.open()
    people = list(User.objects.holding(Role.REFERENT, team.pk))
    wanted = request.GET.get("referent", "")
    known = chain(people, _former(team)) if wanted.isdecimal() else ()
    person = next((found for found in known if str(found.pk) == wanted), None)
    if person is not None:
        everything = everything.assigned_to(person.pk)
    elif wanted == NOBODY:
        everything = everything.unassigned()
    chosen = chosen_flag(request, (*TEAM_FILTERS, *LACKS))
    counts = flag_counts(everything, TEAM_FILTERS)
    shown = everything.flagged(chosen, today) if chosen else everything
    context = {
        "team": team,
        "page": consult_page(request, shown.with_card(today)),
        "filters": flag_links(request, counts, TEAM_FILTERS, chosen, person),
        "chosen": chosen,
        "closed": closed,
        "person": person,
        "people": people,
        "today": today,
        "error": error,
        "search": NameSearchForm(),
        "ticked": request.POST.getlist("parcours_list"),
        "chosen_referent": request.POST.get("referent", ""),
        "total": counts["all"],
    }
    return render(request, "pre_cases/team_parcours.html", context, status=status)


def _former(team: Team) -> Iterator[User]:
    """Who still has parcours of the team, and is no longer one of its référents; asked for only when looked up."""
    held = Assignment.objects.current().filter(parcours__team=team, parcours__closed_on__isnull=True)
    yield from User.objects.filter(pk__in=held.values("referent"))


@require_http_methods(FORM)
def team_search(request: SignedInRequest, code: str) -> HttpResponse:
    """The team's parcours by name, closed ones too. Sent by POST: what is typed stands in no address, and no log."""
    team = coordinated_team(request, code)
    form = NameSearchForm(request.POST if request.method == "POST" else None)
    found = search_by_name(request, form, Parcours.objects.coordinated_by(request.user).in_team(team.pk))
    context = {"team": team, "search": form, "found": found, "today": timezone.localdate()}
    return render(request, "pre_cases/team_search.html", context, status=422 if form.errors else 200)


def _assign_several(request: SignedInRequest, team: Team) -> HttpResponse:
    """Each parcours is assigned on its own: those that a rule refuses are said, the others are done."""
    form = BulkAssignForm(
        request.POST,
        parcours_list=Parcours.objects.decidable_by(request.user).in_team(team.pk).open(),
        people=User.objects.holding(Role.REFERENT, team.pk),
    )
    if not form.is_valid():
        sentence = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _list(request, team, sentence, 422)
    done, refused = 0, []
    for parcours in form.cleaned_data["parcours_list"]:
        try:
            assign_referent(
                parcours=parcours,
                referent=form.cleaned_data["referent"],
                seen=_seen(request, parcours),
                by=request.user,
            )
            done += 1
        except Refused as refusal:
            refused.append(str(refusal))
    if done:
        messages.success(request, f"Référent enregistré pour {done} parcours.")
    for sentence in sorted(set(refused)):
        count = refused.count(sentence)
        messages.warning(request, f"{count} parcours inchangé{'s' if count > 1 else ''} : {sentence}")
    return redirect(request.get_full_path())


def _seen(request: SignedInRequest, parcours: Parcours) -> int | None:
    """The référent that the list showed beside the box, 0 for nobody; None when the page did not say."""
    typed = request.POST.get(f"seen-{parcours.pk}", "")
    return int(typed) if typed.isdecimal() and len(typed) < 19 else None
