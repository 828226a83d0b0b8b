"""Projects as such: what they offer, to whom, and their amounts. The children's places stand with the case files."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partners.forms.projects import ProjectForm
from partners.models import Project
from partners.models.project import ProjectQuerySet, assignable_teams, school_year_of
from partners.services.projects import create_project
from referents.requests import SignedInRequest
from referents.views.answer import attempt
from referents.views.reach import require

PROJECTS_OF_A_PAGE = 25
EVERY_YEAR = "toutes"
CODE = re.compile(r"[a-z0-9-]{1,50}")
# name in the address → columns of a project: what is compared, then what is shown
YEAR, DOMAIN, TEAM = "annee", "domaine", "equipe"
COLUMNS = {
    YEAR: ("school_year", "school_year"),
    DOMAIN: ("domain__code", "domain__label"),
    TEAM: ("project_teams__team__code", "project_teams__team__name"),
}


@require_safe
def project_list(request: SignedInRequest) -> HttpResponse:
    """The projects in reach, by school year, domain and team; the current year first."""
    require(request, Project.objects.may_be_listed_by(request.user), kind="partners.project")
    visible = Project.objects.visible_to(request.user)
    chosen = chosen_filters(request)
    projects = narrowed(visible, chosen).select_related("organisation", "domain").prefetch_related("teams")
    page = Paginator(projects, PROJECTS_OF_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "query": urlencode(chosen),
        "years": filter_links(visible, chosen, YEAR, "Toutes les années", EVERY_YEAR),
        "domains": filter_links(visible, chosen, DOMAIN, "Tous les domaines"),
        "teams": filter_links(visible, chosen, TEAM, "Toutes les équipes"),
        "may_add": Project.objects.may_be_added_by(request.user),
    }
    return render(request, "partners/project_list.html", context)


def chosen_filters(request: SignedInRequest) -> dict[str, str]:
    """The filters that the address names; without a year, the current one."""
    chosen = {name: request.GET[name] for name in COLUMNS if CODE.fullmatch(request.GET.get(name, ""))}
    year = chosen.get(YEAR, "")
    if year != EVERY_YEAR and not re.fullmatch(r"[0-9]{4}", year):
        chosen[YEAR] = str(school_year_of(timezone.localdate()))
    return chosen


def narrowed(projects: ProjectQuerySet, chosen: Mapping[str, str]) -> ProjectQuerySet:
    wanted = {COLUMNS[name][0]: value for name, value in chosen.items() if value != EVERY_YEAR}
    return projects.filter(**wanted)


def filter_links(
    visible: ProjectQuerySet, chosen: Mapping[str, str], name: str, every: str, no_filter: str = ""
) -> list[dict[str, Any]]:
    """One filter as links with their counts, under the other filters chosen; one query."""
    column, shown = COLUMNS[name]
    others = {other: value for other, value in chosen.items() if other != name}
    candidates = narrowed(visible, others)
    rows = candidates.order_by(column).values_list(column, shown).annotate(Count("pk", distinct=True))
    links = [(no_filter, every, candidates.count())]
    links += [(str(value), label, count) for value, label, count in (rows.reverse() if name == YEAR else rows)]
    return [
        {
            "label": f"{label}-{label + 1}" if isinstance(label, int) else label,
            "url": "?" + urlencode(others | ({name: value} if value else {})),
            "count": count,
            "active": chosen.get(name, no_filter) == value,
        }
        for value, label, count in links
    ]


@require_safe
def project_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    projects = Project.objects.visible_to(request.user).select_related("organisation", "domain", "priority")
    project = get_object_or_404(projects, pk=pk)
    context = {
        "project": project,
        "teams": project.teams.select_related("arrondissement"),
        # the amounts belong to those who may change the project
        "may_change": request.user.has_perm("partners.change_project", project),
    }
    return render(request, "partners/project_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def project_create(request: SignedInRequest) -> HttpResponse:
    require(request, Project.objects.may_be_added_by(request.user), kind="partners.project", asked="create")
    initial = {"organisation": request.GET.get("organisme", "")}
    form = ProjectForm(request.POST or None, offered=assignable_teams(request.user), initial=initial)
    if form.is_valid():
        project = attempt(form, lambda: create_project(by=request.user, **form.cleaned_data))
        if project:
            messages.success(request, "Le projet est enregistré.")
            return redirect("partners:project_detail", pk=project.pk)
    status = 422 if form.is_bound else 200
    return render(request, "partners/project_create.html", {"form": form}, status=status)
