"""The child, the adults around, the residence and the class."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult
from pre_cases.forms.family import AdultForm, ChildForm, ResidenceForm, SchoolingForm
from pre_cases.models import Child, ChildAdult, Parcours, Saisine, Schooling
from pre_cases.services.family import (
    IDENTITY,
    PLACE,
    NewAdult,
    SchoolingRefused,
    add_adult,
    change_adult,
    change_child,
    confirm_schooling,
    is_unusual_age,
    record_residence,
    record_schooling,
)
from pre_cases.views.parcours import FORM
from referents.requests import SignedInRequest
from referents.views.answer import attempt

UNUSUAL_AGE = "L’enfant a moins de 2 ans ou plus de 17 ans : vérifiez la date de naissance."


@require_http_methods(FORM)
def child_change(request: SignedInRequest, pk: UUID) -> HttpResponse:
    child = consult(request, Child.objects.editable_by(request.user).select_related("family"), pk=pk)
    initial = {name: getattr(child, name) for name in ("first_name", "family_name", "birth_date", "sex")}
    form = ChildForm(request.POST or None, initial=initial)
    if form.is_valid() and attempt(form, lambda: change_child(child=child, by=request.user, **form.cleaned_data)):
        messages.success(request, "La fiche de l’enfant est enregistrée.")
        if is_unusual_age(form.cleaned_data["birth_date"], timezone.localdate()):
            messages.warning(request, UNUSUAL_AGE)
        return redirect(home_of(request, child))
    return answer(request, "pre_cases/child_change.html", child, form)


@require_http_methods(FORM)
def adult_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Add an adult around the child, or with ``?lien=`` change one who is there."""
    child = consult(request, Child.objects.editable_by(request.user).select_related("family"), pk=pk)
    links = list(child.adult_links.current().select_related("adult").order_by("starts_on", "id"))
    load_keys_of(*(link.adult for link in links))
    link = _chosen(request, links)
    form = AdultForm(request.POST or None, initial=_values_of(link) if link else None)
    if form.is_valid() and attempt(form, lambda: _save_adult(request, child, link, form.cleaned_data)):
        messages.success(request, "L’adulte est enregistré.")
        return redirect(home_of(request, child))
    others = [] if link else links
    return answer(request, "pre_cases/adult_create.html", child, form, link=link, others=others)


def _chosen(request: SignedInRequest, links: list[ChildAdult]) -> ChildAdult | None:
    """The link named in the address, among those of this child; another one does not exist here."""
    asked = request.GET.get("lien")
    if asked is None:
        return None
    link = next((link for link in links if str(link.pk) == asked), None)
    if link is None:
        raise Http404
    return link


def _values_of(link: ChildAdult) -> dict[str, Any]:
    values = {name: getattr(link.adult, name) for name in IDENTITY}
    return values | {name: getattr(link, name) for name in PLACE}


def _save_adult(request: SignedInRequest, child: Child, link: ChildAdult | None, typed: dict[str, Any]) -> ChildAdult:
    facts = NewAdult(**{name: typed[name] for name in (*IDENTITY, *PLACE)})
    if link is None:
        return add_adult(child=child, adult=facts, on=typed["on"], by=request.user)
    return change_adult(link=link, adult=facts, on=typed["on"], by=request.user)


@require_http_methods(FORM)
def residence_record(request: SignedInRequest, pk: UUID) -> HttpResponse:
    child = consult(request, Child.objects.editable_by(request.user).select_related("family"), pk=pk)
    latest = child.residences.current().order_by("-starts_on", "-id").first()
    initial = None
    if latest is not None:
        qpv = ResidenceForm.INSIDE if latest.qpv_code else ResidenceForm.OUTSIDE
        initial = {
            "address": latest.address,
            "starts_on": latest.starts_on,
            "qpv": qpv if latest.determined_on else ResidenceForm.UNKNOWN,
            "qpv_code": latest.qpv_code,
            "determined_on": latest.determined_on,
        }
    form = ResidenceForm(request.POST or None, initial=initial)
    if form.is_valid() and attempt(form, lambda: record_residence(child=child, by=request.user, **form.cleaned_data)):
        messages.success(request, "La résidence est enregistrée.")
        return redirect(home_of(request, child))
    return answer(request, "pre_cases/residence_record.html", child, form, latest=latest)


@require_http_methods(FORM)
def schooling_record(request: SignedInRequest, pk: UUID) -> HttpResponse:
    child = consult(request, Child.objects.editable_by(request.user).select_related("family"), pk=pk)
    current = child.schoolings.current().select_related("school", "level").first()
    initial = None
    if current is not None:
        initial = {
            "school_text": f"{current.school.name} {current.school.uai}" if current.school else "",
            "level": current.level_id,
            "starts_on": current.starts_on,
            "in_ulis": current.in_ulis,
            "in_upe2a": current.in_upe2a,
        }
    form = SchoolingForm(request.POST or None, initial=initial, birth_date=child.birth_date)
    if form.is_valid() and attempt(form, lambda: record_schooling(child=child, by=request.user, **form.cleaned_data)):
        messages.success(request, "La classe est enregistrée.")
        return redirect(home_of(request, child))
    return answer(request, "pre_cases/schooling_record.html", child, form, current=current)


@require_http_methods(FORM)
def schooling_confirm(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """One button says that a presumed class is the right one."""
    scope = Schooling.objects.filter(child__in=Child.objects.editable_by(request.user))
    schooling = consult(request, scope.select_related("child__family", "school", "level"), pk=pk)
    if request.method == "POST":
        try:
            confirm_schooling(schooling=schooling, by=request.user)
            messages.success(request, "La classe est confirmée.")
        except SchoolingRefused as refusal:
            messages.info(request, str(refusal))
        return redirect(home_of(request, schooling.child))
    return answer(request, "pre_cases/schooling_confirm.html", schooling.child, None, schooling=schooling)


def home_of(request: SignedInRequest, child: Child) -> str:
    """Where one reads about a child: the latest parcours in reach, otherwise the latest saisine."""
    parcours = Parcours.objects.visible_to(request.user).filter(child=child).order_by("-opened_on", "-id")
    found = parcours.values_list("pk", flat=True).first()
    if found is not None:
        return reverse("pre_cases:parcours_detail", args=[found])
    saisines = Saisine.objects.visible_to(request.user).filter(child=child).order_by("-received_on", "-id")
    found = saisines.values_list("pk", flat=True).first()
    return reverse("pre_cases:saisine_list") if found is None else reverse("pre_cases:saisine_detail", args=[found])


def answer(request: SignedInRequest, template: str, child: Child, form: Any, **context: Any) -> HttpResponse:
    """A form page about a child: the banner of the open parcours if there is one, what was typed, 422 when refused."""
    parcours = Parcours.objects.visible_to(request.user).open().with_card().filter(child=child).first()
    context |= {"child": child, "parcours": parcours, "form": form, "home_url": home_of(request, child)}
    return render(request, template, context, status=422 if form is not None and form.is_bound else 200)
