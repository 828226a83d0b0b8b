"""What a file lacks: each lack appears for its own reason, leads where it is filled in, and goes away."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from audit.history import acting_as
from partners.models import School, Term
from pre_cases.missing import Lack, missing_in
from pre_cases.models import Parcours
from pre_cases.services.parcours import close_parcours
from pre_cases.services.review import record_review, write_bilan
from pre_cases.services.support import add_objective
from pre_cases.services.timeline import add_entry
from tests.cast import Cast, make_child, make_parcours, make_residence, make_schooling

DAY = timedelta(days=1)


@pytest.fixture
def complete(cast: Cast) -> Parcours:
    """Inès's parcours once nothing is missing in it."""
    today = timezone.localdate()
    with acting_as(cast.benoit):
        schooling = cast.ines.schoolings.get()
        schooling.school = School.objects.create(uai="0750001A", name="École du Square", sector="public")
        schooling.save()
    add_objective(
        parcours=cast.ines_parcours,
        text="Lire",
        domain=Term.objects.get(pk="domain:educatif"),
        priority=Term.objects.get(pk="priority:decrochage"),
        set_on=today,
        by=cast.benoit,
    )
    add_entry(parcours=cast.ines_parcours, kind="phone", on=today, with_whom="family", text="Appel", by=cast.benoit)
    return Parcours.objects.get(pk=cast.ines_parcours.pk)  # with the dates that the exchange has moved


def read(parcours: Parcours) -> Parcours:
    return Parcours.objects.with_page().get(pk=parcours.pk)


def lacks(parcours: Parcours, *, may_decide: bool = True) -> list[Lack]:
    return missing_in(read(parcours), may_decide=may_decide)


def only(parcours: Parcours, *, may_decide: bool = True) -> tuple[str, str, object]:
    """The sentence of the single lack, the name of the page it leads to and the record of that page."""
    (lack,) = lacks(parcours, may_decide=may_decide)
    if not lack.url:
        return lack.label, "", None
    match = resolve(lack.url)
    return lack.label, match.url_name or "", match.kwargs["pk"]


class TestMissingIn:
    def test_finds_nothing_in_a_complete_file(self, complete: Parcours) -> None:
        assert lacks(complete) == []

    def test_finds_nothing_in_a_closed_parcours(self, cast: Cast) -> None:
        assert lacks(cast.ines_parcours)
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)
        assert lacks(cast.ines_parcours) == []

    def test_costs_two_queries_beyond_the_page(self, cast: Cast) -> None:
        parcours = read(cast.ines_parcours)
        with CaptureQueriesContext(connection) as queries:
            missing_in(parcours, may_decide=True)
        assert len(queries) == 2

    def test_says_the_most_blocking_first(self, cast: Cast) -> None:
        empty = make_parcours(cast.team_a, child=make_child("Zoé", sex=""), entered_on=None)
        labels = [lack.label for lack in lacks(empty)]
        assert labels[0].startswith("Aucun référent")
        assert labels[1].startswith("L’entrée en parcours")
        assert labels[2:] == [
            "Sexe ou date de naissance à compléter.",
            "Classe et école à renseigner.",
            "Quartier prioritaire à vérifier.",
            f"Aucun contact depuis plus de {settings.STALE_CONTACT_DAYS} jours.",
        ]


class TestDecisions:
    """What the coordination alone decides leads nowhere for who cannot decide it."""

    def test_name_a_referent(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.amina):
            complete.assignments.all().delete()
        label, page, pk = only(complete)
        assert (label.split(" :")[0].strip(), page, pk) == ("Aucun référent", "parcours_assign", complete.pk)
        assert only(complete, may_decide=False)[1:] == ("", None)

    def test_decide_the_entry_and_ask_for_no_objective_before(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.amina):
            complete.entered_on = None
            complete.save()
            complete.objectives.all().delete()
        assert only(complete) == ("L’entrée en parcours n’est pas décidée.", "parcours_enter", complete.pk)
        assert only(complete, may_decide=False)[1:] == ("", None)

    def test_close_once_the_bilan_is_written(self, cast: Cast, complete: Parcours) -> None:
        write_bilan(
            parcours=complete,
            on=timezone.localdate(),
            text="Bilan",
            exit_reason=Term.objects.get(pk="exit_reason:objectifs-atteints"),
            results={complete.objectives.get().pk: "reached"},
            by=cast.benoit,
        )
        label, page, pk = only(complete)
        assert label.startswith("Le bilan est écrit")
        assert (page, pk) == ("parcours_close", complete.pk)
        assert only(complete, may_decide=False)[1:] == ("", None)


