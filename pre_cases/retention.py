"""How long a child's file is kept: the states it goes through, the periods, and where each rule comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import models

SUMMER_END = (8, 31)
HOLD_MONTHS = 12  # also in a constraint of the database


class RetentionState(models.TextChoices):
    """Computed from facts by ``with_retention()``, never stored; « erased » has no row left to say it."""

    ACTIVE = "active", "en cours"
    CLOSED = "closed", "clos, conservé"
    DUE = "due", "au terme de sa conservation"
    ANNOUNCED = "announced", "annoncé à l’équipe"
    READY = "ready", "à effacer"
    ON_HOLD = "on_hold", "conservation prolongée"
    ERASING = "erasing", "effacement demandé"


class RetentionNotRead(Exception):
    """A state was asked of a child who was not read through ``with_retention()``."""


def annotated(record: models.Model, name: str) -> Any:
    """What ``with_retention()`` annotated; raises RetentionNotRead."""
    try:
        return record.__dict__[name]
    except KeyError:
        raise RetentionNotRead(f"{type(record).__name__} {record.pk} was read without with_retention()") from None


def parcours_threshold(on: date) -> date:
    """The latest last contact that makes a closed file due on a day."""
    return on - relativedelta(months=settings.RETENTION_MONTHS)


def saisine_threshold(on: date) -> date:
    """The latest receipt that makes a saisine without a parcours due on a day (see ``saisine_due_on``)."""
    summer = date(on.year if (on.month, on.day) >= SUMMER_END else on.year - 1, *SUMMER_END)
    return min(summer, on - timedelta(days=settings.SAISINE_RETENTION_DAYS))


def saisine_due_on(received_on: date) -> date:
    """The later of the 31 August that follows a receipt and ``SAISINE_RETENTION_DAYS`` after it."""
    after_summer = (received_on.month, received_on.day) > SUMMER_END
    summer = date(received_on.year + after_summer, *SUMMER_END)
    return max(summer, received_on + timedelta(days=settings.SAISINE_RETENTION_DAYS))


def parcours_due_on(last_contact_on: date) -> date:
    return last_contact_on + relativedelta(months=settings.RETENTION_MONTHS)


@dataclass(frozen=True)
class Rule:
    """One period as the interface shows it; ``is_confirmed`` False: a setting that the DPO still has to confirm."""

    about: str
    length: str
    source: str
    setting: str = ""
    is_confirmed: bool = False


def rules() -> list[Rule]:
    """Every period of the programme with its source, as they stand in the settings."""
    storage = "RGPD, article 5(1)(e) : limitation de la conservation"
    return [
        Rule(
            "Parcours, et tout ce qui s’y rattache",
            f"{settings.RETENTION_MONTHS} mois après le dernier contact (échange abouti, point d’étape tenu, accord "
            "signé), jamais après la seule clôture",
            f"{storage} ; référentiel de la CNIL sur la prise en charge sociale",
            "MARELLE_RETENTION_MONTHS",
        ),
        Rule(
            "Saisine sans parcours : en attente, réorientée, sans suite, accord refusé",
            f"jusqu’au 31 août qui suit la réception, et au moins {settings.SAISINE_RETENTION_DAYS} jours",
            storage,
            "MARELLE_SAISINE_RETENTION_DAYS",
        ),
        Rule(
            "Annonce à l’équipe avant tout effacement",
            f"{settings.ERASURE_NOTICE_DAYS} jours",
            "RGPD, article 5(1)(d) : exactitude ; décision du programme",
            "MARELLE_ERASURE_NOTICE_DAYS",
        ),
        Rule(
            "Conservation prolongée",
            f"{HOLD_MONTHS} mois au plus, avec un motif et un auteur",
            "RGPD, articles 17(3) et 18 : obligation légale, droits en justice",
        ),
        Rule(
            "Destruction d’archives publiques",
            "sur visa du service des archives (numéro et date au procès-verbal)",
            "Code du patrimoine, article L. 212-2",
        ),
        Rule(
            "Dernière sauvegarde du coffre des clés",
            f"{settings.KEYSTORE_BACKUP_DAYS} jours : l’effacement est alors complet, dans les sauvegardes aussi",
            "RGPD, article 32 : sécurité",
            "MARELLE_KEYSTORE_BACKUP_DAYS",
        ),
        Rule(
            "Chiffres annuels",
            "sans limite : des nombres par tableau, jamais une ligne par enfant",
            "RGPD, considérant 26 : données anonymes ; article 89",
            is_confirmed=True,
        ),
    ]
