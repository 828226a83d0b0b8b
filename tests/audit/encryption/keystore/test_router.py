import pytest
from django.apps import apps
from django.db import connections, router

from audit.encryption.keystore.models import DataKey
from pre_cases.models import Child, Family

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


class TestKeystoreRouter:
    def test_sends_each_model_to_its_database(self):
        for model in apps.get_models(include_auto_created=True):
            wanted = "keys" if model._meta.app_label == "keystore" else "default"
            assert (router.db_for_read(model), router.db_for_write(model)) == (wanted, wanted), model

    def test_puts_each_table_in_one_database_only(self):
        kept = ["keystore_datakey", "keystore_masterkey", "keystore_tombstone"]
        assert [table for table in tables("keys") if table != "django_migrations"] == kept
        assert not set(kept) & set(tables("default"))
        assert "pre_cases_child" in tables("default")

    def test_refuses_a_relation_between_them(self):
        assert router.allow_relation(DataKey(), Child()) is False
        assert router.allow_relation(Child(), DataKey()) is False
        assert router.allow_relation(Child(), Family()) is True


def tables(alias: str) -> list[str]:
    return connections[alias].introspection.table_names()
