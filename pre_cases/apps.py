from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PreCasesConfig(AppConfig):
    name = "pre_cases"
    verbose_name = "Parcours de réussite éducative"

    def ready(self) -> None:
        post_migrate.connect(load_nomenclatures, sender=self, dispatch_uid="pre_cases.nomenclatures")


def load_nomenclatures(using: str, **kwargs: object) -> None:
    """The lists belong to the main database; the keystore has none."""
    from pre_cases import nomenclatures

    if using == "default":
        nomenclatures.load()
