"""What is gathered about one child: all of it, in words, with what others must not be read of kept out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.encryption.fields import EncryptedDateField, EncryptedTextField
from audit.encryption.keys import load_keys_of
from audit.erasure import plan_for
from audit.history import acting_as, system_account
from pre_cases.models import Child, Entry
from pre_cases.services.subject_file import passages_of
from pre_cases.subject_access.collecting import CONFIDENTIAL_SENTENCE, OF_ANOTHER, collect, shown_fields
from pre_cases.subject_access.sections import SECTIONS
from referents.days import long_day
from tests.cast import Cast, make_child
from tests.family_requests import ask, mother_of
from tests.whole_file import make_whole_file

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def content_of(cast: Cast, **values: Any) -> dict[str, Any]:
    request = ask(cast.ines, cast.amina, **values)
    return collect(request)


def words(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)


def make_entry(cast: Cast, text: str) -> Entry:
    load_keys_of(cast.ines)
    with acting_as(cast.benoit):
        return Entry.objects.create(
            parcours=cast.ines_parcours,
            author=cast.benoit,
            kind="phone",
            on=timezone.localdate(),
            text=text,
            data_key_id=cast.ines.data_key_id,
        )


def facts_of(content: dict[str, Any], title: str) -> list[Any]:
    section = next(section for section in content["sections"] if section["title"] == title)
    return [fact for item in section["items"] for fact in item["facts"]]


TYPED_WITH_SOMETHING_ELSE = {"removal_reason", "extension_reason", "answer"}  # a constraint asks for a date beside


def typed_into_every_field(child: Child, when: str) -> Iterator[str]:
    """Each free text of each row of the whole file gets a word of its own, which is given."""
    rows = plan_for(child).rows
    for section in SECTIONS:
        fields = [f for f in shown_fields(section.model) if isinstance(f, EncryptedTextField)]
        for record in section.model._base_manager.filter(pk__in=rows.get(section.model, set())):
            load_keys_of(record)
            for field in fields:
                if field.name in TYPED_WITH_SOMETHING_ELSE:
                    continue
                word = f"{when} {section.model.__name__} {field.name} {record.pk.hex[-6:]}"
                setattr(record, field.attname, word)
                yield word
            if fields:
                record.save()


class TestCollect:
    def test_holds_every_text_of_every_row_and_what_it_was_before(self, cast: Cast) -> None:
        make_whole_file(cast.ines_parcours, cast.benoit)
        with acting_as(system_account()):
            typed = [word for when in ("avant", "après") for word in typed_into_every_field(cast.ines, when)]
        assert len(typed) > 60
        content = words(content_of(cast))
        assert [word for word in typed if word not in content] == []

    def test_holds_a_section_for_every_model_of_a_whole_file(self, cast: Cast) -> None:
        make_whole_file(cast.ines_parcours, cast.benoit)
        titles = [section["title"] for section in content_of(cast)["sections"]]
        missing = [section.title for section in SECTIONS if section.is_told and section.title not in titles]
        assert missing == []

    def test_tells_of_an_information_preoccupante_only_where_the_installation_says_so(
        self, cast: Cast, settings: Any
    ) -> None:
        make_whole_file(cast.ines_parcours, cast.benoit)
        assert "préoccupante" not in words(content_of(cast))
        settings.CONCERNS_IN_SUBJECT_FILE = True
        assert "préoccupante" in words(content_of(cast))

    def test_holds_nothing_of_another_child(self, cast: Cast) -> None:
        lina = make_child("Lina", family=cast.ines.family, birth_date=None)
        make_entry(cast, "x")
        content = words(content_of(cast))
        assert "Lina" not in content.replace('"flags"', "")
        assert str(lina.pk) not in content
        assert "Tom" not in content
        assert "Diallo" not in content

    def test_flags_the_name_of_a_brother_or_sister_and_of_a_professional(self, cast: Cast) -> None:
        make_child("Lina", family=cast.ines.family)
        make_entry(cast, "Lina et M. Test sont venus.")
        make_entry(cast, "Inès est venue.")
        content = content_of(cast)
        flags = {text["text"]: text["flags"] for text in passages_of(content)}
        assert set(flags["Lina et M. Test sont venus."]) == {"Lina", "Test"}
        assert flags["Inès est venue."] == []
        assert len(content["flagged"]) == 1

    def test_flags_what_is_typed_about_an_adult_for_anybody_else(self, cast: Cast) -> None:
        content = content_of(cast, adult=None)
        assert content["flagged"] == []
        first = ask(cast.ines, cast.amina, text="Son père ne doit pas le savoir.")
        mothers = {text["text"]: text["flags"] for text in passages_of(collect(first))}
        assert mothers["Son père ne doit pas le savoir."] == []
        others = {text["text"]: text["flags"] for text in passages_of(content_of(cast, adult=None))}
        assert others["Son père ne doit pas le savoir."] == ["Nadia Morel"]

    def test_numbers_each_passage_once(self, cast: Cast) -> None:
        make_whole_file(cast.ines_parcours, cast.benoit)
        numbers = [text["number"] for text in passages_of(content_of(cast))]
        assert numbers == sorted(set(numbers))

    def test_tells_professionals_by_their_function(self, cast: Cast) -> None:
        make_entry(cast, "x")
        content = content_of(cast)
        authors = [value for label, value in facts_of(content, "Échanges") if label == "Auteur"]
        assert authors == [
            {"professional": cast.benoit.pk, "function": "référent de parcours, équipe A", "organisation": ""}
        ]
        assert "Benoît" not in words(content)

    def test_says_the_last_day_of_what_ends(self, cast: Cast) -> None:
        facts = dict(facts_of(content_of(cast), "Partages"))
        assert facts["Jusqu’au"] == long_day(cast.share.last_day)

    def test_gives_the_coordinates_of_who_asks_only(self, cast: Cast) -> None:
        own = facts_of(content_of(cast), "Adultes autour de l’enfant")
        assert ["Téléphone", "0100000000"] in own
        others = content_of(cast, adult=None)
        assert ["Coordonnées", OF_ANOTHER] in facts_of(others, "Adultes autour de l’enfant")
        assert "0100000000" not in words(others)

    def test_gives_a_confidential_address_to_nobody(self, cast: Cast) -> None:
        mother = mother_of(cast.ines)
        mother.address, mother.address_is_confidential = "12 rue des Roses", True
        with acting_as(system_account()):
            mother.save()
            residence = cast.ines.residences.get()
            residence.address = "12, rue des Roses"
            residence.save()
        make_entry(cast, "Nous l’avons vue 12 RUE DES ROSES, chez elle.")
        for values in ({}, {"adult": None}):
            content = words(content_of(cast, **values))
            assert "roses" not in content.lower()
            assert "chez elle." in content
        assert CONFIDENTIAL_SENTENCE in words(content_of(cast))

    def test_costs_as_many_queries_for_one_note_as_for_twenty_five(self, cast: Cast) -> None:
        make_entry(cast, "x")
        request = ask(cast.ines, cast.amina)
        collect(request)
        with CaptureQueriesContext(connection) as one:
            collect(request)
        for number in range(24):
            make_entry(cast, f"x{number}")
        with CaptureQueriesContext(connection) as many:
            collect(request)
        assert len(many) == len(one)

    def test_writes_dates_in_french(self, cast: Cast) -> None:
        born = cast.ines.birth_date
        assert ["Date de naissance", long_day(born)] in facts_of(content_of(cast), "Enfants")
        assert any(isinstance(field, EncryptedDateField) for field in shown_fields(Child))
