"""One situation of the EPRE: its sheet, its place on an agenda, what is decided of it, and what follows."""

from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import consult
from audit.journal.models import Action
from pre_cases.forms.epre import DecisionForm, ItemForm, SheetForm, ToldForm
from pre_cases.models import EpreItem, EprePurpose, EpreSession, Parcours
from pre_cases.querysets.epre import EpreItemQuerySet, EpreSessionQuerySet
from pre_cases.services.assignment import referent_id
from pre_cases.services.epre_agenda import move_up, put_on_agenda, remove_from_agenda, write_sheet
from pre_cases.services.epre_decision import complete_follow_up, decide_item, tell_family
from pre_cases.sheets import for_sheets, sheets_of, sheets_pdf
from pre_cases.views.epre import as_file
from pre_cases.views.parcours import FORM, answer
from referents.models import Role, User
from referents.requests import SignedInRequest
from referents.views.answer import attempt, carry_out

SHEET = ("purpose", "question", "resources", "tried")


@require_http_methods(FORM)
def item_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Put a parcours on the agenda of a session to come; what the saisine says helps to write the sheet."""
    scope = Parcours.objects.editable_by(request.user).with_card().select_related("saisine", "agreement")
    parcours = consult(request, scope, pk=pk)
    waiting = EpreItem.objects.pending().filter(parcours=parcours).first()
    if waiting is not None:
        return redirect("pre_cases:item_write", pk=waiting.pk)
    own = EpreSession.objects.in_team(parcours.team_id)
    runs = parcours.team_id in request.user.standing.team_ids(Role.COORDINATOR)
    sessions = (own.planned() if runs else own.upcoming()).order_by("on", "starts_at", "id")
    form = ItemForm(request.POST or None, sessions=sessions, initial=_from_saisine(parcours, sessions))
    if form.is_valid() and attempt(
        form, lambda: put_on_agenda(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La situation est à l’ordre du jour.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/item_create.html", parcours, form, has_session=sessions.exists())


def _from_saisine(parcours: Parcours, sessions: EpreSessionQuerySet) -> dict[str, Any]:
    """What to begin with; an urgent parcours already entered is to be ratified."""
    entry = parcours.entered_on is None or parcours.saisine.is_urgent
    return {
        "session": sessions.upcoming().first(),
        "purpose": EprePurpose.ENTRY if entry else EprePurpose.RENEWAL,
        "resources": parcours.saisine.strengths,
        "tried": parcours.saisine.already_done,
    }


def _with_parcours(items: EpreItemQuerySet) -> EpreItemQuerySet:
    return for_sheets(items).select_related("session__team", "parcours__saisine", "parcours__agreement")


def _card(item: EpreItem) -> Parcours:
    """The parcours of a situation as its banner shows it; the key is already in the ring."""
    return Parcours.objects.with_card().get(pk=item.parcours_id)


@require_http_methods(FORM)
def item_write(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Write the anonymised sheet: a name in it is refused, and said."""
    item = consult(request, _with_parcours(EpreItem.objects.editable_by(request.user)), pk=pk)
    form = SheetForm(request.POST or None, initial={name: getattr(item, name) for name in SHEET})
    if form.is_valid() and attempt(form, lambda: write_sheet(item=item, by=request.user, **form.cleaned_data)):
        messages.success(request, "La fiche est enregistrée.")
        return redirect("pre_cases:item_sheet", pk=pk)
    return answer(request, "pre_cases/item_write.html", _card(item), form, item=item)


@require_safe
def item_sheet(request: SignedInRequest, pk: UUID, form: str = "html") -> HttpResponse:
    """One sheet as the members read it; who carries the parcours finds the way back to it, and nobody else."""
    scope = _with_parcours(EpreItem.objects.visible_to(request.user))
    action = Action.DOWNLOAD if form == "pdf" else Action.READ
    item = consult(request, scope, pk=pk, action=action, data_kind="sheet")
    sheet = sheets_of([item])[0]
    if form == "pdf":
        return as_file(sheets_pdf(item.session, [sheet]), f"fiche-epre-{item.session.on}-{item.number}")
    may_write = request.user.has_perm("pre_cases.change_epreitem", item)
    return render(request, "pre_cases/item_sheet.html", {"sheet": sheet, "item": item, "may_write": may_write})


@require_POST
def item_remove(request: SignedInRequest, pk: UUID) -> HttpResponse:
    item = consult(request, _with_parcours(EpreItem.objects.carried_by(request.user)), pk=pk)
    done = "La situation n’est plus à l’ordre du jour."
    carry_out(request, lambda: remove_from_agenda(item=item, by=request.user), done)
    return redirect("pre_cases:session_detail", pk=item.session_id)


@require_POST
def item_move_up(request: SignedInRequest, pk: UUID) -> HttpResponse:
    item = consult(request, EpreItem.objects.decidable_by(request.user).select_related("session"), pk=pk)
    carry_out(request, lambda: move_up(item=item, by=request.user), f"La situation n° {item.number} monte d’une place.")
    return redirect("pre_cases:session_detail", pk=item.session_id)


@require_http_methods(FORM)
def item_decide(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Write down what the session decided, and what follows."""
    item = consult(request, _with_parcours(EpreItem.objects.decidable_by(request.user)), pk=pk)
    sessions = EpreSession.objects.in_team(item.session.team_id).upcoming().exclude(pk=item.session_id)
    until = item.parcours.agreement.last_day
    form = DecisionForm(
        request.POST or None,
        sessions=sessions.order_by("on", "id"),
        participants=item.session.participants.order_by("name", "id"),
        people=_in_charge(item, request.user),
        initial={"until": until + relativedelta(months=settings.AGREEMENT_MONTHS) if until else None},
    )
    if form.is_valid() and attempt(form, lambda: decide_item(item=item, by=request.user, **form.values())):
        messages.success(request, f"La décision sur la situation n° {item.number} est enregistrée.")
        return redirect("pre_cases:session_detail", pk=item.session_id)
    context = {"item": item, "sheet": sheets_of([item])[0], "is_early": item.session.on > timezone.localdate()}
    return answer(request, "pre_cases/item_decide.html", _card(item), form, **context)


def _in_charge(item: EpreItem, coordinator: User) -> list[User]:
    """The référent of the parcours, and who decides here."""
    found = User.objects.filter(pk=referent_id(item.parcours)).first()
    return [person for person in (found, coordinator) if person is not None]


@require_http_methods(FORM)
def item_told(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The day the family was told of the decision."""
    item = consult(request, _with_parcours(EpreItem.objects.there().carried_by(request.user)), pk=pk)
    form = ToldForm(request.POST or None)
    if form.is_valid():
        on = form.cleaned_data["family_told_on"]
        if attempt(form, lambda: tell_family(item=item, on=on, by=request.user)):
            messages.success(request, "La date est enregistrée.")
            return redirect("pre_cases:parcours_detail", pk=item.parcours_id)
    return answer(request, "pre_cases/item_told.html", _card(item), form, item=item)


@require_POST
def follow_up_complete(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The person to whom it was entrusted has done it."""
    scope = EpreItem.objects.entrusted_to(request.user).select_related("session", "task__parcours__agreement")
    item = consult(request, scope, pk=pk)
    carry_out(request, lambda: complete_follow_up(item=item, by=request.user), "C’est noté : la suite est donnée.")
    return redirect("pre_cases:shared_parcours")
