"""The cast of the tests, and small builders of what surrounds them.

Amina coordinates team A, Benoît follows Inès in it, Chloé follows Tom in team B, David sits in the EPRE of team A and
Inès's parcours is shared with him, Esther is the pilotage, Farid leads a project, Gaëlle is the DPO, Hugo the
technical administrator, and Yann's membership has ended.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from itertools import count
from typing import Any

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from audit.encryption.keys import create_data_key, load_keys_of
from audit.history import acting_as, system_account
from partners.models import Organisation, Project, ProjectLead, ProjectTeam, School, Term, school_year_of
from pre_cases.models import (
    Adult,
    Agreement,
    AgreementHolder,
    Assignment,
    Child,
    ChildAdult,
    Document,
    DocumentKind,
    Enrolment,
    EpreItem,
    EpreParticipant,
    EpreSession,
    ExceptionalAccess,
    Family,
    HandOver,
    Parcours,
    ParcoursShare,
    Relation,
    Residence,
    Saisine,
    Schooling,
)
from pre_cases.services.access import reading_permission
from pre_cases.services.dates import refresh_dates
from pre_cases.services.document import add_document
from pre_cases.services.search_index import index_child
from referents.models import Arrondissement, CharterSignature, Membership, Role, StandIn, Team, User
from referents.models.grant import stand_in_permission
from referents.text import normalised

PASSWORD = "correct-horse-battery"
_numbers = count(1)


def make_team(code: str, number: int = 18) -> Team:
    arrondissement, _ = Arrondissement.objects.get_or_create(number=number, defaults={"name": f"{number}e"})
    return Team.objects.create(code=code, name=code.upper(), arrondissement=arrondissement)


def make_user(
    first_name: str, role: Role | None = None, team: Team | None = None, *, since: date | None = None
) -> User:
    """An account with a role held for years and a valid charter."""
    today = timezone.localdate()
    with acting_as(system_account()):
        user = User.objects.create_user(
            f"{normalised(first_name)}{next(_numbers)}@marelle.example", None, first_name=first_name, last_name="Test"
        )
        if role is not None:
            Membership.objects.create(user=user, role=role, team=team, starts_on=since or today - timedelta(days=2000))
        CharterSignature.objects.create(
            user=user, version="test", signed_on=today - timedelta(days=30), expires_on=today + timedelta(days=300)
        )
    return user


def make_child(first_name: str = "Inès", *, family: Family | None = None, **values: Any) -> Child:
    """A girl of nine with her mother, who holds authority; ``values`` overrides the child's own."""
    with acting_as(system_account()):
        if family is None:
            family = Family.objects.create(data_key_id=create_data_key("family"))
            Adult.objects.create(
                family=family,
                data_key_id=family.data_key_id,
                first_name="Nadia",
                family_name=values.get("family_name", "Morel"),
                phone="0100000000",
            )
        values.setdefault("birth_date", timezone.localdate() - relativedelta(years=9, months=2))
        values.setdefault("family_name", "Morel")
        values.setdefault("sex", "girl")
        child = Child.objects.create(
            family=family, first_name=first_name, data_key_id=create_data_key("child"), **values
        )
        index_child(child)
        for adult in family.adults.all():
            ChildAdult.objects.create(
                child=child,
                adult=adult,
                relation=Relation.MOTHER,
                holds_authority=True,
                starts_on=date(2015, 1, 1),
                data_key_id=child.data_key_id,
            )
    return child


def make_saisine(child: Child, team: Team, *, received_on: date | None = None, **values: Any) -> Saisine:
    values.setdefault("author", system_account())
    values.setdefault("source", Term.objects.get(pk="source:ecole-elementaire"))
    with acting_as(system_account()):
        return Saisine.objects.create(
            child=child,
            team=team,
            received_on=received_on or timezone.localdate() - timedelta(days=60),
            data_key_id=child.data_key_id,
            **values,
        )


def make_agreement(saisine: Saisine, *, signed_on: date | None = None, **values: Any) -> Agreement:
    """An agreement presented on the day of the saisine; signed by every holder when a day is given."""
    with acting_as(system_account()):
        agreement = Agreement.objects.create(
            child=saisine.child,
            saisine=saisine,
            form_version="2026-1",
            presented_on=saisine.received_on,
            signed_on=signed_on,
            agreed_until_on=signed_on + relativedelta(months=12) if signed_on else None,
            data_key_id=saisine.data_key_id,
            **values,
        )
        for link in saisine.child.adult_links.filter(holds_authority=True):
            AgreementHolder.objects.create(
                agreement=agreement, adult=link.adult, signed_on=signed_on, data_key_id=saisine.data_key_id
            )
    return agreement


