import audit.encryption.fields
import django.db.models.deletion
import django.utils.timezone
import pre_cases.models.family_request
import simple_history.models
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pre_cases", "0006_retention"),
        ("referents", "0004_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FamilyRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("access", "recevoir les données (droit d’accès)"),
                            ("correction", "corriger une donnée"),
                            ("opposition", "s’opposer à un usage, ou retirer un consentement"),
                            ("erasure", "effacer les données"),
                        ],
                        max_length=12,
                        verbose_name="demande",
                    ),
                ),
                (
                    "text",
                    audit.encryption.fields.EncryptedTextField(
                        aad="family_request.text", max_length=1000, verbose_name="ce qui est demandé"
                    ),
                ),
                ("received_on", models.DateField(verbose_name="reçue le")),
                (
                    "recorded_on",
                    models.DateField(
                        default=django.utils.timezone.localdate, editable=False, verbose_name="enregistrée le"
                    ),
                ),
                (
                    "identity_means",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("document", "pièce d’identité vue"),
                            ("known", "personne connue de l’équipe, reçue en entretien"),
                            ("call_back", "rappelée au numéro déjà connu"),
                        ],
                        max_length=10,
                        verbose_name="identité vérifiée",
                    ),
                ),
                ("identity_on", models.DateField(blank=True, null=True, verbose_name="identité vérifiée le")),
                (
                    "extended_on",
                    models.DateField(blank=True, null=True, verbose_name="famille prévenue de la prolongation le"),
                ),
                (
                    "extension_reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="family_request.extension_reason",
                        blank=True,
                        max_length=500,
                        null=True,
                        verbose_name="raison de la prolongation",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("granted", "acceptée"), ("partly", "acceptée en partie"), ("refused", "refusée")],
                        max_length=8,
                        verbose_name="réponse",
                    ),
                ),
                (
                    "answer",
                    audit.encryption.fields.EncryptedTextField(
                        aad="family_request.answer",
                        blank=True,
                        max_length=1000,
                        null=True,
                        verbose_name="réponse à la famille",
                    ),
                ),
                ("answered_on", models.DateField(blank=True, null=True, verbose_name="répondu le")),
                (
                    "statement",
                    audit.encryption.fields.EncryptedTextField(
                        aad="family_request.statement",
                        blank=True,
                        max_length=1000,
                        null=True,
                        verbose_name="déclaration de la famille",
                    ),
                ),
                (
                    "adult",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pre_cases.adult",
                        verbose_name="demandée par",
                    ),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="répondu par",
                    ),
                ),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="family_requests",
                        to="pre_cases.child",
                        verbose_name="enfant",
                    ),
                ),
                (
                    "erasure",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pre_cases.erasure",
                        verbose_name="effacement demandé",
                    ),
                ),
                (
                    "identity_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="identité vérifiée par",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="enregistrée par",
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
                "verbose_name": "demande de la famille",
                "verbose_name_plural": "demandes des familles",
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", "")),
                        fields=["team", "received_on"],
                        name="family_request_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("received_on__lte", models.F("recorded_on"))),
                        name="family_request_received_before_recorded",
                        violation_error_message="Une demande ne peut pas être reçue dans le futur.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("identity_by__isnull", True), ("identity_means", ""), ("identity_on__isnull", True)
                            ),
                            models.Q(
                                models.Q(("identity_means", ""), _negated=True),
                                ("identity_by__isnull", False),
                                ("identity_on__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="family_request_identity_checked_by_someone",
                        violation_error_message="Une identité vérifiée dit comment, quand et par qui.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("extended_on__isnull", True), ("extension_reason__isnull", True)),
                            models.Q(
                                ("extended_on__gte", models.F("received_on")),
                                (
                                    "extended_on__lte",
                                    pre_cases.models.family_request.MonthLater(models.F("received_on")),
                                ),
                                ("extension_reason__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="family_request_extended_within_a_month",
                        violation_error_message="La prolongation est dite à la famille, avec sa raison, dans le premier mois.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answer__isnull", True),
                                ("answered_by__isnull", True),
                                ("answered_on__isnull", True),
                                ("outcome", ""),
                            ),
                            models.Q(
                                models.Q(("outcome", ""), _negated=True),
                                ("answer__isnull", False),
                                ("answered_by__isnull", False),
                                ("answered_on__gte", models.F("received_on")),
                            ),
                            _connector="OR",
                        ),
                        name="family_request_answered_after_receipt",
                        violation_error_message="Une réponse porte son texte, sa date et son auteur.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("erasure__isnull", True),
                            models.Q(("kind", "erasure"), models.Q(("outcome", "refused"), _negated=True)),
                            _connector="OR",
                        ),
                        name="family_request_erasure_was_asked",
                        violation_error_message="Seule une demande d’effacement acceptée en prépare un.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "erasure"), _negated=True),
                            ("outcome__in", ["", "refused"]),
                            ("erasure__isnull", False),
                            _connector="OR",
                        ),
                        name="family_request_erasure_was_prepared",
                        violation_error_message="Accepter une demande d’effacement en prépare un.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalFamilyRequest",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("access", "recevoir les données (droit d’accès)"),
                            ("correction", "corriger une donnée"),
                            ("opposition", "s’opposer à un usage, ou retirer un consentement"),
                            ("erasure", "effacer les données"),
                        ],
                        max_length=12,
                        verbose_name="demande",
                    ),
                ),
                (
                    "text",
                    audit.encryption.fields.EncryptedTextField(
                        aad="family_request.text", max_length=1000, verbose_name="ce qui est demandé"
                    ),
                ),
                ("received_on", models.DateField(verbose_name="reçue le")),
                (
                    "recorded_on",
                    models.DateField(
                        default=django.utils.timezone.localdate, editable=False, verbose_name="enregistrée le"
                    ),
                ),
                (
                    "identity_means",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("document", "pièce d’identité vue"),
                            ("known", "personne connue de l’équipe, reçue en entretien"),
                            ("call_back", "rappelée au numéro déjà connu"),
                        ],
                        max_length=10,
                        verbose_name="identité vérifiée",
                    ),
                ),
                ("identity_on", models.DateField(blank=True, null=True, verbose_name="identité vérifiée le")),
                (
                    "extended_on",
                    models.DateField(blank=True, null=True, verbose_name="famille prévenue de la prolongation le"),
                ),
                (
                    "extension_reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="family_request.extension_reason",
                        blank=True,
                        max_length=500,
                        null=True,
                        verbose_name="raison de la prolongation",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("granted", "acceptée"), ("partly", "acceptée en partie"), ("refused", "refusée")],
                        max_length=8,
                        verbose_name="réponse",
                    ),
                ),
                (
                    "answer",
                    audit.encryption.fields.EncryptedTextField(
                        aad="family_request.answer",
                        blank=True,
                        max_length=1000,
                        null=True,
                        verbose_name="réponse à la famille",
                    ),
                ),
                ("answered_on", models.DateField(blank=True, null=True, verbose_name="répondu le")),
                (
                    "statement",
                    audit.encryption.fields.EncryptedTextField(
                        aad="family_request.statement",
                        blank=True,
                        max_length=1000,
                        null=True,
                        verbose_name="déclaration de la famille",
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
                    "adult",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.adult",
                        verbose_name="demandée par",
                    ),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="répondu par",
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
                    "erasure",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.erasure",
                        verbose_name="effacement demandé",
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
                    "identity_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="identité vérifiée par",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="enregistrée par",
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
                "verbose_name": "historical demande de la famille",
                "verbose_name_plural": "historical demandes des familles",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_637350_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalRequestEffect",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("corrected", "donnée corrigée"),
                            ("share", "partage arrêté"),
                            ("enrolment", "inscription arrêtée"),
                            ("agreement", "accord retiré, parcours clos"),
                        ],
                        max_length=10,
                        verbose_name="effet",
                    ),
                ),
                ("record_kind", models.CharField(max_length=40, verbose_name="objet")),
                ("record_id", models.UUIDField(verbose_name="identifiant")),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="changé le")),
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
                    "request",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.familyrequest",
                        verbose_name="demande de la famille",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical effet d’une demande",
                "verbose_name_plural": "historical effets des demandes",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_954440_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSubjectFile",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                ("prepared_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="préparé le")),
                ("collected_at", models.DateTimeField(blank=True, null=True, verbose_name="réuni le")),
                ("counts", models.JSONField(default=list, editable=False, verbose_name="ce qu’il contient")),
                ("submitted_at", models.DateTimeField(blank=True, null=True, verbose_name="relu le")),
                (
                    "return_reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="subject_file.return_reason",
                        blank=True,
                        max_length=500,
                        null=True,
                        verbose_name="raison du renvoi",
                    ),
                ),
                ("approved_at", models.DateTimeField(blank=True, null=True, verbose_name="approuvé le")),
                ("ready_at", models.DateTimeField(blank=True, null=True, verbose_name="prêt le")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expire le")),
                ("downloaded_at", models.DateTimeField(blank=True, null=True, verbose_name="téléchargé le")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="contenu détruit le")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approuvé par",
                    ),
                ),
                (
                    "downloaded_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="téléchargé par",
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
                    "prepared_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="préparé par",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.familyrequest",
                        verbose_name="demande de la famille",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="relu par",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical fichier des données de l’enfant",
                "verbose_name_plural": "historical fichiers des données des enfants",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_f17cd3_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RequestEffect",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("corrected", "donnée corrigée"),
                            ("share", "partage arrêté"),
                            ("enrolment", "inscription arrêtée"),
                            ("agreement", "accord retiré, parcours clos"),
                        ],
                        max_length=10,
                        verbose_name="effet",
                    ),
                ),
                ("record_kind", models.CharField(max_length=40, verbose_name="objet")),
                ("record_id", models.UUIDField(verbose_name="identifiant")),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="changé le")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="effects",
                        to="pre_cases.familyrequest",
                        verbose_name="demande de la famille",
                    ),
                ),
            ],
            options={
                "verbose_name": "effet d’une demande",
                "verbose_name_plural": "effets des demandes",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("request", "kind", "record_id", "changed_at"),
                        name="request_effect_once",
                        violation_error_message="Cet effet est déjà noté.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SubjectFile",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                ("prepared_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="préparé le")),
                (
                    "work",
                    models.CharField(
                        blank=True,
                        choices=[("queued", "en attente"), ("running", "en cours"), ("failed", "échoué")],
                        default="queued",
                        max_length=8,
                        verbose_name="travail",
                    ),
                ),
                (
                    "heartbeat_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="dernier signe de vie"),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="essais")),
                (
                    "content",
                    audit.encryption.fields.EncryptedJSONField(
                        aad="subject_file.content", blank=True, editable=False, null=True, verbose_name="contenu"
                    ),
                ),
                ("collected_at", models.DateTimeField(blank=True, null=True, verbose_name="réuni le")),
                ("counts", models.JSONField(default=list, editable=False, verbose_name="ce qu’il contient")),
                ("submitted_at", models.DateTimeField(blank=True, null=True, verbose_name="relu le")),
                (
                    "return_reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="subject_file.return_reason",
                        blank=True,
                        max_length=500,
                        null=True,
                        verbose_name="raison du renvoi",
                    ),
                ),
                ("approved_at", models.DateTimeField(blank=True, null=True, verbose_name="approuvé le")),
                (
                    "archive",
                    audit.encryption.fields.EncryptedBytesField(
                        aad="subject_file.archive", blank=True, editable=False, null=True, verbose_name="fichiers"
                    ),
                ),
                ("ready_at", models.DateTimeField(blank=True, null=True, verbose_name="prêt le")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expire le")),
                ("downloaded_at", models.DateTimeField(blank=True, null=True, verbose_name="téléchargé le")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="contenu détruit le")),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approuvé par",
                    ),
                ),
                (
                    "downloaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="téléchargé par",
                    ),
                ),
                (
                    "prepared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="préparé par",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="pre_cases.familyrequest",
                        verbose_name="demande de la famille",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="relu par",
                    ),
                ),
            ],
            options={
                "verbose_name": "fichier des données de l’enfant",
                "verbose_name_plural": "fichiers des données des enfants",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("request",),
                        name="subject_file_one_at_a_time",
                        violation_error_message="Un fichier est déjà en préparation pour cette demande.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(
                                models.Q(("approved_by", models.F("prepared_by")), _negated=True),
                                models.Q(("approved_by", models.F("submitted_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="subject_file_by_two_persons",
                        violation_error_message="Qui prépare le fichier ne l’approuve pas.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("submitted_at__isnull", True), ("submitted_by__isnull", True)),
                            models.Q(
                                ("collected_at__isnull", False),
                                ("submitted_at__gte", models.F("collected_at")),
                                ("submitted_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="subject_file_read_before_it_is_sent",
                        violation_error_message="Le fichier est relu avant d’être soumis.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                            models.Q(
                                ("approved_at__gte", models.F("submitted_at")),
                                ("approved_by__isnull", False),
                                ("submitted_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="subject_file_approved_after_reading",
                        violation_error_message="Le fichier est approuvé après avoir été relu.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("archive__isnull", True), ("expires_at__isnull", True), ("ready_at__isnull", True)
                            ),
                            models.Q(
                                ("approved_at__isnull", False),
                                ("expires_at__gt", models.F("ready_at")),
                                ("ready_at__gte", models.F("approved_at")),
                            ),
                            _connector="OR",
                        ),
                        name="subject_file_ready_once_approved",
                        violation_error_message="Rien n’est prêt avant d’être approuvé.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("downloaded_at__isnull", True), ("downloaded_by__isnull", True)),
                            models.Q(
                                ("downloaded_at__gte", models.F("ready_at")),
                                ("downloaded_at__lt", models.F("expires_at")),
                                ("downloaded_by__isnull", False),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="subject_file_taken_once_in_time",
                        violation_error_message="Le fichier se télécharge une fois, avant son expiration.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at__isnull", True),
                            models.Q(("archive__isnull", True), ("content__isnull", True)),
                            _connector="OR",
                        ),
                        name="subject_file_ended_is_empty",
                        violation_error_message="Un fichier fini ne garde rien.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalFileDecision",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("mask", "masqué"), ("keep", "laissé"), ("name", "nom communiqué")],
                        max_length=4,
                        verbose_name="décision",
                    ),
                ),
                ("passage", models.PositiveIntegerField(blank=True, null=True, verbose_name="passage")),
                (
                    "motive",
                    models.CharField(
                        choices=[
                            ("other_child", "concerne un autre enfant"),
                            ("other_person", "concerne une autre personne"),
                            ("safety", "mettrait quelqu’un en danger"),
                            ("professional", "nom d’un professionnel"),
                            ("none", "aucun tiers n’est concerné"),
                        ],
                        max_length=12,
                        verbose_name="motif",
                    ),
                ),
                (
                    "words",
                    audit.encryption.fields.EncryptedTextField(
                        aad="file_decision.words", blank=True, max_length=300, null=True, verbose_name="mots masqués"
                    ),
                ),
                (
                    "reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="file_decision.reason", blank=True, max_length=300, null=True, verbose_name="raison"
                    ),
                ),
                ("decided_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="décidé le")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
                        verbose_name="décidé par",
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
                    "professional",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="professionnel",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.subjectfile",
                        verbose_name="fichier",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical décision sur un passage",
                "verbose_name_plural": "historical décisions sur des passages",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_dbbb0a_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="FileDecision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("mask", "masqué"), ("keep", "laissé"), ("name", "nom communiqué")],
                        max_length=4,
                        verbose_name="décision",
                    ),
                ),
                ("passage", models.PositiveIntegerField(blank=True, null=True, verbose_name="passage")),
                (
                    "motive",
                    models.CharField(
                        choices=[
                            ("other_child", "concerne un autre enfant"),
                            ("other_person", "concerne une autre personne"),
                            ("safety", "mettrait quelqu’un en danger"),
                            ("professional", "nom d’un professionnel"),
                            ("none", "aucun tiers n’est concerné"),
                        ],
                        max_length=12,
                        verbose_name="motif",
                    ),
                ),
                (
                    "words",
                    audit.encryption.fields.EncryptedTextField(
                        aad="file_decision.words", blank=True, max_length=300, null=True, verbose_name="mots masqués"
                    ),
                ),
                (
                    "reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="file_decision.reason", blank=True, max_length=300, null=True, verbose_name="raison"
                    ),
                ),
                ("decided_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="décidé le")),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="décidé par",
                    ),
                ),
                (
                    "professional",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="professionnel",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="pre_cases.subjectfile",
                        verbose_name="fichier",
                    ),
                ),
            ],
            options={
                "verbose_name": "décision sur un passage",
                "verbose_name_plural": "décisions sur des passages",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "name"),
                                ("passage__isnull", True),
                                ("professional__isnull", False),
                                ("reason__isnull", False),
                            ),
                            models.Q(
                                models.Q(("kind", "name"), _negated=True),
                                ("passage__isnull", False),
                                ("professional__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="file_decision_on_one_thing",
                        violation_error_message="Une décision porte sur un passage, ou sur un professionnel avec sa raison.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "mask"), _negated=True), ("reason__isnull", False), _connector="OR"
                        ),
                        name="file_decision_mask_has_a_reason",
                        violation_error_message="Dites pourquoi ce passage est masqué.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("passage__isnull", False)),
                        fields=("file", "passage"),
                        name="file_decision_one_a_passage",
                        violation_error_message="Ce passage est déjà décidé.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("professional__isnull", False)),
                        fields=("file", "professional"),
                        name="file_decision_one_a_professional",
                        violation_error_message="Le nom de ce professionnel est déjà décidé.",
                    ),
                ],
            },
        ),
    ]
