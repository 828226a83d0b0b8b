import os
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pkcs11
import pytest
import time_machine
from django.utils import timezone
from pkcs11 import Attribute, KeyType, ObjectClass

from audit.encryption.errors import KeyProviderUnavailable, UnreadableKey
from audit.encryption.keys import create_data_keys, load_keys
from audit.encryption.keystore.models import MasterKey
from audit.encryption.providers import Wrapped, provider
from audit.encryption.providers.token import TokenAddress, TokenProvider
from audit.encryption.rotation import retire_old_versions, rewrap_all, start_rotation
from audit.encryption.witness import register_versions, require_same_keys
from audit.history import system_account
from tests.audit.encryption.installation import kek_versions, key_provider

PLACES = [Path("/usr/lib/softhsm"), *Path("/usr/lib").glob("*/softhsm")]
MODULE = next((str(place / "libsofthsm2.so") for place in PLACES if (place / "libsofthsm2.so").exists()), "")
HAS_SOFTHSM = MODULE and shutil.which("softhsm2-util")
PIN = "314159"
KEY_ID = uuid4()
DATA_KEY = b"k" * 32

needs_softhsm = pytest.mark.skipif(not HAS_SOFTHSM, reason="needs SoftHSM2 (libsofthsm2.so and softhsm2-util)")


class TestTokenAddress:
    URI = (
        "pkcs11:token=marelle%20de%20Paris;object=marelle-kek"
        "?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/marelle/pin"
    )

    def test_is_read_from_its_uri(self):
        assert TokenAddress.parse(self.URI) == TokenAddress(
            token="marelle de Paris",
            label="marelle-kek",
            module="/usr/lib/softhsm/libsofthsm2.so",
            pin_file=Path("/etc/marelle/pin"),
        )

    def test_takes_a_pin_source_without_a_scheme(self):
        assert TokenAddress.parse(self.URI.replace("file:", "")) == TokenAddress.parse(self.URI)

    @pytest.mark.parametrize("part", ["token", "object", "module-path", "pin-source"])
    def test_says_which_part_is_missing(self, part: str):
        with pytest.raises(KeyProviderUnavailable, match=f"KEY_PROVIDER names no '{part}' in its PKCS#11 URI"):
            TokenAddress.parse(self.URI.replace(f"{part}=", "other="))

    def test_reads_the_pin_from_its_file(self, tmp_path: Path):
        (tmp_path / "pin").write_text(f"  {PIN}\n")
        with pytest.raises(KeyProviderUnavailable, match="can be read by others"):
            TokenAddress("token", "label", "module", tmp_path / "pin").pin()
        (tmp_path / "pin").chmod(0o600)
        assert TokenAddress("token", "label", "module", tmp_path / "pin").pin() == PIN

    def test_says_that_the_pin_cannot_be_read(self, tmp_path: Path):
        with pytest.raises(KeyProviderUnavailable, match=r"The PIN file .*absent cannot be read: No such file"):
            TokenAddress("token", "label", "module", tmp_path / "absent").pin()


class Device:
    """A SoftHSM2 token initialised for one test."""

    def __init__(self, folder: Path) -> None:
        self.pin_file = folder / "pin"
        self.pin_file.write_text(f"{PIN}\n")
        self.pin_file.chmod(0o600)
        self.uri = f"pkcs11:token=marelle;object=marelle-kek?module-path={MODULE}&pin-source=file:{self.pin_file}"
        self.provider = self.another()

    def another(self, **changes: str) -> TokenProvider:
        """A provider of its own, as another installation would have."""
        uri = self.uri
        for old, new in changes.items():
            uri = uri.replace(f"{old}=marelle", f"{old}={new}")
        return TokenProvider(TokenAddress.parse(uri))

    def session(self) -> pkcs11.Session:
        """A second session of this process, signed in as the first one is."""
        return pkcs11.lib(MODULE).get_token(token_label="marelle").open(rw=True)

    def keys(self) -> dict[str, pkcs11.SecretKey]:
        """What the token holds, by label."""
        found = self.session().get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})
        return {key.label: key for key in found}


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    command = ["softhsm2-util", "--init-token", "--free", "--label", "marelle", "--pin", PIN, "--so-pin", "271828"]
    subprocess.run(command, check=True, capture_output=True)
    library = pkcs11.lib(MODULE)
    library.reinitialize()  # it may have been loaded for another test, with other tokens
    yield Device(tmp_path)
    library.finalize()


