import hashlib
import hmac
import os
import pickle
import struct
from collections.abc import Iterator
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given
from hypothesis import strategies as st

from audit.encryption.envelope import (
    AES_256_GCM,
    AES_256_GCM_SIV,
    ALGORITHMS,
    BadEnvelope,
    Cipher,
    Envelope,
    field_label,
    pad,
    seal,
    unpad,
    unseal,
)
from audit.encryption.keys import load_keys_of
from pre_cases.models import Child
from tests.audit.encryption.records import stored
from tests.cast import make_child

KEY = Cipher(bytes(range(32)))
KEY_ID = UUID("01890000-0000-7000-8000-000000000001")
RECORD = UUID("01890000-0000-7000-8000-000000000002")
OTHER = UUID("01890000-0000-7000-8000-000000000003")
LABEL = field_label("child.first_name")
both_algorithms = pytest.mark.parametrize("algorithm", [AES_256_GCM, AES_256_GCM_SIV], ids=["gcm", "gcm-siv"])


def sealed(plain: bytes = b"In\xc3\xa8s", *, version: int = 1, algorithm: int = AES_256_GCM) -> Envelope:
    return seal(plain, KEY, key_id=KEY_ID, key_version=version, label=LABEL, record_id=RECORD, algorithm=algorithm)


def opened(envelope: Envelope, **changes) -> bytes:
    bound = {"key_id": KEY_ID, "label": LABEL, "record_id": RECORD, **changes}
    return unseal(envelope, bound.pop("ciphers", {1: KEY, 2: KEY}), **bound)


def refused(data: bytes, **changes) -> bool:
    with pytest.raises(BadEnvelope):
        opened(Envelope(data), **changes)
    return True


def prefixed(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


class TestFormat:
    """Bytes written today are read for as long as a file is kept: these tests never change."""

    def test_is_the_documented_one(self):
        data = sealed(b"abc", version=2).data
        assert data[:4] == b"\x01\x01\x00\x02"
        aad = prefixed(b"\x01", b"\x01", KEY_ID.bytes, b"\x00\x02", b"child.first_name", RECORD.bytes)
        assert KEY.gcm.decrypt(data[4:16], data[16:], aad) == b"\x00\x00\x00\x03abc" + bytes(9)

    def test_of_the_second_algorithm_is_the_documented_one(self):
        """Its key is derived from the data key: HKDF (RFC 5869), without salt."""
        data = sealed(b"abc", version=2, algorithm=AES_256_GCM_SIV).data
        assert data[:4] == b"\x01\x02\x00\x02"
        pseudorandom = hmac.digest(bytes(32), bytes(range(32)), hashlib.sha256)
        derived = hmac.digest(pseudorandom, b"marelle AES-256-GCM-SIV\x01", hashlib.sha256)
        aad = prefixed(b"\x01", b"\x02", KEY_ID.bytes, b"\x00\x02", b"child.first_name", RECORD.bytes)
        assert AESGCMSIV(derived).decrypt(data[4:16], data[16:], aad) == b"\x00\x00\x00\x03abc" + bytes(9)

    def test_of_an_old_value_of_the_second_algorithm_still_opens(self):
        old = bytes.fromhex(
            "01020001000102030405060708090a0b440484521987b24a91ec571ffb3e83342d796f69f361c8565809a9a295123874"
        )
        assert opened(Envelope(old)) == b"In\xc3\xa8s"

    def test_of_an_old_value_still_opens(self):
        old = bytes.fromhex(
            "01010001000102030405060708090a0b4702d61e8c8b01b3fe41978bb1e9786d769e4629b86e0ffa25caceb62547ccca"
        )
        assert opened(Envelope(old)) == b"In\xc3\xa8s"

    @pytest.mark.parametrize(
        ("length", "stored"),
        [(0, 16), (12, 16), (13, 32), (28, 32), (29, 64), (60, 64), (61, 128), (124, 128), (125, 256), (1000, 1024)],
    )
    def test_pads_to_a_few_sizes(self, length: int, stored: int):
        assert len(pad(b"x" * length)) == stored
        assert len(sealed(b"x" * length).data) == 32 + stored

    def test_uses_a_nonce_once(self):
        assert len({sealed().data[4:16] for _ in range(500)}) == 500


class TestSealAndUnseal:
    @given(st.binary(max_size=600))
    def test_give_the_value_back(self, plain: bytes):
        assert opened(sealed(plain)) == plain

    def test_refuse_every_byte_flipped(self):
        data = sealed().data
        for index in range(len(data)):
            altered = bytearray(data)
            altered[index] ^= 1
            with pytest.raises(BadEnvelope):
                opened(Envelope(bytes(altered)))

    @pytest.mark.parametrize(
        "moved",
        [{"record_id": OTHER}, {"key_id": OTHER}, {"label": field_label("child.family_name")}],
        ids=["row", "key", "field"],
    )
    def test_refuse_an_envelope_moved(self, moved: dict):
        with pytest.raises(BadEnvelope):
            opened(sealed(), **moved)

    def test_refuse_another_version_of_the_key(self):
        data = sealed(version=1).data
        with pytest.raises(BadEnvelope):
            opened(Envelope(data[:2] + b"\x00\x02" + data[4:]))

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x01\x01\x00\x01",
            b"Ines Morel, 12 rue de la Chapelle",
            sealed().data[:-1],
            sealed().data + b"\x00",
            b"\x02" + sealed().data[1:],
            b"\x01\x02" + sealed().data[2:],
            sealed().data[:2] + b"\x00\x00" + sealed().data[4:],
            sealed().data[:2] + b"\x00\x09" + sealed().data[4:],
            sealed().data[:32],
        ],
    )
    def test_refuse_another_form(self, data: bytes):
        with pytest.raises(BadEnvelope):
            opened(Envelope(data))


