import uuid

import pytest
from django.db import connections, transaction
from django.test import Client, RequestFactory
from django.urls import get_resolver

from audit.journal import trace
from audit.journal.middleware import EXEMPT_URL_NAMES, RequestTraceMiddleware, WriteInReadingView, remote_address
from audit.journal.models import Event
from referents.models import Arrondissement
from tests.audit.journal.pages import STATEMENTS

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.urls("tests.audit.journal.pages")]


def get(client: Client, path: str, **options: str):
    return client.get(path, secure=True, **options)


class TestReadOnlyMiddleware:
    @pytest.mark.parametrize("name", STATEMENTS)
    def test_refuses_what_is_not_a_reading(self, client: Client, name: str):
        with pytest.raises(WriteInReadingView):
            get(client, f"/run/{name}/")

    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_holds_for_every_safe_method(self, client: Client, method: str):
        with pytest.raises(WriteInReadingView), transaction.atomic():
            getattr(client, method)("/write/", secure=True)
        assert not Arrondissement.objects.exists()

    def test_refuses_a_write_while_the_page_is_rendered(self, client: Client):
        with pytest.raises(WriteInReadingView):
            get(client, "/write-late/")

    def test_lets_a_reading_and_its_event_pass(self, client: Client):
        Arrondissement.objects.create(number=18, name="18e")
        assert get(client, "/read/").content.startswith(b"1 ")
        assert Event.objects.get().action == "read"

    def test_lets_a_form_write(self, client: Client):
        assert client.post("/write/", secure=True).content == b"written"
        assert Arrondissement.objects.exists()

    def test_lets_the_listed_views_write(self, client: Client):
        assert get(client, "/exempt/").content == b"written"

    def test_is_over_after_the_answer(self, client: Client):
        get(client, "/read/")
        Arrondissement.objects.create(number=1, name="1er")
        assert all(not connection.execute_wrappers for connection in connections.all())

    def test_is_over_after_an_error(self, client: Client):
        with pytest.raises(WriteInReadingView), transaction.atomic():
            get(client, "/write/")
        Arrondissement.objects.create(number=1, name="1er")

    def test_reads_a_stream(self, client: Client):
        assert b"".join(get(client, "/stream/read/").streaming_content) == b"00"

    def test_refuses_a_write_inside_a_stream(self, client: Client):
        response = get(client, "/stream/write/")
        with pytest.raises(WriteInReadingView), transaction.atomic():
            list(response.streaming_content)
        Arrondissement.objects.create(number=2, name="2e")

    @pytest.mark.urls("config.urls")
    def test_exempts_only_views_of_allauth(self):
        (pages,) = [
            included
            for included in get_resolver().url_patterns
            if getattr(included, "urlconf_name", None)
            and getattr(included.urlconf_name, "__name__", "") == "config.sign_in_urls"
        ]
        named = {pattern.name: pattern.callback for pattern in pages.url_patterns}
        assert (
            {name for name in named if name.startswith("account_")} - {"account_set_password"}
            < EXEMPT_URL_NAMES
            < set(named)
        )
        around_allauth = {"mfa_activate_totp", "openid_connect_callback"}  # a few lines of ours, which write nothing
        for name in EXEMPT_URL_NAMES - around_allauth:
            assert named[name].__module__.startswith("allauth."), name


class TestRequestTraceMiddleware:
    def test_repeats_the_id_in_the_answer(self, client: Client):
        response = get(client, "/read/", REMOTE_ADDR="203.0.113.77")
        request_id = uuid.UUID(response["X-Request-ID"])
        assert request_id.version == 7
        event = Event.objects.get()
        assert (event.request_id, event.address) == (request_id, "203.0.113.0/24")
        assert response.content.decode().endswith(f"{request_id} 203.0.113.0/24")

    def test_gives_each_request_its_own(self, client: Client):
        assert get(client, "/read/")["X-Request-ID"] != get(client, "/read/")["X-Request-ID"]

    def test_forgets_the_request_afterwards(self, rf: RequestFactory):
        def explode(request):
            assert trace.request_id() is not None
            raise LookupError

        with pytest.raises(LookupError):
            RequestTraceMiddleware(explode)(rf.get("/"))
        assert trace.request_id() is None
        assert trace.address() == ""

    def test_ignores_a_forwarded_address_without_a_proxy(self, rf: RequestFactory):
        request = rf.get("/", REMOTE_ADDR="198.51.100.7", headers={"X-Forwarded-For": "192.0.2.1"})
        assert remote_address(request) == "198.51.100.7"

    def test_believes_only_what_our_proxy_wrote(self, rf: RequestFactory, settings):
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        request = rf.get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.1"})
        assert trace.truncated(remote_address(request)) == "192.0.2.0/24"
