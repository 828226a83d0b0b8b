from django.apps import AppConfig


class PreCasesConfig(AppConfig):
    name = "pre_cases"
    verbose_name = "Parcours de réussite éducative"