def make_parcours(
    team: Team,
    *,
    referent: User | None = None,
    child: Child | None = None,
    opened_on: date | None = None,
    entered_on: date | str | None = "opening",
    **values: Any,
) -> Parcours:
    """An open parcours of 50 days, entered on its first day; its dates are refreshed."""
    opened_on = opened_on or timezone.localdate() - timedelta(days=50)
    child = child or make_child()
    saisine = make_saisine(child, team, received_on=opened_on - timedelta(days=10))
    agreement = make_agreement(saisine, signed_on=opened_on - timedelta(days=5))
    with acting_as(system_account()):
        parcours = Parcours.objects.create(
            child=child,
            team=team,
            saisine=saisine,
            agreement=agreement,
            opened_on=opened_on,
            entered_on=opened_on if entered_on == "opening" else entered_on,
            data_key_id=child.data_key_id,
            **values,
        )
        if referent is not None:
            Assignment.objects.create(parcours=parcours, referent=referent, starts_on=opened_on)
    refresh_dates(parcours)
    return parcours


def make_schooling(child: Child, *, level: str = "ce2", school: School | None = None, **values: Any) -> Schooling:
    """The current school year, confirmed at its beginning unless told otherwise."""
    year = values.pop("school_year", school_year_of(timezone.localdate()))
    starts_on = values.pop("starts_on", date(year, 9, 1))
    values.setdefault("confirmed_on", starts_on)
    with acting_as(system_account()):
        return Schooling.objects.create(
            child=child,
            school=school,
            school_year=year,
            level=Term.objects.get(pk=f"level:{level}"),
            starts_on=starts_on,
            ends_on=values.pop("ends_on", date(year + 1, 9, 1)),
            **values,
        )


def make_residence(child: Child, *, qpv_code: str = "QN07518", **values: Any) -> Residence:
    starts_on = values.pop("starts_on", date(2014, 1, 1))
    with acting_as(system_account()):
        return Residence.objects.create(
            child=child,
            qpv_code=qpv_code,
            qpv_generation="qpv2024" if qpv_code else "",
            determined_on=values.pop("determined_on", starts_on),
            starts_on=starts_on,
            data_key_id=child.data_key_id,
            **values,
        )


def make_project(*teams: Team, title: str = "Aide aux devoirs", places: int = 12, **values: Any) -> Project:
    organisation, _ = Organisation.objects.get_or_create(name="Les Amis du square")
    project = Project.objects.create(
        organisation=organisation,
        title=title,
        domain=Term.objects.get(pk="domain:educatif"),
        school_year=values.pop("school_year", school_year_of(timezone.localdate())),
        places=places,
        **values,
    )
    ProjectTeam.objects.bulk_create([ProjectTeam(project=project, team=team) for team in teams])
    return project


def make_enrolment(parcours: Parcours, project: Project, **values: Any) -> Enrolment:
    with acting_as(system_account()):
        return Enrolment.objects.create(
            parcours=parcours, project=project, starts_on=values.pop("starts_on", timezone.localdate()), **values
        )


def make_share(parcours: Parcours, user: User, **values: Any) -> ParcoursShare:
    today = timezone.localdate()
    with acting_as(system_account()):
        return ParcoursShare.objects.create(
            content_object=parcours,
            user=user,
            permission=reading_permission(),
            membership=values.pop("membership", None)
            or user.memberships.filter(team=parcours.team).first()
            or user.memberships.first(),
            granted_by=system_account(),
            reason="Préparation de l’EPRE",
            starts_on=values.pop("starts_on", today),
            ends_on=values.pop("ends_on", today + timedelta(days=30)),
            data_key_id=parcours.data_key_id,
            **values,
        )


def make_exceptional_access(parcours: Parcours, user: User, **values: Any) -> ExceptionalAccess:
    """Opened just now, unless told otherwise (``granted_at``)."""
    with acting_as(system_account()):
        return ExceptionalAccess.objects.create(
            content_object=parcours,
            user=user,
            permission=reading_permission(),
            membership=values.pop("membership", None) or user.memberships.first(),
            granted_by=user,
            motive="danger",
            reason="La famille est dans nos locaux",
            data_key_id=parcours.data_key_id,
            **values,
        )


