from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Journal, historique, chiffrement"

    def ready(self) -> None:
        from audit.checks import check_history, check_triggers
        from audit.journal import sign_in
        from audit.journal.triggers import install_after_migrate
        from audit.signing import check_signing_key

        checks.register(check_history, checks.Tags.models)
        checks.register(check_triggers, checks.Tags.database)
        checks.register(check_signing_key, "encryption")
        post_migrate.connect(install_after_migrate, sender=self, dispatch_uid="audit.triggers")
        sign_in.connect()
