"""The point d'étape, and the bilan that ends a parcours."""

from django.conf import settings
from django.db import models

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from partners.models import Nomenclature
from partners.models.nomenclature import term_key
from pre_cases.models.record import EncryptedRecord


class Review(EncryptedRecord):
    """A point d'étape: what has moved since the last one, with or without the family."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="reviews", verbose_name="parcours"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="auteur"
    )
    on = models.DateField("fait le")
    family_present = models.BooleanField("famille présente", default=False)
    child_present = models.BooleanField("enfant présent", default=False)
    text = EncryptedTextField("constats", aad="review.text", max_length=1000)
    next_steps = EncryptedTextField("suite prévue", aad="review.next_steps", max_length=500, null=True, blank=True)

    history = History()

    class Meta:
        verbose_name = "point d’étape"
        verbose_name_plural = "points d’étape"
        indexes = [models.Index(fields=["parcours", "on"], name="review_parcours_on")]
        constraints = [
            models.UniqueConstraint(
                fields=["parcours", "on"],
                name="review_once_a_day",
                violation_error_message="Un point d’étape est déjà enregistré ce jour-là.",
            )
        ]


class Bilan(EncryptedRecord):
    """The closing review, written by the référent; the coordination closes the parcours on it."""

    journal_subject = ("parcours_id",)

    parcours = models.OneToOneField(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="bilan", verbose_name="parcours"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="auteur"
    )
    on = models.DateField("établi le")
    text = EncryptedTextField("bilan", aad="bilan.text", max_length=1000)
    family_word = EncryptedTextField(
        "parole de la famille", aad="bilan.family_word", max_length=500, null=True, blank=True
    )
    relay = EncryptedTextField("relais vers le droit commun", aad="bilan.relay", max_length=300, null=True, blank=True)
    exit_reason = term_key(Nomenclature.EXIT_REASON, "motif de sortie proposé")

    history = History()

    class Meta:
        verbose_name = "bilan de fin de parcours"
        verbose_name_plural = "bilans de fin de parcours"
