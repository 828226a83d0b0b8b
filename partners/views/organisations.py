"""The directory of organisations. It names no child: everyone signed in reads it, and its changes are journalled."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from partners.forms.organisations import OrganisationForm, OrganisationSearchForm
from partners.models import Organisation, Project
from partners.services.organisations import change_organisation, create_organisation
from referents.requests import SignedInRequest
from referents.views.answer import attempt
from referents.views.reach import require

ORGANISATIONS_OF_A_PAGE = 25


@require_safe
def organisation_list(request: SignedInRequest) -> HttpResponse:
    form = OrganisationSearchForm(request.GET)
    organisations = found(form.cleaned_data) if form.is_valid() else Organisation.objects.none()
    page = Paginator(organisations, ORGANISATIONS_OF_A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": page,
        "query": query.urlencode(),
        "has_criteria": form.has_changed(),
        "may_add": Organisation.objects.may_be_added_by(request.user),
    }
    return render(request, "partners/organisation_list.html", context)


def found(criteria: dict[str, Any]) -> Any:
    """The organisations that answer every criterion of the form."""
    organisations = Organisation.objects.select_related("arrondissement").matching(criteria["text"])
    if criteria["arrondissement"]:
        organisations = organisations.filter(arrondissement=criteria["arrondissement"])
    return organisations.filter(kind=criteria["kind"]) if criteria["kind"] else organisations


@require_safe
def organisation_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation.objects.select_related("arrondissement"), pk=pk)
    projects = Project.objects.visible_to(request.user).filter(organisation=organisation).select_related("domain")
    context = {
        "organisation": organisation,
        "projects": projects,
        "may_change": request.user.has_perm("partners.change_organisation", organisation),
        "may_see_projects": Project.objects.may_be_listed_by(request.user),
        "may_add_project": Project.objects.may_be_added_by(request.user),
    }
    return render(request, "partners/organisation_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def organisation_create(request: SignedInRequest) -> HttpResponse:
    require(request, Organisation.objects.may_be_added_by(request.user), kind="partners.organisation", asked="create")
    form = OrganisationForm(request.POST or None)
    if form.is_valid():
        organisation = attempt(form, lambda: create_organisation(by=request.user, **form.cleaned_data))
        if organisation:
            messages.success(request, "L’organisme est ajouté à l’annuaire.")
            return redirect("partners:organisation_detail", pk=organisation.pk)
    status = 422 if form.is_bound else 200
    return render(request, "partners/organisation_create.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def organisation_change(request: SignedInRequest, pk: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation.objects.editable_by(request.user), pk=pk)
    form = OrganisationForm(request.POST or None, instance=organisation)
    if form.is_valid() and attempt(
        form, lambda: change_organisation(organisation=organisation, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’organisme est modifié.")
        return redirect("partners:organisation_detail", pk=pk)
    context = {"form": form, "organisation_id": pk}
    return render(request, "partners/organisation_change.html", context, status=422 if form.is_bound else 200)
