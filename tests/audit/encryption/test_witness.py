import base64
import logging
from pathlib import Path

import pytest
from django.core import checks
from django.db import OperationalError

from audit.encryption import witness
from audit.encryption.checks import check_same_keys
from audit.encryption.errors import KeyProviderUnavailable
from audit.encryption.keys import create_data_key
from audit.encryption.keystore.models import DataKey, MasterKey
from audit.encryption.providers import create_key_file, provider
from audit.encryption.providers.secret import written
from audit.encryption.rotation import rewrap_all, start_rotation
from audit.encryption.witness import (
    WrongMasterKey,
    register_after_migrate,
    register_versions,
    require_keys_at_start,
    require_same_keys,
)
from audit.history import system_account
from tests.audit.encryption.installation import another_process, installed, key_provider

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path):
    with installed(tmp_path / "key") as path:
        yield path


@pytest.fixture
def wrong_file(tmp_path: Path) -> str:
    """The address of the key file of another installation."""
    create_key_file(tmp_path / "wrong")
    return f"file:{tmp_path / 'wrong'}"


class TestRegisterVersions:
    def test_notes_the_first_version_of_an_empty_keystore(self):
        master = MasterKey.objects.get()
        assert (master.version, master.retired_at) == (1, None)
        assert master.rewrapped_at is not None

    def test_writes_nothing_when_all_are_known(self, django_assert_num_queries):
        with django_assert_num_queries(2, using="keys"):
            register_versions()

    def test_notes_a_new_version_that_has_keys_to_wrap(self):
        create_data_key("child")
        provider().add_version()
        register_versions()
        assert MasterKey.objects.get(version=2).rewrapped_at is None

    def test_notes_a_new_version_that_has_nothing_to_wrap(self):
        provider().add_version()
        register_versions()
        assert MasterKey.objects.get(version=2).rewrapped_at is not None

    def test_leaves_an_older_version_to_prove_itself_by_what_it_wraps(self):
        provider().add_version()
        MasterKey.objects.all().delete()
        register_versions()
        assert [master.version for master in MasterKey.objects.all()] == [2]

    def test_holds_no_key(self, key_file: Path):
        secret = base64.b64decode(key_file.read_bytes())
        assert secret not in bytes(MasterKey.objects.get().canary)


class TestRegisterAfterMigrate:
    def test_knows_the_first_version_of_a_new_keystore(self):
        MasterKey.objects.all().delete()
        register_after_migrate(using="default")
        assert not MasterKey.objects.exists()
        register_after_migrate(using="keys")
        assert MasterKey.objects.get().version == 1

    def test_lets_the_checks_say_that_there_is_no_key(self, key_file: Path):
        MasterKey.objects.all().delete()
        key_file.unlink()
        register_after_migrate(using="keys")
        assert not MasterKey.objects.exists()


class TestRequireSameKeys:
    def test_is_content_with_the_keys_of_this_keystore(self):
        create_data_key("child")
        require_same_keys()
        start_rotation(by=system_account())
        require_same_keys()

    def test_refuses_the_key_of_another_installation(self, wrong_file: str):
        with (
            key_provider(wrong_file),
            pytest.raises(WrongMasterKey, match=r"Version 1 .* is another key than the one that wrapped this keystore"),
        ):
            require_same_keys()

    def test_refuses_a_wrong_older_version(self, key_file: Path, wrong_file: str):
        create_data_key("child")
        start_rotation(by=system_account())
        second = key_file.read_bytes().splitlines()[1]
        key_file.write_bytes(written({1: b"x" * 32}) + second)
        with key_provider(f"file:{key_file}"), pytest.raises(WrongMasterKey, match=r"^Version 1 .* is another key"):
            require_same_keys()

    def test_refuses_an_altered_canary(self):
        MasterKey.objects.update(canary=b"x" * 60)
        with pytest.raises(WrongMasterKey, match="wrong key file, or keystore of another installation"):
            require_same_keys()

    def test_refuses_the_canary_of_another_version(self):
        provider().add_version()
        register_versions()
        MasterKey.objects.filter(version=1).update(canary=MasterKey.objects.get(version=2).canary)
        with pytest.raises(WrongMasterKey, match=r"^Version 1 "):
            require_same_keys()

    def test_refuses_to_do_without_a_version_in_use(self, key_file: Path):
        create_data_key("child")
        before = key_file.read_bytes()
        start_rotation(by=system_account())
        create_data_key("child")
        key_file.write_bytes(before)
        with (
            key_provider(f"file:{key_file}"),
            pytest.raises(WrongMasterKey, match=r"^Version 2 of the key-encryption key is missing"),
        ):
            require_same_keys()

    def test_does_without_a_version_that_wraps_nothing(self, key_file: Path):
        create_data_key("child")
        start_rotation(by=system_account())
        rewrap_all(by=system_account())
        another_process(key_file).remove_version(1)
        require_same_keys()

    def test_says_that_there_is_no_key(self, key_file: Path):
        key_file.unlink()
        with pytest.raises(KeyProviderUnavailable):
            require_same_keys()


class TestCheckSameKeys:
    def identifiers(self, databases: list[str] | None) -> list[str | None]:
        return [problem.id for problem in check_same_keys(databases=databases)]

    def test_finds_nothing_wrong_with_the_right_key(self):
        assert self.identifiers(["default", "keys"]) == []

    def test_says_that_the_key_is_another(self, wrong_file: str):
        with key_provider(wrong_file):
            assert self.identifiers(["default", "keys"]) == ["encryption.E007"]
            assert "encryption.E007" in [problem.id for problem in checks.run_checks(databases=["keys"])]

    def test_asks_the_keystore_only_when_told_to(self, wrong_file: str, django_assert_num_queries):
        with key_provider(wrong_file), django_assert_num_queries(0, using="keys"):
            assert self.identifiers(None) == self.identifiers(["default"]) == []

    def test_leaves_a_missing_key_to_the_other_check(self, key_file: Path):
        key_file.unlink()
        assert self.identifiers(["keys"]) == []


class TestRequireKeysAtStart:
    def test_lets_a_server_start_with_its_keys(self):
        create_data_key("child")
        require_keys_at_start()

    def test_refuses_a_wrong_key(self, wrong_file: str):
        with key_provider(wrong_file), pytest.raises(WrongMasterKey):
            require_keys_at_start()

    def test_refuses_to_start_without_a_key(self, key_file: Path):
        key_file.unlink()
        with pytest.raises(KeyProviderUnavailable):
            require_keys_at_start()

    def test_starts_before_its_keystore_answers(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        def no_answer() -> None:
            raise OperationalError("could not connect to server")

        monkeypatch.setattr(witness, "require_same_keys", no_answer)
        with caplog.at_level(logging.WARNING, logger="audit.encryption"):
            require_keys_at_start()
        assert "The keystore could not be asked at the start: OperationalError" in caplog.text

    def test_writes_nothing(self):
        provider().add_version()
        before = list(MasterKey.objects.values()), list(DataKey.objects.values())
        require_keys_at_start()
        assert (list(MasterKey.objects.values()), list(DataKey.objects.values())) == before
