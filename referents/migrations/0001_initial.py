import django.db.models.deletion
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='adresse électronique')),
                ('first_name', models.CharField(max_length=80, verbose_name='prénom')),
                ('last_name', models.CharField(max_length=80, verbose_name='nom')),
                ('employer', models.CharField(blank=True, max_length=120, verbose_name='employeur')),
                ('is_active', models.BooleanField(default=True, verbose_name='compte actif')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='créé le')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'compte',
                'verbose_name_plural': 'comptes',
                'constraints': [models.CheckConstraint(condition=models.Q(('is_superuser', False)), name='user_is_never_superuser', violation_error_message='Aucun compte ne peut contourner les droits.')],
            },
        ),
        migrations.CreateModel(
            name='Arrondissement',
            fields=[
                ('number', models.PositiveSmallIntegerField(primary_key=True, serialize=False, verbose_name='numéro')),
                ('name', models.CharField(max_length=60, verbose_name='nom')),
            ],
            options={
                'verbose_name': 'arrondissement',
                'verbose_name_plural': 'arrondissements',
                'ordering': ['number'],
                'constraints': [models.CheckConstraint(condition=models.Q(('number__gte', 1), ('number__lte', 20)), name='arrondissement_of_paris', violation_error_message='Paris compte vingt arrondissements.')],
            },
        ),
        migrations.CreateModel(
            name='CharterSignature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.CharField(max_length=20, verbose_name='version')),
                ('signed_on', models.DateField(verbose_name='signée le')),
                ('expires_on', models.DateField(help_text='Ce jour n’est plus compris.', verbose_name='valable jusqu’au')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='charters', to=settings.AUTH_USER_MODEL, verbose_name='personne')),
            ],
            options={
                'verbose_name': 'charte de confidentialité',
                'verbose_name_plural': 'chartes de confidentialité',
                'constraints': [models.CheckConstraint(condition=models.Q(('expires_on__gt', models.F('signed_on'))), name='charter_expires_after_signature', violation_error_message='La charte expire après sa signature.')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalCharterSignature',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('version', models.CharField(max_length=20, verbose_name='version')),
                ('signed_on', models.DateField(verbose_name='signée le')),
                ('expires_on', models.DateField(help_text='Ce jour n’est plus compris.', verbose_name='valable jusqu’au')),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='personne')),
            ],
            options={
                'verbose_name': 'historical charte de confidentialité',
                'verbose_name_plural': 'historical chartes de confidentialité',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
                'default_permissions': (),
                'indexes': [models.Index(fields=['id', 'history_date'], name='referents_h_id_0d94fd_idx')],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalUser',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(max_length=254, verbose_name='adresse électronique')),
                ('first_name', models.CharField(max_length=80, verbose_name='prénom')),
                ('last_name', models.CharField(max_length=80, verbose_name='nom')),
                ('employer', models.CharField(blank=True, max_length=120, verbose_name='employeur')),
                ('is_active', models.BooleanField(default=True, verbose_name='compte actif')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='créé le')),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical compte',
                'verbose_name_plural': 'historical comptes',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
                'default_permissions': (),
                'indexes': [models.Index(fields=['id', 'history_date'], name='referents_h_id_40e4b7_idx')],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Team',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=20, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=80, verbose_name='nom')),
                ('arrondissement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='teams', to='referents.arrondissement', verbose_name='arrondissement')),
            ],
            options={
                'verbose_name': 'équipe',
                'verbose_name_plural': 'équipes',
                'ordering': ['arrondissement_id', 'code'],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('referent', 'référent de parcours'), ('coordinator', 'coordination'), ('epre_member', 'membre de l’EPRE'), ('project_leader', 'porteur de projet'), ('pilotage', 'pilotage du programme'), ('dpo', 'délégué à la protection des données'), ('administrator', 'administration technique')], max_length=20, verbose_name='rôle')),
                ('starts_on', models.DateField(default=django.utils.timezone.localdate, verbose_name='depuis le')),
                ('ends_on', models.DateField(blank=True, help_text='Ce jour n’est plus compris.', null=True, verbose_name='jusqu’au')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL, verbose_name='personne')),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='referents.team', verbose_name='équipe')),
            ],
            options={
                'verbose_name': 'appartenance',
                'verbose_name_plural': 'appartenances',
                'indexes': [models.Index(fields=['team', 'role', 'starts_on'], name='membership_team_role')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='membership_ends_after_start', violation_error_message='La fin ne peut pas précéder le début.'), models.CheckConstraint(condition=models.Q(models.Q(('role__in', ('referent', 'coordinator', 'epre_member')), ('team__isnull', False)), models.Q(models.Q(('role__in', ('referent', 'coordinator', 'epre_member')), _negated=True), ('team__isnull', True)), _connector='OR'), name='membership_team_fits_role', violation_error_message='Ce rôle s’exerce dans une équipe, ou pour tout le programme.'), models.UniqueConstraint(condition=models.Q(('ends_on__isnull', True), ('team__isnull', False)), fields=('user', 'team', 'role'), name='membership_one_current_in_team', violation_error_message='Cette personne tient déjà ce rôle dans cette équipe.'), models.UniqueConstraint(condition=models.Q(('ends_on__isnull', True), ('team__isnull', True)), fields=('user', 'role'), name='membership_one_current_in_programme', violation_error_message='Cette personne tient déjà ce rôle.')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalMembership',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('role', models.CharField(choices=[('referent', 'référent de parcours'), ('coordinator', 'coordination'), ('epre_member', 'membre de l’EPRE'), ('project_leader', 'porteur de projet'), ('pilotage', 'pilotage du programme'), ('dpo', 'délégué à la protection des données'), ('administrator', 'administration technique')], max_length=20, verbose_name='rôle')),
                ('starts_on', models.DateField(default=django.utils.timezone.localdate, verbose_name='depuis le')),
                ('ends_on', models.DateField(blank=True, help_text='Ce jour n’est plus compris.', null=True, verbose_name='jusqu’au')),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='personne')),
                ('team', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='referents.team', verbose_name='équipe')),
            ],
            options={
                'verbose_name': 'historical appartenance',
                'verbose_name_plural': 'historical appartenances',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
                'default_permissions': (),
                'indexes': [models.Index(fields=['id', 'history_date'], name='referents_h_id_b38005_idx')],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