@pytest.fixture
def token(device: Device) -> TokenProvider:
    """One that holds a first version."""
    assert device.provider.add_version() == 1
    return device.provider


@needs_softhsm
class TestTokenProvider:
    def test_gives_a_key_back(self, token: TokenProvider):
        wrapped = token.wrap(KEY_ID, 1, DATA_KEY)
        assert (wrapped.kek_version, len(wrapped.data)) == (1, 60)
        assert b"kkkk" not in wrapped.data
        assert token.unwrap(KEY_ID, 1, wrapped) == DATA_KEY

    def test_uses_a_nonce_once(self, token: TokenProvider):
        assert len({token.wrap(KEY_ID, 1, DATA_KEY).data[:12] for _ in range(50)}) == 50

    def test_refuses_every_byte_flipped(self, token: TokenProvider):
        wrapped = token.wrap(KEY_ID, 1, DATA_KEY)
        for index in range(len(wrapped.data)):
            altered = bytearray(wrapped.data)
            altered[index] ^= 1
            with pytest.raises(UnreadableKey):
                token.unwrap(KEY_ID, 1, Wrapped(1, bytes(altered)))
        assert token.unwrap(KEY_ID, 1, wrapped) == DATA_KEY

    @pytest.mark.parametrize(
        ("key_id", "version", "kek_version"), [(uuid4(), 1, 2), (KEY_ID, 2, 2), (KEY_ID, 1, 1)], ids=["id", "v", "kek"]
    )
    def test_refuses_a_key_moved(self, token: TokenProvider, key_id, version: int, kek_version: int):
        token.add_version()
        wrapped = token.wrap(KEY_ID, 1, DATA_KEY)
        assert wrapped.kek_version == 2
        with pytest.raises(UnreadableKey):
            token.unwrap(key_id, version, Wrapped(kek_version, wrapped.data))

    @pytest.mark.parametrize("data", [b"", b"short", bytes(12), bytes(28), bytes(29), bytes(200)])
    def test_refuses_another_form(self, token: TokenProvider, data: bytes):
        with pytest.raises(UnreadableKey):
            token.unwrap(KEY_ID, 1, Wrapped(1, data))

    def test_opens_in_another_session_what_it_wrapped(self, device: Device, token: TokenProvider):
        wrapped = token.wrap(KEY_ID, 1, DATA_KEY)
        pkcs11.lib(MODULE).reinitialize()
        assert device.another().unwrap(KEY_ID, 1, wrapped) == DATA_KEY

    def test_opens_many_at_once(self, token: TokenProvider):
        first = token.wrap(KEY_ID, 1, DATA_KEY)
        token.add_version()
        second = token.wrap(KEY_ID, 2, b"l" * 32)
        rows = [(KEY_ID.bytes, version, row.kek_version, row.data) for version, row in ((1, first), (2, second))]
        assert token.unwrap_all(rows) == {KEY_ID.bytes: {1: DATA_KEY, 2: b"l" * 32}}
        elsewhere = (uuid4().bytes, 1, 1, first.data)  # logged and left out
        assert set(token.unwrap_all([elsewhere, *rows])) == {KEY_ID.bytes}

    def test_goes_on_after_its_session_was_lost(self, device: Device, token: TokenProvider):
        token.add_version()
        wrapped = token.wrap(KEY_ID, 1, DATA_KEY)
        device.another().remove_version(1)
        token._session.close()  # as a token does that was taken out and put back
        assert token.unwrap(KEY_ID, 1, wrapped) == DATA_KEY
        assert token.versions() == [2]

    def test_shares_the_login_of_another_session_of_the_process(self, device: Device, token: TokenProvider):
        wrapped = token.wrap(KEY_ID, 1, DATA_KEY)
        assert device.another().unwrap(KEY_ID, 1, wrapped) == DATA_KEY

    def test_wraps_within_a_minute_with_a_version_added_elsewhere(self, device: Device, token: TokenProvider):
        assert token.wrap(KEY_ID, 1, DATA_KEY).kek_version == 1
        device.another().add_version()
        token._looked_at -= 60
        assert token.wrap(KEY_ID, 1, DATA_KEY).kek_version == 2

    def test_works_for_several_threads(self, token: TokenProvider):
        def round_trip(number: int) -> bool:
            plain = bytes([number]) * 32
            return token.unwrap(KEY_ID, number, token.wrap(KEY_ID, number, plain)) == plain

        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(round_trip, range(1, 60)))

    def test_is_the_one_that_a_uri_names(self, device: Device, token: TokenProvider):
        wrapped = token.wrap(KEY_ID, 1, DATA_KEY)
        pkcs11.lib(MODULE).reinitialize()
        with key_provider(device.uri):
            provider().health()
            assert provider().unwrap(KEY_ID, 1, wrapped) == DATA_KEY


