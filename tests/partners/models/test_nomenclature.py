"""Lists of words: loaded as often as one likes, edited by the programme, ended but never deleted."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partners import nomenclatures as of_schools
from partners.models import Nomenclature, Term
from partners.models.nomenclature import load_terms
from pre_cases import nomenclatures as of_cases

pytestmark = pytest.mark.django_db


def everything() -> list[tuple]:
    return list(Term.objects.order_by("pk").values_list())


class TestLoad:
    @pytest.mark.parametrize("loaded", [of_schools, of_cases])
    def test_changes_nothing_the_second_time(self, loaded) -> None:
        before = everything()
        with CaptureQueriesContext(connection) as queries:
            loaded.load()
        assert everything() == before
        assert [q["sql"] for q in queries if not q["sql"].startswith("SELECT")] == []

    def test_follows_every_migration(self) -> None:
        Term.objects.filter(pk="exit_reason:autre").delete()
        before = set(Term.objects.values_list("pk", flat=True))
        call_command("migrate", verbosity=0)
        assert set(Term.objects.values_list("pk", flat=True)) - before == {"exit_reason:autre"}

    def test_keeps_what_the_programme_has_edited(self) -> None:
        ended = timezone.localdate()
        Term.objects.filter(pk="sign:sommeil").update(label="Sommeil", position=99, valid_to=ended, parent=None)
        of_cases.load()
        term = Term.objects.get(pk="sign:sommeil")
        assert (term.label, term.position, term.valid_to, term.parent) == ("Sommeil", 99, ended, None)

    def test_keeps_what_the_programme_has_added(self) -> None:
        Term.objects.create(id="sign:local", nomenclature=Nomenclature.SIGN, code="local", label="Un mot d’ici")
        of_cases.load()
        assert Term.objects.get(pk="sign:local").label == "Un mot d’ici"

    def test_fills_every_list(self) -> None:
        assert set(Term.objects.values_list("nomenclature", flat=True)) == set(Nomenclature.values)

    def test_puts_each_term_under_a_heading_of_its_own_list(self) -> None:
        for term in Term.objects.select_related("parent"):
            assert term.pk == f"{term.nomenclature}:{term.code}"
            assert term.parent is None or term.parent.nomenclature == term.nomenclature

    def test_holds_the_reasons_that_rules_name(self) -> None:
        """Closing asks for no bilan, or for an evaluation, by these codes."""
        codes = set(Term.objects.of(Nomenclature.EXIT_REASON).values_list("code", flat=True))
        assert {"sans-entree", "contact-perdu", "jamais-commence", "souhait-famille"} <= codes


class TestLoadTerms:
    def test_adds_the_missing_ones_at_their_place(self) -> None:
        rows = [("un", "Un", ""), ("deux", "Deux", "un")]
        load_terms(Nomenclature.PRIORITY, rows)
        deux = Term.objects.get(pk="priority:deux")
        assert (deux.label, deux.parent_id, deux.position) == ("Deux", "priority:un", 1)

    def test_refuses_a_code_twice_in_a_list(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Term.objects.create(id="x", nomenclature=Nomenclature.SIGN, code="sommeil", label="Encore")


class TestValid:
    def test_offers_a_term_from_its_first_day_until_the_day_it_ends(self) -> None:
        starts, ends = date(2025, 3, 1), date(2025, 6, 1)
        Term.objects.filter(pk="sign:sommeil").update(valid_from=starts, valid_to=ends)
        day = timedelta(days=1)
        expected = {starts - day: False, starts: True, ends - day: True, ends: False}
        assert {on: Term.objects.valid(on).filter(pk="sign:sommeil").exists() for on in expected} == expected

    def test_offers_the_terms_of_today_by_default(self) -> None:
        Term.objects.filter(pk="sign:sommeil").update(valid_to=timezone.localdate())
        assert "sign:sommeil" not in Term.objects.of(Nomenclature.SIGN).valid().values_list("pk", flat=True)
