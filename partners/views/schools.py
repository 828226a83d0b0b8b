"""Looking schools up. They are public reference data: everyone signed in may read them, nothing is journalled."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from partners.forms.schools import SchoolSearchForm
from partners.models.school import School, SchoolQuerySet
from referents.requests import SignedInRequest

SCHOOLS_OF_A_PAGE = 25


@require_safe
def school_list(request: SignedInRequest) -> HttpResponse:
    form = SchoolSearchForm(request.GET)
    schools = found(form.cleaned_data) if form.is_valid() else School.objects.none()
    page = Paginator(schools, SCHOOLS_OF_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "has_criteria": form.has_changed(),
        "next_url": page_url(request, page.next_page_number()) if page.has_next() else "",
        "first_url": page_url(request, 1) if page.has_previous() else "",
    }
    return render(request, "partners/school_list.html", context)


@require_safe
def school_detail(request: SignedInRequest, uai: str) -> HttpResponse:
    if not (uai.isascii() and uai.isalnum()):
        raise Http404
    schools = School.objects.with_current_facts().select_related("arrondissement")
    school = get_object_or_404(schools, uai=uai.upper())
    context = {
        "school": school,
        "natures": school.natures.lasting().order_by("-starts_on"),
        "statuses": school.priority_statuses.lasting().order_by("-starts_on"),
        "teams": school.school_teams.lasting().select_related("team__arrondissement").order_by("-starts_on"),
    }
    return render(request, "partners/school_detail.html", context)


def page_url(request: SignedInRequest, number: int) -> str:
    """The same search at another page."""
    query = request.GET.copy()
    query["page"] = str(number)
    return f"{request.path}?{query.urlencode()}"


def found(criteria: dict[str, Any]) -> SchoolQuerySet:
    """The schools that answer every criterion of the form, as they stand today."""
    schools = School.objects.with_current_facts().select_related("arrondissement").matching(criteria["text"])
    if not criteria["closed"]:
        schools = schools.open()
    if criteria["perimeter"]:
        schools = schools.in_perimeter()
    if criteria["arrondissement"]:
        schools = schools.filter(arrondissement=criteria["arrondissement"])
    if criteria["nature"]:
        schools = schools.of_nature(criteria["nature"])
    if criteria["priority"] == SchoolSearchForm.NO_LABEL:
        return schools.out_of_priority_education()
    if criteria["priority"] == SchoolSearchForm.ANY_LABEL:
        return schools.in_priority_education()
    return schools.in_priority_education(criteria["priority"]) if criteria["priority"] else schools
