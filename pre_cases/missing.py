"""What is missing in a file: each lack with the page where it is filled in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from pre_cases.models import Parcours, ParcoursStage, Residence, Schooling
from pre_cases.querysets.parcours import ParcoursFlag
from referents.days import long_day


@dataclass(frozen=True)
class Lack:
    """One thing to fill in: what, and where (empty when only the coordination can)."""

    label: str
    url: str = ""


def missing_in(parcours: Parcours, *, may_decide: bool) -> list[Lack]:
    """What an open parcours lacks, read with ``with_page()``; the most blocking first.

    Two queries, and one more about an urgent one.
    """
    if parcours.is_closed:
        return []
    return [*_missing_decisions(parcours, may_decide=may_decide), *_missing_facts(parcours)]


def _missing_decisions(parcours: Parcours, *, may_decide: bool) -> list[Lack]:
    lacks = []
    if parcours.referent_id is None:  # type: ignore[attr-defined]
        url = reverse("pre_cases:parcours_assign", args=[parcours.pk]) if may_decide else ""
        lacks.append(Lack("Aucun référent : la coordination est responsable du parcours.", url))
    if parcours.entered_on is None:
        url = reverse("pre_cases:parcours_enter", args=[parcours.pk]) if may_decide else ""
        lacks.append(Lack("L’entrée en parcours n’est pas décidée.", url))
    elif (
        parcours.saisine.is_urgent and Parcours.objects.flagged(ParcoursFlag.TO_RATIFY).filter(pk=parcours.pk).exists()
    ):
        before = parcours.entered_on + timedelta(days=settings.RATIFICATION_DAYS)
        url = reverse("pre_cases:item_create", args=[parcours.pk])
        lacks.append(Lack(f"Entrée en urgence, à ratifier par l’EPRE avant le {long_day(before)}.", url))
    if hasattr(parcours, "bilan"):
        url = reverse("pre_cases:parcours_close", args=[parcours.pk]) if may_decide else ""
        lacks.append(Lack("Le bilan est écrit : la coordination peut clore.", url))
    if parcours.entered_on is not None and not parcours.objectives.all():
        lacks.append(Lack("Aucun objectif.", reverse("pre_cases:objective_create", args=[parcours.pk])))
    if parcours.stage is ParcoursStage.REVIEW_DUE:
        lacks.append(Lack("Le point d’étape est à faire.", reverse("pre_cases:review_create", args=[parcours.pk])))
    return lacks


def _missing_facts(parcours: Parcours) -> list[Lack]:
    today = timezone.localdate()
    child = parcours.child
    lacks = []
    if not child.sex or child.birth_date is None:
        lacks.append(Lack("Sexe ou date de naissance à compléter.", reverse("pre_cases:child_change", args=[child.pk])))
    schooling = Schooling.objects.current(today).filter(child=child).first()
    if schooling is None or schooling.school_id is None:
        lacks.append(Lack("Classe et école à renseigner.", reverse("pre_cases:schooling_record", args=[child.pk])))
    elif schooling.confirmed_on is None:
        lacks.append(Lack("Classe présumée, à confirmer.", reverse("pre_cases:schooling_confirm", args=[schooling.pk])))
    if not Residence.objects.current(today).filter(child=child, determined_on__isnull=False).exists():
        lacks.append(Lack("Quartier prioritaire à vérifier.", reverse("pre_cases:residence_record", args=[child.pk])))
    since = today - timedelta(days=settings.STALE_CONTACT_DAYS)
    if (parcours.last_contact_on or parcours.opened_on) < since:
        lacks.append(
            Lack(
                f"Aucun contact depuis plus de {settings.STALE_CONTACT_DAYS} jours.",
                reverse("pre_cases:entry_create", args=[parcours.pk]),
            )
        )
    if not any(link.holds_authority for link in child.adults_around):  # type: ignore[attr-defined]
        lacks.append(
            Lack("Aucun titulaire de l’autorité parentale.", reverse("pre_cases:adult_create", args=[child.pk]))
        )
    return lacks
