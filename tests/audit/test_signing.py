import base64
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import override_settings

from audit import signing

CONTEXT = "marelle test 1"
MESSAGE = b"a message"


@pytest.fixture
def key_file(tmp_path: Path):
    path = tmp_path / "signing"
    signing.create_signing_key_file(path)
    with override_settings(SIGNING_KEY=f"file:{path}"):
        yield path


def refused(match: str) -> None:
    with pytest.raises(signing.SigningKeyUnavailable, match=match):
        signing.sign(MESSAGE, context=CONTEXT)


class TestCreateSigningKeyFile:
    def test_writes_a_random_key_for_its_owner_only(self, tmp_path: Path):
        for name in ("one", "two"):
            signing.create_signing_key_file(tmp_path / name)
        assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
        assert (tmp_path / "one").read_bytes() != (tmp_path / "two").read_bytes()

    def test_never_replaces_a_key(self, key_file: Path):
        with pytest.raises(FileExistsError):
            signing.create_signing_key_file(key_file)


class TestSign:
    def test_is_verified_by_its_key(self, key_file: Path):
        signature = signing.sign(MESSAGE, context=CONTEXT)
        assert len(signature) == 64
        signing.verify(MESSAGE, signature, context=CONTEXT, key_id=signing.key_id())

    def test_never_serves_for_another_message_or_another_use(self, key_file: Path):
        signature = signing.sign(MESSAGE, context=CONTEXT)
        others = [(b"another", CONTEXT), (MESSAGE, "marelle test 2"), (b"1" + MESSAGE, "marelle test "), (b"", CONTEXT)]
        for message, context in others:
            with pytest.raises(signing.BadSignature):
                signing.verify(message, signature, context=context, key_id=signing.key_id())
        with pytest.raises(signing.BadSignature):
            signing.verify_text(MESSAGE, signature, key_id=signing.key_id())

    def test_says_that_a_key_is_unknown(self, key_file: Path):
        signature = signing.sign(MESSAGE, context=CONTEXT)
        with pytest.raises(signing.UnknownKey):
            signing.verify(MESSAGE, signature, context=CONTEXT, key_id="0" * 64)

    @pytest.mark.parametrize("context", ["", "ab", "UPPER CASE", "é" * 4, "a" * 64, "two\nlines"])
    def test_refuses_a_context_that_is_none(self, key_file: Path, context: str):
        with pytest.raises(ValueError, match="no context"):
            signing.sign(MESSAGE, context=context)

    def test_follows_the_standard(self):
        """RFC 8032, section 7.1, test 2."""
        seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
        ring = signing.parsed(base64.b64encode(seed), "The test")
        assert ring.private is not None
        assert ring.private.sign(bytes.fromhex("72")).hex() == (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        )


class TestKeys:
    def test_come_from_the_environment_too(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("SIGNING_OF_THIS_TEST", base64.b64encode(os.urandom(32)).decode())
        with override_settings(SIGNING_KEY="env:SIGNING_OF_THIS_TEST"):
            signing.verify(MESSAGE, signing.sign(MESSAGE, context=CONTEXT), context=CONTEXT, key_id=signing.key_id())

    def test_are_refused_when_missing(self, key_file: Path):
        key_file.unlink()
        refused("The signing key file .* cannot be read")
        with override_settings(SIGNING_KEY="env:NOT_SET_ANYWHERE"):
            refused("NOT_SET_ANYWHERE is not set")

    @pytest.mark.parametrize("address", ["", "file:", "env:", "vault:key", "/a/path"])
    def test_are_refused_without_a_source(self, address: str):
        with override_settings(SIGNING_KEY=address):
            refused("SIGNING_KEY must be")

    def test_are_refused_when_others_may_read_them(self, key_file: Path):
        key_file.chmod(0o640)
        refused("mode 0640")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "it is empty"),
            (b"not base64 !", "must hold"),
            (b"key:" + base64.b64encode(b"k" * 31), "must hold"),
            (b"secret:" + base64.b64encode(b"k" * 32), "must hold"),
            (b"key:" + base64.b64encode(b"k" * 32) + b" key:" + base64.b64encode(b"l" * 32), "2 private keys"),
            (b"public:" + signing.base64.b64encode(b"p" * 32), "public keys only"),
        ],
    )
    def test_are_refused_when_malformed(self, key_file: Path, content: bytes, sentence: str):
        key_file.write_bytes(content)
        refused(sentence)
        assert [problem.id for problem in signing.check_signing_key(None)] == ["audit.E006"]

    def test_pass_the_check_when_they_are_there(self, key_file: Path):
        assert signing.check_signing_key(None) == []

    def test_may_only_verify(self, key_file: Path):
        signature, identifier = signing.sign(MESSAGE, context=CONTEXT), signing.key_id()
        public = base64.b64encode(signing.public_keys()[identifier])
        key_file.write_bytes(b"public:" + public)
        signing.verify(MESSAGE, signature, context=CONTEXT, key_id=identifier)


class TestRotateSigningKey:
    def test_goes_on_believing_the_former_keys(self, key_file: Path):
        signatures = {}
        for _ in range(3):
            signatures[signing.key_id()] = signing.sign(MESSAGE, context=CONTEXT)
            fresh = signing.rotate_signing_key()
            assert signing.key_id() == fresh
            assert fresh not in signatures
        assert len(signatures) == 3
        for identifier, signature in signatures.items():
            signing.verify(MESSAGE, signature, context=CONTEXT, key_id=identifier)

    def test_forgets_the_former_private_key(self, key_file: Path):
        former = key_file.read_bytes().partition(b":")[2].strip()
        signing.rotate_signing_key()
        assert former not in key_file.read_bytes()
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600

    def test_leaves_an_environment_to_its_operator(self):
        with pytest.raises(signing.SigningKeyUnavailable, match="not written by Marelle"):
            signing.rotate_signing_key()


class TestIdOf:
    def test_is_the_digest_of_the_public_key(self):
        key = Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key()
        assert signing.id_of(key) == signing.hashlib.sha256(key.public_bytes_raw()).hexdigest()
