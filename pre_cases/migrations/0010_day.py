import audit.encryption.fields
import django.db.models.deletion
import django.utils.timezone
import simple_history.models
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pre_cases", "0009_epre"),
        ("referents", "0004_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Appointment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                ("on", models.DateField(verbose_name="le")),
                ("starts_at", models.TimeField(verbose_name="à")),
                (
                    "means",
                    models.CharField(
                        choices=[
                            ("office", "dans nos locaux"),
                            ("home", "à domicile"),
                            ("school", "à l’école"),
                            ("partner", "chez un partenaire"),
                            ("phone", "par téléphone"),
                            ("video", "en visioconférence"),
                        ],
                        default="office",
                        max_length=10,
                        verbose_name="où",
                    ),
                ),
                (
                    "place",
                    audit.encryption.fields.EncryptedTextField(
                        aad="appointment.place", blank=True, max_length=120, null=True, verbose_name="précision"
                    ),
                ),
                (
                    "with_whom",
                    models.CharField(
                        choices=[
                            ("family", "la famille"),
                            ("child", "l’enfant"),
                            ("family_and_child", "la famille et l’enfant"),
                            ("school", "l’école"),
                            ("partner", "un partenaire"),
                            ("colleague", "un collègue"),
                        ],
                        default="family",
                        max_length=20,
                        verbose_name="avec",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "prévu"),
                            ("held", "tenu"),
                            ("absent", "personne n’est venu"),
                            ("moved", "déplacé"),
                            ("cancelled", "annulé"),
                        ],
                        default="planned",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                (
                    "parcours",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="appointments",
                        to="pre_cases.parcours",
                        verbose_name="parcours",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="professionnel",
                    ),
                ),
            ],
            options={
                "verbose_name": "rendez-vous",
                "verbose_name_plural": "rendez-vous",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "planned")),
                        fields=["user", "on", "starts_at", "id"],
                        name="appointment_planned",
                    ),
                    models.Index(fields=["parcours", "on"], name="appointment_parcours_on"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["planned", "held", "absent", "moved", "cancelled"])),
                        name="appointment_known_state",
                        violation_error_message="Cet état n’existe pas pour un rendez-vous.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="personne",
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True, verbose_name="empreinte de l’adresse")),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="créée le")),
            ],
            options={
                "verbose_name": "agenda par abonnement",
                "verbose_name_plural": "agendas par abonnement",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Digest",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="personne",
                    ),
                ),
                ("is_wanted", models.BooleanField(default=True, verbose_name="souhaité")),
                ("sent_for", models.DateField(blank=True, null=True, verbose_name="envoyé pour la semaine du")),
            ],
            options={
                "verbose_name": "résumé de la semaine",
                "verbose_name_plural": "résumés de la semaine",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="EntryTemplate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "label",
                    audit.encryption.fields.EncryptedTextField(
                        aad="entry_template.label", max_length=60, verbose_name="nom du modèle"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("phone", "appel"),
                            ("meeting", "entretien"),
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
                (
                    "with_whom",
                    models.CharField(
                        choices=[
                            ("family", "la famille"),
                            ("child", "l’enfant"),
                            ("family_and_child", "la famille et l’enfant"),
                            ("school", "l’école"),
                            ("partner", "un partenaire"),
                            ("colleague", "un collègue"),
                        ],
                        default="family",
                        max_length=20,
                        verbose_name="avec",
                    ),
                ),
                (
                    "text",
                    audit.encryption.fields.EncryptedTextField(
                        aad="entry_template.text", max_length=1000, verbose_name="texte"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="créé le"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="entry_templates",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="personne",
                    ),
                ),
            ],
            options={
                "verbose_name": "modèle d’échange",
                "verbose_name_plural": "modèles d’échange",
            },
        ),
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("data_key_id", models.UUIDField(db_index=True, editable=False)),
                (
                    "question",
                    audit.encryption.fields.EncryptedTextField(
                        aad="follow_up.question", max_length=500, verbose_name="question"
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="demandé le"),
                ),
                (
                    "answer",
                    audit.encryption.fields.EncryptedTextField(
                        aad="follow_up.answer", blank=True, max_length=1000, null=True, verbose_name="réponse"
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="répondu le")),
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
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="demandé par",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="follow_ups",
                        to="pre_cases.entry",
                        verbose_name="échange",
                    ),
                ),
            ],
            options={
                "verbose_name": "question de la coordination",
                "verbose_name_plural": "questions de la coordination",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=("entry",),
                        name="follow_up_one_waiting",
                        violation_error_message="Une question attend déjà sa réponse sur cet échange.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answer__isnull", True), ("answered_at__isnull", True), ("answered_by__isnull", True)
                            ),
                            models.Q(
                                ("answer__isnull", False),
                                ("answered_at__isnull", False),
                                ("answered_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="follow_up_answered_by_someone",
                        violation_error_message="Une réponse dit par qui et quand.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAppointment",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                ("on", models.DateField(verbose_name="le")),
                ("starts_at", models.TimeField(verbose_name="à")),
                (
                    "means",
                    models.CharField(
                        choices=[
                            ("office", "dans nos locaux"),
                            ("home", "à domicile"),
                            ("school", "à l’école"),
                            ("partner", "chez un partenaire"),
                            ("phone", "par téléphone"),
                            ("video", "en visioconférence"),
                        ],
                        default="office",
                        max_length=10,
                        verbose_name="où",
                    ),
                ),
                (
                    "place",
                    audit.encryption.fields.EncryptedTextField(
                        aad="appointment.place", blank=True, max_length=120, null=True, verbose_name="précision"
                    ),
                ),
                (
                    "with_whom",
                    models.CharField(
                        choices=[
                            ("family", "la famille"),
                            ("child", "l’enfant"),
                            ("family_and_child", "la famille et l’enfant"),
                            ("school", "l’école"),
                            ("partner", "un partenaire"),
                            ("colleague", "un collègue"),
                        ],
                        default="family",
                        max_length=20,
                        verbose_name="avec",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "prévu"),
                            ("held", "tenu"),
                            ("absent", "personne n’est venu"),
                            ("moved", "déplacé"),
                            ("cancelled", "annulé"),
                        ],
                        default="planned",
                        max_length=10,
                        verbose_name="état",
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
                        verbose_name="professionnel",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical rendez-vous",
                "verbose_name_plural": "historical rendez-vous",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_c849fe_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalFollowUp",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, editable=False)),
                ("data_key_id", models.UUIDField(editable=False)),
                (
                    "question",
                    audit.encryption.fields.EncryptedTextField(
                        aad="follow_up.question", max_length=500, verbose_name="question"
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="demandé le"),
                ),
                (
                    "answer",
                    audit.encryption.fields.EncryptedTextField(
                        aad="follow_up.answer", blank=True, max_length=1000, null=True, verbose_name="réponse"
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="répondu le")),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="demandé par",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pre_cases.entry",
                        verbose_name="échange",
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
                "verbose_name": "historical question de la coordination",
                "verbose_name_plural": "historical questions de la coordination",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": (),
                "indexes": [models.Index(fields=["id", "history_date"], name="pre_cases_h_id_87ccf6_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="entry",
            name="group_id",
            field=models.UUIDField(blank=True, editable=False, null=True, verbose_name="groupe"),
        ),
        migrations.AddField(
            model_name="historicalentry",
            name="group_id",
            field=models.UUIDField(blank=True, editable=False, null=True, verbose_name="groupe"),
        ),
        migrations.AlterField(
            model_name="draft",
            name="parcours",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="drafts",
                to="pre_cases.parcours",
                verbose_name="parcours",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("group_id__isnull", False)), fields=["group_id"], name="entry_group"
            ),
        ),
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(
                condition=models.Q(("parcours__isnull", True)),
                fields=("user", "form"),
                name="draft_one_of_one_s_own",
                violation_error_message="Un brouillon existe déjà.",
            ),
        ),
    ]
