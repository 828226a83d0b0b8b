import pytest
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from audit.history import system_account
from audit.middleware import PrivacyHeadersMiddleware

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


class TestPrivacyHeadersMiddleware:
    @pytest.mark.urls("tests.audit.journal.pages")
    @pytest.mark.parametrize("path", ["/read/", "/nowhere/"])
    def test_is_on_every_page(self, client: Client, path: str):
        response = client.get(path, secure=True)
        assert response["Cache-Control"] == "no-store, private"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Clear-Site-Data" not in response

    def test_wins_over_a_view_that_would_be_kept(self, rf: RequestFactory):
        def view(request: HttpRequest) -> HttpResponse:
            return HttpResponse(headers={"Cache-Control": "public, max-age=600"})

        assert PrivacyHeadersMiddleware(view)(rf.get("/"))["Cache-Control"] == "no-store, private"

    def test_empties_the_browser_at_sign_out(self, client: Client, rf: RequestFactory):
        client.force_login(system_account(), backend="allauth.account.auth_backends.AuthenticationBackend")

        def sign_out(request: HttpRequest) -> HttpResponse:
            request.session = client.session
            request.user = system_account()
            logout(request)
            return HttpResponse()

        assert PrivacyHeadersMiddleware(sign_out)(rf.post("/"))["Clear-Site-Data"] == '"cache", "storage"'
