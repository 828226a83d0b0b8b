from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from partners.models.school import (
    Nature,
    PriorityStatus,
    School,
    SchoolNature,
    SchoolPriorityStatus,
    SchoolTeam,
    paris_arrondissement,
    uai_letter,
    validate_uai,
)
from referents.models import Arrondissement, Team

DAY = date(2026, 11, 24)


class TestValidateUai:
    @pytest.mark.parametrize("uai", ["0759001B", "0940176F", "0940198E", "6200002H", "02A1234Z", "2B12345Z"])
    def test_accepts_a_right_letter_and_the_letters_of_corsica(self, uai):
        validate_uai(uai)

    @pytest.mark.parametrize("uai", ["0759001A", "0759001b", "759001B", "0759001", "07590012", "", "٠759001B"])
    def test_refuses_anything_else(self, uai):
        with pytest.raises(ValidationError):
            validate_uai(uai)

    def test_names_the_letter_expected(self):
        with pytest.raises(ValidationError, match="devrait être B"):
            validate_uai("0759001A")

    def test_letter_depends_on_every_digit(self):
        letters = {uai_letter(f"{75 * 10_000 + n:07d}") for n in range(23)}
        assert len(letters) == 23
        assert not letters & set("IOQ")


class TestParisArrondissement:
    @pytest.mark.parametrize(
        ("commune_code", "postcode", "number"),
        [
            ("75118", "", 18),
            ("75101", "75018", 1),
            ("", "75018", 18),
            ("", "75116", 16),
            ("94034", "94260", None),
            ("75056", "75020", 20),
            ("75121", "75021", None),
            ("", "75000", None),
            ("", "", None),
        ],
    )
    def test_follows_the_commune_then_the_postcode(self, commune_code, postcode, number):
        assert paris_arrondissement(commune_code=commune_code, postcode=postcode) == number


class TestPriorityStatus:
    def test_earlier_labels_roll_up_to_those_of_today(self):
        assert {status: status.rollup for status in PriorityStatus} == {
            PriorityStatus.REP_PLUS: PriorityStatus.REP_PLUS,
            PriorityStatus.ECLAIR: PriorityStatus.REP_PLUS,
            PriorityStatus.RAR: PriorityStatus.REP_PLUS,
            PriorityStatus.REP: PriorityStatus.REP,
            PriorityStatus.RRS: PriorityStatus.REP,
            PriorityStatus.ZEP: PriorityStatus.REP,
        }


@pytest.mark.django_db
class TestSchool:
    @pytest.fixture
    def school(self):
        return School.objects.create(uai="0759001B", name="École Éloïse Cœur-Vaillant", city="Paris")

    @pytest.mark.parametrize(
        "text", ["eloise", "COEUR vaillant", "vaillant éloïse", "0759001b", "paris coeur", "", " "]
    )
    def test_is_found_whatever_the_accents_and_the_order(self, school, text):
        assert school in School.objects.matching(text)

    @pytest.mark.parametrize("text", ["eloise lyon", "%", "_", "coeurs"])
    def test_is_not_found_by_other_words(self, school, text):
        expected = [school] if text in "%_" else []  # signs are no words: nothing is asked
        assert list(School.objects.matching(text)) == expected

    def test_is_found_after_a_bulk_creation(self):
        School.objects.bulk_create([School(uai="0759002C", name="École Noël")])
        assert School.objects.matching("noel").get().uai == "0759002C"

    def test_is_open_from_its_opening_to_the_day_before_its_closing(self, school):
        School.objects.update(opened_on=date(2020, 9, 1), closed_on=date(2026, 9, 1))
        assert not School.objects.open(date(2020, 8, 31)).exists()
        assert School.objects.open(date(2020, 9, 1)).exists()
        assert School.objects.open(date(2026, 8, 31)).exists()
        assert not School.objects.open(date(2026, 9, 1)).exists()

    def test_is_not_open_while_an_opening_without_a_date_is_announced(self, school):
        School.objects.update(announced="opening")
        assert not School.objects.open(DAY).exists()

    def test_cannot_close_before_opening(self, school):
        school.opened_on, school.closed_on = date(2020, 9, 1), date(2020, 8, 31)
        with pytest.raises(ValidationError, match="avant d’avoir ouvert"):
            school.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            school.save()

    def test_number_is_unique(self, school):
        with pytest.raises(ValidationError, match="existe déjà"):
            School(uai="0759001B", name="Une autre").full_clean()


@pytest.mark.django_db
class TestDatedFacts:
    @pytest.fixture
    def school(self):
        school = School.objects.create(uai="0759001B", name="École")
        SchoolPriorityStatus.objects.create(
            school=school, status="eclair", starts_on=date(2011, 9, 1), ends_on=date(2015, 9, 1)
        )
        SchoolPriorityStatus.objects.create(school=school, status="rep_plus", starts_on=date(2015, 9, 1))
        SchoolNature.objects.create(school=school, nature=Nature.MATERNELLE, starts_on=date(1975, 9, 1))
        return school

    @pytest.mark.parametrize(
        ("day", "label"),
        [
            (date(2011, 8, 31), ""),
            (date(2011, 9, 1), "ÉCLAIR"),
            (date(2015, 8, 31), "ÉCLAIR"),
            (date(2015, 9, 1), "REP+"),
            (DAY, "REP+"),
        ],
    )
    def test_are_read_as_they_stood_on_the_day(self, school, day, label):
        assert School.objects.with_current_facts(day).get().priority_label == label

    def test_of_many_schools_are_read_in_one_query(self, school, django_assert_num_queries):
        School.objects.bulk_create([School(uai=f"{n:07d}{uai_letter(f'{n:07d}')}", name="É") for n in range(750, 775)])
        with django_assert_num_queries(1):
            labels = [(s.nature_label, s.priority_label) for s in School.objects.with_current_facts(DAY)]
        assert sorted(labels)[-1] == ("école maternelle", "REP+")

    def test_filter_the_schools(self, school):
        other = School.objects.create(uai="0759002C", name="Autre école")
        assert list(School.objects.of_nature(Nature.MATERNELLE, DAY)) == [school]
        assert list(School.objects.in_priority_education(on=DAY)) == [school]
        assert list(School.objects.in_priority_education("rep", on=DAY)) == []
        assert list(School.objects.out_of_priority_education(DAY)) == [other]

    def test_of_a_school_have_one_current_at_most(self, school):
        second = SchoolPriorityStatus(school=school, status="rep", starts_on=DAY)
        with pytest.raises(ValidationError, match="terminez-le"):
            second.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            second.save()

    def test_cannot_end_before_they_start(self, school):
        with pytest.raises(IntegrityError), transaction.atomic():
            SchoolNature.objects.update(ends_on=date(1975, 8, 31))

    def test_show_their_last_day(self, school):
        first, last = SchoolPriorityStatus.objects.order_by("starts_on")
        assert first.last_day == date(2015, 8, 31)
        assert last.last_day is None

    def test_corrected_on_their_first_day_are_left_out(self, school):
        SchoolNature.objects.update(ends_on=date(1975, 9, 1))
        assert not SchoolNature.objects.lasting().exists()

    def test_of_a_team_make_the_perimeter(self, school):
        team = Team.objects.create(
            code="T18", name="Équipe", arrondissement=Arrondissement.objects.get_or_create(number=18)[0]
        )
        SchoolTeam.objects.create(school=school, team=team, starts_on=date(2020, 1, 1), ends_on=date(2026, 1, 1))
        assert School.objects.in_perimeter(date(2025, 12, 31)).exists()
        assert not School.objects.in_perimeter(date(2026, 1, 1)).exists()
