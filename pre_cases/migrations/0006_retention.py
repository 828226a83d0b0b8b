import audit.encryption.fields
import django.db.models.deletion
import django.utils.timezone
import pre_cases.models.retention
import simple_history.models
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pre_cases", "0005_access_required"),
        ("referents", "0004_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_id", models.UUIDField(db_index=True, editable=False, verbose_name="enfant")),
                (
                    "motive",
                    models.CharField(
                        choices=[
                            ("term", "terme de la conservation"),
                            ("family", "demande de la famille (droit à l’effacement)"),
                            ("mistake", "enregistré par erreur"),
                        ],
                        max_length=10,
                        verbose_name="pourquoi",
                    ),
                ),
                ("archive_visa", models.CharField(blank=True, max_length=40, verbose_name="visa des archives")),
                ("counts", models.JSONField(default=dict, verbose_name="ce qui part")),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="demandé le")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="décidé le")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "à approuver"),
                            ("refused", "refusé"),
                            ("approved", "approuvé"),
                            ("running", "en cours"),
                            ("blocked", "arrêté"),
                            ("done", "effacé"),
                        ],
                        default="requested",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("freeze", "parcours figé : plus personne n’y écrit"),
                            ("check", "prolongations et autres parcours vérifiés"),
                            ("fold", "chiffres annuels mis de côté"),
                            ("erase", "clés détruites, puis lignes, historique et fichiers"),
                            ("scan", "recherche de restes"),
                            ("certify", "certificat signé"),
                        ],
                        max_length=10,
                        verbose_name="dernière étape faite",
                    ),
                ),
                ("steps", models.JSONField(default=dict, verbose_name="étapes")),
                ("obstacle", models.CharField(blank=True, max_length=20, verbose_name="obstacle")),
                (
                    "heartbeat_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="dernier signe de vie"),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="essais")),
                ("plan", models.JSONField(default=dict, editable=False, verbose_name="identifiants")),
                ("facts", models.JSONField(default=list, editable=False, verbose_name="chiffres de l’année en cours")),
                ("certificate", models.TextField(blank=True, editable=False, verbose_name="certificat")),
                ("certificate_pdf", models.BinaryField(blank=True, null=True, verbose_name="certificat imprimable")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="décidé par",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="demandé par",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="referents.team",
                        verbose_name="équipe",
                    ),
                ),
            ],
            options={
                "verbose_name": "effacement",
                "verbose_name_plural": "effacements",
                "indexes": [models.Index(fields=["state", "requested_at"], name="erasure_state")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="erasure_by_two_persons",
                        violation_error_message="Qui demande un effacement ne l’approuve pas.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("state", "requested"),
                                ("step", ""),
                            ),
                            models.Q(
                                models.Q(("state", "requested"), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="erasure_decided_before_it_runs",
                        violation_error_message="Rien ne s’efface sans une décision datée.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(("certificate_pdf__isnull", False), models.Q(("certificate", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="erasure_done_is_certified",
                        violation_error_message="Un effacement fini a son certificat.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["requested", "approved", "running", "blocked"])),
                        fields=("subject_id",),
                        name="erasure_one_at_a_time",
                        violation_error_message="Un effacement est déjà demandé pour cet enfant.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalRetentionHold",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                (
                    "motive",
                    models.CharField(
                        choices=[
                            ("dispute", "recours ou procédure en cours"),
                            ("request", "demande de la famille en cours"),
                            ("archives", "visa ou versement aux archives attendu"),
                            ("figures", "bilan pluriannuel du programme"),
                        ],
                        max_length=10,
                        verbose_name="pourquoi",
                    ),
                ),
                (
                    "reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="retention_hold.reason", max_length=500, verbose_name="motif"
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="depuis le")),
                (
                    "ends_on",
                    models.DateField(help_text="Ce jour n’est plus compris ; un an au plus.", verbose_name="jusqu’au"),
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
                        verbose_name="décidée par",
                    ),
                ),
                (
                    "child",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.child",
                        verbose_name="enfant",
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
            ],
            options={
                "verbose_name": "historical conservation prolongée",
                "verbose_name_plural": "historical conservations prolongées",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_0b9be0_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalRetentionNotice",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("announced_on", models.DateField(verbose_name="annoncé le")),
                ("last_contact_on", models.DateField(verbose_name="dernier contact connu alors")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "child",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.child",
                        verbose_name="enfant",
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
                "verbose_name": "historical annonce d’effacement",
                "verbose_name_plural": "historical annonces d’effacement",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_551ea4_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RetentionHold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "motive",
                    models.CharField(
                        choices=[
                            ("dispute", "recours ou procédure en cours"),
                            ("request", "demande de la famille en cours"),
                            ("archives", "visa ou versement aux archives attendu"),
                            ("figures", "bilan pluriannuel du programme"),
                        ],
                        max_length=10,
                        verbose_name="pourquoi",
                    ),
                ),
                (
                    "reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="retention_hold.reason", max_length=500, verbose_name="motif"
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="depuis le")),
                (
                    "ends_on",
                    models.DateField(help_text="Ce jour n’est plus compris ; un an au plus.", verbose_name="jusqu’au"),
                ),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="décidée par",
                    ),
                ),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="pre_cases.child",
                        verbose_name="enfant",
                    ),
                ),
            ],
            options={
                "verbose_name": "conservation prolongée",
                "verbose_name_plural": "conservations prolongées",
                "indexes": [models.Index(fields=["child", "ends_on"], name="hold_child_end")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gt", models.F("starts_on"))),
                        name="hold_ends_after_start",
                        violation_error_message="La prolongation doit finir après son début.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on__lte", pre_cases.models.retention.YearLater(models.F("starts_on")))
                        ),
                        name="hold_of_a_year_at_most",
                        violation_error_message="Une prolongation dure un an au plus ; elle se renouvelle.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionNotice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("announced_on", models.DateField(verbose_name="annoncé le")),
                ("last_contact_on", models.DateField(verbose_name="dernier contact connu alors")),
                (
                    "child",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="retention_notice",
                        to="pre_cases.child",
                        verbose_name="enfant",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="referents.team",
                        verbose_name="équipe",
                    ),
                ),
            ],
            options={
                "verbose_name": "annonce d’effacement",
                "verbose_name_plural": "annonces d’effacement",
            },
        ),
        migrations.CreateModel(
            name="YearlyFacts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_on", models.DateField(verbose_name="du")),
                ("ends_on", models.DateField(help_text="Ce jour est compris.", verbose_name="au")),
                ("frozen_at", models.DateTimeField(null=True, verbose_name="figé le")),
                ("cells", models.JSONField(default=list, verbose_name="chiffres")),
            ],
            options={
                "verbose_name": "chiffres annuels des effacés",
                "verbose_name_plural": "chiffres annuels des effacés",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("starts_on", "ends_on"),
                        name="yearly_facts_one_a_year",
                        violation_error_message="Cette année a déjà ses chiffres.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ErasureReason",
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
                    audit.encryption.fields.EncryptedTextField(
                        aad="erasure_reason.text", max_length=500, verbose_name="motif"
                    ),
                ),
                (
                    "refusal",
                    audit.encryption.fields.EncryptedTextField(
                        aad="erasure_reason.refusal",
                        blank=True,
                        max_length=300,
                        null=True,
                        verbose_name="raison du refus",
                    ),
                ),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pre_cases.child",
                        verbose_name="enfant",
                    ),
                ),
                (
                    "erasure",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reason",
                        to="pre_cases.erasure",
                        verbose_name="effacement",
                    ),
                ),
            ],
            options={
                "verbose_name": "motif d’effacement",
                "verbose_name_plural": "motifs d’effacement",
            },
        ),
        migrations.CreateModel(
            name="HistoricalErasureReason",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                (
                    "text",
                    audit.encryption.fields.EncryptedTextField(
                        aad="erasure_reason.text", max_length=500, verbose_name="motif"
                    ),
                ),
                (
                    "refusal",
                    audit.encryption.fields.EncryptedTextField(
                        aad="erasure_reason.refusal",
                        blank=True,
                        max_length=300,
                        null=True,
                        verbose_name="raison du refus",
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
                    "child",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.child",
                        verbose_name="enfant",
                    ),
                ),
                (
                    "erasure",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.erasure",
                        verbose_name="effacement",
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
            ],
            options={
                "verbose_name": "historical motif d’effacement",
                "verbose_name_plural": "historical motifs d’effacement",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_68939d_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
