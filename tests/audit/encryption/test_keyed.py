from uuid import UUID, uuid4

import pytest
from django.apps import apps

from audit.encryption import keyed
from audit.encryption.base import EncryptedField
from audit.encryption.keyed import chunks, encrypted_fields, is_historical, keyed_models, named_keys, not_named
from audit.encryption.keys import create_data_key, create_data_keys
from audit.encryption.keystore.models import DataKey
from audit.history import acting_as, system_account
from pre_cases.models import Child, ChildTag, Family, Schooling
from tests.cast import make_child

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


class TestKeyedModels:
    def test_are_all_those_that_have_encrypted_fields(self):
        sealed = {
            model
            for model in apps.get_models(include_auto_created=True)
            if any(isinstance(field, EncryptedField) for field in model._meta.concrete_fields)
        }
        assert sealed
        assert sealed <= set(keyed_models())

    def test_are_those_that_name_a_data_key(self):
        found = keyed_models()
        assert {Child, Family, Child.history.model} <= set(found)
        assert not {ChildTag, Schooling, DataKey} & set(found)

    def test_come_before_their_history(self):
        kinds = [is_historical(model) for model in keyed_models()]
        assert kinds == sorted(kinds)
        assert len(set(kinds)) == 2


class TestEncryptedFields:
    def test_are_those_of_the_model(self):
        assert [field.aad for field in encrypted_fields(Child)] == [
            "child.first_name",
            "child.family_name",
            "child.birth_date",
            "child.search_words",
        ]
        assert encrypted_fields(Family) == []


class TestNotNamed:
    def test_are_the_keys_that_no_row_names(self):
        child, orphan = make_child(), create_data_key("child")
        known = {child.data_key_id, child.family.data_key_id}
        assert not_named([*known, orphan]) == {orphan}
        assert not_named(known) == not_named([]) == set()

    def test_counts_history_as_naming(self):
        child = make_child()
        with acting_as(system_account()):
            child.adult_links.all().delete()
            Child.objects.get(pk=child.pk).delete()
        assert not_named([child.data_key_id]) == set()

    def test_goes_through_more_keys_than_one_query_takes(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(keyed, "CHUNK", 3)
        named = {make_child(f"Enfant {number}").data_key_id for number in range(4)}
        orphans = set(create_data_keys("child", 8))
        assert not_named(named | orphans) == orphans


class TestNamedKeys:
    def test_are_those_of_the_rows(self):
        child = make_child()
        create_data_key("child")
        assert named_keys() == {child.data_key_id, child.family.data_key_id}

    def test_leave_history_out(self):
        child = make_child()
        with acting_as(system_account()):
            child.adult_links.all().delete()
            Child.objects.get(pk=child.pk).delete()
        assert named_keys() == {child.family.data_key_id}

    def test_are_none_without_data(self):
        assert named_keys() == set()


class TestChunks:
    def test_hold_a_few_ids_each_in_order(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(keyed, "CHUNK", 2)
        ids = [UUID(int=number) for number in (5, 1, 4, 2, 3)]
        assert [[id_.int for id_ in chunk] for chunk in chunks(ids)] == [[1, 2], [3, 4], [5]]

    def test_are_none_of_nothing(self):
        assert list(chunks([])) == []
        assert len(list(chunks([uuid4()]))) == 1
