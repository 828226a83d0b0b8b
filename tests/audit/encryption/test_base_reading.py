import copy
import pickle
from datetime import date
from typing import Any

import pytest

from audit.encryption.envelope import Envelope
from audit.encryption.fields import EncryptedField, decrypt
from audit.encryption.keys import (
    KeyNotLoaded,
    PlainTextRefused,
    UnreadableValue,
    create_data_key,
    load_keys,
    load_keys_of,
)
from audit.encryption.keystore.models import DataKey
from pre_cases.models import Child, Family
from tests.audit.encryption.records import BIRTH_DATE, FIRST_NAME, JsonHolder, stored, write_raw

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.usefixtures("signed")]


class TestReading:
    def test_gives_back_what_was_written(self, ines: Child):
        assert (ines.first_name, ines.family_name, type(ines.birth_date)) == ("Inès", "Morel", date)

    @pytest.mark.parametrize("name", ["X", "Aïcha-Élodie", "N’Guessan 𝒜", "ab" * 40])
    def test_gives_back_every_text(self, ines: Child, name: str):
        ines.first_name = name
        ines.save()
        assert Child.objects.get(pk=ines.pk).first_name == name

    @pytest.mark.parametrize("content", [{}, {"texte": "é", "n": 1, "vide": None, "l": [1.5, True]}, [], 0, False])
    def test_gives_back_every_json(self, ines: Child, content: Any):
        record = JsonHolder(ines)
        assert record.round_trip(content) == content

    def test_decrypts_once(self, ines: Child, monkeypatch: pytest.MonkeyPatch):
        calls = []
        real = EncryptedField.unseal
        monkeypatch.setattr(EncryptedField, "unseal", lambda *args: calls.append(1) or real(*args))
        assert ines.first_name is ines.first_name
        assert len(calls) == 1

    def test_asks_nothing_of_the_database(self, ines: Child, django_assert_num_queries):
        with django_assert_num_queries(0), django_assert_num_queries(0, using="keys"):
            assert ines.first_name

    def test_needs_the_key_in_the_ring(self, ines: Child, new_ring):
        with new_ring():
            with pytest.raises(KeyNotLoaded, match=str(ines.data_key_id)):
                _ = ines.first_name
            load_keys_of(ines)
            assert ines.first_name == "Inès"

    def test_needs_a_ring(self, ines: Child, no_ring: None):
        with pytest.raises(KeyNotLoaded):
            _ = ines.first_name

    def test_of_a_deferred_value_takes_one_query(self, ines: Child, django_assert_num_queries):
        child = Child.objects.defer("first_name").get(pk=ines.pk)
        assert child.get_deferred_fields() == {"first_name"}
        with django_assert_num_queries(1):
            assert [child.first_name, child.first_name] == ["Inès", "Inès"]

    def test_of_a_few_columns_takes_no_query(self, ines: Child, django_assert_num_queries):
        child = Child.objects.only("first_name", "data_key_id").get(pk=ines.pk)
        with django_assert_num_queries(0):
            assert child.first_name == "Inès"

    def test_after_a_refresh_is_the_new_value(self, ines: Child):
        other = Child.objects.get(pk=ines.pk)
        assert ines.first_name == "Inès"
        other.first_name = "Inaya"
        other.save()
        ines.refresh_from_db()
        assert ines.first_name == "Inaya"

    def test_of_the_class_is_the_descriptor(self):
        assert Child.first_name.field is FIRST_NAME


class TestUnreadable:
    @pytest.mark.parametrize("name", ["first_name", "birth_date"])
    def test_is_every_byte_flipped(self, ines: Child, name: str):
        data = stored(ines, name).data
        for index in range(len(data)):
            altered = bytearray(data)
            altered[index] ^= 0x80
            write_raw(ines, name, bytes(altered))
            with pytest.raises(UnreadableValue):
                getattr(Child.objects.get(pk=ines.pk), name)

    def test_is_a_value_moved_from_another_row_of_the_same_key(self, ines: Child):
        twin = Child.objects.create(
            family=ines.family, first_name="Lina", family_name="Morel", data_key_id=ines.data_key_id
        )
        write_raw(ines, "first_name", stored(twin).data)
        with pytest.raises(UnreadableValue):
            _ = Child.objects.get(pk=ines.pk).first_name

    def test_is_a_value_moved_from_another_field(self, ines: Child):
        write_raw(ines, "first_name", stored(ines, "family_name").data)
        with pytest.raises(UnreadableValue):
            _ = Child.objects.get(pk=ines.pk).first_name

    def test_is_a_row_that_names_another_key(self, ines: Child, tom: Child):
        Child.objects.filter(pk=ines.pk).update(data_key_id=tom.data_key_id)
        with pytest.raises(UnreadableValue):
            _ = Child.objects.get(pk=ines.pk).first_name

    def test_is_plain_text_put_in_the_column(self, ines: Child):
        write_raw(ines, "first_name", b"In\xc3\xa8s, n\xc3\xa9e le 3 mai, rue de la Chapelle")
        with pytest.raises(UnreadableValue):
            _ = Child.objects.get(pk=ines.pk).first_name

    def test_is_an_empty_value_and_never_an_empty_string(self, ines: Child):
        write_raw(ines, "first_name", b"")
        with pytest.raises(UnreadableValue):
            _ = Child.objects.get(pk=ines.pk).first_name

    def test_is_a_value_whose_key_was_destroyed(self, ines: Child, new_ring):
        DataKey.objects.filter(key_id=ines.data_key_id).delete()
        with new_ring():
            load_keys([ines.data_key_id])
            with pytest.raises(UnreadableValue):
                _ = ines.first_name

    def test_is_an_authentic_value_of_another_type(self, ines: Child):
        envelope = BIRTH_DATE.seal(b"n\xc3\xa9e en mai", ines.pk, ines.data_key_id)
        write_raw(ines, "birth_date", envelope.data)
        with pytest.raises(UnreadableValue):
            _ = Child.objects.get(pk=ines.pk).birth_date

    def test_says_the_field_and_the_id_only(self, ines: Child):
        write_raw(ines, "first_name", stored(ines, "family_name").data)
        with pytest.raises(UnreadableValue) as caught:
            _ = Child.objects.get(pk=ines.pk).first_name
        said = f"child.first_name of record {ines.pk} cannot be read (altered, or not from here)"
        assert str(caught.value) == said


