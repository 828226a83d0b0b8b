"""What every record about a child shares: an id known before the insert, and the key of its texts."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from audit.journal.record import subject_of
from audit.retention import Retention
from referents.intervals import in_force


class CaseRecord(models.Model):
    """A record about a child; it leaves with the child's file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    retention = Retention.WITH_PARCOURS

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"

    def carriers(self) -> set[tuple[int, int]]:
        """Who carries the file of this record today, with the team: the référent of the parcours, or, before it,
        whoever instructs the saisine. Asked by the journal, for people who replace somebody.
        """
        from pre_cases.models import Parcours, Saisine

        file_id = subject_of(self)
        around = Q(pk=file_id) | Q(child=file_id)
        followed = Parcours.objects.open().filter(around | Q(saisine=file_id)).filter(in_force(None, "assignments__"))
        waiting = Saisine.objects.filter(around, parcours__isnull=True, outcome="", assignee__isnull=False)
        return {*followed.values_list("assignments__referent", "team"), *waiting.values_list("assignee", "team")}


class EncryptedRecord(CaseRecord):
    """A record with encrypted fields; ``data_key_id`` is set by the service and never changes."""

    data_key_id = models.UUIDField(editable=False, db_index=True)

    class Meta:
        abstract = True
