from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from audit.encryption.keys import create_data_key
from audit.encryption.keystore.models import DataKey, MasterKey, Tombstone

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


class TestDataKey:
    def refused(self, **values: object) -> bool:
        row = {"key_id": uuid4(), "version": 1, "kind": "child", "wrapped": b"x" * 60, "kek_version": 1, **values}
        with pytest.raises(IntegrityError), transaction.atomic(using="keys"):
            DataKey.objects.create(**row)
        return True

    def test_has_each_version_once(self):
        assert self.refused(key_id=create_data_key("child"))

    def test_counts_its_versions_from_1(self):
        assert self.refused(version=0)

    def test_is_never_without_its_key(self):
        assert self.refused(wrapped=None)

    def test_is_written_as_its_id(self):
        key_id = create_data_key("child")
        assert str(DataKey.objects.get()) == f"DataKey {key_id} v1"

    def test_is_not_in_the_database_of_the_data(self):
        assert {model.objects.db for model in (DataKey, MasterKey, Tombstone)} == {"keys"}


class TestMasterKey:
    def test_holds_no_key(self):
        names = {field.name for field in MasterKey._meta.get_fields()}
        assert names == {"version", "canary", "created_at", "rewrapped_at", "retired_at"}

    def test_is_written_as_its_version(self):
        assert str(MasterKey(version=3)) == "MasterKey v3"


class TestTombstone:
    def test_is_one_for_each_key(self):
        key_id = uuid4()
        Tombstone.objects.create(key_id=key_id, kind="child")
        with pytest.raises(IntegrityError), transaction.atomic(using="keys"):
            Tombstone.objects.create(key_id=key_id, kind="child")
        assert str(Tombstone.objects.get()) == f"Tombstone {key_id}"
