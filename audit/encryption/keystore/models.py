"""The wrapped data keys, in a database of their own: a backup of the data never holds them."""

from django.db import models
from django.utils import timezone


class KeyKind(models.TextChoices):
    CHILD = "child", "enfant"
    FAMILY = "family", "fratrie"
    TEAM = "team", "équipe"


class DataKey(models.Model):
    """One version of one data key, wrapped by the key-encryption key. Deleting every version is an erasure."""

    key_id = models.UUIDField("clé")
    version = models.PositiveSmallIntegerField("version", default=1)
    kind = models.CharField("pour", max_length=10, choices=KeyKind)
    wrapped = models.BinaryField("clé enveloppée")
    kek_version = models.PositiveSmallIntegerField("version de la clé maîtresse")
    created_at = models.DateTimeField("créée le", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "clé de données"
        verbose_name_plural = "clés de données"
        default_permissions = ()
        indexes = [models.Index(fields=["created_at"], name="data_key_created")]
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
