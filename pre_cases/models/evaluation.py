"""The évaluation de la situation: what the child and the family need, before and beside the objectives."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from partners.models import Nomenclature
from partners.models.nomenclature import term_key
from pre_cases.models.record import EncryptedRecord
from pre_cases.querysets.support import ParcoursRecordQuerySet


class Need(EncryptedRecord):
    """One need noted with the family, within a domain and a priority of the programme; never a judgement."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="needs", verbose_name="parcours"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="auteur"
    )
    domain = term_key(Nomenclature.DOMAIN, "domaine")
    priority = term_key(Nomenclature.PRIORITY, "priorité")
    text = EncryptedTextField("besoin", aad="need.text", max_length=300)
    noted_on = models.DateField("noté le")

    objects = ParcoursRecordQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "besoin"
        verbose_name_plural = "besoins"
        indexes = [models.Index(fields=["parcours", "noted_on"], name="need_parcours_noted")]
