"""One event: who did what to which records, under which role, when and from where. Ids, never values."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from uuid_utils.compat import uuid7


class Action(models.TextChoices):
    """The codes of the journal; a service may add its own verb."""

    LIST = "list", "liste"
    READ = "read", "consultation"
    SEARCH = "search", "recherche"
    PRINT = "print", "impression"
    EXPORT = "export", "export"
    DOWNLOAD = "download", "téléchargement"
    IMPORT = "import", "import"
    CREATE = "create", "création"
    CHANGE = "change", "modification"
    DELETE = "delete", "suppression"
    GRANT = "grant", "droit accordé"
    REVOKE = "revoke", "droit retiré"
    REFUSAL = "refusal", "accès refusé"
    SIGN_IN = "sign_in", "connexion"
    SIGN_IN_FAILED = "sign_in_failed", "connexion refusée"
    SIGN_OUT = "sign_out", "déconnexion"
    SECOND_FACTOR = "second_factor", "second facteur donné"
    SECOND_FACTOR_FAILED = "second_factor_failed", "second facteur refusé"
    SECOND_FACTOR_ADDED = "second_factor_added", "second facteur ajouté"
    SECOND_FACTOR_REMOVED = "second_factor_removed", "second facteur retiré"
    SECOND_FACTOR_RESET = "second_factor_reset", "second facteur réinitialisé"
    PASSWORD_CHANGED = "password_changed", "mot de passe changé"
    KEY_USE = "key_use", "usage d’une clé"
    ERASE = "erase", "effacement"
    KEY_DESTROYED = "key_destroyed", "clé détruite"
    BACKUP = "backup", "sauvegarde"
    RESTORE = "restore", "restauration"
    PURGE = "purge", "mois effacé du journal"


class TransactionId(models.Func):
    """The number of the running transaction on PostgreSQL, 0 on SQLite, where only one transaction writes at a time.

    A sealer reads only below the oldest transaction still running, so that a late commit is never skipped.
    """

    template = "0"
    arity = 0
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="((pg_current_xact_id())::text)::bigint", **context)


class Event(models.Model):
    """Append-only: triggers of the database refuse every change; ``audit.journal.purge`` is the only door.

    *Who read this file*: ``subject_id`` finds the events about one file (a parcours, a saisine, a child), indexed.
    A page of a list is one event with no subject: a file is found in the text of ``record_ids`` (an id is never part
    of another), between two dates; on PostgreSQL a GIN index may be added without any new column.
    Columns that name something are plain ids without foreign keys: a trace survives what it speaks of.
    """

    remembers_erasures = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField("le", default=timezone.now)
    action = models.CharField("action", max_length=30)
    actor_id = models.BigIntegerField("auteur", null=True)
    acting_for_id = models.BigIntegerField("pour le compte de", null=True)
    role = models.CharField("rôle", max_length=20, blank=True)
    team_id = models.BigIntegerField("équipe de l’auteur", null=True)
    kind = models.CharField("objet", max_length=80, blank=True)  # "pre_cases.parcours"
    record_ids = models.JSONField("identifiants", default=list)  # strings, in the order shown
    subject_id = models.UUIDField("situation", null=True)
    subject_team_id = models.BigIntegerField("équipe de la situation", null=True)
    data_kind = models.CharField("nature des données", max_length=30, blank=True)
    purpose = models.CharField("motif", max_length=60, blank=True)  # a code
    request_id = models.UUIDField("requête", null=True)
    address = models.CharField("adresse tronquée", max_length=43, blank=True)  # /24 or /48
    detail = models.JSONField("détail", default=dict)  # codes and counts
    transaction_id = models.BigIntegerField("transaction", db_default=TransactionId(), editable=False)

    class Meta:
        verbose_name = "événement du journal"
        verbose_name_plural = "événements du journal"
        default_permissions = ()
        indexes = [
            models.Index(fields=["at", "id"], name="event_at"),
            models.Index(fields=["actor_id", "at"], name="event_actor_at"),
            models.Index(fields=["subject_id", "at"], name="event_subject_at"),
            models.Index(fields=["subject_team_id", "at"], name="event_subject_team_at"),
            models.Index(fields=["transaction_id", "id"], name="event_transaction"),
        ]

    def __str__(self) -> str:
        return f"Event {self.pk}"
