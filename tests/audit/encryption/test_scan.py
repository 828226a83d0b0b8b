from typing import Any
from uuid import UUID

import pytest

from audit.encryption.errors import KeyNotLoaded, UnreadableValue
from audit.encryption.keys import ciphers_of, destroy_data_keys, load_keys_of
from audit.encryption.keystore.models import DataKey
from audit.encryption.reencryption import begin_reencryption
from audit.encryption.scan import read_column
from audit.history import system_account
from pre_cases.models import Adult, Child, ChildAdult
from tests.audit.encryption.records import BIRTH_DATE, FIRST_NAME, stored, write_raw
from tests.cast import make_child

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

FAMILY_NAME: Any = Child._meta.get_field("family_name")
PHONE: Any = Adult._meta.get_field("phone")


@pytest.fixture
def children() -> dict[bytes, str]:
    """Three names, by the bytes of the children's ids."""
    return {make_child(name).pk.bytes: name for name in ("Inès", "Tom", "Zoé")}


@pytest.fixture
def tom(children: dict[bytes, str]) -> Child:
    return Child.objects.get(pk=next(UUID(bytes=pk) for pk, name in children.items() if name == "Tom"))


class TestReadColumn:
    def test_gives_each_primary_key_with_its_value(self, children, new_ring):
        with new_ring():
            assert dict(read_column(Child.objects.all(), FIRST_NAME)) == children

    def test_asks_two_queries_whatever_the_number(self, children, new_ring, django_assert_num_queries):
        for _ in range(5):
            make_child("Enfant")
        with (
            new_ring(),
            django_assert_num_queries(1, using="default"),
            django_assert_num_queries(1, using="keys"),
        ):
            assert len(read_column(Child.objects.all(), FIRST_NAME)) == 8

    def test_makes_no_record(self, children, monkeypatch: pytest.MonkeyPatch):
        def made(*args: object, **kwargs: object) -> None:
            pytest.fail("a record was made")

        monkeypatch.setattr(Child, "__init__", made)
        assert len(read_column(Child.objects.all(), FIRST_NAME)) == 3

    def test_gives_the_type_of_the_field(self, children):
        expected = {child.pk.bytes: child.birth_date for child in Child.objects.all()}
        assert dict(read_column(Child.objects.all(), BIRTH_DATE)) == expected

    def test_leaves_out_what_is_empty(self, children, tom: Child):
        write_raw(tom, "birth_date", None)
        assert {pk for pk, _ in read_column(Child.objects.all(), BIRTH_DATE)} == set(children) - {tom.pk.bytes}

    def test_reads_the_rows_asked_for_only(self, tom: Child):
        assert read_column(Child.objects.filter(pk=tom.pk), FIRST_NAME) == [(tom.pk.bytes, "Tom")]

    def test_leaves_no_key_behind(self, tom: Child, new_ring):
        with new_ring():
            read_column(Child.objects.all(), FIRST_NAME)
            with pytest.raises(KeyNotLoaded):
                ciphers_of(tom.data_key_id)

    def test_follows_a_path_to_the_record_that_holds_the_field(self, children):
        links = {link.pk.bytes: children[link.child_id.bytes] for link in ChildAdult.objects.all()}
        assert dict(read_column(ChildAdult.objects.all(), FIRST_NAME, "child__")) == links
        assert {value for _, value in read_column(ChildAdult.objects.all(), PHONE, "adult__")} == {"0100000000"}

    @pytest.mark.parametrize("algorithm", ["aes-256-gcm", "aes-256-gcm-siv"])
    def test_reads_both_algorithms(self, tom: Child, settings, signed, algorithm: str):
        settings.ENVELOPE_ALGORITHM = algorithm
        load_keys_of(tom)
        tom.first_name = "Thomas"
        tom.save()
        assert {name for _, name in read_column(Child.objects.all(), FIRST_NAME)} == {"Inès", "Thomas", "Zoé"}

    def test_reads_every_version_of_a_key(self, children, tom: Child, signed, new_ring):
        with new_ring():
            begin_reencryption(tom.data_key_id, by=system_account())
            load_keys_of(tom)
            tom.family_name = "Diallo"
            tom.save()
        assert stored(tom, "family_name").key_version() == 2
        assert {name for _, name in read_column(Child.objects.all(), FAMILY_NAME)} == {"Morel", "Diallo"}
        assert dict(read_column(Child.objects.all(), FIRST_NAME)) == children

    def test_refuses_a_value_from_elsewhere(self, tom: Child):
        other = Child.objects.exclude(pk=tom.pk).first()
        for data in (stored(tom, "family_name").data, stored(other).data):
            write_raw(tom, "first_name", data)
            with pytest.raises(UnreadableValue, match=f"child.first_name of record {tom.pk} cannot be read"):
                read_column(Child.objects.all(), FIRST_NAME)

    def test_refuses_every_byte_flipped(self, tom: Child):
        data = stored(tom).data
        for index in range(len(data)):
            write_raw(tom, "first_name", data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :])
            with pytest.raises(UnreadableValue, match=f"record {tom.pk} cannot be read"):
                read_column(Child.objects.all(), FIRST_NAME)

    @pytest.mark.parametrize("size", [0, 1, 3, 4, 10, 16, 31, 32, 47])
    def test_refuses_a_value_cut(self, tom: Child, size: int):
        write_raw(tom, "first_name", stored(tom).data[:size])
        with pytest.raises(UnreadableValue, match=f"record {tom.pk} cannot be read"):
            read_column(Child.objects.all(), FIRST_NAME)

    def test_refuses_a_value_whose_key_was_destroyed(self, tom: Child):
        destroy_data_keys([tom.data_key_id])
        with pytest.raises(UnreadableValue, match=f"child.first_name of record {tom.pk} cannot be read"):
            read_column(Child.objects.all(), FIRST_NAME)

    def test_refuses_a_value_whose_key_was_altered(self, tom: Child):
        DataKey.objects.filter(key_id=tom.data_key_id).update(wrapped=bytes(60))
        with pytest.raises(UnreadableValue, match="the key does not exist in this version"):
            read_column(Child.objects.all(), FIRST_NAME)

    def test_never_says_the_value(self, tom: Child):
        write_raw(tom, "first_name", stored(tom).data[:-1] + b"x")
        with pytest.raises(UnreadableValue) as caught:
            read_column(Child.objects.all(), FIRST_NAME)
        assert "Tom" not in str(caught.value)

    def test_of_no_row_asks_nothing(self, children, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert read_column(Child.objects.none(), FIRST_NAME) == []
            assert read_column(Child.objects.filter(pk__in=[]), FIRST_NAME) == []
