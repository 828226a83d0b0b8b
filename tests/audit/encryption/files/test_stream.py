import io
import os
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from audit.encryption.files.stream import CHUNK, SEALED_CHUNK, BadFile, SealedReader, SealedWriter

KEY = bytes(range(32))
OTHER_KEY = bytes(32)
TAG = 16
SIZES = [0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK - 7]


def content_of(size: int) -> bytes:
    """Bytes in which no two chunks are alike."""
    return b"".join(b"%015d\n" % number for number in range(size // 16 + 1))[:size]


def sealed(plain: bytes, key: bytes = KEY, *, piece: int = 10_000) -> bytes:
    target = io.BytesIO()
    writer = SealedWriter(target, key)
    for start in range(0, len(plain), piece):
        writer.write(plain[start : start + piece])
    writer.close()
    return target.getvalue()


def reader(data: bytes, key: bytes = KEY, start: int = 0) -> SealedReader:
    return SealedReader(io.BytesIO(data), key, start=start)


def opened(data: bytes, key: bytes = KEY) -> bytes:
    return b"".join(reader(data, key).chunks())


def chunks_of(data: bytes) -> list[bytes]:
    return [data[start : start + SEALED_CHUNK] for start in range(0, len(data), SEALED_CHUNK)]


PLAIN = content_of(3 * CHUNK + 1_000)
SEALED = sealed(PLAIN)


def refused(data: bytes, key: bytes = KEY) -> bool:
    with pytest.raises(BadFile):
        opened(data, key)
    return True


class TestFormat:
    """Files written today are read for as long as they are kept: these tests never change."""

    def test_is_the_documented_one(self):
        data = sealed(content_of(CHUNK + 5))
        cipher = AESGCM(KEY)
        first, last = bytes(11) + b"\0", bytes(10) + b"\1" + b"\1"
        plain = content_of(CHUNK + 5)
        assert data == cipher.encrypt(first, plain[:CHUNK], None) + cipher.encrypt(last, plain[CHUNK:], None)

    def test_of_an_old_file_still_opens(self):
        assert opened(bytes.fromhex("7db3d3902b668586cf2edee656e1ea5fe36d7bf3d1")) == b"hello"

    @pytest.mark.parametrize("size", SIZES)
    def test_adds_a_tag_to_each_chunk(self, size: int):
        assert len(sealed(content_of(size))) == size + TAG * max(-(-size // CHUNK), 1)


class TestSealedWriter:
    @pytest.mark.parametrize("size", SIZES)
    def test_gives_everything_back(self, size: int):
        plain = content_of(size)
        assert opened(sealed(plain)) == plain

    @given(st.lists(st.integers(0, 90_000), max_size=6))
    def test_writes_the_same_whatever_the_pieces(self, sizes: list[int]):
        plain, target = content_of(sum(sizes)), io.BytesIO()
        writer = SealedWriter(target, KEY)
        rest = io.BytesIO(plain)
        for size in sizes:
            writer.write(rest.read(size))
        writer.close()
        assert target.getvalue() == sealed(plain, piece=sum(sizes) or 1)
        assert writer.size == len(plain)

    def test_leaves_a_file_without_an_end_when_it_is_not_closed(self):
        for size in (0, 10, CHUNK, CHUNK + 1, 2 * CHUNK + 1):
            target = io.BytesIO()
            SealedWriter(target, KEY).write(content_of(size))
            assert refused(target.getvalue())

    def test_writes_nothing_in_clear(self):
        assert b"0000000" not in SEALED

    def test_keeps_one_chunk_in_memory(self):
        piece = os.urandom(CHUNK)
        with open(os.devnull, "wb") as target:
            assert peak_of(lambda: write_20_mb(target, piece)) < 1_000_000


def write_20_mb(target: io.BufferedWriter, piece: bytes) -> None:
    writer = SealedWriter(target, KEY)
    for _ in range(320):
        writer.write(piece)
    writer.close()
    assert writer.size == 20 * 1024 * 1024


def peak_of(work) -> int:
    """The most memory that was taken at once, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestSealedReader:
    @pytest.mark.parametrize("size", SIZES)
    def test_knows_the_size_before_reading(self, size: int):
        assert reader(sealed(content_of(size))).size == size

    @pytest.mark.parametrize("size", SIZES)
    def test_reads_everything(self, size: int):
        found = reader(sealed(content_of(size)))
        assert found.read() == content_of(size)
        assert found.read() == found.read(10) == b""

    def test_begins_where_it_is_told(self):
        found = reader(b"a header" + sealed(b"hello"), start=8)
        assert (found.size, found.read()) == (5, b"hello")

    def test_is_a_file_to_read_and_to_search(self):
        found = reader(SEALED)
        assert (found.readable(), found.seekable(), found.writable()) == (True, True, False)

    @given(st.data())
    def test_reads_from_any_place_what_was_written(self, data: st.DataObject):
        found, expected = io.BufferedReader(reader(SEALED)), io.BytesIO(PLAIN)
        near = st.sampled_from([0, CHUNK, 2 * CHUNK, 3 * CHUNK, len(PLAIN)]).flatmap(
            lambda edge: st.integers(max(edge - 20, 0), edge + 20)
        )
        anywhere = near | st.integers(0, len(PLAIN) + 100)
        for _ in range(data.draw(st.integers(1, 8))):
            whence = data.draw(st.sampled_from([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END]))
            place = data.draw(anywhere)
            offset = {io.SEEK_SET: place, io.SEEK_CUR: place - expected.tell(), io.SEEK_END: place - len(PLAIN)}[whence]
            assert found.seek(offset, whence) == expected.seek(offset, whence)
            size = data.draw(st.integers(0, 100) | st.integers(0, len(PLAIN)))
            assert found.read(size) == expected.read(size)
            assert found.tell() == expected.tell()

    @given(st.integers(0, len(PLAIN)), st.integers(1, 200_000))
    def test_gives_a_part_of_one_chunk_at_most_in_one_raw_read(self, place: int, size: int):
        found = reader(SEALED)
        found.seek(place)
        part = found.read(size)
        assert part == PLAIN[place : place + len(part)]
        assert part or place == len(PLAIN)
        assert found.tell() == place + len(part)

    def test_opens_a_chunk_once_for_many_small_reads(self, monkeypatch: pytest.MonkeyPatch):
        source = io.BytesIO(SEALED)
        reads: list[int] = []
        read = source.read

        class Counting:
            seek = source.seek

            def read(self, size: int) -> bytes:
                reads.append(size)
                return read(size)

        found = SealedReader(Counting(), KEY)
        assert b"".join(iter(lambda: found.read(100), b"")) == PLAIN
        assert len(reads) == 4

    def test_keeps_one_chunk_in_memory(self):
        data = io.BytesIO(sealed(bytes(20 * 1024 * 1024), piece=20 * 1024 * 1024))

        def read_through() -> None:
            found = SealedReader(data, KEY)
            assert sum(len(part) for part in found.chunks()) == found.size == 20 * 1024 * 1024

        assert peak_of(read_through) < 1_000_000

    def test_closes_its_source(self):
        source = io.BytesIO(SEALED)
        with SealedReader(source, KEY) as found:
            found.read(10)
        assert source.closed
        assert found.closed
        with pytest.raises(ValueError, match="closed"):
            found.read(10)


class TestZipFile:
    @pytest.fixture
    def archive(self) -> bytes:
        """A ZIP file larger than two chunks."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.text", zipfile.ZIP_STORED)
            archive.writestr("content.xml", os.urandom(2 * CHUNK))
            archive.writestr("styles.xml", b"<styles/>" * 1_000)
        return target.getvalue()

    def test_is_read_through_its_seal(self, archive: bytes):
        with (
            zipfile.ZipFile(io.BufferedReader(reader(sealed(archive)))) as found,
            zipfile.ZipFile(io.BytesIO(archive)) as expected,
        ):
            assert found.namelist() == ["mimetype", "content.xml", "styles.xml"]
            assert found.testzip() is None
            assert all(found.read(name) == expected.read(name) for name in found.namelist())

    def test_is_refused_once_altered(self, archive: bytes):
        data = bytearray(sealed(archive))
        data[10] ^= 1
        with zipfile.ZipFile(io.BufferedReader(reader(bytes(data)))) as found, pytest.raises(BadFile):
            found.read("mimetype")


def flipped(places: Iterator[int] | range | list[int], bit: int = 1) -> Iterator[bytes]:
    for place in places:
        altered = bytearray(SEALED)
        altered[place] ^= bit
        yield bytes(altered)


class TestTampering:
    def test_with_any_byte_is_refused(self):
        small = sealed(b"hello")
        for place in range(len(small)):
            for bit in (1, 0x80):
                altered = bytearray(small)
                altered[place] ^= bit
                assert refused(bytes(altered))

    def test_with_a_byte_of_any_region_is_refused(self):
        edges = [index * SEALED_CHUNK for index in range(5)]
        places = {
            place
            for edge in edges
            for place in (*range(edge - TAG - 1, edge + 2), edge + CHUNK // 2, edge + 500)
            if 0 <= place < len(SEALED)
        }
        assert all(refused(data) for data in flipped(sorted(places)))

    def test_is_met_at_the_chunk_itself(self):
        """What comes before is the right content: ``store`` reads everything before giving anything."""
        (data,) = flipped([2 * SEALED_CHUNK])
        found = reader(data).chunks()
        assert next(found) + next(found) == PLAIN[: 2 * CHUNK]
        with pytest.raises(BadFile, match="chunk 2 is not the one that was written"):
            next(found)

    def test_by_swapping_two_chunks_is_refused(self):
        for first in range(4):
            for second in range(first):
                parts = chunks_of(SEALED)
                parts[first], parts[second] = parts[second], parts[first]
                assert refused(b"".join(parts))

    def test_by_dropping_a_chunk_is_refused(self):
        for dropped in range(4):
            parts = chunks_of(SEALED)
            del parts[dropped]
            assert refused(b"".join(parts))

    def test_by_repeating_a_chunk_is_refused(self):
        for repeated in range(4):
            for place in range(5):
                parts = chunks_of(SEALED)
                parts.insert(place, parts[repeated])
                assert refused(b"".join(parts))

    def test_by_cutting_anywhere_near_a_boundary_is_refused(self):
        edges = [index * SEALED_CHUNK for index in range(5)]
        sizes = {size for edge in (*edges, len(SEALED)) for size in range(edge - TAG - 2, edge + TAG + 2)}
        assert all(refused(SEALED[:size]) for size in sizes if 0 <= size < len(SEALED))

    def test_by_cutting_a_small_file_at_any_length_is_refused(self):
        small = sealed(b"hello")
        assert all(refused(small[:size]) for size in range(len(small)))

    def test_by_cutting_the_beginning_is_refused(self):
        assert all(refused(SEALED[size:]) for size in (1, TAG, CHUNK, SEALED_CHUNK, 3 * SEALED_CHUNK))

    def test_by_adding_something_is_refused(self):
        empty = sealed(b"")
        for added in (b"\0", bytes(TAG), bytes(TAG + 1), bytes(SEALED_CHUNK), empty, sealed(b"hello")):
            assert refused(SEALED + added)
            assert refused(added + SEALED)
            assert refused(sealed(content_of(CHUNK)) + added)

    def test_by_ending_earlier_with_the_last_chunk_is_refused(self):
        parts = chunks_of(SEALED)
        assert all(refused(b"".join([*parts[:kept], parts[3]])) for kept in range(3))

    def test_by_taking_the_end_of_another_file_is_refused(self):
        """Another file has another key."""
        parts, others = chunks_of(SEALED), chunks_of(sealed(PLAIN, OTHER_KEY))
        for place in range(4):
            mixed = [*parts]
            mixed[place] = others[place]
            assert refused(b"".join(mixed))

    def test_under_another_key_is_refused(self):
        assert refused(SEALED, OTHER_KEY)
        assert refused(sealed(b""), OTHER_KEY)

    def test_passing_for_an_empty_file_is_refused(self):
        assert refused(b"")
        assert refused(bytes(TAG))
        assert refused(sealed(b"hello")[-TAG:])
        with pytest.raises(BadFile, match="impossible length"):
            reader(b"short", start=10)