@needs_softhsm
class TestKeysOfAToken:
    def test_are_never_given_out(self, device: Device, token: TokenProvider):
        key = device.keys()["marelle-kek-1"]
        assert (key[Attribute.SENSITIVE], key[Attribute.EXTRACTABLE]) == (True, False)
        assert (key[Attribute.ALWAYS_SENSITIVE], key[Attribute.NEVER_EXTRACTABLE]) == (True, True)
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            key[Attribute.VALUE]

    def test_are_new_256_bit_keys_that_stay(self, device: Device, token: TokenProvider):
        key = device.keys()["marelle-kek-1"]
        assert (key.key_type, key.key_length, key[Attribute.TOKEN]) == (KeyType.AES, 256, True)

    def test_wrap_with_the_newest_and_open_with_each(self, token: TokenProvider):
        first = token.wrap(KEY_ID, 1, DATA_KEY)
        assert token.add_version() == 2
        second = token.wrap(KEY_ID, 1, DATA_KEY)
        assert second.kek_version == 2
        assert token.versions() == [1, 2]
        assert token.unwrap(KEY_ID, 1, first) == token.unwrap(KEY_ID, 1, second) == DATA_KEY

    def test_of_ten_versions_are_in_the_order_of_numbers(self, token: TokenProvider):
        for _ in range(9):
            token.add_version()
        assert token.versions() == list(range(1, 11))
        assert token.wrap(KEY_ID, 1, DATA_KEY).kek_version == 10

    def test_removed_open_nothing_any_more(self, device: Device, token: TokenProvider):
        first = token.wrap(KEY_ID, 1, DATA_KEY)
        token.add_version()
        token.remove_version(1)
        token.remove_version(1)
        assert set(device.keys()) == {"marelle-kek-2"}
        assert token.versions() == [2]
        with pytest.raises(UnreadableKey):
            token.unwrap(KEY_ID, 1, first)
        assert token.unwrap(KEY_ID, 1, token.wrap(KEY_ID, 1, DATA_KEY)) == DATA_KEY

    def test_with_other_labels_are_left_alone(self, device: Device, token: TokenProvider):
        for label in ("marelle-kek", "marelle-kek-2-old", "amarelle-kek-2", "marelle-kek-x", "other-7"):
            device.session().generate_key(KeyType.AES, 256, label=label, store=True)
        assert token.versions() == [1]
        assert token.wrap(KEY_ID, 1, DATA_KEY).kek_version == 1


ADD = """
import sys
from audit.encryption.providers.token import TokenAddress, TokenProvider
print(TokenProvider(TokenAddress.parse(sys.argv[1])).add_version())
"""

FORK = """
import os, sys
from uuid import UUID
from audit.encryption.providers.token import TokenAddress, TokenProvider
token = TokenProvider(TokenAddress.parse(sys.argv[1]))
wrapped = token.wrap(UUID(int=1), 1, b"k" * 32)
def works():
    token.health()
    again = token.wrap(UUID(int=1), 1, b"k" * 32)
    return token.unwrap(UUID(int=1), 1, wrapped) == token.unwrap(UUID(int=1), 1, again) == b"k" * 32
for name in ("first child", "second child"):
    child = os.fork()
    if not child:
        if works():
            print(name, "works", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
if works():
    print("parent works")
"""


