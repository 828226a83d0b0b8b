"""What is kept of the journal when its events are sealed: signed roots, each holding the hash of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from django.db import models
from django.utils import timezone

from audit import signing
from audit.journal.log import Line, Place

SEAL_CONTEXT, MONTH_CONTEXT = "marelle seal 1", "marelle purged month 1"
NO_SEAL = bytes(32)  # what the first seal holds in place of the hash of the one before
ENTRY_SIZE = 32


class Seal(models.Model):
    """One batch of events of one month, in the order of the log; append-only by triggers, like the events."""

    number = models.BigIntegerField("numéro", primary_key=True)  # from 1, without a gap
    month = models.DateField("mois")  # its first day
    first_event = models.UUIDField("premier événement")
    last_event = models.UUIDField("dernier événement")
    last_transaction = models.BigIntegerField("dernière transaction")
    count = models.PositiveIntegerField("événements")
    size = models.BigIntegerField("événements scellés en tout")
    root = models.BinaryField("racine du lot")  # RFC 6962
    log_root = models.BinaryField("racine du journal")  # RFC 6962, of every event sealed so far
    edge = models.BinaryField("bord droit")  # the tree behind ``log_root``, as merkle.RightEdge writes it
    index = models.BinaryField("table des événements")  # names the first bad event; leaves with its month
    index_digest = models.BinaryField("empreinte de la table")
    previous = models.BinaryField("empreinte du sceau précédent")
    sealed_at = models.DateTimeField("scellé le", default=timezone.now)
    key_id = models.CharField("clé de signature", max_length=64)
    signature = models.BinaryField("signature")

    class Meta:
        verbose_name = "sceau du journal"
        verbose_name_plural = "sceaux du journal"
        default_permissions = ()
        indexes = [models.Index(fields=["size"], name="seal_size"), models.Index(fields=["month"], name="seal_month")]

    def __str__(self) -> str:
        return f"Seal {self.pk}"

    @property
    def statement(self) -> bytes:
        """What is signed: one line a value, in the order of the columns; the edge is known by ``log_root``."""
        lines = (
            self.number,
            self.month,
            self.first_event,
            self.last_event,
            self.last_transaction,
            self.count,
            self.size,
            bytes(self.root).hex(),
            bytes(self.log_root).hex(),
            bytes(self.index_digest).hex(),
            bytes(self.previous).hex(),
            self.sealed_at.astimezone(UTC).isoformat(),
            self.key_id,
        )
        return "".join(f"{line}\n" for line in lines).encode()

    @property
    def hash(self) -> bytes:
        """What the next seal holds of this one."""
        return sha256(self.statement + bytes(self.signature)).digest()

    @property
    def place(self) -> Place:
        """The last event that it seals."""
        return Place(self.last_event, self.last_transaction)

    def sign(self) -> None:
        self.key_id = signing.key_id()
        self.signature = signing.sign(self.statement, context=SEAL_CONTEXT)

    def verify(self) -> None:
        """Raises UnknownKey or BadSignature."""
        signing.verify(self.statement, bytes(self.signature), context=SEAL_CONTEXT, key_id=self.key_id)


class PurgedMonth(models.Model):
    """A month that has left after its retention: signed, so that nobody else can say it of events that he deleted."""

    month = models.DateField("mois", primary_key=True)
    count = models.PositiveIntegerField("événements")
    purged_at = models.DateTimeField("parti le", default=timezone.now)
    key_id = models.CharField("clé de signature", max_length=64)
    signature = models.BinaryField("signature")

    class Meta:
        verbose_name = "mois parti du journal"
        verbose_name_plural = "mois partis du journal"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def statement(self) -> bytes:
        return f"{self.month}\n{self.count}\n{self.purged_at.astimezone(UTC).isoformat()}\n{self.key_id}\n".encode()

    def sign(self) -> None:
        self.key_id = signing.key_id()
        self.signature = signing.sign(self.statement, context=MONTH_CONTEXT)

    def verify(self) -> None:
        """Raises UnknownKey or BadSignature."""
        signing.verify(self.statement, bytes(self.signature), context=MONTH_CONTEXT, key_id=self.key_id)


class Entry(NamedTuple):
    """What the table of a seal holds of one event, to name it when it is no longer as it was sealed."""

    id: UUID
    transaction: int
    leaf: bytes  # the first 8 bytes of its leaf's hash


def index_of(lines: Iterable[Line], leaves: Iterable[bytes]) -> bytes:
    """For each event 16 bytes of id, 8 of transaction number, 8 of hash: a table that its month takes away."""
    return b"".join(
        line.id.bytes + line.transaction.to_bytes(8, signed=True) + leaf[:8]
        for line, leaf in zip(lines, leaves, strict=True)
    )


def entries_of(index: bytes) -> Iterator[Entry]:
    for start in range(0, len(index), ENTRY_SIZE):
        entry = index[start : start + ENTRY_SIZE]
        yield Entry(UUID(bytes=entry[:16]), int.from_bytes(entry[16:24], signed=True), entry[24:])
