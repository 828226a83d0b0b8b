import base64
import os
import stat
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.test import override_settings

from audit.encryption.errors import KeyProviderUnavailable, UnreadableKey
from audit.encryption.providers import Wrapped, create_key_file, provider
from tests.audit.encryption.installation import another_process

KEY_ID = uuid4()
NOW = "2026-03-02 09:00:00+01:00"


@pytest.fixture
def key_file(tmp_path: Path):
    path = tmp_path / "key"
    create_key_file(path)
    with override_settings(KEY_PROVIDER=f"file:{path}"):
        yield path


class TestCreateKeyFile:
    def test_writes_32_random_bytes_for_its_owner_only(self, tmp_path: Path):
        before = os.umask(0o777)
        try:
            create_key_file(tmp_path / "one")
            create_key_file(tmp_path / "two")
        finally:
            os.umask(before)
        one, two = tmp_path / "one", tmp_path / "two"
        assert stat.S_IMODE(one.stat().st_mode) == 0o600
        assert len(base64.b64decode(one.read_bytes())) == 32
        assert one.read_bytes() != two.read_bytes()

    def test_never_replaces_a_key(self, tmp_path: Path):
        create_key_file(tmp_path / "key")
        before = (tmp_path / "key").read_bytes()
        with pytest.raises(FileExistsError):
            create_key_file(tmp_path / "key")
        assert (tmp_path / "key").read_bytes() == before


class TestFileProvider:
    def test_answers(self, key_file: Path):
        provider().health()

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
    def test_refuses_a_key_that_others_can_read(self, key_file: Path, mode: int):
        key_file.chmod(mode)
        with pytest.raises(KeyProviderUnavailable, match=f"mode {mode:04o}"):
            provider().health()

    def test_says_that_the_key_is_missing(self, key_file: Path):
        key_file.unlink()
        with pytest.raises(KeyProviderUnavailable, match="cannot be read: No such file"):
            provider().health()

    def test_refuses_a_directory(self, tmp_path: Path):
        with override_settings(KEY_PROVIDER=f"file:{tmp_path}"), pytest.raises(KeyProviderUnavailable):
            provider().health()

    @pytest.mark.parametrize(
        "content",
        [b"", b"change-me", base64.b64encode(b"x" * 16), base64.b64encode(b"x" * 33), b"\xff" * 44, b"x" * 32],
    )
    def test_refuses_what_is_not_a_key(self, key_file: Path, content: bytes):
        key_file.write_bytes(content)
        with pytest.raises(KeyProviderUnavailable, match="32 bytes in base64"):
            provider().health()


