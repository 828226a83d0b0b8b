"""The second factor asked again: on the exports, and on a page with a form made for the test."""

from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse
from django.utils import timezone

from audit.journal.models import Event
from pre_cases.models import StatisticsExport
from pre_cases.statistics.period import Period
from referents.views.step_up import second_factor_again
from tests.cast import PASSWORD, Cast
from tests.pre_cases.statistics.invented import released
from tests.second_factor import code, enrol

MINUTE = timedelta(minutes=1)


@login_required
@second_factor_again
def form_page(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(f"{request.method} {request.POST.get('reason', '')}")


urlpatterns = [path("essai/<int:pk>/", form_page, name="form_page"), path("", include("config.urls"))]


@pytest.fixture
def esther(cast: Cast, signed_in) -> Client:
    """Esther's client, whose second factor was used just now."""
    enrol(cast.esther)
    return signed_in(cast.esther)


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + minutes * MINUTE)


@pytest.mark.urls(__name__)
class TestFormPage:
    def test_opens_while_the_factor_is_fresh(self, esther: Client) -> None:
        with later(9.9):
            assert esther.get("/essai/1/").text == "GET "

    def test_asks_after_ten_minutes_and_comes_back(self, esther: Client) -> None:
        with later(10.1):
            asked = esther.get("/essai/1/")
            assert asked["Location"] == f"{reverse('mfa_reauthenticate')}?next=%2Fessai%2F1%2F"
            page = esther.get(asked["Location"])
            assert "donnez encore une fois votre second facteur" in page.text
            answer = esther.post(asked["Location"], {"code": code(), "next": "/essai/1/"})
            assert answer["Location"] == "/essai/1/"
            assert esther.get("/essai/1/").text == "GET "
        assert Event.objects.filter(action="second_factor", detail__again=True).count() == 1

    def test_takes_a_form_filled_in_slowly(self, esther: Client) -> None:
        with later(9):
            assert esther.get("/essai/1/").status_code == 200
        with later(9 + 28):
            esther.get("/compte/securite/")  # the session is kept alive meanwhile
        with later(38), pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.conf.settings.IDLE_TIMEOUT_SECONDS", 3600)
            assert esther.post("/essai/1/", {"reason": "Un motif long"}).text == "POST Un motif long"

    def test_takes_no_form_that_was_never_asked_for(self, esther: Client, settings) -> None:
        """Thirty minutes more are for who has opened the page, not for a session left open."""
        with later(11):
            assert esther.post("/essai/1/", {"reason": "Un motif long"}).status_code == 403

    def test_gives_back_what_was_typed_too_late(self, esther: Client, settings) -> None:
        settings.IDLE_TIMEOUT_SECONDS = 3 * 3600
        with later(41):
            answer = esther.post("/essai/1/", {"reason": "Un motif long"})
            assert answer.status_code == 403
            assert "Un motif long" in answer.text
            assert "Un motif" not in str(dict(esther.session.items()))

    def test_is_not_satisfied_with_a_password(self, cast: Cast, esther: Client) -> None:
        cast.esther.set_password(PASSWORD)
        with later(11):
            esther.post(reverse("account_reauthenticate"), {"password": PASSWORD})
            assert esther.get("/essai/1/").status_code == 302

    def test_moves_a_fragment_as_a_whole_page(self, esther: Client) -> None:
        with later(11):
            answer = esther.get("/essai/1/", headers={"HX-Request": "true"})
            assert answer.status_code == 204
            assert answer["HX-Redirect"].startswith(reverse("mfa_reauthenticate"))


class TestExports:
    @pytest.fixture
    def export(self, cast: Cast) -> StatisticsExport:
        return released(cast.esther)

    def test_are_asked_for_from_the_page_of_the_year(self, esther: Client, monkeypatch) -> None:
        year = Period(date(2014, 1, 1), date(2014, 12, 31))
        monkeypatch.setattr("pre_cases.views.statistics.finished_years", lambda: [year])
        with later(11):
            asked = esther.post(reverse("pre_cases:export_create"), {"annee": "civile-2014"})
        assert asked["Location"].endswith("?next=%2Fstatistiques%2F%3Fannee%3Dcivile-2014")
        assert not StatisticsExport.objects.exists()

    def test_forget_a_year_that_is_not_offered(self, esther: Client) -> None:
        with later(11):
            asked = esther.post(reverse("pre_cases:export_create"), {"annee": "Inès Morel"})
        assert asked["Location"].endswith("?next=%2Fstatistiques%2F")

    def test_are_downloaded_with_a_fresh_factor_only(self, esther: Client, export: StatisticsExport) -> None:
        url = reverse("pre_cases:export_download", args=[export.pk])
        with later(11):
            assert esther.get(url)["Location"].startswith(reverse("mfa_reauthenticate"))
            esther.post(reverse("mfa_reauthenticate"), {"code": code()})
            assert esther.get(url).content == bytes(export.archive)

    def test_answer_the_same_about_what_does_not_exist(self, esther: Client, export: StatisticsExport) -> None:
        with later(11):
            known = esther.get(reverse("pre_cases:export_download", args=[export.pk]))
            unknown = esther.get(reverse("pre_cases:export_download", args=["0198a8f0-0000-7000-8000-000000000000"]))
            assert known.status_code == unknown.status_code == 302
