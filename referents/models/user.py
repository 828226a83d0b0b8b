"""People who sign in, and the dated memberships their ordinary access derives from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.functional import cached_property

from audit.history import SYSTEM_EMAIL, History
from referents.intervals import DatedQuerySet, ends_after_start
from referents.text import normalised

if TYPE_CHECKING:
    from referents.models.grant import StandIn
    from referents.standing import Standing


class Role(models.TextChoices):
    REFERENT = "referent", "référent de parcours"
    COORDINATOR = "coordinator", "coordination"
    EPRE_MEMBER = "epre_member", "membre de l’EPRE"
    PROJECT_LEADER = "project_leader", "porteur de projet"
    PILOTAGE = "pilotage", "pilotage du programme"
    DPO = "dpo", "délégué à la protection des données"
    ADMINISTRATOR = "administrator", "administration technique"


TEAM_ROLES = (Role.REFERENT, Role.COORDINATOR, Role.EPRE_MEMBER)
NOMINATIVE_ROLES = (*TEAM_ROLES, Role.PROJECT_LEADER)
COORDINATED_ROLES = (Role.REFERENT, Role.EPRE_MEMBER)  # those that a coordination gives in its own teams
SEARCH_NAME_LENGTH = 170


class PersonNameField(models.CharField):
    """Comparable surname and first name, written by ``save()`` and ``bulk_create()`` alike."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        text = normalised(f"{model_instance.last_name} {model_instance.first_name}")[:SEARCH_NAME_LENGTH]
        setattr(model_instance, self.attname, text)
        return text


