from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PartnersConfig(AppConfig):
    name = "partners"
    verbose_name = "Écoles, associations et projets"

    def ready(self) -> None:
        post_migrate.connect(load_nomenclatures, sender=self, dispatch_uid="partners.nomenclatures")


def load_nomenclatures(using: str, **kwargs: object) -> None:
    """The lists belong to the main database; the keystore has none."""
    from partners import nomenclatures

    if using == "default":
        nomenclatures.load()
