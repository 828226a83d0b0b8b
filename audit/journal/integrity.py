"""Whether the journal is whole, as the data protection officer reads it: the last verification, seal and checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils import timezone

from audit import signing
from audit.journal import log
from audit.journal.checkpoint import Checkpoint, first_size, last_checkpoint
from audit.journal.diagnosis import Fault
from audit.journal.sealing import place_sealed
from audit.journal.seals import PurgedMonth, Seal
from audit.journal.verify import Report, verify_journal

logger = logging.getLogger(__name__)


class Verification(models.Model):
    """What one verification found; ``fault`` is empty when everything was as sealed."""

    at = models.DateTimeField("le", default=timezone.now)
    fault = models.CharField("anomalie", max_length=20, choices=Fault, blank=True)
    event_id = models.UUIDField("premier événement en cause", null=True)
    seal = models.BigIntegerField("sceau en cause", null=True)
    events = models.BigIntegerField("événements lus")
    unsealed = models.BigIntegerField("événements à sceller")
    seals = models.BigIntegerField("sceaux lus")
    checkpoint = models.BigIntegerField("taille au point de contrôle", null=True)

    class Meta:
        verbose_name = "vérification du journal"
        verbose_name_plural = "vérifications du journal"
        default_permissions = ()
        indexes = [models.Index(fields=["-at"], name="verification_at")]

    def __str__(self) -> str:
        return f"Verification {self.pk}"

    @property
    def is_sound(self) -> bool:
        return not self.fault

    @property
    def sentence(self) -> str:
        """In French: « Journal intact : … », or the fault and where it is."""
        report = Report(self.fault, self.event_id, self.seal, self.events, self.unsealed, self.seals)
        return report.sentence


@dataclass(frozen=True)
class Integrity:
    """What a page shows: nothing here verifies anything, it reads what was found.

    ``checkpoint`` holds the note to keep elsewhere (``checkpoint.note``); None when there is none yet, or when its
    signature is not ours (``is_checkpoint_ours`` is then False). ``unsealed`` is None when the last sealed event has
    vanished, which the next verification says. ``begun_again_at``: how many events the file of checkpoints had missed
    when it was begun in the place of another; 0 when it is the first.
    """

    verification: Verification | None
    last_seal: Seal | None
    checkpoint: Checkpoint | None
    is_checkpoint_ours: bool
    begun_again_at: int
    unsealed: int | None
    months_left: list[PurgedMonth]

    @property
    def sealed_at(self) -> datetime | None:
        return self.last_seal.sealed_at if self.last_seal is not None else None


def integrity() -> Integrity:
    """The state of the journal, in five small queries and the end of one file."""
    checkpoint, is_ours = None, True
    try:
        checkpoint = last_checkpoint()
    except signing.SigningError:
        is_ours = False
    return Integrity(
        verification=last_verification(),
        last_seal=Seal.objects.defer("index").order_by("-number").first(),
        checkpoint=checkpoint,
        is_checkpoint_ours=is_ours,
        begun_again_at=first_size(),
        unsealed=count_unsealed(),
        months_left=list(PurgedMonth.objects.order_by("month")),
    )


def last_verification() -> Verification | None:
    """The last one whose result was kept, by the daily task or by the command."""
    return Verification.objects.order_by("-at", "-pk").first()


def count_unsealed() -> int | None:
    """Events not sealed yet; None when the last sealed one has vanished from the journal."""
    try:
        return log.count_after(place_sealed())
    except log.PlaceLost:
        return None


def verify_and_keep(since: Iterable[Checkpoint] = ()) -> Report:
    """Verify the whole journal, keep the result for the page, and log an error when something is wrong."""
    report = verify_journal(since)
    Verification.objects.create(
        fault=report.fault,
        event_id=report.event,
        seal=report.seal,
        events=report.events,
        unsealed=report.unsealed,
        seals=report.seals,
        checkpoint=report.checkpoint,
    )
    if not report.is_sound:
        logger.critical(
            "The journal is not as it was sealed: %s, event %s, seal %s.", report.fault, report.event, report.seal
        )
    return report
