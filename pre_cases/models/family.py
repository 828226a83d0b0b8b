"""The child, the adults around the child, where the child lives and goes to school."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q

from audit.encryption.fields import EncryptedDateField, EncryptedTextField
from audit.history import History
from audit.retention import Retention
from partners.models import Nomenclature, Sex
from partners.models.nomenclature import term_key
from pre_cases.models.record import CaseRecord, EncryptedRecord
from pre_cases.querysets.family import ChildQuerySet
from pre_cases.retention import RetentionState, annotated, parcours_due_on, saisine_due_on
from referents.intervals import DatedQuerySet, ends_after_start


class Relation(models.TextChoices):
    MOTHER = "mother", "mère"
    FATHER = "father", "père"
    STEP_PARENT = "step_parent", "beau-parent"
    GRANDPARENT = "grandparent", "grand-parent"
    ASE = "ase", "service de l’ASE"
    FOSTER = "foster", "assistant familial"
    OTHER = "other", "autre"


class LivesWith(models.TextChoices):
    NONE = "none", "n’habite pas avec l’enfant"
    MAIN = "main", "résidence principale"
    ALTERNATING = "alternating", "résidence alternée"


class Family(EncryptedRecord):
    """Groups siblings, and holds the key of their adults. Carries neither authority nor territory."""

    retention = Retention.WITH_FAMILY

    history = History()

    class Meta:
        verbose_name = "fratrie"
        verbose_name_plural = "fratries"


class Child(EncryptedRecord):
    family = models.ForeignKey(Family, on_delete=models.PROTECT, related_name="children", verbose_name="fratrie")
    first_name = EncryptedTextField("prénom", aad="child.first_name", max_length=80)
    family_name = EncryptedTextField("nom", aad="child.family_name", max_length=80)
    birth_date = EncryptedDateField("date de naissance", aad="child.birth_date", null=True, blank=True)
    sex = models.CharField("sexe", max_length=10, choices=Sex, blank=True)
    search_words = EncryptedTextField(  # derived from the names by index_child(): one value to open for each search
        "mots de recherche", aad="child.search_words", null=True, blank=True, editable=False
    )

    objects = ChildQuerySet.as_manager()
    history = History(excluded_fields=["search_words"])

    class Meta:
        verbose_name = "enfant"
        verbose_name_plural = "enfants"

    def age(self, on: date) -> int | None:
        """Completed years on a day; someone born on 29 February ages on 1 March. None without a birth date."""
        return None if self.birth_date is None else age_in_years(self.birth_date, on)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.family_name}"

    @property
    def retention_state(self) -> RetentionState:
        """Where the file stands in its retention; read through ``with_retention()``, like its term."""
        return RetentionState(annotated(self, "retention_code"))

    @property
    def last_team_id(self) -> int:
        """The team of the last parcours, or of the last saisine; the same."""
        team_id: int = annotated(self, "retained_team_id")
        return team_id

    @property
    def due_on(self) -> date:
        """The term of the file: of the parcours, after the last contact, or of the last saisine if it comes later."""
        days = [saisine_due_on(annotated(self, "received_on"))]
        if annotated(self, "had_parcours"):
            days.append(parcours_due_on(annotated(self, "last_contact_on")))
        return max(days)


def age_in_years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


class Adult(EncryptedRecord):
    """A person around the children of a family, under the family's key. What they may do stands in ChildAdult."""

    retention = Retention.WITH_FAMILY

    family = models.ForeignKey(Family, on_delete=models.PROTECT, related_name="adults", verbose_name="fratrie")
    first_name = EncryptedTextField("prénom", aad="adult.first_name", max_length=80, null=True, blank=True)
    family_name = EncryptedTextField("nom", aad="adult.family_name", max_length=80)
    phone = EncryptedTextField("téléphone", aad="adult.phone", max_length=30, null=True, blank=True)
    email = EncryptedTextField("adresse électronique", aad="adult.email", max_length=120, null=True, blank=True)
    address = EncryptedTextField("adresse", aad="adult.address", max_length=240, null=True, blank=True)
    address_is_confidential = models.BooleanField("adresse confidentielle", default=False)

    history = History()

    class Meta:
        verbose_name = "adulte"
        verbose_name_plural = "adultes"

    @property
    def full_name(self) -> str:
        return f"{self.first_name or ''} {self.family_name}".strip()


