"""Who works in the invented programme: accounts, memberships and charters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from allauth.mfa.models import Authenticator
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from audit.encryption.sign_in import seal_secret
from audit.history import bulk_create_with_history
from pre_cases.demo import accounts
from pre_cases.demo.accounts import DEMO_DOMAIN, DEMO_PASSWORD, DemoAccount, code_secret
from pre_cases.demo.names import FAMILIES, MEN, WOMEN
from pre_cases.demo.territory import Territory
from referents.models import CharterSignature, Membership, Role, Team, User
from referents.text import normalised

FORMER_ENDED_ON = date(2016, 9, 1)
LEADERS = 3
EPRE_EMPLOYERS = ["Éducation nationale", "Ville de Paris, service social", "Ville de Paris, PMI", "Caisse des écoles"]


@dataclass
class Staff:
    """Accounts by what they do; lists by team id follow the order of arrival."""

    home: Team  # the team of the demonstration's référent
    referents: dict[int, list[User]] = field(default_factory=dict)
    former_referents: dict[int, list[User]] = field(default_factory=dict)
    coordinators: dict[int, User] = field(default_factory=dict)
    epre: dict[int, list[User]] = field(default_factory=dict)
    leaders: list[User] = field(default_factory=list)  # of projects; the demonstration's comes first
    cast: dict[str, User] = field(default_factory=dict)  # by e-mail
    memberships: dict[tuple[str, int | None], Membership] = field(default_factory=dict)  # by e-mail and team

    def of(self, account: DemoAccount) -> User:
        return self.cast[account.email]


class Recruiting:
    """Accounts gathered to be saved together; one hash of the demonstration's password opens them all."""

    def __init__(self, rng: Random, today: date) -> None:
        self.rng = rng
        self.today = today
        self.password = make_password(DEMO_PASSWORD)
        self.users: dict[str, User] = {}
        self.memberships: list[Membership] = []
        self.families = rng.sample(FAMILIES, len(FAMILIES))
        self.women, self.men = rng.sample(WOMEN, len(WOMEN)), rng.sample(MEN, len(MEN))

    def known(self, account: DemoAccount, employer: str) -> User:
        user = User(
            email=account.email,
            first_name=account.first_name,
            last_name=account.last_name,
            employer=employer,
            password=self.password,
        )
        self.users[user.email] = user
        return user

    def anyone(self, employer: str, *, active: bool = True) -> User:
        """Somebody new; one in four is a man, as in these trades."""
        rank = len(self.users)
        names = self.men if rank % 4 == 0 else self.women
        first, last = names[rank % len(names)], self.families[rank % len(self.families)]
        user = User(
            email=f"{normalised(first)}.{normalised(last)}@{DEMO_DOMAIN}".replace(" ", "-"),
            first_name=first,
            last_name=last,
            employer=employer,
            is_active=active,
            password=self.password if active else make_password(None),
        )
        self.users[user.email] = user
        return user

    def member(self, user: User, role: Role, team: Team | None = None, *, ended_on: date | None = None) -> None:
        since = date(2007, 9, 3) if ended_on else self.today - relativedelta(years=3, days=self.rng.randint(30, 1200))
        self.memberships.append(Membership(user=user, role=role, team=team, starts_on=since, ends_on=ended_on))


