"""The link of invitation: sent again by who may, opened by the person invited, who is not signed in."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from audit.journal.consult import consult
from audit.services import Refused
from referents.forms.accounts import FirstPasswordForm
from referents.models import User
from referents.requests import SignedInRequest
from referents.services.invitations import (
    Closed,
    InvitationClosed,
    accept_invitation,
    opened,
    record_closed,
    send_invitation,
)
from referents.views.accounts import FORM


@require_POST
def invitation_send(request: SignedInRequest, pk: int) -> HttpResponse:
    """A new link by e-mail; the former one opens nothing any more."""
    account = consult(request, User.objects.invited_by(request.user), pk=pk)
    try:
        send_invitation(user=account, by=request.user)
        messages.success(request, "Un nouveau lien part par courriel ; l’ancien ne sert plus.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("account_detail", pk=pk)


@login_not_required
@sensitive_post_parameters()
@require_http_methods(FORM)
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    """Looking consumes nothing, so that a scanner of e-mails may look first; the password is set once, by POST."""
    try:
        invitation = opened(token)
        form = FirstPasswordForm(request.POST or None, user=invitation.user)
        if form.is_valid():
            password = form.cleaned_data["password"]
            accept_invitation(invitation=invitation, password=password, by=invitation.user)
            logout(request)  # whoever was signed in on this browser
            messages.success(request, "Votre mot de passe est enregistré. Connectez-vous.")
            return redirect("account_login")
    except InvitationClosed as refusal:
        record_closed(refusal)
        status = 404 if refusal.reason == Closed.UNKNOWN else 410
        context = {"sentence": str(refusal), "may_sign_in": refusal.reason == Closed.USED}
        return render(request, "referents/invitation_closed.html", context, status=status)
    context = {"form": form, "invitation": invitation}
    return render(request, "referents/invitation_accept.html", context, status=422 if form.is_bound else 200)
