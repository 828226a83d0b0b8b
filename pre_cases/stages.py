"""The stages of a saisine and of a parcours: computed from facts, never clicked (decisions of the programme)."""

from django.db import models


class SaisineStage(models.TextChoices):
    DRAFT = "draft", "brouillon"
    RECEIVED = "received", "reçue"
    TO_COMPLETE = "to_complete", "à compléter"
    AGREEMENT_AWAITED = "agreement_awaited", "accord attendu"
    AGREEMENT_SIGNED = "agreement_signed", "accord signé, à ouvrir"
    AGREEMENT_REFUSED = "agreement_refused", "accord refusé ou retiré"
    REDIRECTED = "redirected", "réorientée"
    NO_FOLLOW_UP = "no_follow_up", "sans suite"
    ATTACHED = "attached", "rattachée"
    OPENED = "opened", "parcours ouvert"


class ParcoursStage(models.TextChoices):
    DIAGNOSIS = "diagnosis", "évaluation de la situation"
    EPRE = "epre", "à l’ordre du jour de l’EPRE"
    RUNNING = "running", "en parcours"
    REVIEW_DUE = "review_due", "point d’étape à faire"
    SUSPENDED = "suspended", "parcours suspendu"
    CLOSED = "closed", "clos"


class StageNotRead(Exception):
    """A stage was asked of a record that was not read through ``with_stage()``."""


def stage_read(record: models.Model) -> str:
    """The stage annotated by ``with_stage()``."""
    try:
        return str(record.__dict__["stage_code"])
    except KeyError:
        raise StageNotRead(f"{type(record).__name__} {record.pk} was read without with_stage()") from None
