import logging

import pytest
from uuid_utils.compat import uuid7

from audit.journal import trace


class TestTruncated:
    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("192.0.2.213", "192.0.2.0/24"),
            ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
            ("::ffff:192.0.2.213", "192.0.2.0/24"),
            ("fe80::1%eth0", "fe80::/48"),
            ("", ""),
            ("unix:", ""),
            ("192.0.2.213:4000", ""),
        ],
    )
    def test_keeps_the_network_only(self, address: str, network: str):
        assert trace.truncated(address) == network


class TestTracing:
    def test_gives_back_the_outer_request(self):
        with trace.tracing("192.0.2.1") as outer:
            with trace.tracing("198.51.100.1") as inner:
                assert trace.request_id() == inner
                assert trace.address() == "198.51.100.0/24"
            assert trace.request_id() == outer
            assert trace.address() == "192.0.2.0/24"

    def test_continues_the_request_that_queued_the_work(self):
        parent = uuid7()
        with trace.tracing(parent=parent):
            assert trace.request_id() == parent


class TestRequestIdFilter:
    def line(self) -> str:
        record = logging.LogRecord("x", logging.INFO, "", 0, "", None, None)
        assert trace.RequestIdFilter().filter(record)
        return record.request_id

    def test_writes_the_id_on_each_line(self):
        with trace.tracing() as request_id:
            assert self.line() == str(request_id)

    def test_writes_a_dash_outside_a_request(self):
        assert self.line() == "-"
