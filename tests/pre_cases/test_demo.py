"""The invented city, loaded once for this file, as it stands on one day; its figures by the programme's definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.test import Client
from django.urls import reverse

from audit.encryption.keys import key_ring, load_keys
from audit.encryption.sign_in import open_secret
from audit.journal.models import Event
from partners.models import (
    AgeBand,
    Organisation,
    OrganisationKind,
    Project,
    ProjectHeadcount,
    School,
    SchoolNature,
    SchoolTeam,
)
from partners.models.school import Nature, validate_uai
from pre_cases.demo.accounts import AMINA, BENOIT, DAVID, DEMO_ACCOUNTS, DEMO_PASSWORD, FARID
from pre_cases.demo.ages import LEVELS
from pre_cases.demo.calendar import Targets
from pre_cases.demo.load import NotEmpty, load
from pre_cases.models import (
    Agreement,
    Assignment,
    Child,
    Enrolment,
    Entry,
    FamilyRequest,
    Parcours,
    RequestKind,
    Review,
    Saisine,
    SaisineStage,
    Schooling,
    SubjectFile,
    Task,
)
from pre_cases.services.dates import wrong_dates
from pre_cases.stages import ParcoursStage
from referents.models import Membership, Role, Team, User
from tests.pre_cases.demo_days import children_followed, followed, on, rolled_back

TODAY = date(2026, 11, 24)
SINCE_2007 = (date(2007, 10, 1), date(2014, 6, 30))
IN_2014 = (date(2014, 1, 1), date(2014, 12, 31))
THIS_YEAR = (date(2026, 9, 1), TODAY)
LAST_YEAR = (date(2025, 9, 1), date(2026, 8, 31))
ON_SQLITE = connection.vendor == "sqlite"
SHARE = 1.0 if ON_SQLITE else 0.1  # the whole city once is enough: the other engine gets a small one
TARGETS = Targets().scaled(SHARE)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def city(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    with django_db_blocker.unblock(), rolled_back(), on(TODAY), key_ring():  # type: ignore[attr-defined]
        load(seed=1, today=TODAY, targets=TARGETS)
        yield


def children_at_reference_day(period: tuple[date, date]) -> dict[Child, date]:
    """The children followed, each with the last day followed in the period."""
    days: dict[Child, date] = {}
    for parcours in followed(period).select_related("child").order_by("entered_on"):
        days[parcours.child] = min(period[1], parcours.closed_on or period[1])
    load_keys([child.data_key_id for child in days])
    return days


def school_ids(nature: Nature, period: tuple[date, date]) -> set[int]:
    """Schools of the perimeter that had the nature on a day of the period."""
    during = Q(ends_on__isnull=True) | Q(ends_on__gt=period[0])
    perimeter = SchoolTeam.objects.filter(during, starts_on__lte=period[1]).values("school")
    facts = SchoolNature.objects.filter(during, nature=nature, starts_on__lte=period[1], school__in=perimeter)
    return set(facts.values_list("school", flat=True))


@pytest.mark.usefixtures("city")
class TestTerritory:
    def test_has_twelve_teams_in_eight_arrondissements(self) -> None:
        by_arrondissement = Counter(Team.objects.values_list("arrondissement", flat=True))
        assert sorted(by_arrondissement.values()) == [1, 1, 1, 1, 2, 2, 2, 2]

    def test_counts_259_establishments_as_260_in_2014(self) -> None:
        colleges, elementary, nursery = (
            school_ids(nature, IN_2014) for nature in (Nature.COLLEGE, Nature.ELEMENTAIRE, Nature.MATERNELLE)
        )
        assert (len(colleges), len(elementary), len(nursery)) == (41, 117, 102)
        assert len(colleges | elementary | nursery) == 259
        assert len(elementary & nursery) == 1

    def test_counts_259_establishments_once_each_today(self) -> None:
        natures = (Nature.COLLEGE, Nature.ELEMENTAIRE, Nature.MATERNELLE)
        assert [len(school_ids(nature, THIS_YEAR)) for nature in natures] == [41, 117, 101]

    def test_gives_every_school_a_valid_number(self) -> None:
        for uai in School.objects.values_list("uai", flat=True):
            validate_uai(uai)

    def test_gives_every_team_schools_of_each_nature(self) -> None:
        for nature in (Nature.COLLEGE, Nature.ELEMENTAIRE, Nature.MATERNELLE):
            facts = SchoolTeam.objects.filter(school__natures__nature=nature)
            assert facts.values("team").distinct().count() == 12

    def test_has_centres_sociaux_of_both_kinds(self) -> None:
        kinds = [OrganisationKind.CENTRE_SOCIAL_ASSOCIATION, OrganisationKind.CENTRE_SOCIAL_CAF]
        assert [Organisation.objects.filter(kind=kind).count() for kind in kinds] == [28, 6]
        assert Organisation.objects.filter(kind__in=kinds, in_qpv=True).count() == 21


@pytest.mark.usefixtures("city")
class TestProjects:
    @pytest.mark.parametrize("year", [2013, 2014, 2026])
    def test_share_one_million_euros_between_more_than_eighty(self, year: int) -> None:
        projects = Project.objects.filter(school_year=year)
        assert projects.count() > 80
        assert projects.aggregate(total=Sum("granted"))["total"] == Decimal(1_000_000)

    @pytest.mark.parametrize("year", [2013, 2014, 2026])
    def test_declare_more_than_two_thousand_children(self, year: int) -> None:
        declared = ProjectHeadcount.objects.filter(project__school_year=year)
        assert declared.aggregate(total=Sum("number"))["total"] > 2_000

    def test_never_hold_more_children_than_places(self) -> None:
        taken = Project.objects.annotate(taken=Count("enrolments")).filter(taken__gt=F("places"))
        assert not taken.exists()

    def test_admit_the_team_of_every_enrolled_child(self) -> None:
        assert Enrolment.objects.exists()
        admitted = Enrolment.objects.filter(project__project_teams__team=F("parcours__team"))
        assert admitted.count() == Enrolment.objects.count()

    def test_hold_enrolments_within_the_parcours_and_the_school_year(self) -> None:
        rows = Enrolment.objects.select_related("parcours", "project")
        for row in rows:
            assert row.parcours.entered_on is not None
            assert max(row.parcours.entered_on, row.project.starts_on) <= row.starts_on
            if row.parcours.closed_on is not None:
                assert row.ends_on is not None
                assert row.ends_on <= min(row.parcours.closed_on + timedelta(days=1), row.project.ends_on)


@pytest.mark.usefixtures("city")
class TestFigures:
    def test_follow_the_children_of_the_published_page(self) -> None:
        assert children_followed(SINCE_2007) == TARGETS.since_2007
        assert children_followed(IN_2014) == TARGETS.in_2014

    def test_hold_more_children_than_either_period(self) -> None:
        only_later = set(followed(IN_2014).values_list("child", flat=True)) - set(
            followed(SINCE_2007).values_list("child", flat=True)
        )
        assert only_later

    def test_follow_as_many_this_year_and_the_year_before(self) -> None:
        assert children_followed(THIS_YEAR) == TARGETS.this_year
        assert children_followed(LAST_YEAR) == TARGETS.this_year

    def test_balance_entries_and_exits_in_2014(self) -> None:
        first, last = IN_2014
        start = set(followed((first, first)).filter(entered_on__lt=first).values_list("child", flat=True))
        everybody = set(followed(IN_2014).values_list("child", flat=True))
        end = set(
            Parcours.objects.filter(
                Q(closed_on__isnull=True) | Q(closed_on__gt=last), entered_on__lte=last
            ).values_list("child", flat=True)
        )
        following = set(
            followed((last + timedelta(days=1), last + timedelta(days=1)))
            .filter(entered_on__lte=last)
            .values_list("child", flat=True)
        )
        assert end == following
        assert 0 < len(everybody - start) < len(everybody)
        assert everybody - end

    @pytest.mark.skipif(not ON_SQLITE, reason="proportions are those of the whole city")
    @pytest.mark.parametrize("period", [SINCE_2007, IN_2014, THIS_YEAR], ids=["since 2007", "2014", "this year"])
    def test_are_near_the_national_ages_and_sexes(self, period: tuple[date, date]) -> None:
        days = children_at_reference_day(period)
        bands = Counter(AgeBand.of(child.age(day)) for child, day in days.items())  # type: ignore[arg-type]
        shares = {band: 100 * bands[band] / len(days) for band in AgeBand}
        assert shares[AgeBand.UNDER_2] == 0
        assert shares[AgeBand.FROM_2] == pytest.approx(15, abs=3)
        assert shares[AgeBand.FROM_6] == pytest.approx(52, abs=4)
        assert shares[AgeBand.FROM_11] == pytest.approx(32, abs=4)
        assert shares[AgeBand.FROM_17] == pytest.approx(1.5, abs=1)
        boys = sum(child.sex == "boy" for child in days)
        assert 100 * boys / len(days) == pytest.approx(58, abs=3)

    def test_last_twelve_to_nineteen_months_mostly(self) -> None:
        dates = Parcours.objects.filter(closed_on__lt=date(2016, 9, 1), entered_on__isnull=False)
        days = sorted((end - start).days + 1 for start, end in dates.values_list("entered_on", "closed_on"))
        assert 365 <= days[len(days) // 2] <= 19 * 31
        assert sum(365 <= length < 20 * 31 for length in days) > len(days) / 2


@pytest.mark.usefixtures("city")
class TestFiles:
    def test_put_every_child_in_a_class_of_the_age(self) -> None:
        rows = Schooling.objects.select_related("child", "level", "school")
        load_keys(set(rows.values_list("child__data_key_id", flat=True)))
        for row in rows.iterator(chunk_size=2_000):
            assert row.child.birth_date is not None
            expected = row.school_year - row.child.birth_date.year - 2
            if row.level.code in LEVELS:
                assert expected - LEVELS.index(row.level.code) in (0, 1), row.pk
            else:
                assert expected >= LEVELS.index("6e"), row.pk

    def test_send_every_child_to_a_school_of_the_class_and_the_team(self) -> None:
        rows = Schooling.objects.exclude(level__parent="level:lycee")
        roll_up = {"maternelle": "maternelle", "elementaire": "elementaire", "college": "college"}
        for level, nature in roll_up.items():
            wrong = rows.filter(level__parent=f"level:{level}").exclude(
                school__in=SchoolNature.objects.filter(nature=nature, ends_on__isnull=True).values("school")
            )
            assert not wrong.exists()
        outside = Parcours.objects.filter(child__schoolings__in=rows).exclude(
            child__schoolings__school__school_teams__team=F("team")
        )
        assert not outside.exists()

    def test_keep_every_step_in_order(self) -> None:
        rows = Parcours.objects.select_related("saisine", "agreement")
        assert not rows.filter(agreement__signed_on__isnull=True).exists()
        assert not rows.filter(saisine__received_on__gt=F("agreement__presented_on")).exists()
        assert not rows.filter(agreement__signed_on__gt=F("opened_on")).exists()
        assert not rows.filter(opened_on__gt=TODAY).exists()
        assert not Entry.objects.filter(parcours__closed_on__lt=F("on")).exists()
        assert not Review.objects.filter(Q(parcours__closed_on__lt=F("on")) | Q(on__gt=TODAY)).exists()

    def test_begin_again_only_after_the_former_end(self) -> None:
        again = Parcours.objects.filter(previous__isnull=False)
        assert again.exists()
        assert not again.exclude(previous__child=F("child")).exists()
        assert not again.filter(opened_on__lte=F("previous__closed_on")).exists()

    def test_store_the_dates_that_the_facts_give(self) -> None:
        rows = Parcours.objects.select_related("agreement")
        assert list(wrong_dates(rows.open().order_by("due_on", "id")[:60])) == []
        assert list(wrong_dates(rows.closed().order_by("id")[:20])) == []

    def test_gather_siblings_in_one_family(self) -> None:
        families = Child.objects.values("family").annotate(number=Count("id"))
        share = families.filter(number__gt=1).count() / families.count()
        assert 0.05 < share < 0.4

    def test_leave_no_parcours_with_two_referents_at_once(self) -> None:
        overlapping = Assignment.objects.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gt=F("parcours__assignments__starts_on")),
            parcours__assignments__starts_on__gt=F("starts_on"),
        )
        assert not overlapping.exists()

    def test_tell_no_history_without_an_author(self) -> None:
        for model in (Child, Parcours, Entry, Agreement, Saisine):
            history = model.history.model.objects  # type: ignore[attr-defined]
            assert history.count() >= model._default_manager.count()
            assert not history.filter(history_user__isnull=True).exists()


@pytest.mark.usefixtures("city")
class TestPeople:
    def test_have_one_account_per_role_with_the_same_password(self) -> None:
        roles, hashes = set(), set()
        for account in DEMO_ACCOUNTS:
            user = User.objects.get(email=account.email)
            hashes.add(user.password)
            assert not user.standing.needs_charter
            roles |= {membership.role for membership in user.standing.memberships}
        assert roles == set(Role.values)
        assert len(hashes) == 1
        assert User.objects.get(email=BENOIT.email).check_password(DEMO_PASSWORD)

    def test_have_the_application_of_codes_that_the_demonstration_prints(self) -> None:
        factors = Authenticator.objects.select_related("user")
        assert {factor.user_id for factor in factors} == set(
            User.objects.filter(is_active=True).values_list("pk", flat=True)
        )
        for account in DEMO_ACCOUNTS:
            (factor,) = (factor for factor in factors if factor.user.email == account.email)
            assert open_secret(factor.data["secret"], owner=factor.user_id) == account.code_secret
            assert account.code_secret not in str(factor.data)

    def test_number_two_or_three_referents_a_team(self) -> None:
        current = Membership.objects.current(TODAY).filter(role=Role.REFERENT)
        assert 24 <= current.count() <= 30
        assert current.values("team").distinct().count() == 12

    def test_include_a_coordinator_of_two_teams(self) -> None:
        coordinators = Membership.objects.current(TODAY).filter(role=Role.COORDINATOR)
        assert coordinators.values("team").distinct().count() == 12
        assert coordinators.values("user").distinct().count() >= 12
        assert len(User.objects.get(email=AMINA.email).standing.teams(Role.COORDINATOR)) == 2

    def test_leave_former_referents_without_access(self) -> None:
        former = User.objects.filter(memberships__ends_on__lte=TODAY)
        assert former.exists()
        assert not former.filter(is_active=True).exists()


@pytest.mark.usefixtures("city")
class TestWorkToShow:
    def test_gives_the_referent_a_full_caseload(self) -> None:
        benoit = User.objects.get(email=BENOIT.email)
        caseload = Parcours.objects.open().followed_by(benoit)
        assert 45 * SHARE <= caseload.count() <= 70
        assert caseload.late(TODAY).exists()
        due = Task.objects.open().of(benoit).values_list("due_on", flat=True)
        assert TODAY in due
        assert any(day > TODAY for day in due)

    def test_leaves_parcours_at_every_stage(self) -> None:
        stages = set(Parcours.objects.with_stage(TODAY).values_list("stage_code", flat=True))
        rare = set() if ON_SQLITE else {ParcoursStage.EPRE.value}  # a small city may have nobody to examine
        assert stages | rare == set(ParcoursStage.values)

    def test_leaves_saisines_at_every_stage_in_the_coordinators_teams(self) -> None:
        amina = User.objects.get(email=AMINA.email)
        stages = set(Saisine.objects.visible_to(amina).with_stage().values_list("stage_code", flat=True))
        assert stages >= set(SaisineStage.values) - {SaisineStage.ATTACHED}
        oral = Agreement.objects.filter(saisine__in=Saisine.objects.visible_to(amina), oral_on__isnull=False)
        assert oral.filter(signed_on__isnull=True).exists()

    def test_leaves_work_to_the_coordination(self) -> None:
        assert Parcours.objects.open().without_referent(TODAY).exists()
        assert Parcours.objects.open().filter(bilan__isnull=False).exists()

    def test_shares_parcours_with_the_member_of_the_epre(self) -> None:
        assert Parcours.objects.shared_with(User.objects.get(email=DAVID.email)).exists()

    def test_enrols_children_in_the_leaders_project(self) -> None:
        led = Project.objects.led_by(User.objects.get(email=FARID.email), TODAY)
        assert Enrolment.objects.current(TODAY).filter(project__in=led).exists()

    def test_tells_stories_through_the_services(self) -> None:
        inès = Event.objects.filter(action="grant", kind="pre_cases.parcoursshare").first()
        assert inès is not None
        assert inès.actor_id == User.objects.get(email=BENOIT.email).pk

    def test_tells_what_families_ask_about_their_data(self) -> None:
        waiting = FamilyRequest.objects.decidable_by(User.objects.get(email=AMINA.email))
        assert set(waiting.values_list("kind", flat=True)) == set(RequestKind.values)
        assert waiting.late(TODAY).count() == 1
        assert sorted(file.state for file in SubjectFile.objects.all()) == ["approval", "reading"]

    def test_shows_the_caseload_to_its_referent(self, signed_in: Callable[[User], Client]) -> None:
        response = signed_in(User.objects.get(email=BENOIT.email)).get(reverse("pre_cases:my_parcours"))
        assert response.status_code == 200


@pytest.mark.usefixtures("city")
class TestLoadDemo:
    def test_reuses_a_loaded_city(self, capsys: pytest.CaptureFixture[str]) -> None:
        before = Child.objects.count()
        call_command("load_demo")
        assert "déjà chargée" in capsys.readouterr().out
        assert Child.objects.count() == before

    def test_refuses_to_load_twice(self) -> None:
        with pytest.raises(NotEmpty, match="comptes"):
            load(seed=1, today=TODAY)
