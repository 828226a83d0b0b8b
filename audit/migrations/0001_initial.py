"""The journal's table, with its triggers from the first moment."""

import django.utils.timezone
import uuid_utils.compat
from django.db import migrations, models

import audit.journal.models
from audit.journal.triggers import ALIAS, install_triggers


def install(apps, schema_editor):
    """The table never exists without them, even when a later migration fails."""
    if schema_editor.connection.alias == ALIAS:
        install_triggers(schema_editor.connection)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='le')),
                ('action', models.CharField(max_length=30, verbose_name='action')),
                ('actor_id', models.BigIntegerField(null=True, verbose_name='auteur')),
                ('acting_for_id', models.BigIntegerField(null=True, verbose_name='pour le compte de')),
                ('role', models.CharField(blank=True, max_length=20, verbose_name='rôle')),
                ('team_id', models.BigIntegerField(null=True, verbose_name='équipe de l’auteur')),
                ('kind', models.CharField(blank=True, max_length=80, verbose_name='objet')),
                ('record_ids', models.JSONField(default=list, verbose_name='identifiants')),
                ('subject_id', models.UUIDField(null=True, verbose_name='situation')),
                ('subject_team_id', models.BigIntegerField(null=True, verbose_name='équipe de la situation')),
                ('data_kind', models.CharField(blank=True, max_length=30, verbose_name='nature des données')),
                ('purpose', models.CharField(blank=True, max_length=60, verbose_name='motif')),
                ('request_id', models.UUIDField(null=True, verbose_name='requête')),
                ('address', models.CharField(blank=True, max_length=43, verbose_name='adresse tronquée')),
                ('detail', models.JSONField(default=dict, verbose_name='détail')),
                ('transaction_id', models.BigIntegerField(db_default=audit.journal.models.TransactionId(), editable=False, verbose_name='transaction')),
            ],
            options={
                'verbose_name': 'événement du journal',
                'verbose_name_plural': 'événements du journal',
                'default_permissions': (),
                'indexes': [models.Index(fields=['at', 'id'], name='event_at'), models.Index(fields=['actor_id', 'at'], name='event_actor_at'), models.Index(fields=['subject_id', 'at'], name='event_subject_at'), models.Index(fields=['subject_team_id', 'at'], name='event_subject_team_at'), models.Index(fields=['transaction_id', 'id'], name='event_transaction')],
            },
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