class TestValuesList:
    def test_gives_an_envelope_that_decrypt_opens(self, ines: Child):
        ((pk, key_id, envelope),) = Child.objects.values_list("pk", "data_key_id", "birth_date")
        assert type(envelope) is Envelope
        assert decrypt(envelope, field=BIRTH_DATE, record_id=pk, data_key_id=key_id) == ines.birth_date

    def test_gives_none_for_null(self, ines: Child):
        assert decrypt(None, field=BIRTH_DATE, record_id=ines.pk, data_key_id=ines.data_key_id) is None

    def test_of_another_row_does_not_open(self, ines: Child, tom: Child):
        with pytest.raises(UnreadableValue):
            decrypt(stored(tom), field=FIRST_NAME, record_id=ines.pk, data_key_id=ines.data_key_id)

    def test_through_a_relation_gives_an_envelope(self, ines: Child):
        assert list(Family.objects.values_list("children__first_name", flat=True)) == [stored(ines)]


class TestHistory:
    def test_is_encrypted_and_readable(self, ines: Child):
        ines.first_name = "Inaya"
        ines.save()
        last, first = ines.history.all()
        assert (first.first_name, last.first_name) == ("Inès", "Inaya")
        assert type(Child.history.values_list("first_name", flat=True)[0]) is Envelope

    def test_is_written_under_the_tracked_id(self, ines: Child):
        row = ines.history.get()
        assert row.pk != ines.pk
        envelope = Child.history.values_list("first_name", flat=True).get()
        opened = decrypt(envelope, field=FIRST_NAME, record_id=ines.pk, data_key_id=ines.data_key_id)
        assert opened == "Inès"

    def test_needs_the_key(self, ines: Child, new_ring):
        with new_ring(), pytest.raises(KeyNotLoaded):
            _ = ines.history.get().first_name

    def test_gives_the_record_as_it_was(self, ines: Child):
        ines.first_name = "Inaya"
        ines.save()
        assert ines.history.last().instance.first_name == "Inès"
        assert ines.history.most_recent().first_name == "Inaya"

    def test_of_a_deletion_stays_readable(self):
        family = Family.objects.create(data_key_id=create_data_key("family"))
        child = Child.objects.create(
            family=family, first_name="Lina", family_name="Morel", data_key_id=create_data_key("child")
        )
        pk = child.pk
        Child.objects.only("sex").get(pk=pk).delete()
        assert [(row.history_type, row.first_name) for row in Child.history.filter(id=pk)] == [
            ("-", "Lina"),
            ("+", "Lina"),
        ]

    def test_lists_the_differences(self, ines: Child):
        ines.first_name = "Inaya"
        ines.save()
        last, first = ines.history.all()
        (change,) = last.diff_against(first).changes
        assert (change.field, change.old, change.new) == ("first_name", "Inès", "Inaya")

    def test_saved_again_keeps_its_envelopes(self, ines: Child):
        row = ines.history.get()
        before = stored(row)
        row.history_change_reason = "code"
        row.save()
        assert stored(row) == before


class TestCopies:
    def test_of_a_read_record_pickle_without_the_value(self, ines: Child, new_ring):
        assert ines.first_name == "Inès"
        data = pickle.dumps(ines)
        assert "Inès".encode() not in data
        assert b"Morel" not in data
        with new_ring():
            load_keys_of(ines)
            assert pickle.loads(data).first_name == "Inès"

    def test_of_an_unsaved_value_refuse_to_pickle(self, ines: Child):
        ines.first_name = "Inaya"
        with pytest.raises(PlainTextRefused):
            pickle.dumps(ines)

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
    def test_are_independent(self, ines: Child, duplicate):
        assert ines.first_name == "Inès"
        other = duplicate(ines)
        other.first_name = "Inaya"
        assert (ines.first_name, other.first_name) == ("Inès", "Inaya")

    def test_of_a_json_are_independent(self, ines: Child):
        record = JsonHolder(ines)
        record.round_trip({"texte": "a"})
        other = copy.deepcopy(record.draft)
        other.content["texte"] = "b"
        assert record.draft.content == {"texte": "a"}
