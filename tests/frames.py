"""pytest, called from a frame wide enough that those above it share its piece of the interpreter's stack.

CPython keeps frames in pieces of 16 KiB, mapped and given back as calls cross their edge (``push_chunk`` in
Python/pystate.c). A suite whose tests all stand at the same depth crosses that edge hundreds of thousands of times:
a tenth of its time went to the kernel. A frame that asks for more than a piece gets one of twice its size or so, and
leaves the rest to what it calls.
"""

import sys
from collections.abc import Callable
from types import FunctionType

import pytest

SLOTS = 140_000  # a piece of 2 MiB, of which the frame itself takes half


def with_room(call: Callable[[], int]) -> int:
    return call()


if __name__ == "__main__":
    roomy = FunctionType(with_room.__code__.replace(co_stacksize=SLOTS), globals())
    sys.exit(roomy(lambda: pytest.main(sys.argv[1:])))
