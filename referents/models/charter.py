"""The confidentiality charter: one row for each signature, none overwritten."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Max, OuterRef, Q, Subquery

from audit.history import History
from referents.models.user import User


class CharterSignatureQuerySet(models.QuerySet["CharterSignature"]):
    def of_version_in_force(self) -> CharterSignatureQuerySet:
        """A new version of the charter asks everybody for a new signature."""
        return self.filter(version=settings.CHARTER_VERSION)


def charter_until(person: str) -> Subquery:
    """First day without a valid charter, in the version in force; ``person`` is the outer column of the account."""
    charters = CharterSignature.objects.of_version_in_force().filter(user=OuterRef(person)).order_by()
    return Subquery(charters.values("user").annotate(until=Max("expires_on")).values("until"))


class CharterSignature(models.Model):
    """The confidentiality charter, signed for a year; without a valid one no nominative page opens."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="charters", verbose_name="personne")
    version = models.CharField("version", max_length=20)
    signed_on = models.DateField("signée le")
    expires_on = models.DateField("valable jusqu’au", help_text="Ce jour n’est plus compris.")
    reminded_at = models.DateTimeField("rappel envoyé le", null=True, blank=True, editable=False)

    objects = CharterSignatureQuerySet.as_manager()
    history = History(excluded_fields=["reminded_at"])

    class Meta:
        verbose_name = "charte de confidentialité"
        verbose_name_plural = "chartes de confidentialité"
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_on__gt=F("signed_on")),
                name="charter_expires_after_signature",
                violation_error_message="La charte expire après sa signature.",
            )
        ]

    def __str__(self) -> str:
        return f"CharterSignature {self.pk}"