class UserQuerySet(models.QuerySet["User"]):
    def people(self) -> UserQuerySet:
        """Without the account under which the installation acts."""
        return self.exclude(email=SYSTEM_EMAIL)

    def matching(self, text: str) -> UserQuerySet:
        """Every word of the text is in the name, whatever the order, the accents and the case."""
        found = self
        for word in normalised(text).split():
            found = found.filter(search_name__contains=word)
        return found

    def holding(self, role: Role, team_id: int, on: date | None = None) -> UserQuerySet:
        """Active accounts that hold a role in a team on a day (today by default), by name."""
        held = Membership.objects.current(on).filter(role=role, team=team_id, user=OuterRef("pk"))
        return self.filter(Exists(held), is_active=True).order_by("last_name", "first_name", "pk")

    # -- scopes -----------------------------------------------------------------------------------------------------

    def may_be_listed_by(self, user: User) -> bool:
        return any(user.standing.holds(role) for role in (Role.ADMINISTRATOR, Role.DPO, Role.COORDINATOR))

    def may_be_wholly_listed_by(self, user: User) -> bool:
        """Who reads every account, and everything of it."""
        return user.standing.holds(Role.ADMINISTRATOR) or user.standing.holds(Role.DPO)

    def visible_to(self, user: User) -> UserQuerySet:
        """Everybody for the administration and the DPO; for a coordination, who has or had a role in its teams."""
        if self.may_be_wholly_listed_by(user):
            return self.people()
        return self._with_a_role(Membership.objects.in_teams_of(user))

    def administered_by(self, user: User) -> UserQuerySet:
        """Accounts whose identity and opening the person may change."""
        return self.people() if user.standing.holds(Role.ADMINISTRATOR) else self.none()

    def staffed_by(self, user: User) -> UserQuerySet:
        """Known people to whom the person may give a role."""
        if user.standing.holds(Role.ADMINISTRATOR):
            return self.people()
        return self._with_a_role(Membership.objects.in_teams_of(user))

    def invited_by(self, user: User) -> UserQuerySet:
        """People to whom the person may send the link of invitation again."""
        if user.standing.holds(Role.ADMINISTRATOR):
            return self.people()
        return self._with_a_role(Membership.objects.endable_by(user).lasting())

    def may_be_invited_by(self, user: User) -> bool:
        """Who opens accounts for newcomers."""
        return user.standing.holds(Role.ADMINISTRATOR) or user.standing.holds(Role.COORDINATOR)

    def _with_a_role(self, memberships: MembershipQuerySet) -> UserQuerySet:
        return self.people().filter(Exists(memberships.filter(user=OuterRef("pk"))))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user: User = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email: str | None) -> User:
        user: User = self.get(email=(email or "").lower())
        return user


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]
    """One account per person. Rights come from memberships and dated facts, never from groups or flags."""

    email = models.EmailField("adresse électronique", unique=True)
    first_name = models.CharField("prénom", max_length=80)
    last_name = models.CharField("nom", max_length=80)
    search_name = PersonNameField("nom comparable", max_length=SEARCH_NAME_LENGTH, editable=False, db_index=True)
    employer = models.CharField("employeur", max_length=120, blank=True)
    is_active = models.BooleanField("compte actif", default=True)
    session_round = models.PositiveIntegerField("tour des sessions", default=0, editable=False)
    date_joined = models.DateTimeField("créé le", default=timezone.now)

    objects = UserManager()
    history = History(excluded_fields=["password", "last_login", "search_name", "session_round"])
    permission_scopes = {"referents.view_user": "visible_to", "referents.change_user": "administered_by"}

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["first_name", "last_name"]
    is_staff = False

    class Meta:
        verbose_name = "compte"
        verbose_name_plural = "comptes"
        constraints = [
            models.CheckConstraint(
                condition=Q(is_superuser=False),
                name="user_is_never_superuser",
                violation_error_message="Aucun compte ne peut contourner les droits.",
            )
        ]

    def __str__(self) -> str:
        return f"User {self.pk}"

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def has_entered(self) -> bool:
        """Whether the person already has a way in, by a password or by another door: no invitation is needed."""
        return self.has_usable_password() or self.last_login is not None

    @cached_property
    def standing(self) -> Standing:
        """Today's memberships and charter, read in one query and kept for the life of this instance."""
        from referents.standing import standing_of

        return standing_of(self)

    @cached_property
    def replacements(self) -> tuple[StandIn, ...]:
        """The replacements that this person makes today, with the membership of the person replaced."""
        from referents.models.grant import StandIn

        held = StandIn.objects.held_by(self).select_related("content_object__user", "content_object__team")
        return tuple(held.order_by("ends_on", "pk"))

    def replaced(self, person: str, team: str) -> Q:
        """Rows whose person is one that this person replaces today, in the team of each; both are names of columns."""
        held = Q(pk__in=[])
        for stand_in in self.replacements:
            held |= Q(**{person: stand_in.content_object.user_id, team: stand_in.content_object.team_id})
        return held

    def replaced_on(self, record: models.Model) -> int | None:
        """The référent whom this person replaces today on a record, when nobody but that référent gives the right.

        A record of a file says by ``carriers()`` who carries it, pairs of an account and a team; others say nothing.
        """
        find = getattr(record, "carriers", None)
        if find is None or not self.replacements:
            return None
        own_teams = self.standing.team_ids(Role.REFERENT)
        carriers: set[tuple[int, int]] = {pair for pair in find() if pair[1] in own_teams}
        if any(account_id == self.pk for account_id, _ in carriers):
            return None
        replaced = ((held.content_object.user_id, held.content_object.team_id) for held in self.replacements)
        return next((account_id for account_id, team_id in replaced if (account_id, team_id) in carriers), None)

    @property
    def journal_capacity(self) -> tuple[str, int | None]:
        """The role and team under which this person acts today, as the journal writes them."""
        return self.standing.capacity