class TestSupport:
    def test_asks_for_an_objective_after_the_entry(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.benoit):
            complete.objectives.all().delete()
        assert only(complete, may_decide=False) == ("Aucun objectif.", "objective_create", complete.pk)

    def test_asks_for_a_review_when_it_is_due(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.benoit):
            complete.opened_on = complete.entered_on = timezone.localdate() - 200 * DAY
            complete.save()
        assert only(complete) == ("Le point d’étape est à faire.", "review_create", complete.pk)
        record_review(
            parcours=complete,
            on=timezone.localdate(),
            family_present=True,
            child_present=True,
            text="Fait",
            by=cast.benoit,
        )
        assert lacks(complete) == []


class TestFacts:
    @pytest.mark.parametrize("field", ["sex", "birth_date"])
    def test_ask_for_the_sex_and_the_day_of_birth(self, cast: Cast, complete: Parcours, field: str) -> None:
        with acting_as(cast.benoit):
            setattr(cast.ines, field, "" if field == "sex" else None)
            cast.ines.save()
        assert only(complete) == ("Sexe ou date de naissance à compléter.", "child_change", cast.ines.pk)

    def test_ask_for_a_class_and_its_school(self, cast: Cast, complete: Parcours) -> None:
        schooling = cast.ines.schoolings.get()
        with acting_as(cast.benoit):
            schooling.school = None
            schooling.save()
        assert only(complete) == ("Classe et école à renseigner.", "schooling_record", cast.ines.pk)
        with acting_as(cast.benoit):
            schooling.delete()
        make_schooling(cast.ines, school=School.objects.get(), school_year=2019, starts_on=date(2019, 9, 1))
        assert only(complete)[1] == "schooling_record"

    def test_ask_to_confirm_a_presumed_class(self, cast: Cast, complete: Parcours) -> None:
        schooling = cast.ines.schoolings.get()
        with acting_as(cast.benoit):
            schooling.confirmed_on = None
            schooling.save()
        assert only(complete) == ("Classe présumée, à confirmer.", "schooling_confirm", schooling.pk)

    def test_ask_whether_the_home_lies_in_a_priority_area(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.benoit):
            cast.ines.residences.all().delete()
        assert only(complete) == ("Quartier prioritaire à vérifier.", "residence_record", cast.ines.pk)
        make_residence(cast.ines, qpv_code="", determined_on=None)
        assert only(complete)[1] == "residence_record"
        with acting_as(cast.benoit):
            cast.ines.residences.all().delete()
        make_residence(cast.ines, qpv_code="", determined_on=timezone.localdate())
        assert lacks(complete) == []

    @pytest.mark.parametrize(("days", "silent"), [(settings.STALE_CONTACT_DAYS, False), (31, True)])
    def test_ask_for_news_after_thirty_days(self, cast: Cast, complete: Parcours, days: int, silent: bool) -> None:
        with acting_as(cast.benoit):
            complete.entries.all().delete()
        heard = timezone.localdate() - days * DAY
        add_entry(parcours=complete, kind="phone", on=heard, with_whom="family", text="Appel", by=cast.benoit)
        found = [only(complete)[1:]] if silent else lacks(complete)
        assert found == ([("entry_create", complete.pk)] if silent else [])

    def test_ask_for_a_holder_of_authority_today(self, cast: Cast, complete: Parcours) -> None:
        with acting_as(cast.benoit):
            link = cast.ines.adult_links.get()
            link.ends_on = timezone.localdate()
            link.save()
        assert only(complete) == ("Aucun titulaire de l’autorité parentale.", "adult_create", cast.ines.pk)
