from django.apps import AppConfig


class ReferentsConfig(AppConfig):
    name = "referents"
    verbose_name = "Professionnels et équipes"

    def ready(self) -> None:
        from audit.encryption.keyed import named_elsewhere
        from referents import sign_in_events
        from referents.mfa_adapter import keys_of_secrets

        sign_in_events.connect()
        named_elsewhere.append(keys_of_secrets)