class MembershipQuerySet(DatedQuerySet["Membership"]):
    def lasting(self, on: date | None = None) -> MembershipQuerySet:
        """In force or to come on a day (today by default); what was cancelled before it began is neither."""
        day = on or timezone.localdate()
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day) & Q(ends_on__gt=F("starts_on")))

    def meeting(self, starts_on: date, ends_on: date | None) -> MembershipQuerySet:
        """Those that share at least one day with ``[starts_on, ends_on)``."""
        return self.overlapping(starts_on, ends_on).exclude(ends_on=F("starts_on"))

    # -- scopes -----------------------------------------------------------------------------------------------------

    def in_teams_of(self, user: User) -> MembershipQuerySet:
        """In the teams that the person coordinates today."""
        return self.filter(team__in=user.standing.team_ids(Role.COORDINATOR))

    def visible_to(self, user: User) -> MembershipQuerySet:
        """All for the administration and the DPO; for a coordination, those of its teams and no other."""
        if user.standing.holds(Role.ADMINISTRATOR) or user.standing.holds(Role.DPO):
            return self
        return self.in_teams_of(user)

    def endable_by(self, user: User) -> MembershipQuerySet:
        """All for the administration; for a coordination, the référents and members of the EPRE of its teams."""
        if user.standing.holds(Role.ADMINISTRATOR):
            return self
        return self.in_teams_of(user).filter(role__in=COORDINATED_ROLES)

    def caseloads_managed_by(self, user: User) -> MembershipQuerySet:
        """The référents' memberships whose caseload the person may pass on or have replaced: one's own, and those of
        the teams one coordinates, ended ones too.
        """
        coordinated = user.standing.team_ids(Role.COORDINATOR)
        own = Q(user=user, team__in=user.standing.team_ids(Role.REFERENT))
        return self.filter(own | Q(team__in=coordinated), role=Role.REFERENT)


class Membership(models.Model):  # type: ignore[django-manager-missing]
    """A role held from a day to another, in a team or for the whole programme. Never overwritten."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships", verbose_name="personne")
    team = models.ForeignKey(
        "referents.Team",
        on_delete=models.PROTECT,
        related_name="memberships",
        null=True,
        blank=True,
        verbose_name="équipe",
    )
    role = models.CharField("rôle", max_length=20, choices=Role)
    starts_on = models.DateField("depuis le", default=timezone.localdate)
    ends_on = models.DateField("jusqu’au", null=True, blank=True, help_text="Ce jour n’est plus compris.")

    objects = MembershipQuerySet.as_manager()
    history = History()
    permission_scopes = {"referents.view_membership": "visible_to", "referents.change_membership": "endable_by"}

    class Meta:
        verbose_name = "appartenance"
        verbose_name_plural = "appartenances"
        permissions = [("hold_caseload", "Tenir la file active")]
        indexes = [models.Index(fields=["team", "role", "starts_on"], name="membership_team_role")]
        constraints = [
            ends_after_start("membership_ends_after_start"),
            models.CheckConstraint(
                condition=Q(role__in=TEAM_ROLES, team__isnull=False) | (~Q(role__in=TEAM_ROLES) & Q(team__isnull=True)),
                name="membership_team_fits_role",
                violation_error_message="Ce rôle s’exerce dans une équipe, ou pour tout le programme.",
            ),
            models.UniqueConstraint(
                fields=["user", "team", "role"],
                condition=Q(ends_on__isnull=True, team__isnull=False),
                name="membership_one_current_in_team",
                violation_error_message="Cette personne tient déjà ce rôle dans cette équipe.",
            ),
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=Q(ends_on__isnull=True, team__isnull=True),
                name="membership_one_current_in_programme",
                violation_error_message="Cette personne tient déjà ce rôle.",
            ),
        ]

    def __str__(self) -> str:
        return f"Membership {self.pk}"

    @property
    def last_day(self) -> date | None:
        """The last day on which the role is held, None while no end is known."""
        return self.ends_on - timedelta(days=1) if self.ends_on else None

    @property
    def is_cancelled(self) -> bool:
        """Ended before it began: it never opened anything."""
        return self.ends_on == self.starts_on

    @property
    def is_over(self) -> bool:
        return self.ends_on is not None and self.ends_on <= max(timezone.localdate(), self.starts_on)

    @property
    def is_to_come(self) -> bool:
        return not self.is_cancelled and self.starts_on > timezone.localdate()
