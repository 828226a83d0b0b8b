import pickle
import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.encryption.envelope import BadEnvelope, Cipher, Envelope, field_label, pad, seal, unpad, unseal

KEY = Cipher(bytes(range(32)))
KEY_ID = UUID("01890000-0000-7000-8000-000000000001")
RECORD = UUID("01890000-0000-7000-8000-000000000002")
OTHER = UUID("01890000-0000-7000-8000-000000000003")
LABEL = field_label("child.first_name")


def sealed(plain: bytes = b"In\xc3\xa8s", *, version: int = 1) -> Envelope:
    return seal(plain, KEY, key_id=KEY_ID, key_version=version, label=LABEL, record_id=RECORD)


def opened(envelope: Envelope, **changes) -> bytes:
    bound = {"key_id": KEY_ID, "label": LABEL, "record_id": RECORD, **changes}
    return unseal(envelope, bound.pop("ciphers", {1: KEY, 2: KEY}), **bound)


def prefixed(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


class TestFormat:
    """Bytes written today are read for as long as a file is kept: these tests never change."""

    def test_is_the_documented_one(self):
        data = sealed(b"abc", version=2).data
        assert data[:4] == b"\x01\x01\x00\x02"
        aad = prefixed(b"\x01", b"\x01", KEY_ID.bytes, b"\x00\x02", b"child.first_name", RECORD.bytes)
        assert KEY.gcm.decrypt(data[4:16], data[16:], aad) == b"\x00\x00\x00\x03abc" + bytes(9)

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
