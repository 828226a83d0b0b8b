"""Seals of the journal, the months that left it, and what verifications found."""

import django.utils.timezone
from django.db import migrations, models

from audit.journal.triggers import ALIAS, install_triggers


def install(apps, schema_editor):
    """The tables never exist without them, even when a later migration fails."""
    if schema_editor.connection.alias == ALIAS:
        install_triggers(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='PurgedMonth',
            fields=[
                ('month', models.DateField(primary_key=True, serialize=False, verbose_name='mois')),
                ('count', models.PositiveIntegerField(verbose_name='événements')),
                ('purged_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='parti le')),
                ('key_id', models.CharField(max_length=64, verbose_name='clé de signature')),
                ('signature', models.BinaryField(verbose_name='signature')),
            ],
            options={
                'verbose_name': 'mois parti du journal',
                'verbose_name_plural': 'mois partis du journal',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='numéro')),
                ('month', models.DateField(verbose_name='mois')),
                ('first_event', models.UUIDField(verbose_name='premier événement')),
                ('last_event', models.UUIDField(verbose_name='dernier événement')),
                ('last_transaction', models.BigIntegerField(verbose_name='dernière transaction')),
                ('count', models.PositiveIntegerField(verbose_name='événements')),
                ('size', models.BigIntegerField(verbose_name='événements scellés en tout')),
                ('root', models.BinaryField(verbose_name='racine du lot')),
                ('log_root', models.BinaryField(verbose_name='racine du journal')),
                ('edge', models.BinaryField(verbose_name='bord droit')),
                ('index', models.BinaryField(verbose_name='table des événements')),
                ('index_digest', models.BinaryField(verbose_name='empreinte de la table')),
                ('previous', models.BinaryField(verbose_name='empreinte du sceau précédent')),
                ('sealed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='scellé le')),
                ('key_id', models.CharField(max_length=64, verbose_name='clé de signature')),
                ('signature', models.BinaryField(verbose_name='signature')),
            ],
            options={
                'verbose_name': 'sceau du journal',
                'verbose_name_plural': 'sceaux du journal',
                'default_permissions': (),
                'indexes': [models.Index(fields=['size'], name='seal_size'), models.Index(fields=['month'], name='seal_month')],
            },
        ),
        migrations.CreateModel(
            name='Verification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='le')),
                ('fault', models.CharField(blank=True, choices=[('altered', 'événement modifié'), ('deleted', 'événement supprimé'), ('inserted', 'événement ajouté après coup'), ('reordered', 'événement déplacé'), ('truncated', 'fin du journal coupée'), ('forged_seal', 'sceau falsifié'), ('broken_chain', 'chaîne des sceaux rompue'), ('missing_key', 'clé de signature absente ou inconnue'), ('rewritten', 'journal réécrit : il ne continue pas le point de contrôle')], max_length=20, verbose_name='anomalie')),
                ('event_id', models.UUIDField(null=True, verbose_name='premier événement en cause')),
                ('seal', models.BigIntegerField(null=True, verbose_name='sceau en cause')),
                ('events', models.BigIntegerField(verbose_name='événements lus')),
                ('unsealed', models.BigIntegerField(verbose_name='événements à sceller')),
                ('seals', models.BigIntegerField(verbose_name='sceaux lus')),
                ('checkpoint', models.BigIntegerField(null=True, verbose_name='taille au point de contrôle')),
            ],
            options={
                'verbose_name': 'vérification du journal',
                'verbose_name_plural': 'vérifications du journal',
                'default_permissions': (),
                'indexes': [models.Index(fields=['-at'], name='verification_at')],
            },
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