@needs_softhsm
class TestOtherProcesses:
    def run(self, script: str, device: Device, environment: dict[str, str]) -> list[str]:
        environment = {**environment, "SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"]}
        command = [sys.executable, "-c", textwrap.dedent(script), device.uri]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()

    def test_forked_from_one_that_used_the_token_work(
        self, device: Device, token: TokenProvider, environment: dict[str, str]
    ):
        """As the processes of a web server, whose parent asked for the key at its start."""
        assert self.run(FORK, device, environment) == ["first child works", "second child works", "parent works"]

    def test_that_add_a_version_are_noticed(self, device: Device, token: TokenProvider, environment: dict[str, str]):
        old = token.wrap(KEY_ID, 1, DATA_KEY)
        assert self.run(ADD, device, environment) == ["2"]
        assert token.versions() == [1, 2]
        assert token.wrap(KEY_ID, 1, DATA_KEY).kek_version == 2
        assert token.unwrap(KEY_ID, 1, old) == DATA_KEY


@needs_softhsm
class TestATokenThatCannotBeUsed:
    def refusals(self, token: TokenProvider, match: str) -> None:
        wrapped = Wrapped(1, bytes(60))
        for question in (
            token.health,
            token.versions,
            lambda: token.wrap(KEY_ID, 1, DATA_KEY),
            lambda: token.unwrap(KEY_ID, 1, wrapped),
        ):
            with pytest.raises(KeyProviderUnavailable, match=match) as caught:
                question()
            assert PIN not in str(caught.value)

    def test_holds_no_key(self, device: Device):
        with pytest.raises(KeyProviderUnavailable, match="The token marelle holds no key marelle-kek-1"):
            device.provider.health()
        with pytest.raises(KeyProviderUnavailable, match="The token marelle holds no key marelle-kek-1"):
            device.provider.wrap(KEY_ID, 1, DATA_KEY)
        assert device.provider.versions() == []

    def test_is_missing(self, device: Device):
        self.refusals(device.another(token="elsewhere"), "The token elsewhere does not answer: NoSuchToken")

    def test_has_another_pin(self, device: Device):
        device.pin_file.write_text("000000")
        with pytest.raises(KeyProviderUnavailable, match="The token marelle does not answer: PinIncorrect"):
            device.provider.health()
        self.refusals(device.provider, "The token marelle refused the PIN: it is not asked again for a minute")
        device.pin_file.write_text(PIN)
        device.provider._pin_refused_at -= 60
        assert device.provider.add_version() == 1

    def test_has_no_pin_file(self, device: Device):
        device.pin_file.unlink()
        self.refusals(device.provider, "The PIN file .* cannot be read: No such file or directory")

    def test_has_no_library(self, device: Device, tmp_path: Path):
        address = TokenAddress("marelle", "marelle-kek", str(tmp_path / "absent.so"), device.pin_file)
        self.refusals(TokenProvider(address), r"The PKCS#11 library .*absent\.so does not load")

    def test_has_lost_its_keys(self, device: Device, token: TokenProvider):
        token.wrap(KEY_ID, 1, DATA_KEY)
        for key in device.keys().values():
            key.destroy()
        with pytest.raises(KeyProviderUnavailable):
            token.health()


@needs_softhsm
class TestRotationOnAToken:
    pytestmark = pytest.mark.django_db(databases=["default", "keys"])

    def test_is_that_of_any_provider(self, device: Device, token: TokenProvider, new_ring):
        by = system_account()
        pkcs11.lib(MODULE).reinitialize()
        MasterKey.objects.all().delete()
        with key_provider(device.uri), time_machine.travel(timezone.now(), tick=False) as time:
            register_versions()
            made = create_data_keys("child", 5)
            assert kek_versions() == {1}
            assert start_rotation(by=by).version == 2
            assert rewrap_all(by=by) == 0
            time.shift(timedelta(minutes=2))
            assert retire_old_versions(by=by) == [1]
            assert kek_versions() == {2}
            assert provider().versions() == [2]
            require_same_keys()
            with new_ring():
                load_keys(made)
