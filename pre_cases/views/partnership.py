"""Places in projects, and the groups of a project leader."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.journal.consult import consult, consult_page
from partners.forms.projects import ProjectForm
from partners.models import Project, ProjectTeam
from partners.models.project import ProjectQuerySet, assignable_teams, school_year_of
from pre_cases.forms.partnership import (
    EnrolmentEndForm,
    EnrolmentForm,
    ProjectSearchForm,
)
from pre_cases.models import Enrolment, Parcours, Schooling
from pre_cases.querysets.partnership import with_places
from pre_cases.services.partnership import end_enrolment, enrol_child, enrolment_obstacle, places_taken
from pre_cases.services.projects import change_project
from pre_cases.views.parcours import FORM, answer
from referents.models import Membership, Role
from referents.requests import SignedInRequest
from referents.text import normalised
from referents.views.answer import attempt
from referents.views.reach import require

LATELY = timedelta(days=30)  # how long a new enrolment, or an ended one, is pointed out
CHILDREN_OF_A_PAGE = 200  # the groups of one person, a place number that associations do not reach


@require_http_methods(FORM)
def enrolment_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The projects open to the team, with their places; choosing one takes a place for the child."""
    scope = Parcours.objects.editable_by(request.user).with_card().select_related("agreement")
    parcours = consult(request, scope, pk=pk)
    offered = Project.objects.open_to(parcours.team_id)
    form = EnrolmentForm(request.POST or None, projects=offered)
    if form.is_valid() and attempt(form, lambda: enrol_child(parcours=parcours, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’inscription est enregistrée.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    search = ProjectSearchForm(request.GET)
    projects = list(_found(offered, search, parcours))
    context = {
        "search": search,
        "has_criteria": search.has_changed(),
        "projects": projects,
        "has_choice": any(project.places_left and not project.is_held for project in projects),
        "obstacle": enrolment_obstacle(parcours),
    }
    return answer(request, "pre_cases/enrolment_create.html", parcours, form, **context)


def _found(projects: ProjectQuerySet, search: ProjectSearchForm, parcours: Parcours) -> QuerySet[Any]:
    """The projects that answer the search, each with its places and whether the child holds one."""
    if not search.is_valid():
        return projects.none()
    held = Enrolment.objects.current().filter(parcours=parcours, project=OuterRef("pk"))
    projects = with_places(projects).annotate(is_held=Exists(held)).select_related("organisation", "domain")
    text, domain = normalised(search.cleaned_data["text"]), search.cleaned_data["domain"]
    if text:
        projects = projects.filter(Q(search_title__contains=text) | Q(organisation__search_name__contains=text))
    return projects.filter(domain=domain) if domain else projects


@require_http_methods(FORM)
def enrolment_end(request: SignedInRequest, pk: UUID) -> HttpResponse:
    scope = Enrolment.objects.editable_by(request.user).select_related("parcours", "project__organisation")
    enrolment = consult(request, scope, pk=pk)
    form = EnrolmentEndForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: end_enrolment(enrolment=enrolment, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’inscription est terminée : la place est libre.")
        return redirect("pre_cases:parcours_detail", pk=enrolment.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=enrolment.parcours_id)
    return answer(request, "pre_cases/enrolment_end.html", parcours, form, enrolment=enrolment)


@require_http_methods(FORM)
def project_change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Here and not with the partners, because a project keeps the places that children hold in it."""
    project = get_object_or_404(Project.objects.editable_by(request.user), pk=pk)
    offered = assignable_teams(request.user)
    kept = project.teams.exclude(pk__in=offered.values("pk")).select_related("arrondissement")
    form = ProjectForm(request.POST or None, instance=project, offered=offered, kept=kept)
    if form.is_valid() and attempt(form, lambda: change_project(project=project, by=request.user, **form.cleaned_data)):
        messages.success(request, "Le projet est modifié.")
        return redirect("partners:project_detail", pk=pk)
    context = {"form": form, "project_id": pk, "kept": form.kept, "places_taken": places_taken(project)}
    return render(request, "pre_cases/project_change.html", context, status=422 if form.is_bound else 200)


@dataclass(frozen=True)
class GroupMember:
    """All that a project leader learns of a child."""

    first_name: str
    initial: str
    level: str
    is_new: bool = False


@require_safe
def my_groups(request: SignedInRequest) -> HttpResponse:
    """The projects that the person leads this school year: who holds a place today, who left lately, whom to call."""
    require(request, Project.objects.may_be_led_by(request.user), kind="pre_cases.enrolment")
    projects = Project.objects.led_by(request.user).of_school_year(school_year_of(timezone.localdate()))
    page = consult_page(
        request, _led_enrolments(request, projects), order=("project_id", "id"), size=CHILDREN_OF_A_PAGE
    )
    today = timezone.localdate()
    members: dict[int, list[GroupMember]] = defaultdict(list)
    left: dict[int, list[GroupMember]] = defaultdict(list)
    contacts = _contacts(projects)
    for enrolment in page:
        child, is_new = enrolment.parcours.child, enrolment.starts_on > today - LATELY
        member = GroupMember(child.first_name, child.family_name[:1], enrolment.level_label or "", is_new)
        is_over = enrolment.ends_on is not None and enrolment.ends_on <= today
        (left if is_over else members)[enrolment.project_id].append(member)
    groups = [
        {
            "project": project,
            "members": sorted(members[project.pk], key=lambda member: normalised(member.first_name)),
            "left": left[project.pk],
            "contacts": contacts[project.pk],
        }
        for project in with_places(projects).select_related("organisation")
    ]
    return render(request, "pre_cases/my_groups.html", {"groups": groups, "page": page})


def _contacts(projects: ProjectQuerySet) -> dict[int, list[Membership]]:
    """Who coordinates the teams of each project today, with the account and the team."""
    teams = ProjectTeam.objects.filter(project__in=projects).values_list("project", "team")
    held = Membership.objects.current().filter(role=Role.COORDINATOR, user__is_active=True)
    coordinators = list(held.select_related("user", "team").order_by("team__code", "user__last_name"))
    contacts: dict[int, list[Membership]] = defaultdict(list)
    for project_id, team_id in teams:
        contacts[project_id] += [membership for membership in coordinators if membership.team_id == team_id]
    return contacts


def _led_enrolments(request: SignedInRequest, projects: ProjectQuerySet) -> QuerySet[Any]:
    """Enrolments in force in these projects or ended lately, each with its child and ``level_label``."""
    today = timezone.localdate()
    schooling = Schooling.objects.filter(child=OuterRef("parcours__child"), starts_on__lte=today).order_by("-starts_on")
    return (
        Enrolment.objects.led_by(request.user)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=today - LATELY), starts_on__lte=today, project__in=projects)
        .select_related("parcours__child")
        .annotate(level_label=Subquery(schooling.values("level__label")[:1]))
    )
