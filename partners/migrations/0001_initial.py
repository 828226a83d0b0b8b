import datetime
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import partners.models.school
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('referents', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Organisation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(error_messages={'unique': 'Cet organisme existe déjà.'}, max_length=160, unique=True, verbose_name='nom')),
                ('search_name', models.CharField(db_index=True, editable=False, max_length=160)),
                ('kind', models.CharField(choices=[('association', 'association'), ('centre_social_association', 'centre social associatif'), ('centre_social_caf', 'centre social de la CAF'), ('solidarity_network', 'réseau de solidarité de voisinage'), ('accorderie', 'accorderie'), ('pad', 'point d’accès au droit'), ('mjd', 'maison de justice et du droit'), ('pimms', 'PIMMS'), ('youth_office', 'antenne jeunes'), ('centre_animation', 'centre d’animation'), ('public_service', 'service public'), ('other', 'autre')], default='association', max_length=30, verbose_name='nature')),
                ('in_qpv', models.BooleanField(default=False, verbose_name='en quartier prioritaire')),
                ('address', models.CharField(blank=True, max_length=200, verbose_name='adresse')),
                ('phone', models.CharField(blank=True, max_length=20, verbose_name='téléphone')),
                ('arrondissement', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='organisations', to='referents.arrondissement', verbose_name='arrondissement')),
            ],
            options={
                'verbose_name': 'organisme',
                'verbose_name_plural': 'organismes',
                'ordering': ['search_name'],
            },
        ),
        migrations.CreateModel(
            name='School',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uai', models.CharField(error_messages={'unique': 'Cet établissement existe déjà.'}, max_length=8, unique=True, validators=[partners.models.school.validate_uai], verbose_name='numéro UAI')),
                ('name', models.CharField(max_length=200, verbose_name='nom')),
                ('search_name', partners.models.school.SearchNameField(db_index=True, editable=False, max_length=320, verbose_name='nom comparable')),
                ('sector', models.CharField(blank=True, choices=[('public', 'public'), ('private', 'privé')], max_length=10, verbose_name='secteur')),
                ('address', models.CharField(blank=True, max_length=250, verbose_name='adresse')),
                ('postcode', models.CharField(blank=True, max_length=5, verbose_name='code postal')),
                ('city', models.CharField(blank=True, max_length=100, verbose_name='commune')),
                ('departement', models.CharField(blank=True, help_text='Trois caractères, « 075 ».', max_length=3, verbose_name='département')),
                ('announced', models.CharField(blank=True, choices=[('opening', 'ouverture annoncée'), ('closing', 'fermeture annoncée')], max_length=10, verbose_name='annonce')),
                ('opened_on', models.DateField(blank=True, null=True, verbose_name='ouvert le')),
                ('closed_on', models.DateField(blank=True, help_text='Ce jour n’est plus compris.', null=True, verbose_name='fermé le')),
                ('updated_on', models.DateField(blank=True, null=True, verbose_name='à jour de l’annuaire au')),
                ('arrondissement', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='schools', to='referents.arrondissement', verbose_name='arrondissement')),
            ],
            options={
                'verbose_name': 'établissement scolaire',
                'verbose_name_plural': 'établissements scolaires',
                'ordering': ['search_name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('closed_on__isnull', True), ('opened_on__isnull', True), ('closed_on__gte', models.F('opened_on')), _connector='OR'), name='school_closes_after_opening', violation_error_message='Un établissement ne ferme pas avant d’avoir ouvert.')],
            },
        ),
        migrations.CreateModel(
            name='Term',
            fields=[
                ('id', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('nomenclature', models.CharField(choices=[('level', 'niveaux scolaires'), ('domain', 'domaines d’action'), ('priority', 'priorités'), ('source', 'prescripteurs'), ('sign', 'signes de fragilité'), ('exit_reason', 'motifs de sortie')], max_length=20, verbose_name='liste')),
                ('code', models.SlugField(verbose_name='code')),
                ('label', models.CharField(max_length=160, verbose_name='libellé')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='ordre')),
                ('survey_code', models.CharField(blank=True, max_length=20, verbose_name='code de l’enquête nationale')),
                ('valid_from', models.DateField(default=datetime.date(2005, 1, 1), verbose_name='valable depuis')),
                ('valid_to', models.DateField(blank=True, help_text='Ce jour n’est plus compris.', null=True, verbose_name='valable jusqu’au')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='partners.term', verbose_name='rubrique')),
            ],
            options={
                'verbose_name': 'terme de nomenclature',
                'verbose_name_plural': 'nomenclatures',
                'ordering': ['nomenclature', 'position'],
                'constraints': [models.UniqueConstraint(fields=('nomenclature', 'code'), name='term_unique_code', violation_error_message='Ce code existe déjà dans la liste.'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='term_ends_after_start', violation_error_message='La fin ne peut pas précéder le début.')],
            },
        ),
        migrations.CreateModel(
            name='SchoolNature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='depuis le')),
                ('ends_on', models.DateField(blank=True, help_text='Ce jour n’est plus compris.', null=True, verbose_name='jusqu’au')),
                ('nature', models.CharField(choices=[('maternelle', 'école maternelle'), ('elementaire', 'école élémentaire ou polyvalente'), ('college', 'collège'), ('lycee', 'lycée'), ('specialised', 'établissement spécialisé'), ('other', 'autre établissement')], max_length=12, verbose_name='nature')),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='natures', to='partners.school', verbose_name='établissement scolaire')),
            ],
            options={
                'verbose_name': 'nature d’établissement',
                'verbose_name_plural': 'natures d’établissement',
                'ordering': ['school_id', 'starts_on'],
                'abstract': False,
                'indexes': [models.Index(fields=['nature', 'school'], name='schoolnature_by_nature')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='schoolnature_ends_after_start', violation_error_message='La fin ne peut pas précéder le début.'), models.UniqueConstraint(condition=models.Q(('ends_on__isnull', True)), fields=('school',), name='schoolnature_one_current', violation_error_message='Un fait en cours existe déjà pour cet établissement\xa0: terminez-le d’abord.')],
            },
        ),
        migrations.CreateModel(
            name='SchoolPriorityStatus',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='depuis le')),
                ('ends_on', models.DateField(blank=True, help_text='Ce jour n’est plus compris.', null=True, verbose_name='jusqu’au')),
                ('status', models.CharField(choices=[('rep_plus', 'REP+'), ('rep', 'REP'), ('eclair', 'ÉCLAIR'), ('rrs', 'RRS'), ('rar', 'RAR'), ('zep', 'ZEP')], max_length=10, verbose_name='éducation prioritaire')),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='priority_statuses', to='partners.school', verbose_name='établissement scolaire')),
            ],
            options={
                'verbose_name': 'statut d’éducation prioritaire',
                'verbose_name_plural': 'statuts d’éducation prioritaire',
                'ordering': ['school_id', 'starts_on'],
                'abstract': False,
                'indexes': [models.Index(fields=['status', 'school'], name='schoolpriority_by_status')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='schoolprioritystatus_ends_after_start', violation_error_message='La fin ne peut pas précéder le début.'), models.UniqueConstraint(condition=models.Q(('ends_on__isnull', True)), fields=('school',), name='schoolprioritystatus_one_current', violation_error_message='Un fait en cours existe déjà pour cet établissement\xa0: terminez-le d’abord.')],
            },
        ),
        migrations.CreateModel(
            name='SchoolTeam',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='depuis le')),
                ('ends_on', models.DateField(blank=True, help_text='Ce jour n’est plus compris.', null=True, verbose_name='jusqu’au')),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='school_teams', to='partners.school', verbose_name='établissement scolaire')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='school_teams', to='referents.team', verbose_name='équipe')),
            ],
            options={
                'verbose_name': 'équipe compétente',
                'verbose_name_plural': 'équipes compétentes',
                'ordering': ['school_id', 'starts_on'],
                'abstract': False,
                'indexes': [models.Index(fields=['team', 'school'], name='schoolteam_by_team')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='schoolteam_ends_after_start', violation_error_message='La fin ne peut pas précéder le début.'), models.UniqueConstraint(condition=models.Q(('ends_on__isnull', True)), fields=('school',), name='schoolteam_one_current', violation_error_message='Un fait en cours existe déjà pour cet établissement\xa0: terminez-le d’abord.')],
            },
        ),
        migrations.CreateModel(
            name='Project',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=160, verbose_name='intitulé')),
                ('search_title', models.CharField(db_index=True, editable=False, max_length=160)),
                ('time_slot', models.CharField(choices=[('after_school', 'après l’école'), ('evening', 'le soir'), ('wednesday', 'le mercredi'), ('weekend', 'le week-end'), ('holidays', 'pendant les vacances'), ('school_time', 'sur le temps scolaire')], default='after_school', max_length=20, verbose_name='créneau')),
                ('school_year', models.PositiveSmallIntegerField(help_text='L’année de la rentrée : 2026 pour 2026-2027.', verbose_name='année scolaire')),
                ('places', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1, 'Un projet offre au moins une place.')], verbose_name='places')),
                ('requested', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=10, verbose_name='montant demandé')),
                ('granted', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=10, verbose_name='montant accordé')),
                ('spent', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=10, verbose_name='montant dépensé')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='projects', to='partners.organisation', verbose_name='organisme')),
                ('domain', models.ForeignKey(limit_choices_to={'nomenclature': 'domain'}, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.term', verbose_name='domaine')),
                ('priority', models.ForeignKey(blank=True, limit_choices_to={'nomenclature': 'priority'}, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.term', verbose_name='priorité')),
            ],
            options={
                'verbose_name': 'projet',
                'verbose_name_plural': 'projets',
                'ordering': ['-school_year', 'search_title', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'title', 'school_year'), name='project_unique_in_year', violation_error_message='Cet organisme porte déjà un projet de ce nom cette année-là.'), models.CheckConstraint(condition=models.Q(('places__gte', 1)), name='project_has_places', violation_error_message='Un projet offre au moins une place.'), models.CheckConstraint(condition=models.Q(('granted__gte', 0), ('requested__gte', 0), ('spent__gte', 0)), name='project_amounts_positive', violation_error_message='Un montant ne peut pas être négatif.')],
            },
        ),
        migrations.CreateModel(
            name='ProjectHeadcount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='du')),
                ('ends_on', models.DateField(help_text='Ce jour n’est plus compris.', verbose_name='au')),
                ('sex', models.CharField(choices=[('girl', 'fille'), ('boy', 'garçon')], max_length=10, verbose_name='sexe')),
                ('age_band', models.CharField(choices=[('under_2', 'moins de 2 ans'), ('2_5', '2 à 5 ans'), ('6_10', '6 à 10 ans'), ('11_16', '11 à 16 ans'), ('17_over', '17 ans et plus')], max_length=10, verbose_name='tranche d’âge')),
                ('number', models.PositiveIntegerField(verbose_name='nombre d’enfants')),
                ('declared_on', models.DateField(verbose_name='déclaré le')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='headcounts', to='partners.project', verbose_name='projet')),
            ],
            options={
                'verbose_name': 'effectif déclaré',
                'verbose_name_plural': 'effectifs déclarés',
                'constraints': [models.UniqueConstraint(fields=('project', 'starts_on', 'sex', 'age_band'), name='headcount_declared_once', violation_error_message='Cet effectif est déjà déclaré pour cette période.'), models.CheckConstraint(condition=models.Q(('ends_on__gt', models.F('starts_on'))), name='headcount_ends_after_start', violation_error_message='La fin ne peut pas précéder le début.')],
            },
        ),
        migrations.CreateModel(
            name='ProjectLead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(default=django.utils.timezone.localdate, verbose_name='depuis le')),
                ('ends_on', models.DateField(blank=True, help_text='Ce jour n’est plus compris.', null=True, verbose_name='jusqu’au')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='leads', to='partners.project', verbose_name='projet')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='project_leads', to=settings.AUTH_USER_MODEL, verbose_name='personne')),
            ],
            options={
                'verbose_name': 'porteur de projet',
                'verbose_name_plural': 'porteurs de projets',
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='project_lead_ends_after_start', violation_error_message='La fin ne peut pas précéder le début.')],
            },
        ),
        migrations.CreateModel(
            name='ProjectTeam',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='project_teams', to='partners.project')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='project_teams', to='referents.team')),
            ],
            options={
                'verbose_name': 'équipe d’un projet',
                'verbose_name_plural': 'équipes des projets',
                'constraints': [models.UniqueConstraint(fields=('project', 'team'), name='project_team_once', violation_error_message='Ce projet accueille déjà cette équipe.')],
            },
        ),
        migrations.AddField(
            model_name='Project',
            name='teams',
            field=models.ManyToManyField(related_name='projects', through='partners.ProjectTeam', to='referents.team', verbose_name='équipes'),
        ),
    ]
