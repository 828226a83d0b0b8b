"""What every record about a child shares: an id known before the insert, and the key of its texts."""

from django.db import models
from uuid_utils.compat import uuid7

from audit.retention import Retention


class CaseRecord(models.Model):
    """A record about a child; it leaves with the child's file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    retention = Retention.WITH_PARCOURS

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"


class EncryptedRecord(CaseRecord):
    """A record with encrypted fields; ``data_key_id`` is set by the service and never changes."""

    data_key_id = models.UUIDField(editable=False, db_index=True)

    class Meta:
        abstract = True
