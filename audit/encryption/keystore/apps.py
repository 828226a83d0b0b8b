from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class KeystoreConfig(AppConfig):
    name = "audit.encryption.keystore"
    label = "keystore"
    verbose_name = "Coffre des clés"

    def ready(self) -> None:
        from audit.encryption.checks import check_algorithm, check_encrypted_fields, check_key_provider, check_same_keys
        from audit.encryption.witness import register_after_migrate

        checks.register(check_encrypted_fields, checks.Tags.models)
        checks.register(check_algorithm, "encryption")
        checks.register(check_key_provider, "encryption")
        checks.register(check_same_keys, checks.Tags.database)
        post_migrate.connect(register_after_migrate, sender=self, dispatch_uid="keystore.versions")
