"""The link by which a person chooses a first password; the link itself is written nowhere."""

from __future__ import annotations

from datetime import datetime

from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from referents.models.user import User

SIGNER = Signer(salt="referents.invitation", sep=".")


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Neither used nor revoked; the delay may be over."""
        return self.filter(used_at__isnull=True, revoked_at__isnull=True)

    def pending(self, at: datetime | None = None) -> InvitationQuerySet:
        """Those whose link still opens at an instant (now by default)."""
        return self.open().filter(expires_at__gt=at or timezone.now())

    def of_token(self, token: str) -> Invitation | None:
        """The invitation that a link names, whatever its state; None when the link is not one of ours."""
        try:
            number = int(SIGNER.unsign(token))
        except (BadSignature, ValueError):
            return None
        return self.select_related("user", "sent_by").filter(pk=number).first()


class Invitation(models.Model):
    """One link sent to one person. A newer one revokes it, so at most one opens."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="invitations", verbose_name="personne")
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="envoyée par")
    sent_at = models.DateTimeField("envoyée le", default=timezone.now)
    expires_at = models.DateTimeField("valable jusqu’au")
    mailed_at = models.DateTimeField("courriel parti le", null=True, blank=True)
    used_at = models.DateTimeField("acceptée le", null=True, blank=True)
    revoked_at = models.DateTimeField("annulée le", null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = "invitation"
        verbose_name_plural = "invitations"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("sent_at")),
                name="invitation_expires_after_sending",
                violation_error_message="Une invitation expire après son envoi.",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(revoked_at__isnull=True),
                name="invitation_used_or_revoked",
                violation_error_message="Une invitation acceptée ne s’annule plus.",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(used_at__isnull=True, revoked_at__isnull=True),
                name="invitation_one_open",
                violation_error_message="Une invitation vient d’être envoyée à cette personne.",
            ),
        ]

    def __str__(self) -> str:
        return f"Invitation {self.pk}"

    @property
    def token(self) -> str:
        """What stands in the link: the number, signed; nothing of it is stored or queued."""
        return SIGNER.sign(str(self.pk))

    @property
    def is_open(self) -> bool:
        return self.used_at is None and self.revoked_at is None

    @property
    def has_expired(self) -> bool:
        return self.is_open and self.expires_at <= timezone.now()
