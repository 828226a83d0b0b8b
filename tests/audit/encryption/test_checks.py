from pathlib import Path

import pytest
from django.core import checks
from django.db import models
from django.test import override_settings
from django.test.utils import isolate_apps
from simple_history.models import HistoricalRecords
from uuid_utils.compat import uuid7

from audit.encryption.checks import check_encrypted_fields, check_key_provider, problems_of
from audit.encryption.fields import EncryptedTextField


def identifiers(found: list[checks.CheckMessage]) -> list[str | None]:
    return [problem.id for problem in found]


@pytest.fixture
def isolated():
    with isolate_apps("audit"):
        yield


class Meta:
    app_label = "audit"


@pytest.mark.usefixtures("isolated")
class TestCheckEncryptedFields:
    def test_finds_nothing_wrong_in_the_application(self):
        assert check_encrypted_fields(None) == []

    def test_refuses_the_same_stable_name_twice(self):
        made = [
            type(
                name,
                (models.Model,),
                {
                    "__module__": __name__,
                    "Meta": Meta,
                    "id": models.UUIDField(primary_key=True, default=uuid7),
                    "data_key_id": models.UUIDField(),
                    "text": EncryptedTextField(aad="note.text"),
                },
            )
            for name in ("Note", "Copy")
        ]
        assert identifiers(problems_of(made)) == ["encryption.E002"]

    def test_lets_a_history_share_the_name(self):
        class Tracked(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid7)
            data_key_id = models.UUIDField()
            text = EncryptedTextField(aad="tracked.text")
            history = HistoricalRecords()

            class Meta:
                app_label = "audit"

        assert problems_of([Tracked, Tracked.history.model]) == []

    def test_refuses_a_history_without_the_key(self):
        class Forgetful(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid7)
            data_key_id = models.UUIDField()
            text = EncryptedTextField(aad="forgetful.text")
            history = HistoricalRecords(excluded_fields=["data_key_id"])

            class Meta:
                app_label = "audit"

        assert identifiers(problems_of([Forgetful, Forgetful.history.model])) == ["encryption.E003"]

    def test_asks_for_the_key_and_the_uuid(self):
        class Bare(models.Model):
            text = EncryptedTextField(aad="bare.text")

            class Meta:
                app_label = "audit"

        assert identifiers(problems_of([Bare])) == ["encryption.E003", "encryption.E004"]

    def test_refuses_a_key_that_may_be_missing(self):
        class Loose(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid7)
            data_key_id = models.UUIDField(null=True)
            text = EncryptedTextField(aad="loose.text")

            class Meta:
                app_label = "audit"

        assert identifiers(problems_of([Loose])) == ["encryption.E003"]


class TestCheckKeyProvider:
    def test_finds_nothing_wrong_with_a_key(self):
        assert check_key_provider(None) == []

    def test_says_what_is_wrong_without_one(self, tmp_path: Path):
        with override_settings(KEY_PROVIDER=f"file:{tmp_path / 'absent'}"):
            (problem,) = check_key_provider(None)
        assert problem.id == "encryption.E005"
        assert "absent cannot be read" in problem.msg

    def test_is_run_with_the_others(self):
        with override_settings(KEY_PROVIDER="env:NOT_SET"):
            assert "encryption.E005" in identifiers(checks.run_checks(tags=["encryption"]))
        assert check_encrypted_fields in checks.registry.registry.get_checks()
