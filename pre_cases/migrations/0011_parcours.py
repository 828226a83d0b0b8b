"""The parcours in full: evaluation, suspension, fonds exceptionnel, oppositions, drafts of saisines, reminders."""

from typing import Any

import audit.encryption.fields
import django.db.models.deletion
import django.utils.timezone
import simple_history.models
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


def submit_what_was_received(apps: Any, schema_editor: Any) -> None:
    """Before the drafts every saisine was transmitted on the day of its receipt."""
    for name in ("Saisine", "HistoricalSaisine"):
        apps.get_model("pre_cases", name).objects.update(submitted_on=models.F("received_on"))


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0001_initial"),
        ("pre_cases", "0010_day"),
        ("referents", "0004_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AidEnvelope",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField(verbose_name="année")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=8, verbose_name="montant")),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="aid_envelopes",
                        to="referents.team",
                        verbose_name="équipe",
                    ),
                ),
            ],
            options={
                "verbose_name": "enveloppe du fonds exceptionnel",
                "verbose_name_plural": "enveloppes du fonds exceptionnel",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("team", "year"),
                        name="aid_envelope_one_a_year",
                        violation_error_message="L’enveloppe de cette année est déjà fixée.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0)),
                        name="aid_envelope_not_negative",
                        violation_error_message="Une enveloppe ne peut pas être négative.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConcernReported",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reported_on", models.DateField(verbose_name="transmise le")),
                (
                    "addressee",
                    models.CharField(
                        choices=[("crip", "la CRIP"), ("119", "le 119"), ("parquet", "le parquet")],
                        max_length=10,
                        verbose_name="à",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="transmise par",
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="concerns",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
            ],
            options={
                "verbose_name": "information préoccupante transmise",
                "verbose_name_plural": "informations préoccupantes transmises",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("parcours", "author", "reported_on", "addressee"),
                        name="concern_noted_once",
                        violation_error_message="Cette transmission est déjà notée.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ExceptionalAid",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "purpose",
                    audit.encryption.fields.EncryptedTextField(
                        aad="exceptional_aid.purpose", max_length=300, verbose_name="objet"
                    ),
                ),
                ("requested", models.DecimalField(decimal_places=2, max_digits=8, verbose_name="montant demandé")),
                ("asked_on", models.DateField(verbose_name="demandée le")),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("granted", "accordée"), ("refused", "refusée")],
                        max_length=10,
                        verbose_name="décision",
                    ),
                ),
                (
                    "granted",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=8, null=True, verbose_name="montant accordé"
                    ),
                ),
                (
                    "decision_reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="exceptional_aid.decision_reason",
                        blank=True,
                        max_length=300,
                        null=True,
                        verbose_name="motif de la décision",
                    ),
                ),
                ("decided_on", models.DateField(blank=True, null=True, verbose_name="décidée le")),
                ("paid_on", models.DateField(blank=True, null=True, verbose_name="versée le")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="demandée par",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="par",
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aids",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pre_cases.document",
                        verbose_name="justificatif",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="aids",
                        to="referents.team",
                        verbose_name="équipe",
                    ),
                ),
            ],
            options={
                "verbose_name": "aide du fonds exceptionnel",
                "verbose_name_plural": "aides du fonds exceptionnel",
                "indexes": [models.Index(fields=["team", "decision", "decided_on"], name="aid_team_decided")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("requested__gt", 0)),
                        name="aid_requested_is_positive",
                        violation_error_message="Le montant demandé est supérieur à zéro.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("granted__isnull", True),
                            models.Q(("granted__gt", 0), ("granted__lte", models.F("requested"))),
                            _connector="OR",
                        ),
                        name="aid_granted_within_request",
                        violation_error_message="Le montant accordé est supérieur à zéro, et au plus celui demandé.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_by__isnull", True),
                                ("decided_on__isnull", True),
                                ("decision", ""),
                                ("granted__isnull", True),
                            ),
                            models.Q(
                                ("decided_by__isnull", False),
                                ("decided_on__isnull", False),
                                ("decision", "granted"),
                                ("granted__isnull", False),
                            ),
                            models.Q(
                                ("decided_by__isnull", False),
                                ("decided_on__isnull", False),
                                ("decision", "refused"),
                                ("granted__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="aid_decision_is_whole",
                        violation_error_message="Une décision porte sa date, son auteur, et un montant si l’aide est accordée.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("paid_on__isnull", True),
                            models.Q(("decision", "granted"), ("paid_on__gte", models.F("decided_on"))),
                            _connector="OR",
                        ),
                        name="aid_paid_after_grant",
                        violation_error_message="Seule une aide accordée est versée, et après la décision.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAidEnvelope",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField(verbose_name="année")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=8, verbose_name="montant")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="referents.team",
                        verbose_name="équipe",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical enveloppe du fonds exceptionnel",
                "verbose_name_plural": "historical enveloppes du fonds exceptionnel",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_23b37a_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalConcernReported",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("reported_on", models.DateField(verbose_name="transmise le")),
                (
                    "addressee",
                    models.CharField(
                        choices=[("crip", "la CRIP"), ("119", "le 119"), ("parquet", "le parquet")],
                        max_length=10,
                        verbose_name="à",
                    ),
                ),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="transmise par",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical information préoccupante transmise",
                "verbose_name_plural": "historical informations préoccupantes transmises",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_cde309_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalExceptionalAid",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                (
                    "purpose",
                    audit.encryption.fields.EncryptedTextField(
                        aad="exceptional_aid.purpose", max_length=300, verbose_name="objet"
                    ),
                ),
                ("requested", models.DecimalField(decimal_places=2, max_digits=8, verbose_name="montant demandé")),
                ("asked_on", models.DateField(verbose_name="demandée le")),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("granted", "accordée"), ("refused", "refusée")],
                        max_length=10,
                        verbose_name="décision",
                    ),
                ),
                (
                    "granted",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=8, null=True, verbose_name="montant accordé"
                    ),
                ),
                (
                    "decision_reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="exceptional_aid.decision_reason",
                        blank=True,
                        max_length=300,
                        null=True,
                        verbose_name="motif de la décision",
                    ),
                ),
                ("decided_on", models.DateField(blank=True, null=True, verbose_name="décidée le")),
                ("paid_on", models.DateField(blank=True, null=True, verbose_name="versée le")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="demandée par",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="par",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.document",
                        verbose_name="justificatif",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="referents.team",
                        verbose_name="équipe",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical aide du fonds exceptionnel",
                "verbose_name_plural": "historical aides du fonds exceptionnel",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_e1edf7_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalNeed",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                (
                    "text",
                    audit.encryption.fields.EncryptedTextField(aad="need.text", max_length=300, verbose_name="besoin"),
                ),
                ("noted_on", models.DateField(verbose_name="noté le")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
                (
                    "domain",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        limit_choices_to={"nomenclature": "domain"},
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="partners.term",
                        verbose_name="domaine",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
                (
                    "priority",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        limit_choices_to={"nomenclature": "priority"},
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="partners.term",
                        verbose_name="priorité",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical besoin",
                "verbose_name_plural": "historical besoins",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_5b4023_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSuspension",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                (
                    "reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="suspension.reason", max_length=300, verbose_name="motif"
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="depuis le")),
                (
                    "ends_on",
                    models.DateField(
                        blank=True, help_text="Ce jour n’est plus compris.", null=True, verbose_name="jusqu’au"
                    ),
                ),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical suspension du parcours",
                "verbose_name_plural": "historical suspensions du parcours",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_186c46_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Need",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "text",
                    audit.encryption.fields.EncryptedTextField(aad="need.text", max_length=300, verbose_name="besoin"),
                ),
                ("noted_on", models.DateField(verbose_name="noté le")),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
                (
                    "domain",
                    models.ForeignKey(
                        limit_choices_to={"nomenclature": "domain"},
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.term",
                        verbose_name="domaine",
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="needs",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
                (
                    "priority",
                    models.ForeignKey(
                        limit_choices_to={"nomenclature": "priority"},
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.term",
                        verbose_name="priorité",
                    ),
                ),
            ],
            options={
                "verbose_name": "besoin",
                "verbose_name_plural": "besoins",
                "indexes": [models.Index(fields=["parcours", "noted_on"], name="need_parcours_noted")],
            },
        ),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="suspension.reason", max_length=300, verbose_name="motif"
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="depuis le")),
                (
                    "ends_on",
                    models.DateField(
                        blank=True, help_text="Ce jour n’est plus compris.", null=True, verbose_name="jusqu’au"
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suspensions",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
            ],
            options={
                "verbose_name": "suspension du parcours",
                "verbose_name_plural": "suspensions du parcours",
                "indexes": [
                    models.Index(fields=["parcours", "starts_on"], include=("ends_on",), name="suspension_parcours")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on__isnull", True), ("ends_on__gte", models.F("starts_on")), _connector="OR"
                        ),
                        name="suspension_ends_after_start",
                        violation_error_message="La fin ne peut pas précéder le début.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ends_on__isnull", True)),
                        fields=("parcours",),
                        name="suspension_one_without_end",
                        violation_error_message="Ce parcours est déjà suspendu.",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="agreementholder",
            name="agreement_holder_signed_or_objected",
        ),
        migrations.AddField(
            model_name="agreementholder",
            name="restriction",
            field=audit.encryption.fields.EncryptedTextField(
                aad="agreement_holder.restriction",
                blank=True,
                max_length=300,
                null=True,
                verbose_name="restriction demandée",
            ),
        ),
        migrations.AddField(
            model_name="agreementholder",
            name="settled_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="par",
            ),
        ),
        migrations.AddField(
            model_name="agreementholder",
            name="settled_on",
            field=models.DateField(blank=True, null=True, verbose_name="opposition tranchée le"),
        ),
        migrations.AddField(
            model_name="agreementholder",
            name="settlement",
            field=audit.encryption.fields.EncryptedTextField(
                aad="agreement_holder.settlement",
                blank=True,
                max_length=500,
                null=True,
                verbose_name="comment l’opposition est tranchée",
            ),
        ),
        migrations.AddField(
            model_name="historicalagreementholder",
            name="restriction",
            field=audit.encryption.fields.EncryptedTextField(
                aad="agreement_holder.restriction",
                blank=True,
                max_length=300,
                null=True,
                verbose_name="restriction demandée",
            ),
        ),
        migrations.AddField(
            model_name="historicalagreementholder",
            name="settled_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="par",
            ),
        ),
        migrations.AddField(
            model_name="historicalagreementholder",
            name="settled_on",
            field=models.DateField(blank=True, null=True, verbose_name="opposition tranchée le"),
        ),
        migrations.AddField(
            model_name="historicalagreementholder",
            name="settlement",
            field=audit.encryption.fields.EncryptedTextField(
                aad="agreement_holder.settlement",
                blank=True,
                max_length=500,
                null=True,
                verbose_name="comment l’opposition est tranchée",
            ),
        ),
        migrations.AddField(
            model_name="historicalsaisine",
            name="child_words",
            field=audit.encryption.fields.EncryptedTextField(
                aad="saisine.child_words", blank=True, max_length=500, null=True, verbose_name="ce qu’en dit l’enfant"
            ),
        ),
        migrations.AddField(
            model_name="historicalsaisine",
            name="completed_on",
            field=models.DateField(blank=True, null=True, verbose_name="complétée le"),
        ),
        migrations.AddField(
            model_name="historicalsaisine",
            name="completion_asked_on",
            field=models.DateField(blank=True, null=True, verbose_name="complément demandé le"),
        ),
        migrations.AddField(
            model_name="historicalsaisine",
            name="completion_needed",
            field=audit.encryption.fields.EncryptedTextField(
                aad="saisine.completion_needed", blank=True, max_length=300, null=True, verbose_name="ce qui manque"
            ),
        ),
        migrations.AddField(
            model_name="historicalsaisine",
            name="parents_words",
            field=audit.encryption.fields.EncryptedTextField(
                aad="saisine.parents_words",
                blank=True,
                max_length=500,
                null=True,
                verbose_name="ce qu’en disent les parents",
            ),
        ),
        migrations.AddField(
            model_name="historicalsaisine",
            name="submitted_on",
            field=models.DateField(
                blank=True, default=django.utils.timezone.localdate, null=True, verbose_name="transmise le"
            ),
        ),
        migrations.AddField(
            model_name="historicaltask",
            name="reminder",
            field=models.CharField(
                blank=True,
                choices=[("agreement", "accord à renouveler"), ("majority", "dix-huit ans")],
                editable=False,
                max_length=10,
                verbose_name="rappel",
            ),
        ),
        migrations.AddField(
            model_name="saisine",
            name="child_words",
            field=audit.encryption.fields.EncryptedTextField(
                aad="saisine.child_words", blank=True, max_length=500, null=True, verbose_name="ce qu’en dit l’enfant"
            ),
        ),
        migrations.AddField(
            model_name="saisine",
            name="completed_on",
            field=models.DateField(blank=True, null=True, verbose_name="complétée le"),
        ),
        migrations.AddField(
            model_name="saisine",
            name="completion_asked_on",
            field=models.DateField(blank=True, null=True, verbose_name="complément demandé le"),
        ),
        migrations.AddField(
            model_name="saisine",
            name="completion_needed",
            field=audit.encryption.fields.EncryptedTextField(
                aad="saisine.completion_needed", blank=True, max_length=300, null=True, verbose_name="ce qui manque"
            ),
        ),
        migrations.AddField(
            model_name="saisine",
            name="parents_words",
            field=audit.encryption.fields.EncryptedTextField(
                aad="saisine.parents_words",
                blank=True,
                max_length=500,
                null=True,
                verbose_name="ce qu’en disent les parents",
            ),
        ),
        migrations.AddField(
            model_name="saisine",
            name="submitted_on",
            field=models.DateField(
                blank=True, default=django.utils.timezone.localdate, null=True, verbose_name="transmise le"
            ),
        ),
        migrations.AddField(
            model_name="task",
            name="reminder",
            field=models.CharField(
                blank=True,
                choices=[("agreement", "accord à renouveler"), ("majority", "dix-huit ans")],
                editable=False,
                max_length=10,
                verbose_name="rappel",
            ),
        ),
        migrations.AlterField(
            model_name="document",
            name="kind",
            field=models.CharField(
                choices=[
                    ("agreement", "accord signé"),
                    ("school_report", "bulletin ou évaluation scolaire"),
                    ("letter", "courrier"),
                    ("certificate", "attestation"),
                    ("receipt", "justificatif de dépense"),
                    ("other", "autre"),
                ],
                max_length=20,
                verbose_name="nature",
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("phone", "appel"),
                    ("meeting", "entretien"),
                    ("evaluation", "entretien d’évaluation"),
                    ("home_visit", "visite à domicile"),
                    ("school", "échange avec l’école"),
                    ("partner", "échange avec un partenaire"),
                    ("message", "message"),
                    ("attempt", "tentative sans réponse"),
                ],
                max_length=12,
                verbose_name="nature",
            ),
        ),
        migrations.AlterField(
            model_name="entrytemplate",
            name="kind",
            field=models.CharField(
                choices=[
                    ("phone", "appel"),
                    ("meeting", "entretien"),
                    ("evaluation", "entretien d’évaluation"),
                    ("home_visit", "visite à domicile"),
                    ("school", "échange avec l’école"),
                    ("partner", "échange avec un partenaire"),
                    ("message", "message"),
                    ("attempt", "tentative sans réponse"),
                ],
                max_length=12,
                verbose_name="nature",
            ),
        ),
        migrations.AlterField(
            model_name="historicaldocument",
            name="kind",
            field=models.CharField(
                choices=[
                    ("agreement", "accord signé"),
                    ("school_report", "bulletin ou évaluation scolaire"),
                    ("letter", "courrier"),
                    ("certificate", "attestation"),
                    ("receipt", "justificatif de dépense"),
                    ("other", "autre"),
                ],
                max_length=20,
                verbose_name="nature",
            ),
        ),
        migrations.AlterField(
            model_name="historicalentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("phone", "appel"),
                    ("meeting", "entretien"),
                    ("evaluation", "entretien d’évaluation"),
                    ("home_visit", "visite à domicile"),
                    ("school", "échange avec l’école"),
                    ("partner", "échange avec un partenaire"),
                    ("message", "message"),
                    ("attempt", "tentative sans réponse"),
                ],
                max_length=12,
                verbose_name="nature",
            ),
        ),
        migrations.AddConstraint(
            model_name="agreementholder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("signed_on__isnull", True),
                    ("objected_on__isnull", True),
                    ("objected_on__gte", models.F("signed_on")),
                    _connector="OR",
                ),
                name="agreement_holder_objects_after_signing",
                violation_error_message="Qui a signé ne peut s’opposer qu’ensuite.",
            ),
        ),
        migrations.AddConstraint(
            model_name="agreementholder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_by__isnull", True), ("settled_on__isnull", True)),
                    models.Q(
                        ("objected_on__isnull", False),
                        ("settled_by__isnull", False),
                        ("settled_on__gte", models.F("objected_on")),
                    ),
                    _connector="OR",
                ),
                name="agreement_holder_settled_after_objection",
                violation_error_message="Seule une opposition se tranche, et après avoir été reçue.",
            ),
        ),
        migrations.AddConstraint(
            model_name="saisine",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("submitted_on__isnull", False),
                    models.Q(("completion_asked_on__isnull", True), ("outcome", "")),
                    _connector="OR",
                ),
                name="saisine_draft_is_only_typed",
                violation_error_message="Un brouillon ne reçoit ni suite ni demande de complément.",
            ),
        ),
        migrations.AddConstraint(
            model_name="saisine",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("completed_on__isnull", True),
                    models.Q(
                        ("completed_on__gte", models.F("completion_asked_on")), ("completion_asked_on__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="saisine_completed_once_asked",
                violation_error_message="Une saisine est complétée après qu’on l’a demandé.",
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reminder", ""), _negated=True),
                fields=("parcours", "reminder", "due_on"),
                name="task_reminds_once",
                violation_error_message="Ce rappel est déjà noté.",
            ),
        ),
        migrations.RunPython(submit_what_was_received, migrations.RunPython.noop, elidable=True),
    ]
