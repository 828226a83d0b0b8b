"""Secrets of the accounts: sealed under a key of the installation, bound to their owner, never swept."""

import time
from datetime import timedelta

import pytest
import time_machine

from audit.encryption.errors import UnreadableValue
from audit.encryption.inspection import inspect_keys
from audit.encryption.keys import destroy_data_keys
from audit.encryption.keystore.models import DataKey, KeyKind
from audit.encryption.keystore.tasks import sweep_orphan_keys
from audit.encryption.rotation import rewrap_all
from audit.encryption.sign_in import key_of, open_secret, seal_secret
from audit.history import system_account
from tests.cast import Cast, make_user
from tests.second_factor import SECRET, enrol, give_recovery_codes

pytestmark = pytest.mark.django_db


class TestSealSecret:
    def test_gives_back_what_it_took(self) -> None:
        assert open_secret(seal_secret(SECRET, owner=7), owner=7) == SECRET

    def test_never_writes_the_same_bytes_twice(self) -> None:
        assert seal_secret(SECRET, owner=7) != seal_secret(SECRET, owner=7)

    def test_makes_its_key_once(self) -> None:
        keys = {key_of(seal_secret(SECRET, owner=owner)) for owner in (7, 8, 9)}
        assert keys == set(DataKey.objects.filter(kind=KeyKind.SIGN_IN).values_list("key_id", flat=True))
        assert len(keys) == 1


class TestOpenSecret:
    def test_refuses_a_secret_moved_to_another_account(self) -> None:
        with pytest.raises(UnreadableValue):
            open_secret(seal_secret(SECRET, owner=7), owner=8)

    @pytest.mark.parametrize("sealed", ["", ":", SECRET, "00" * 16, "00" * 16 + ":AAAA", "é:é"])
    def test_refuses_what_is_not_a_sealed_secret(self, sealed: str) -> None:
        with pytest.raises(UnreadableValue):
            open_secret(sealed, owner=7)

    def test_refuses_a_byte_that_changed(self) -> None:
        sealed = seal_secret(SECRET, owner=7)
        changed = sealed[:-8] + ("A" if sealed[-8] != "A" else "B") + sealed[-7:]
        with pytest.raises(UnreadableValue):
            open_secret(changed, owner=7)

    def test_says_nothing_of_the_secret(self) -> None:
        with pytest.raises(UnreadableValue) as refused:
            open_secret(seal_secret(SECRET, owner=7), owner=8)
        assert SECRET not in str(refused.value)


class TestKeyOfSecrets:
    def test_is_not_swept(self) -> None:
        seal_secret(SECRET, owner=7)
        with time_machine.travel(time.time() + timedelta(days=3).total_seconds()):
            sweep_orphan_keys()
        assert DataKey.objects.filter(kind=KeyKind.SIGN_IN).count() == 1

    def test_is_wrapped_again_by_a_rotation(self) -> None:
        sealed = seal_secret(SECRET, owner=7)
        rewrap_all(by=system_account())
        assert open_secret(sealed, owner=7) == SECRET

    def test_is_missed_by_the_inspection_when_it_has_gone(self, cast: Cast) -> None:
        enrol(cast.benoit)
        give_recovery_codes(cast.benoit)
        assert inspect_keys().faults == []
        DataKey.objects.filter(kind=KeyKind.SIGN_IN).delete()
        (fault,) = inspect_keys().faults
        assert "manquent (1)" in fault

    def test_takes_the_secrets_with_it_when_it_is_destroyed(self) -> None:
        zoe = make_user("Zoé")
        sealed = seal_secret(SECRET, owner=zoe.pk)
        destroy_data_keys([key_of(sealed)])
        with pytest.raises(UnreadableValue):
            open_secret(sealed, owner=zoe.pk)
