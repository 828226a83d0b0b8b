import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pre_cases", "0011_parcours"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReleasedTable",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tie", models.CharField(max_length=80, verbose_name="tableaux liés")),
                ("starts_on", models.DateField(verbose_name="du")),
                ("ends_on", models.DateField(help_text="Ce jour est compris.", verbose_name="au")),
                ("places", models.JSONField(help_text="Les lieux que les fichiers montrent.", verbose_name="lieux")),
                ("layout", models.CharField(max_length=64, verbose_name="empreinte de la disposition")),
                (
                    "pattern",
                    models.JSONField(help_text="Les numéros des figures supprimées.", verbose_name="cases masquées"),
                ),
                ("certificate", models.JSONField(verbose_name="certificat")),
                ("proof", models.BinaryField(verbose_name="énoncé et témoins")),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="released_tables",
                        to="pre_cases.statisticsexport",
                        verbose_name="fichier",
                    ),
                ),
            ],
            options={
                "verbose_name": "tableau diffusé",
                "verbose_name_plural": "tableaux diffusés",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("starts_on", "ends_on", "tie"),
                        name="released_table_once",
                        violation_error_message="Les chiffres de cette période sont déjà diffusés.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gte", models.F("starts_on"))),
                        name="released_period_in_order",
                        violation_error_message="La période doit finir après son début.",
                    ),
                ],
            },
        ),
    ]