class ChildAdult(EncryptedRecord):
    """What one adult is to one child, from a day to another: authority belongs to this pair, not to a household."""

    journal_subject = ("child_id",)

    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="adult_links", verbose_name="enfant")
    adult = models.ForeignKey(Adult, on_delete=models.CASCADE, related_name="child_links", verbose_name="adulte")
    relation = models.CharField("lien", max_length=20, choices=Relation)
    holds_authority = models.BooleanField("titulaire de l’autorité parentale", default=False)
    lives_with = models.CharField("résidence", max_length=12, choices=LivesWith, default=LivesWith.MAIN)
    may_be_contacted = models.BooleanField("peut être contacté", default=True)
    may_receive_documents = models.BooleanField("peut recevoir des documents", default=True)
    reason = EncryptedTextField("motif", aad="child_adult.reason", max_length=300, null=True, blank=True)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", null=True, blank=True)

    objects = DatedQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "adulte autour de l’enfant"
        verbose_name_plural = "adultes autour de l’enfant"
        constraints = [
            ends_after_start("child_adult_ends_after_start"),
            models.UniqueConstraint(
                fields=["child", "adult"],
                condition=Q(ends_on__isnull=True),
                name="child_adult_one_current",
                violation_error_message="Ce lien est déjà enregistré.",
            ),
        ]


class Residence(EncryptedRecord):
    """Where the child lives, and whether that address lies in a priority neighbourhood of a generation.

    ``determined_on`` empty: nobody looked yet. Set with an empty ``qpv_code``: outside every QPV.
    """

    journal_subject = ("child_id",)

    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="residences", verbose_name="enfant")
    address = EncryptedTextField("adresse", aad="residence.address", max_length=240, null=True, blank=True)
    qpv_code = models.CharField("quartier prioritaire", max_length=10, blank=True)
    qpv_generation = models.CharField("génération", max_length=10, blank=True)
    determined_on = models.DateField("vérifié le", null=True, blank=True)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", null=True, blank=True)

    objects = DatedQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "résidence"
        verbose_name_plural = "résidences"
        indexes = [models.Index(fields=["child", "starts_on"], name="residence_child_start")]
        constraints = [
            ends_after_start("residence_ends_after_start"),
            models.CheckConstraint(
                condition=Q(qpv_code="") | Q(determined_on__isnull=False),
                name="residence_qpv_is_determined",
                violation_error_message="Dites à quelle date le quartier prioritaire a été vérifié.",
            ),
        ]

    @staticmethod
    def generation_on(on: date) -> str:
        """The generation of priority areas in force on a day: ZUS/CUCS, QPV 2015, then QPV 2024."""
        if on < date(2015, 1, 1):
            return "zus"
        return "qpv2015" if on < date(2024, 1, 1) else "qpv2024"


class Schooling(CaseRecord):
    """One school and level of a child within one school year; presumed until somebody confirms it."""

    journal_subject = ("child_id",)

    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="schoolings", verbose_name="enfant")
    school = models.ForeignKey(
        "partners.School",
        on_delete=models.PROTECT,
        related_name="schoolings",
        null=True,
        blank=True,
        verbose_name="école",
    )
    school_year = models.PositiveSmallIntegerField("année scolaire")
    level = term_key(Nomenclature.LEVEL, "classe")
    in_ulis = models.BooleanField("ULIS", default=False)
    in_upe2a = models.BooleanField("UPE2A", default=False)
    confirmed_on = models.DateField("confirmé le", null=True, blank=True)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", help_text="Ce jour n’est plus compris.")

    objects = DatedQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "scolarité"
        verbose_name_plural = "scolarités"
        indexes = [models.Index(fields=["child", "starts_on"], name="schooling_child_start")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="schooling_ends_after_start",
                violation_error_message="La scolarité doit finir après son début.",
            ),
            models.UniqueConstraint(
                fields=["child", "starts_on"],
                name="schooling_one_start",
                violation_error_message="Une scolarité commence déjà ce jour-là.",
            ),
        ]
