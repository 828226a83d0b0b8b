import audit.encryption.fields
import django.db.models.deletion
import django.utils.timezone
import simple_history.models
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pre_cases", "0008_covering_indexes"),
        ("referents", "0004_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EpreSession",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("on", models.DateField(verbose_name="le")),
                ("starts_at", models.TimeField(verbose_name="de")),
                ("ends_at", models.TimeField(verbose_name="à")),
                ("place", models.CharField(max_length=120, verbose_name="lieu")),
                (
                    "state",
                    models.CharField(
                        choices=[("planned", "prévue"), ("held", "tenue"), ("cancelled", "annulée")],
                        default="planned",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("closed_on", models.DateField(blank=True, null=True, verbose_name="compte rendu clos le")),
                (
                    "closed_by",
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
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="prévue par",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="epre_sessions",
                        to="referents.team",
                        verbose_name="équipe",
                    ),
                ),
            ],
            options={
                "verbose_name": "séance de l’EPRE",
                "verbose_name_plural": "séances de l’EPRE",
                "indexes": [models.Index(fields=["team", "on", "id"], name="epre_session_team_on")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="epre_session_ends_after_start",
                        violation_error_message="La séance se termine après avoir commencé.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_by__isnull", True), ("closed_on__isnull", True)),
                            models.Q(("closed_by__isnull", False), ("closed_on__isnull", False), ("state", "held")),
                            _connector="OR",
                        ),
                        name="epre_session_closed_once_held",
                        violation_error_message="Seul le compte rendu d’une séance tenue se clôt, et quelqu’un le clôt.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalEpreSession",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("on", models.DateField(verbose_name="le")),
                ("starts_at", models.TimeField(verbose_name="de")),
                ("ends_at", models.TimeField(verbose_name="à")),
                ("place", models.CharField(max_length=120, verbose_name="lieu")),
                (
                    "state",
                    models.CharField(
                        choices=[("planned", "prévue"), ("held", "tenue"), ("cancelled", "annulée")],
                        default="planned",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("closed_on", models.DateField(blank=True, null=True, verbose_name="compte rendu clos le")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "closed_by",
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
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="prévue par",
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
                "verbose_name": "historical séance de l’EPRE",
                "verbose_name_plural": "historical séances de l’EPRE",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_840fe0_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="EpreParticipant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="nom")),
                ("institution", models.CharField(max_length=120, verbose_name="institution")),
                ("function", models.CharField(blank=True, max_length=120, verbose_name="fonction")),
                ("charter_on", models.DateField(blank=True, null=True, verbose_name="charte signée sur la feuille le")),
                ("attended", models.BooleanField(blank=True, null=True, verbose_name="présent")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="epre_participations",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="compte",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participants",
                        to="pre_cases.epresession",
                        verbose_name="séance",
                    ),
                ),
            ],
            options={
                "verbose_name": "membre d’une séance",
                "verbose_name_plural": "membres des séances",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("user__isnull", False)),
                        fields=("session", "user"),
                        name="epre_participant_account_once",
                        violation_error_message="Cette personne est déjà invitée à la séance.",
                    ),
                    models.UniqueConstraint(
                        fields=("session", "name", "institution"),
                        name="epre_participant_name_once",
                        violation_error_message="Cette personne est déjà invitée à la séance.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalEpreParticipant",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("name", models.CharField(max_length=120, verbose_name="nom")),
                ("institution", models.CharField(max_length=120, verbose_name="institution")),
                ("function", models.CharField(blank=True, max_length=120, verbose_name="fonction")),
                ("charter_on", models.DateField(blank=True, null=True, verbose_name="charte signée sur la feuille le")),
                ("attended", models.BooleanField(blank=True, null=True, verbose_name="présent")),
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
                    "session",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.epresession",
                        verbose_name="séance",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="compte",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical membre d’une séance",
                "verbose_name_plural": "historical membres des séances",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_8e0838_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="EpreItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                ("number", models.PositiveSmallIntegerField(verbose_name="numéro")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("entry", "entrée en parcours"),
                            ("renewal", "reconduction"),
                            ("closing", "clôture"),
                            ("advice", "avis sur la situation"),
                        ],
                        default="entry",
                        max_length=10,
                        verbose_name="objet",
                    ),
                ),
                (
                    "question",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.question", blank=True, max_length=500, null=True, verbose_name="question posée"
                    ),
                ),
                (
                    "resources",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.resources", blank=True, max_length=1000, null=True, verbose_name="points d’appui"
                    ),
                ),
                (
                    "tried",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.tried", blank=True, max_length=1000, null=True, verbose_name="déjà mis en place"
                    ),
                ),
                (
                    "added_on",
                    models.DateField(
                        default=django.utils.timezone.localdate,
                        editable=False,
                        verbose_name="mise à l’ordre du jour le",
                    ),
                ),
                ("removed_on", models.DateField(blank=True, null=True, verbose_name="retirée le")),
                (
                    "removal",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("taken_off", "retirée de l’ordre du jour"),
                            ("cancelled", "séance annulée"),
                            ("closed", "parcours clos"),
                            ("agreement", "accord retiré"),
                        ],
                        max_length=10,
                        verbose_name="pourquoi retirée",
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("entry", "entrée en parcours"),
                            ("adjourned", "ajournée"),
                            ("redirected", "réorientée"),
                            ("no_follow_up", "sans suite"),
                            ("renewal", "reconduction"),
                            ("closing", "clôture décidée"),
                            ("advice", "préconisation"),
                        ],
                        max_length=12,
                        verbose_name="décision",
                    ),
                ),
                ("decided_on", models.DateField(blank=True, null=True, verbose_name="décidée le")),
                (
                    "reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.reason",
                        blank=True,
                        max_length=500,
                        null=True,
                        verbose_name="motif ou préconisation",
                    ),
                ),
                ("renewed_until_on", models.DateField(blank=True, null=True, verbose_name="accord reconduit jusqu’au")),
                (
                    "follow_up",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.follow_up", blank=True, max_length=200, null=True, verbose_name="suite à donner"
                    ),
                ),
                ("follow_up_on", models.DateField(blank=True, null=True, verbose_name="pour le")),
                ("family_told_on", models.DateField(blank=True, null=True, verbose_name="famille informée le")),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposée par",
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
                        related_name="epre_items",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
                (
                    "task",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="epre_item",
                        to="pre_cases.task",
                        verbose_name="tâche",
                    ),
                ),
                (
                    "follow_up_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pre_cases.epreparticipant",
                        verbose_name="confiée à",
                    ),
                ),
                (
                    "adjourned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pre_cases.epresession",
                        verbose_name="ajournée à",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="pre_cases.epresession",
                        verbose_name="séance",
                    ),
                ),
            ],
            options={
                "verbose_name": "situation examinée par l’EPRE",
                "verbose_name_plural": "situations examinées par l’EPRE",
                "permissions": [("decide_epreitem", "Décider de la situation")],
                "indexes": [models.Index(fields=["parcours", "decision"], name="epre_item_parcours")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decision", ""), ("removed_on__isnull", True)),
                        fields=("parcours",),
                        name="epre_item_one_undecided",
                        violation_error_message="Cette situation est déjà à l’ordre du jour d’une séance.",
                    ),
                    models.UniqueConstraint(
                        fields=("session", "number"),
                        name="epre_item_number_once",
                        violation_error_message="Ce numéro désigne déjà une situation de la séance.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by__isnull", True), ("decided_on__isnull", True), ("decision", "")),
                            models.Q(
                                models.Q(("decision", ""), _negated=True),
                                ("decided_by__isnull", False),
                                ("decided_on__isnull", False),
                                ("removed_on__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="epre_item_decision_is_signed",
                        violation_error_message="Une décision porte sa date et son auteur.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("removal", ""), ("removed_on__isnull", True)),
                            models.Q(("removed_on__isnull", False), models.Q(("removal", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="epre_item_removal_is_said",
                        violation_error_message="Une situation retirée dit quand et pourquoi.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("adjourned_to__isnull", False), ("decision", "adjourned")),
                            models.Q(
                                models.Q(("decision", "adjourned"), _negated=True), ("adjourned_to__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="epre_item_adjourned_to_a_session",
                        violation_error_message="Une situation ajournée l’est à une séance.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decision", "renewal"), ("renewed_until_on__isnull", False)),
                            models.Q(
                                models.Q(("decision", "renewal"), _negated=True), ("renewed_until_on__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="epre_item_renewed_until_a_day",
                        violation_error_message="Une reconduction dit jusqu’à quel jour.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("follow_up__isnull", True),
                                ("follow_up_by__isnull", True),
                                ("follow_up_on__isnull", True),
                            ),
                            models.Q(
                                ("follow_up__isnull", False),
                                ("follow_up_on__isnull", False),
                                models.Q(("follow_up_by__isnull", False), ("task__isnull", False), _connector="OR"),
                            ),
                            _connector="OR",
                        ),
                        name="epre_item_follow_up_is_entrusted",
                        violation_error_message="Une suite à donner dit qui s’en charge et pour quand.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalEpreItem",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                ("number", models.PositiveSmallIntegerField(verbose_name="numéro")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("entry", "entrée en parcours"),
                            ("renewal", "reconduction"),
                            ("closing", "clôture"),
                            ("advice", "avis sur la situation"),
                        ],
                        default="entry",
                        max_length=10,
                        verbose_name="objet",
                    ),
                ),
                (
                    "question",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.question", blank=True, max_length=500, null=True, verbose_name="question posée"
                    ),
                ),
                (
                    "resources",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.resources", blank=True, max_length=1000, null=True, verbose_name="points d’appui"
                    ),
                ),
                (
                    "tried",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.tried", blank=True, max_length=1000, null=True, verbose_name="déjà mis en place"
                    ),
                ),
                (
                    "added_on",
                    models.DateField(
                        default=django.utils.timezone.localdate,
                        editable=False,
                        verbose_name="mise à l’ordre du jour le",
                    ),
                ),
                ("removed_on", models.DateField(blank=True, null=True, verbose_name="retirée le")),
                (
                    "removal",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("taken_off", "retirée de l’ordre du jour"),
                            ("cancelled", "séance annulée"),
                            ("closed", "parcours clos"),
                            ("agreement", "accord retiré"),
                        ],
                        max_length=10,
                        verbose_name="pourquoi retirée",
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("entry", "entrée en parcours"),
                            ("adjourned", "ajournée"),
                            ("redirected", "réorientée"),
                            ("no_follow_up", "sans suite"),
                            ("renewal", "reconduction"),
                            ("closing", "clôture décidée"),
                            ("advice", "préconisation"),
                        ],
                        max_length=12,
                        verbose_name="décision",
                    ),
                ),
                ("decided_on", models.DateField(blank=True, null=True, verbose_name="décidée le")),
                (
                    "reason",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.reason",
                        blank=True,
                        max_length=500,
                        null=True,
                        verbose_name="motif ou préconisation",
                    ),
                ),
                ("renewed_until_on", models.DateField(blank=True, null=True, verbose_name="accord reconduit jusqu’au")),
                (
                    "follow_up",
                    audit.encryption.fields.EncryptedTextField(
                        aad="epre_item.follow_up", blank=True, max_length=200, null=True, verbose_name="suite à donner"
                    ),
                ),
                ("follow_up_on", models.DateField(blank=True, null=True, verbose_name="pour le")),
                ("family_told_on", models.DateField(blank=True, null=True, verbose_name="famille informée le")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposée par",
                    ),
                ),
                (
                    "adjourned_to",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.epresession",
                        verbose_name="ajournée à",
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
                    "follow_up_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.epreparticipant",
                        verbose_name="confiée à",
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
                    "session",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.epresession",
                        verbose_name="séance",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.task",
                        verbose_name="tâche",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical situation examinée par l’EPRE",
                "verbose_name_plural": "historical situations examinées par l’EPRE",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_30898a_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