class TestUnpad:
    @pytest.mark.parametrize(
        "padded",
        [
            b"\x00\x00\x00\x03abc" + bytes(8) + b"\x01",  # not zeros
            b"\x00\x00\x00\x0dabc" + bytes(9),  # longer than the rest
            b"\xff\xff\xff\xff" + bytes(12),
            b"\x00\x00\x00\x03abc" + bytes(25),  # a class too large
            b"\x00\x00\x00\x03abc",
            b"",
        ],
    )
    def test_refuses_what_pad_would_not_write(self, padded: bytes):
        with pytest.raises(BadEnvelope):
            unpad(padded)


class TestEnvelope:
    def test_says_nothing_of_its_content(self):
        envelope = sealed()
        assert repr(envelope) == str(envelope) == f"{envelope}" == "<Envelope>"

    def test_cannot_be_changed(self):
        with pytest.raises(AttributeError):
            sealed().data = b"x"

    def test_survives_pickling(self):
        envelope = sealed()
        assert pickle.loads(pickle.dumps(envelope)) == envelope


class TestAlgorithms:
    @both_algorithms
    @given(plain=st.binary(max_size=600))
    def test_give_the_value_back(self, algorithm: int, plain: bytes):
        assert opened(sealed(plain, algorithm=algorithm)) == plain

    def test_are_read_side_by_side_under_one_key(self):
        envelopes = [sealed(bytes([number]), algorithm=1 + number % 2) for number in range(20)]
        assert {envelope.data[1] for envelope in envelopes} == {AES_256_GCM, AES_256_GCM_SIV}
        assert [opened(envelope) for envelope in envelopes] == [bytes([number]) for number in range(20)]

    @both_algorithms
    def test_refuse_what_the_other_has_sealed(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        assert refused(data[:1] + bytes([3 - algorithm]) + data[2:])

    @both_algorithms
    @pytest.mark.parametrize("other", [0, 3, 0x80, 0xFF])
    def test_refuse_one_that_is_not_known(self, algorithm: int, other: int):
        data = sealed(algorithm=algorithm).data
        assert refused(data[:1] + bytes([other]) + data[2:])
        with pytest.raises(KeyError):
            sealed(algorithm=other)

    def test_share_no_key(self):
        data = sealed(b"abc", algorithm=AES_256_GCM_SIV).data
        aad = prefixed(b"\x01", b"\x02", KEY_ID.bytes, b"\x00\x01", b"child.first_name", RECORD.bytes)
        with pytest.raises(InvalidTag):
            AESGCMSIV(bytes(range(32))).decrypt(data[4:16], data[16:], aad)

    def test_differ_when_a_nonce_is_used_twice(self, monkeypatch: pytest.MonkeyPatch):
        """What the second one is for: with the first, two values under one nonce give away their difference."""
        monkeypatch.setattr(os, "urandom", bytes)
        one, two = b"a" * 12, b"b" * 12

        def difference(algorithm: int) -> bytes:
            bodies = [sealed(plain, algorithm=algorithm).data[16:32] for plain in (one, two)]
            return bytes(a ^ b for a, b in zip(*bodies, strict=True))

        clear = bytes(a ^ b for a, b in zip(pad(one), pad(two), strict=True))
        assert difference(AES_256_GCM) == clear
        assert difference(AES_256_GCM_SIV) != clear


def tags_near(tag: bytes) -> Iterator[bytes]:
    """The wrong tags that the Wycheproof vectors try."""
    number = int.from_bytes(tag)
    for bits in (*((bit,) for bit in range(128)), (0, 64), (31, 63), (63, 127)):
        yield (number ^ sum(1 << bit for bit in bits)).to_bytes(16)
    yield bytes(16)
    yield b"\xff" * 16
    yield bytes(byte ^ 0xFF for byte in tag)
    yield bytes(byte ^ 0x80 for byte in tag)
    yield bytes(byte ^ 0x01 for byte in tag)
    yield tag[::-1]
    yield tag[1:] + tag[:1]


@both_algorithms
class TestWycheproofClasses:
    """Each class of vectors of AES-GCM and AES-GCM-SIV in the Wycheproof project, through our own envelope."""

    def test_modified_tag(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        assert all(refused(data[:-16] + tag) for tag in tags_near(data[-16:]))

    def test_truncated_tag(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        assert all(refused(data[:-cut]) for cut in range(1, 17))
        assert all(refused(data[:-cut] + bytes(byte ^ 0xFF for byte in data[-cut:])) for cut in range(1, 17))

    def test_tag_of_another_value(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        assert refused(data[:-16] + sealed(algorithm=algorithm).data[-16:])

    def test_truncated_ciphertext(self, algorithm: int):
        for plain in (b"", b"x" * 40, b"x" * 300):
            data = sealed(plain, algorithm=algorithm).data
            assert all(refused(data[:size]) for size in range(len(data)))
            assert all(refused(data[:16] + data[16 + cut :]) for cut in range(1, len(data) - 15))

    def test_extended_ciphertext(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        for added in (*range(1, 40), 128, 1_000):
            assert refused(data + bytes(added))
            assert refused(data[:-16] + bytes(added) + data[-16:])
            assert refused(data[:16] + bytes(added) + data[16:])

    def test_modified_ciphertext(self, algorithm: int):
        data = sealed(b"x" * 100, algorithm=algorithm).data
        for index in range(16, len(data) - 16):
            for mask in (0x01, 0x80, 0xFF):
                assert refused(data[:index] + bytes([data[index] ^ mask]) + data[index + 1 :])

    @pytest.mark.parametrize("size", [0, 1, 8, 11, 13, 14, 16, 20, 32, 64, 128])
    def test_nonce_of_another_length(self, algorithm: int, size: int):
        data = sealed(algorithm=algorithm).data
        nonce = (data[4:16] * 11)[:size]
        assert refused(data[:4] + nonce + data[16:])
        if size < 12:  # and as many bytes added at the end
            assert refused(data[:4] + nonce + data[16:] + bytes(12 - size))

    def test_modified_nonce(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        assert refused(data[:4] + bytes(12) + data[16:])
        assert refused(data[:4] + b"\xff" * 12 + data[16:])
        assert refused(data[:4] + sealed(algorithm=algorithm).data[4:16] + data[16:])

    @pytest.mark.parametrize("nonce", [bytes(12), b"\xff" * 12, b"\xff" * 4 + bytes(8), bytes(8) + b"\xff" * 4])
    def test_special_nonce(self, algorithm: int, nonce: bytes, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(os, "urandom", lambda size: nonce[:size])
        envelope = sealed(b"x" * 200, algorithm=algorithm)
        assert envelope.data[4:16] == nonce
        assert opened(envelope) == b"x" * 200

    @pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 255, 256, 4_096, 65_535, 65_536, 1_000_003])
    def test_empty_and_long_plaintexts(self, algorithm: int, size: int):
        plain = os.urandom(size)
        assert opened(sealed(plain, algorithm=algorithm)) == plain

    def test_special_plaintexts(self, algorithm: int):
        for plain in (bytes(16), b"\xff" * 16, bytes(1_000), b"\x80" + bytes(15), bytes(15) + b"\x01"):
            assert opened(sealed(plain, algorithm=algorithm)) == plain

    @pytest.mark.parametrize("part", ["key_id", "record_id"])
    def test_modified_ids(self, algorithm: int, part: str):
        data = sealed(algorithm=algorithm).data
        right = {"key_id": KEY_ID, "record_id": RECORD}[part]
        for bit in range(128):
            assert refused(data, **{part: UUID(int=right.int ^ (1 << bit))})

    @pytest.mark.parametrize(
        "name",
        ["", "child", "child.first_nam", "child.first_name ", "Child.first_name", "child.first_names", "x" * 300],
    )
    def test_modified_field_name(self, algorithm: int, name: str):
        assert refused(sealed(algorithm=algorithm).data, label=field_label(name))

    def test_parts_cut_elsewhere(self, algorithm: int):
        """The same bytes, the border between the field name and the record being one byte further."""
        name = b"child.first_name"
        longer = (len(name) + 4).to_bytes(4) + name + b"\0\0\0\x10"
        assert refused(sealed(algorithm=algorithm).data, label=longer)

    def test_modified_version_of_the_key(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        ciphers = dict.fromkeys(range(1, 2**16), KEY)
        for bit in range(16):
            version = 1 ^ (1 << bit)
            assert refused(data[:2] + version.to_bytes(2) + data[4:], ciphers=ciphers)

    def test_modified_format(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        assert all(refused(bytes([other]) + data[1:]) for other in range(256) if other != 1)

    def test_modified_key(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        for bit in range(0, 256, 3):
            wrong = (int.from_bytes(bytes(range(32))) ^ (1 << bit)).to_bytes(32)
            assert refused(data, ciphers={1: Cipher(wrong)})

    def test_every_bit_flipped(self, algorithm: int):
        data = sealed(algorithm=algorithm).data
        for index in range(len(data)):
            for bit in range(8):
                assert refused(data[:index] + bytes([data[index] ^ (1 << bit)]) + data[index + 1 :])

    @given(st.data())
    def test_anything_else(self, algorithm: int, data: st.DataObject):
        right = sealed(algorithm=algorithm).data
        start = right[: data.draw(st.integers(0, 16))]
        wrong = start + data.draw(st.binary(max_size=80))
        if wrong != right:
            assert refused(wrong)


class TestAlgorithmOfTheSettings:
    pytestmark = pytest.mark.django_db(databases=["default", "keys"])

    def test_is_the_one_of_new_values_and_the_others_stay_readable(self, settings, signed, new_ring):
        old = make_child("Inès")
        settings.ENVELOPE_ALGORITHM = "aes-256-gcm-siv"
        new = make_child("Tom")
        assert [stored(child).data[1] for child in (old, new)] == list(ALGORITHMS.values())
        with new_ring():
            children = list(Child.objects.order_by("pk"))
            load_keys_of(*children)
            assert [child.first_name for child in children] == ["Inès", "Tom"]
            children[0].family_name = "Diallo"
            children[0].save()
        assert stored(old, "family_name").data[1] == AES_256_GCM_SIV
        assert stored(old, "first_name").data[1] == AES_256_GCM
