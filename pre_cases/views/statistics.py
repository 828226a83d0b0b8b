"""The figures: a team's own, exact; the programme's, protected, as last prepared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from audit.journal.consult import consult
from audit.journal.models import Action
from pre_cases.forms.statistics import PeriodForm, YearForm
from pre_cases.models import StatisticsExport
from pre_cases.services.ledger import UnsafeRelease, released_ties, verify
from pre_cases.services.release import FAILURES, request_export
from pre_cases.statistics.catalogue import HIDDEN_MARK
from pre_cases.statistics.extent import reaches_programme, team_extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.reading import reasons_of, summed
from pre_cases.statistics.report import exact_report
from pre_cases.statistics.saisines import negative_delays
from pre_cases.statistics.writing.archive import read_grids, rows_in
from pre_cases.statistics.writing.grid import Grid, grids_of
from pre_cases.statistics.writing.rows import rows_of
from pre_cases.statistics.years import finished_years, running_school_year
from pre_cases.views.board import coordinated_team
from referents.requests import SignedInRequest
from referents.views.answer import attempt
from referents.views.reach import require
from referents.views.step_up import second_factor_again

State = StatisticsExport.State
UNDER_WAY = (State.QUEUED, State.RUNNING)
RECENT = 10


@require_safe
def statistics(request: SignedInRequest) -> HttpResponse:
    """The latest prepared figures of a whole year; nothing is counted while the page is read."""
    _reach_programme(request)
    years = finished_years()
    form = YearForm(request.GET if "annee" in request.GET else None, years=years)
    if form.is_bound and not form.is_valid():
        return _statistics_page(request, form, None, status=422)
    return _statistics_page(request, form, form.cleaned_data["annee"] if form.is_bound else _usual_year(years))


def _reach_programme(request: SignedInRequest) -> None:
    require(request, reaches_programme(request.user), kind="pre_cases.statisticsexport")


def _usual_year(years: Sequence[Period]) -> Period | None:
    """The year last prepared, otherwise the latest one."""
    last = (
        StatisticsExport.objects.filter(state=State.DONE).order_by("-finished_at").values_list("starts_on", "ends_on")
    )
    prepared = [Period(*days) for days in last[:1]]
    return next((year for year in prepared if year in years), years[0] if years else None)


def _statistics_page(
    request: SignedInRequest, form: YearForm, period: Period | None, *, status: int = 200
) -> HttpResponse:
    reachable = StatisticsExport.objects.visible_to(request.user)
    export, pending, themes = None, None, {}
    if period is not None:
        if not form.is_bound:
            form.initial["annee"] = period.code
        same = reachable.filter(starts_on=period.starts_on, ends_on=period.ends_on)
        pending = same.filter(state__in=UNDER_WAY).values_list("pk", flat=True).first()
        latest = same.filter(state=State.DONE).order_by("-finished_at").values_list("pk", flat=True).first()
        if latest is not None:
            export = consult(request, reachable, pk=latest, data_kind="statistics")
            themes = by_theme(read_grids(bytes(export.archive or b"")))
    context: dict[str, Any] = {
        "form": form,
        "has_years": any(group for _, group in form.fields["annee"].choices),  # type: ignore[attr-defined]
        "period": period,
        "export": export,
        "pending": pending,
        "themes": themes,
        "hidden": sum(grid.suppressed for grids in themes.values() for grid in grids),
        "recent": [
            {"export": row, "period": Period(row.starts_on, row.ends_on)}
            for row in reachable.defer("archive").order_by("-requested_at")[:RECENT]
        ],
    }
    return render(request, "pre_cases/statistics.html", context, status=status)


def by_theme(grids: Sequence[Grid]) -> dict[str, list[Grid]]:
    themes: dict[str, list[Grid]] = {}
    for grid in grids:
        themes.setdefault(grid.theme, []).append(grid)
    return themes


def _figures_page(request: SignedInRequest) -> str:
    """The year shown is kept, when it is one of those offered."""
    year = request.POST.get("annee", "")
    offered = {period.code for period in finished_years()}
    return reverse("pre_cases:statistics") + (f"?{urlencode({'annee': year})}" if year in offered else "")


@require_POST
@second_factor_again(back_to=_figures_page)
def export_create(request: SignedInRequest) -> HttpResponse:
    """Ask for the files of a year; they are prepared in the background."""
    _reach_programme(request)
    form = YearForm(request.POST, years=finished_years())
    if form.is_valid():
        period = form.cleaned_data["annee"]
        export = attempt(form, lambda: request_export(period=period, by=request.user))
        if export is not None:
            messages.success(request, "Les fichiers sont en préparation.")
            return redirect("pre_cases:export_detail", pk=export.pk)
    return _statistics_page(request, form, None, status=422)


@require_safe
def export_detail(request: SignedInRequest, pk: object) -> HttpResponse:
    """How far the files are. The page asks again every two seconds until they are ready; it writes one event."""
    reachable = StatisticsExport.objects.visible_to(request.user).defer("archive")
    if request.htmx:  # type: ignore[attr-defined]
        export = get_object_or_404(reachable, pk=pk)
        return render(request, "pre_cases/export_progress.html", _export_context(export))
    export = consult(request, reachable, pk=pk, data_kind="statistics")
    return render(request, "pre_cases/export_detail.html", _export_context(export))


def _export_context(export: StatisticsExport) -> dict[str, Any]:
    return {
        "export": export,
        "period": Period(export.starts_on, export.ends_on),
        "is_pending": export.state in UNDER_WAY,
        "is_done": export.state == State.DONE,
        "failure": FAILURES.get(export.failure, ""),
    }


def _export_page(request: SignedInRequest, pk: object) -> str:
    return reverse("pre_cases:export_detail", args=[pk])


@require_safe
@second_factor_again(back_to=_export_page)
def export_download(request: SignedInRequest, pk: object) -> HttpResponse:
    """The archive of a release whose proof the checker has just accepted again; the journal says who took it."""
    ready = StatisticsExport.objects.visible_to(request.user).filter(state=State.DONE)
    export = consult(request, ready, pk=pk, action=Action.DOWNLOAD, data_kind="statistics")
    try:
        verify(export)
    except UnsafeRelease as refusal:
        context = _export_context(export) | {"is_done": False, "failure": str(refusal)}
        return render(request, "pre_cases/export_detail.html", context, status=409)
    name = f"marelle-statistiques-{Period(export.starts_on, export.ends_on).code}.zip"
    return HttpResponse(
        bytes(export.archive or b""),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
def export_reasons(request: SignedInRequest, pk: object) -> HttpResponse:
    """How many cells of each table are hidden at each level, and why more of them than the small counts."""
    ready = StatisticsExport.objects.visible_to(request.user).filter(state=State.DONE)
    export = consult(request, ready, pk=pk, data_kind="statistics")
    titles = {row["table"]: row["title"] for row in rows_in(bytes(export.archive or b"")).tables}
    themes = reasons_of(released_ties(export), titles)
    context = {
        "export": export,
        "period": Period(export.starts_on, export.ends_on),
        "themes": themes,
        "whole": summed(themes),
        "mark": HIDDEN_MARK,
    }
    return render(request, "pre_cases/export_reasons.html", context)


@require_safe
def team_statistics(request: SignedInRequest, code: str) -> HttpResponse:
    """The exact figures of a team that the person coordinates, on any days."""
    team = coordinated_team(request, code)
    usual = running_school_year()
    typed = {"du": request.GET.get("du", usual.starts_on), "au": request.GET.get("au", usual.ends_on)}
    form = PeriodForm(typed)
    context: dict[str, Any] = {"team": team, "form": form}
    if not form.is_valid():
        return render(request, "pre_cases/team_statistics.html", context, status=422)
    context |= {
        "period": form.period,
        "themes": by_theme(grids_of(rows_of(exact_report(form.period, team)))),
        "errors": negative_delays(form.period, team_extent(team)),
    }
    return render(request, "pre_cases/team_statistics.html", context)
