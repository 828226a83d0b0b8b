"""Merkle trees as Certificate Transparency defines them (RFC 6962, section 2.1), with SHA-256.

A tree of the whole log is known by its right edge: the roots of the full subtrees that its leaves make, from the
largest to the smallest. Adding leaves to it needs nothing of what came before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256().digest()


def leaf_hashes(contents: Iterable[bytes]) -> list[bytes]:
    hash_of = sha256
    return [hash_of(b"\0" + content).digest() for content in contents]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree, from the hashes of its leaves in their order."""
    edge = RightEdge()
    edge.extend(leaves)
    return edge.root


class RightEdge:
    """A tree that grows; ``size`` is its number of leaves."""

    def __init__(self, size: int = 0, written: bytes = b"") -> None:
        """That of a tree of this size, as ``bytes()`` wrote it; raises ValueError for what cannot be one."""
        if len(written) != HASH_SIZE * size.bit_count():
            raise ValueError(f"{len(written)} bytes are no right edge of a tree of {size} leaves.")
        self.size = size
        self._levels: list[bytes | None] = [None] * size.bit_length()  # by height, the lowest first
        heights = [height for height in range(size.bit_length()) if size >> height & 1]
        for place, height in enumerate(reversed(heights)):
            self._levels[height] = written[place * HASH_SIZE : (place + 1) * HASH_SIZE]

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add the hashes of the next leaves: two hashes a leaf at most, whatever the size of the tree."""
        self.size += len(leaves)
        nodes, height, hash_of = list(leaves), 0, sha256
        while nodes:
            if height == len(self._levels):
                self._levels.append(None)
            waiting = self._levels[height]
            if waiting is not None:
                nodes.insert(0, waiting)
            self._levels[height] = nodes.pop() if len(nodes) % 2 else None
            pairs = iter(nodes)
            nodes = [hash_of(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            height += 1

    @property
    def root(self) -> bytes:
        """The root of the tree as it is now."""
        root: bytes | None = None
        for node in self._levels:
            if node is not None:
                root = node if root is None else sha256(b"\1" + node + root).digest()
        return EMPTY_ROOT if root is None else root

    def __bytes__(self) -> bytes:
        return b"".join(node for node in reversed(self._levels) if node is not None)
