"""What ties an event or a log line to one request: its id, and the network it came from."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from uuid_utils.compat import uuid7

_request_id: ContextVar[UUID | None] = ContextVar("request_id", default=None)
_address: ContextVar[str] = ContextVar("address", default="")
_acting_for: ContextVar[int | None] = ContextVar("acting_for", default=None)


def request_id() -> UUID | None:
    """Id of the running request or task; None outside."""
    return _request_id.get()


def address() -> str:
    """The network of the running request, « 192.0.2.0/24 » or « 2001:db8:1::/48 »; "" when unknown."""
    return _address.get()


def acting_for() -> int | None:
    """The account for whom the request's record is read or changed, by a replacement; None otherwise."""
    return _acting_for.get()


def act_for(account_id: int | None) -> None:
    """What ``consult()`` has found out: every event until the end of the request says so."""
    _acting_for.set(account_id)


@contextmanager
def tracing(remote_address: str = "", *, parent: UUID | None = None) -> Iterator[UUID]:
    """Give what runs inside a new request id, or that of the request that queued it (``parent``)."""
    identifier = parent or uuid7()
    tokens = _request_id.set(identifier), _address.set(truncated(remote_address))
    replaced = _acting_for.set(None)
    try:
        yield identifier
    finally:
        _request_id.reset(tokens[0])
        _address.reset(tokens[1])
        _acting_for.reset(replaced)


def truncated(remote_address: str) -> str:
    """The network that an address belongs to, /24 for IPv4 and /48 for IPv6; "" for what is not an address."""
    try:
        parsed = ipaddress.ip_address(remote_address.strip().split("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{prefix}", strict=False))


class RequestIdFilter(logging.Filter):
    """Adds ``request_id`` to every log line, "-" outside a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = str(_request_id.get() or "-")
        return True
