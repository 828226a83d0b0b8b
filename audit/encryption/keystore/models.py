"""The wrapped data keys, in a database of their own: a backup of the data never holds them."""

from django.db import models
from django.utils import timezone


class KeyKind(models.TextChoices):
    CHILD = "child", "enfant"
    FAMILY = "family", "fratrie"
    TEAM = "team", "équipe"
    INDEX = "index", "recherche de doublons"
    SIGN_IN = "sign_in", "secrets de connexion"


NAMED_BY_NO_COLUMN = (KeyKind.INDEX, KeyKind.SIGN_IN)  # one key of the installation, not of a record


class DataKey(models.Model):
    """One version of one data key, wrapped by the key-encryption key. Deleting every version is an erasure."""

    key_id = models.UUIDField("clé")
    version = models.PositiveSmallIntegerField("version", default=1)
    kind = models.CharField("pour", max_length=10, choices=KeyKind)
    wrapped = models.BinaryField("clé enveloppée")
    kek_version = models.PositiveSmallIntegerField("version de la clé maîtresse")
    canary = models.BinaryField(
        "témoin", null=True
    )  # a known value under this key; older rows get theirs in a rotation
    created_at = models.DateTimeField("créée le", default=timezone.now, editable=False)
    retired_at = models.DateTimeField("hors service le", null=True)  # opens older backups only, when they are restored

    class Meta:
        verbose_name = "clé de données"
        verbose_name_plural = "clés de données"
        default_permissions = ()
        indexes = [
            models.Index(fields=["created_at"], name="data_key_created"),
            models.Index(fields=["kek_version", "id"], name="data_key_kek_version"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["key_id", "version"],
                name="data_key_one_version",
                violation_error_message="Cette version de la clé existe déjà.",
            ),
            models.CheckConstraint(
                condition=models.Q(version__gte=1),
                name="data_key_version_from_1",
                violation_error_message="Les versions commencent à 1.",
            ),
        ]

    def __str__(self) -> str:
        return f"DataKey {self.key_id} v{self.version}"


class MasterKey(models.Model):
    """One version of the key-encryption key: never the key, only when it served, and a witness that it is the same."""

    version = models.PositiveSmallIntegerField("version", primary_key=True)
    canary = models.BinaryField("témoin")  # a known value wrapped by it
    created_at = models.DateTimeField("en service depuis", default=timezone.now, editable=False)
    rewrapped_at = models.DateTimeField("toutes les clés enveloppées le", null=True)
    retired_at = models.DateTimeField("détruite le", null=True)

    class Meta:
        verbose_name = "clé maîtresse"
        verbose_name_plural = "clés maîtresses"
        default_permissions = ()
        ordering = ["version"]

    def __str__(self) -> str:
        return f"MasterKey v{self.version}"


class Tombstone(models.Model):
    """A data key destroyed on purpose: what it protected is erased again after every restoration of older data."""

    remembers_erasures = True

    key_id = models.UUIDField("clé", primary_key=True)
    kind = models.CharField("pour", max_length=10, choices=KeyKind)
    destroyed_at = models.DateTimeField("détruite le", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "clé détruite"
        verbose_name_plural = "clés détruites"
        default_permissions = ()

    def __str__(self) -> str:
        return f"Tombstone {self.key_id}"
