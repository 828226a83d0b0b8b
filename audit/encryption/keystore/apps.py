from django.apps import AppConfig
from django.core import checks


class KeystoreConfig(AppConfig):
    name = "audit.encryption.keystore"
    label = "keystore"
    verbose_name = "Coffre des clés"

    def ready(self) -> None:
        from audit.encryption.checks import check_encrypted_fields, check_key_provider

        checks.register(check_encrypted_fields, checks.Tags.models)
        checks.register(check_key_provider, "encryption")
