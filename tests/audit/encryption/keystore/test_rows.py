from uuid import uuid4

import pytest

from audit.encryption.errors import UnreadableKey
from audit.encryption.keys import create_data_key, create_data_keys
from audit.encryption.keystore.models import DataKey, KeyKind
from audit.encryption.keystore.rows import canary_sings, sealed_canary, unwrapped, wrapped_row

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

KEY = b"k" * 32


class TestWrappedRow:
    def test_is_ready_to_be_saved(self):
        key_id = uuid4()
        row = wrapped_row(key_id, 3, KeyKind.TEAM, KEY)
        assert (row.pk, row.key_id, row.version, row.kind, row.kek_version) == (None, key_id, 3, "team", 1)
        row.save()
        found = DataKey.objects.get(key_id=key_id)
        assert unwrapped(found) == KEY
        assert canary_sings(found, KEY)

    def test_holds_nothing_in_clear(self):
        row = wrapped_row(uuid4(), 1, KeyKind.CHILD, KEY)
        assert KEY[:8] not in row.wrapped + row.canary
        assert b"marelle" not in row.canary


class TestUnwrapped:
    def test_refuses_a_row_changed_in_any_way(self):
        one, other = create_data_keys("child", 2)
        row = DataKey.objects.get(key_id=one)
        wrapped = bytes(row.wrapped)
        changes = {
            "key_id": [other, uuid4()],
            "version": [2, 256],
            "kek_version": [2, 0],
            "wrapped": [b"", wrapped[:-1], wrapped + b"\0", bytes(60), DataKey.objects.get(key_id=other).wrapped],
        }
        for name, values in changes.items():
            for value in values:
                row = DataKey.objects.get(key_id=one)
                setattr(row, name, value)
                with pytest.raises(UnreadableKey):
                    unwrapped(row)

    def test_refuses_every_byte_flipped(self):
        create_data_key("child")
        row = DataKey.objects.get()
        wrapped = bytes(row.wrapped)
        for index in range(len(wrapped)):
            row.wrapped = wrapped[:index] + bytes([wrapped[index] ^ 1]) + wrapped[index + 1 :]
            with pytest.raises(UnreadableKey):
                unwrapped(row)


class TestCanarySings:
    def test_for_the_right_key_only(self):
        create_data_key("child")
        row = DataKey.objects.get()
        assert canary_sings(row, unwrapped(row))
        assert not canary_sings(row, KEY)

    def test_for_a_row_that_has_none(self):
        create_data_key("child")
        row = DataKey.objects.get()
        row.canary = None
        assert canary_sings(row, KEY)

    def test_not_in_another_row(self):
        one, other = create_data_keys("child", 2)
        row = DataKey.objects.get(key_id=one)
        key = unwrapped(row)
        for canary in (sealed_canary(other, 1, key), sealed_canary(one, 2, key)):
            row.canary = canary
            assert not canary_sings(row, key)

    def test_not_once_altered(self):
        create_data_key("child")
        row = DataKey.objects.get()
        key, canary = unwrapped(row), bytes(row.canary)
        for index in range(len(canary)):
            row.canary = canary[:index] + bytes([canary[index] ^ 1]) + canary[index + 1 :]
            assert not canary_sings(row, key)