def build_staff(rng: Random, territory: Territory, today: date) -> Staff:
    """Two or three référents a team, those who worked there before them, a coordinator, members of the EPRE."""
    hiring = Recruiting(rng, today)
    doubled = [team for team in territory.teams if team.code.endswith("-a")]
    home = doubled[1] if len(doubled) > 1 else territory.teams[-1]
    staff = Staff(home=home)
    amina = hiring.known(accounts.AMINA, "Caisse des écoles")
    for rank, team in enumerate(territory.teams):
        staff.coordinators[team.pk] = (
            amina if team.arrondissement_id == home.arrondissement_id else hiring.anyone("Caisse des écoles")
        )
        hiring.member(staff.coordinators[team.pk], Role.COORDINATOR, team)
        hire_team(hiring, staff, team, rank)
    for team in territory.teams[:2]:
        hiring.member(hiring.anyone("Caisse des écoles"), Role.COORDINATOR, team)
    hire_programme(hiring, staff)
    save(hiring, today)
    staff.memberships = {(held.user.email, held.team_id): held for held in hiring.memberships}
    staff.cast = {account.email: hiring.users[account.email] for account in accounts.DEMO_ACCOUNTS}
    return staff


def hire_team(hiring: Recruiting, staff: Staff, team: Team, rank: int) -> None:
    is_home = team == staff.home
    referents = [hiring.known(accounts.BENOIT, "Association Coup de pouce")] if is_home else []
    if rank == 0:
        referents = [hiring.known(accounts.CHLOE, "Ville de Paris")]
    while len(referents) < (3 if rank in (1, 3) else 2):
        referents.append(hiring.anyone("Caisse des écoles"))
    staff.referents[team.pk] = referents
    staff.former_referents[team.pk] = [hiring.anyone("Caisse des écoles", active=False) for _ in range(2)]
    staff.epre[team.pk] = [hiring.known(accounts.DAVID, "Éducation nationale")] if is_home else []
    while len(staff.epre[team.pk]) < 2:
        staff.epre[team.pk].append(hiring.anyone(hiring.rng.choice(EPRE_EMPLOYERS)))
    for user in referents:
        hiring.member(user, Role.REFERENT, team)
    for user in staff.former_referents[team.pk]:
        hiring.member(user, Role.REFERENT, team, ended_on=FORMER_ENDED_ON)
    for user in staff.epre[team.pk]:
        hiring.member(user, Role.EPRE_MEMBER, team)


def hire_programme(hiring: Recruiting, staff: Staff) -> None:
    staff.leaders = [hiring.known(accounts.FARID, "L’Atelier des cartables")]
    while len(staff.leaders) < LEADERS:
        staff.leaders.append(hiring.anyone("Association"))
    for user in staff.leaders:
        hiring.member(user, Role.PROJECT_LEADER)
    for account, role, employer in (
        (accounts.ESTHER, Role.PILOTAGE, "Ville de Paris"),
        (accounts.GAELLE, Role.DPO, "Ville de Paris"),
        (accounts.HUGO, Role.ADMINISTRATOR, "Ville de Paris"),
    ):
        hiring.member(hiring.known(account, employer), role)
    hiring.member(hiring.anyone("Préfecture"), Role.PILOTAGE)


def save(hiring: Recruiting, today: date) -> None:
    """Everybody at work has entered lately, and has signed the charter of the day within the year."""
    for user in hiring.users.values():
        if user.is_active:
            entered_on = today - timedelta(days=hiring.rng.randint(1, 20))
            user.last_login = timezone.make_aware(datetime.combine(entered_on, time(9)))
    bulk_create_with_history(list(hiring.users.values()), User)
    # bulk inserts give the keys to the instances on both engines
    Authenticator.objects.bulk_create(
        Authenticator(
            user=user,
            type=Authenticator.Type.TOTP,
            data={"secret": seal_secret(code_secret(user.email), owner=user.pk)},
        )
        for user in hiring.users.values()
        if user.is_active
    )
    bulk_create_with_history(hiring.memberships, Membership)
    charters = []
    for user in hiring.users.values():
        if user.is_active:
            signed_on = today - timedelta(days=hiring.rng.randint(1, 300))
            expires_on = signed_on + relativedelta(months=settings.CHARTER_MONTHS)
            version = settings.CHARTER_VERSION
            charters.append(CharterSignature(user=user, version=version, signed_on=signed_on, expires_on=expires_on))
    bulk_create_with_history(charters, CharterSignature)