class TestEnvironmentProvider:
    def test_answers(self):
        provider().health()

    def test_says_that_the_variable_is_not_set(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("MARELLE_TEST_KEY")
        with pytest.raises(KeyProviderUnavailable, match="MARELLE_TEST_KEY is not set"):
            provider().health()


class TestProvider:
    @pytest.mark.parametrize("address", ["", "file:", "env:", "pkcs11:", "pkcs11:token=marelle", "/etc/key"])
    def test_refuses_an_unknown_address(self, address: str):
        with override_settings(KEY_PROVIDER=address), pytest.raises(KeyProviderUnavailable, match="KEY_PROVIDER"):
            provider()

    def test_is_the_same_object_at_each_call(self, key_file: Path):
        assert provider() is provider()

    def test_is_another_one_for_another_address(self, key_file: Path, tmp_path: Path):
        here = provider()
        create_key_file(tmp_path / "other")
        with override_settings(KEY_PROVIDER=f"file:{tmp_path / 'other'}"):
            assert provider() is not here

    @pytest.mark.parametrize("part", ["token", "object", "module-path", "pin-source"])
    def test_says_what_a_token_s_address_lacks(self, part: str):
        uri = "pkcs11:token=t;object=o?module-path=/m.so&pin-source=file:/pin".replace(f"{part}=", "x=")
        with override_settings(KEY_PROVIDER=uri), pytest.raises(KeyProviderUnavailable, match=f"names no '{part}'"):
            provider()


class TestWrapAndUnwrap:
    def test_give_the_key_back(self, key_file: Path):
        wrapped = provider().wrap(KEY_ID, 1, b"k" * 32)
        assert provider().unwrap(KEY_ID, 1, wrapped) == b"k" * 32
        assert b"kkkk" not in wrapped.data

    def test_refuse_every_byte_flipped(self, key_file: Path):
        wrapped = provider().wrap(KEY_ID, 1, b"k" * 32)
        for index in range(len(wrapped.data)):
            altered = bytearray(wrapped.data)
            altered[index] ^= 1
            with pytest.raises(UnreadableKey):
                provider().unwrap(KEY_ID, 1, Wrapped(1, bytes(altered)))

    @pytest.mark.parametrize(
        ("key_id", "version", "kek_version"), [(uuid4(), 1, 1), (KEY_ID, 2, 1), (KEY_ID, 1, 2)], ids=["id", "v", "kek"]
    )
    def test_refuse_a_key_moved(self, key_file: Path, key_id, version: int, kek_version: int):
        wrapped = provider().wrap(KEY_ID, 1, b"k" * 32)
        with pytest.raises(UnreadableKey):
            provider().unwrap(key_id, version, Wrapped(kek_version, wrapped.data))

    def test_refuse_what_is_too_short(self, key_file: Path):
        with pytest.raises(UnreadableKey):
            provider().unwrap(KEY_ID, 1, Wrapped(1, b"short"))

    def test_refuse_a_key_wrapped_by_another(self, key_file: Path, tmp_path: Path):
        wrapped = provider().wrap(KEY_ID, 1, b"k" * 32)
        create_key_file(tmp_path / "other")
        with override_settings(KEY_PROVIDER=f"file:{tmp_path / 'other'}"), pytest.raises(UnreadableKey):
            provider().unwrap(KEY_ID, 1, wrapped)


class TestUnwrapAll:
    def test_gives_each_version_of_each_key(self, key_file: Path):
        rows, expected = [], {}
        for number in range(1, 6):
            key_id, plain = uuid4(), bytes([number]) * 32
            for version in (1, 2):
                wrapped = provider().wrap(key_id, version, plain)
                rows.append((key_id.bytes, version, wrapped.kek_version, wrapped.data))
                expected.setdefault(key_id.bytes, {})[version] = plain
            if number == 3:
                provider().add_version()
        assert {row[2] for row in rows} == {1, 2}
        assert provider().unwrap_all(rows) == expected
        assert provider().unwrap_all([]) == {}

    def test_logs_which_key_does_not_open_and_gives_the_others(self, key_file: Path, caplog):
        good, bad = uuid4(), uuid4()
        wrapped = provider().wrap(good, 1, b"k" * 32)
        rows = [(key_id.bytes, 1, wrapped.kek_version, wrapped.data) for key_id in (good, bad)]
        assert provider().unwrap_all(rows) == {good.bytes: {1: b"k" * 32}}
        assert str(bad) in caplog.text


class TestMemory:
    def test_gives_way_to_the_source_for_a_version_added_elsewhere(self, key_file: Path):
        with time_machine.travel(NOW, tick=False):
            provider().wrap(KEY_ID, 1, b"k" * 32)
            there = another_process(key_file)
            there.add_version()
            wrapped = there.wrap(KEY_ID, 1, b"k" * 32)
            assert wrapped.kek_version == 2
            assert provider().unwrap(KEY_ID, 1, wrapped) == b"k" * 32

    def test_serves_for_a_minute_after_the_key_has_gone(self, key_file: Path):
        with time_machine.travel(NOW, tick=False) as time:
            wrapped = provider().wrap(KEY_ID, 1, b"k" * 32)
            key_file.unlink()
            time.shift(timedelta(seconds=59))
            assert provider().unwrap(KEY_ID, 1, wrapped) == b"k" * 32

    def test_is_over_after_a_minute(self, key_file: Path):
        with time_machine.travel(NOW, tick=False) as time:
            wrapped = provider().wrap(KEY_ID, 1, b"k" * 32)
            key_file.unlink()
            time.shift(timedelta(seconds=60))
            for _ in range(2):
                with pytest.raises(KeyProviderUnavailable):
                    provider().unwrap(KEY_ID, 1, wrapped)

    def test_is_not_prolonged_by_use(self, key_file: Path):
        with time_machine.travel(NOW, tick=False) as time:
            wrapped = provider().wrap(KEY_ID, 1, b"k" * 32)
            key_file.unlink()
            time.shift(timedelta(seconds=40))
            provider().unwrap(KEY_ID, 1, wrapped)
            time.shift(timedelta(seconds=40))
            with pytest.raises(KeyProviderUnavailable):
                provider().unwrap(KEY_ID, 1, wrapped)

    def test_is_over_when_the_clock_goes_back(self, key_file: Path):
        with time_machine.travel(NOW, tick=False) as time:
            provider().wrap(KEY_ID, 1, b"k" * 32)
            key_file.unlink()
            time.shift(timedelta(seconds=-1))
            with pytest.raises(KeyProviderUnavailable):
                provider().wrap(KEY_ID, 1, b"k" * 32)

    def test_is_not_asked_by_health(self, key_file: Path):
        provider().wrap(KEY_ID, 1, b"k" * 32)
        key_file.unlink()
        with pytest.raises(KeyProviderUnavailable):
            provider().health()