def make_hand_over(parcours: Parcours, referent: User, to_referent: User, **values: Any) -> HandOver:
    with acting_as(system_account()):
        return HandOver.objects.create(
            parcours=parcours,
            from_referent=referent,
            to_referent=to_referent,
            asked_by=values.pop("asked_by", referent),
            data_key_id=parcours.data_key_id,
            **values,
        )


def make_stand_in(referent: User, user: User, **values: Any) -> StandIn:
    """``user`` replaces ``referent`` from today, for two weeks unless told otherwise."""
    today = timezone.localdate()
    with acting_as(system_account()):
        return StandIn.objects.create(
            content_object=values.pop("replaced", None) or referent.memberships.filter(role=Role.REFERENT).get(),
            user=user,
            membership=values.pop("membership", None) or user.memberships.first(),
            permission=stand_in_permission(),
            granted_by=system_account(),
            reason="leave",
            starts_on=values.pop("starts_on", today),
            ends_on=values.pop("ends_on", today + timedelta(days=14)),
            **values,
        )


def make_session(team: Team, *members: User, on: date | None = None, **values: Any) -> EpreSession:
    """A session of the EPRE tomorrow afternoon, to which these accounts are invited."""
    values = {"starts_at": time(14), "ends_at": time(16, 30), "place": "Centre Binet"} | values
    with acting_as(system_account()):
        session = EpreSession.objects.create(
            team=team, on=on or timezone.localdate() + timedelta(days=1), created_by=system_account(), **values
        )
        for user in members:
            EpreParticipant.objects.create(
                session=session, user=user, name=user.get_full_name(), institution="Éducation nationale"
            )
    return session


def make_item(session: EpreSession, parcours: Parcours, **values: Any) -> EpreItem:
    """The situation of a parcours on the agenda of a session, its sheet written."""
    values = {"question": "Quel accompagnement proposer ?", "number": session.items.count() + 1} | values
    with acting_as(system_account()):
        return EpreItem.objects.create(
            session=session,
            parcours=parcours,
            added_by=values.pop("added_by", system_account()),
            data_key_id=parcours.data_key_id,
            **values,
        )


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def make_document(parcours: Parcours, author: User, *, content: bytes = PDF, name: str = "accord.pdf") -> Document:
    load_keys_of(parcours)
    kind = DocumentKind.AGREEMENT
    return add_document(parcours=parcours, kind=kind, file=io.BytesIO(content), name=name, by=author)


@dataclass
class Cast:
    """Everybody, their teams, and the two children that the tests speak of."""

    team_a: Team = field(init=False)
    team_b: Team = field(init=False)

    def __post_init__(self) -> None:
        self.team_a, self.team_b = make_team("a", 18), make_team("b", 19)
        self.amina = make_user("Amina", Role.COORDINATOR, self.team_a)
        self.benoit = make_user("Benoît", Role.REFERENT, self.team_a)
        self.chloe = make_user("Chloé", Role.REFERENT, self.team_b)
        self.david = make_user("David", Role.EPRE_MEMBER, self.team_a)
        self.esther = make_user("Esther", Role.PILOTAGE)
        self.farid = make_user("Farid", Role.PROJECT_LEADER)
        self.gaelle = make_user("Gaëlle", Role.DPO)
        self.hugo = make_user("Hugo", Role.ADMINISTRATOR)
        self.yann = make_user("Yann", Role.REFERENT, self.team_a)
        with acting_as(system_account()):
            membership = self.yann.memberships.get()
            membership.ends_on = timezone.localdate() - timedelta(days=1)
            membership.save()
        self.ines = make_child("Inès")
        self.ines_parcours = make_parcours(self.team_a, referent=self.benoit, child=self.ines)
        make_schooling(self.ines)
        make_residence(self.ines)
        self.tom = make_child("Tom", family_name="Diallo", sex="boy")
        self.tom_parcours = make_parcours(self.team_b, referent=self.chloe, child=self.tom)
        self.share = make_share(self.ines_parcours, self.david)
        self.project = make_project(self.team_a)
        ProjectLead.objects.create(
            project=self.project, user=self.farid, starts_on=timezone.localdate() - timedelta(days=30)
        )

    def __iter__(self) -> Any:
        """The nine people, in the order of the access matrix."""
        return iter(
            (
                self.amina,
                self.benoit,
                self.chloe,
                self.david,
                self.esther,
                self.farid,
                self.gaelle,
                self.hugo,
                self.yann,
            )
        )
