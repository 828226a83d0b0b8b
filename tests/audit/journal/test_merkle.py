import random
from hashlib import sha256

import pytest

from audit.journal.merkle import EMPTY_ROOT, RightEdge, leaf_hashes, root_of

# The leaves and roots of the reference tests of Certificate Transparency.
LEAVES = [bytes.fromhex(leaf) for leaf in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


class TestRootOf:
    @pytest.mark.parametrize("size", range(1, 9))
    def test_is_that_of_the_reference(self, size: int):
        assert root_of(leaf_hashes(LEAVES[:size])).hex() == ROOTS[size - 1]

    @pytest.mark.parametrize("size", [*range(70), 127, 128, 129, 1000])
    def test_is_that_of_the_definition(self, size: int):
        leaves = [bytes([number % 251]) * (number % 7) for number in range(size)]
        assert root_of(leaf_hashes(leaves)) == plain_root(leaves)

    def test_of_nothing_is_the_hash_of_nothing(self):
        assert root_of([]) == EMPTY_ROOT == sha256(b"").digest()


class TestRightEdge:
    def test_grows_as_if_it_had_been_made_at_once(self):
        chance = random.Random(6962)
        for _ in range(50):
            leaves = leaf_hashes(bytes([number % 256]) for number in range(chance.randrange(400)))
            edge, start = RightEdge(), 0
            while start < len(leaves):
                step = chance.randrange(1, 40)
                edge = RightEdge(edge.size, bytes(edge))  # written and read again
                edge.extend(leaves[start : start + step])
                start += step
                assert edge.root == root_of(leaves[:start])
            assert edge.size == len(leaves)

    @pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 1_000_000])
    def test_holds_one_hash_for_each_full_tree(self, size: int):
        edge = RightEdge(size, bytes(32 * size.bit_count()))
        assert len(bytes(edge)) == 32 * bin(size).count("1")

    @pytest.mark.parametrize(("size", "length"), [(0, 32), (1, 0), (3, 32), (4, 64), (4, 31)])
    def test_refuses_what_is_not_one(self, size: int, length: int):
        with pytest.raises(ValueError, match="no right edge"):
            RightEdge(size, bytes(length))
