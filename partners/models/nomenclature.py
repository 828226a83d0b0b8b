"""Lists of words that the programme may edit: coded, dated, ended but never deleted."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from referents.models import Role
from referents.models.territory import ReferenceQuerySet

if TYPE_CHECKING:
    from referents.models import User


class Nomenclature(models.TextChoices):
    LEVEL = "level", "niveaux scolaires"
    DOMAIN = "domain", "domaines d’action"
    PRIORITY = "priority", "priorités"
    SOURCE = "source", "prescripteurs"
    SIGN = "sign", "signes de fragilité"
    EXIT_REASON = "exit_reason", "motifs de sortie"


class TermQuerySet(ReferenceQuerySet["Term"]):
    def may_be_added_by(self, user: User) -> bool:
        """The lists are kept by the pilotage of the programme, and by the technical administration."""
        return user.standing.holds(Role.PILOTAGE) or super().may_be_added_by(user)

    def of(self, nomenclature: Nomenclature) -> TermQuerySet:
        return self.filter(nomenclature=nomenclature)

    def valid(self, on: date | None = None) -> TermQuerySet:
        """Terms that may be chosen on a day (today by default)."""
        day = on or timezone.localdate()
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), valid_from__lte=day)


class Term(models.Model):
    """One word of a list. Its id reads ``list:code``, so that a grouped query needs no join."""

    id = models.CharField(primary_key=True, max_length=80)
    nomenclature = models.CharField("liste", max_length=20, choices=Nomenclature)
    code = models.SlugField("code", max_length=50)
    label = models.CharField("libellé", max_length=160)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", verbose_name="rubrique"
    )
    position = models.PositiveSmallIntegerField("ordre", default=0)
    survey_code = models.CharField("code de l’enquête nationale", max_length=20, blank=True)
    valid_from = models.DateField("valable depuis", default=date(2005, 1, 1))
    valid_to = models.DateField("valable jusqu’au", null=True, blank=True, help_text="Ce jour n’est plus compris.")

    objects = TermQuerySet.as_manager()

    class Meta:
        verbose_name = "terme de nomenclature"
        verbose_name_plural = "nomenclatures"
        ordering = ["nomenclature", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["nomenclature", "code"],
                name="term_unique_code",
                violation_error_message="Ce code existe déjà dans la liste.",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="term_ends_after_start",
                violation_error_message="La fin ne peut pas précéder le début.",
            ),
        ]

    def __str__(self) -> str:
        return self.label


def term_key(nomenclature: Nomenclature, label: str, **options: Any) -> models.ForeignKey[Any, Any]:
    """A field that holds one word of a list; the word is never deleted under it."""
    return models.ForeignKey(
        "partners.Term",
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"nomenclature": nomenclature},
        verbose_name=label,
        **options,
    )


def load_terms(nomenclature: Nomenclature, rows: list[tuple[str, str, str]]) -> None:
    """Create the missing terms of a list from ``(code, label, parent code or "")``; edited ones are left alone."""
    known = set(Term.objects.of(nomenclature).values_list("code", flat=True))
    for position, (code, label, parent) in enumerate(rows):
        if code not in known:
            Term.objects.create(
                id=f"{nomenclature}:{code}",
                nomenclature=nomenclature,
                code=code,
                label=label,
                parent_id=f"{nomenclature}:{parent}" if parent else None,
                position=position,
            )
