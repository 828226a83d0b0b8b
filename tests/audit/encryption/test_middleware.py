import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.encryption import providers
from audit.encryption.keys import KeyNotLoaded
from audit.encryption.keystore.models import DataKey
from audit.journal.models import Event
from pre_cases.models import Child
from referents.models import Role, User
from tests.audit.encryption import pages
from tests.audit.encryption.records import stored, write_raw
from tests.cast import make_user

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"]),
    pytest.mark.urls("tests.audit.encryption.pages"),
]


@pytest.fixture(autouse=True)
def child(ines: Child, no_ring: None) -> Child:
    pages.rings.clear()
    return ines


def get(client: Client, path: str):
    return client.get(path, secure=True)


class TestKeyRingMiddleware:
    def test_opens_a_ring_for_each_request_and_empties_it(self, client: Client):
        assert get(client, "/prenom/").content.decode() == "Inès"
        assert get(client, "/prenom/").content.decode() == "Inès"
        assert pages.rings == [{}, {}]
        assert pages.rings[0] is not pages.rings[1]

    def test_leaves_other_errors_alone(self, client: Client):
        with pytest.raises(ZeroDivisionError):
            get(client, "/panne/")
        with pytest.raises(KeyNotLoaded):
            get(client, "/sans-cle/")

    def test_answers_503_to_an_altered_value(self, client: Client, child: Child, caplog: pytest.LogCaptureFixture):
        write_raw(child, "first_name", stored(child, "family_name").data)
        with caplog.at_level(logging.ERROR, logger="audit.encryption"):
            response = get(client, "/prenom/")
        assert response.status_code == 503
        assert "no-store" in response["Cache-Control"]
        page = response.content.decode()
        assert "Inès" not in page
        assert str(child.pk) not in page
        assert f"child.first_name of record {child.pk} cannot be read" in caplog.text

    def test_journals_an_altered_value(self, signed_in: Callable[[User], Client], child: Child):
        write_raw(child, "first_name", b"x" * 48)
        user = make_user("Gaëlle", Role.DPO)
        get(signed_in(user), "/prenom/")
        event = Event.objects.get(action="refusal")
        assert event.record_ids == [str(child.pk)]
        assert event.detail == {"unreadable": "child.first_name"}
        assert event.actor_id == user.pk

    def test_answers_503_to_an_altered_key(self, client: Client, child: Child):
        DataKey.objects.filter(key_id=child.data_key_id).update(wrapped=b"x" * 60)
        assert get(client, "/prenom/").status_code == 503

    def test_answers_503_a_minute_after_the_key_provider_has_gone(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        providers._provider.cache_clear()  # nothing in memory from another test
        with time_machine.travel(timezone.now(), tick=False) as time:
            assert get(client, "/prenom/").status_code == 200
            monkeypatch.delenv("MARELLE_TEST_KEY")
            time.shift(timedelta(seconds=59))
            assert get(client, "/prenom/").status_code == 200
            time.shift(timedelta(seconds=1))
            assert get(client, "/prenom/").status_code == 503
        assert "KeyProviderUnavailable" in caplog.text


TYPED = {
    "text": "La mère viendra jeudi ; « Tom » & <b>Inès</b>.",
    "signs": ["Il dort en classe.", "Elle ne mange pas."],
    "kind": "phone",
    "on": "2026-03-02",
    "empty": "   ",
    "csrfmiddlewaretoken": "a token with spaces",
    "password": "correct horse battery",
    "new_password1": "staple correct horse",
    "Old_Password": "battery staple correct",
}
HOME = 'href="/"'


class TestThePageOfAnError:
    """What was being sent is given back to be copied; nothing of what is stored is shown."""

    @pytest.fixture
    def away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The provider of the key-encryption key does not answer, and nothing of it is in memory."""
        providers._provider.cache_clear()
        monkeypatch.delenv("MARELLE_TEST_KEY")

    @pytest.fixture
    def altered(self, child: Child) -> None:
        write_raw(child, "first_name", b"x" * 48)

    def sent(self, client: Client):
        response = client.post("/prenom/", TYPED, secure=True)
        assert response.status_code == 503
        return response

    @pytest.mark.parametrize("trouble", ["away", "altered"])
    def test_gives_back_the_texts_typed(self, client: Client, request: pytest.FixtureRequest, trouble: str):
        request.getfixturevalue(trouble)
        response = self.sent(client)
        page = response.content.decode()
        assert "La mère viendra jeudi ; « Tom » &amp; &lt;b&gt;Inès&lt;/b&gt;.</textarea>" in page
        assert "<b>" not in page
        for text in TYPED["signs"]:
            assert f">{text}</textarea>" in page
        assert page.count("<textarea") == 3
        assert "no-store" in response["Cache-Control"]

    @pytest.mark.parametrize("trouble", ["away", "altered"])
    def test_gives_back_neither_a_token_nor_a_password(
        self, client: Client, request: pytest.FixtureRequest, trouble: str
    ):
        request.getfixturevalue(trouble)
        page = self.sent(client).content.decode()
        assert not [
            name
            for name in ("csrfmiddlewaretoken", "password", "new_password1", "Old_Password")
            if name in page or TYPED[name] in page
        ]

    def test_gives_back_nothing_that_is_not_sent(self, client: Client, away: None):
        response = get(client, "/prenom/?text=La+m%C3%A8re+viendra+jeudi")
        assert response.status_code == 503
        assert "viendra" not in response.content.decode()
        assert "<textarea" not in response.content.decode()

    def test_says_that_nothing_was_recorded_when_the_keys_are_away(
        self, client: Client, away: None, caplog: pytest.LogCaptureFixture
    ):
        page = self.sent(client).content.decode()
        assert "Marelle est arrêtée un moment" in page
        assert "Ce que vous veniez d’envoyer n’a peut-être pas été enregistré" in page
        assert HOME not in page  # the others are away too
        assert "KeyProviderUnavailable" in caplog.text
        assert "viendra" not in caplog.text
        assert not Event.objects.filter(action="refusal").exists()

    def test_offers_the_way_home_when_one_value_does_not_open(
        self, client: Client, altered: None, child: Child, caplog: pytest.LogCaptureFixture
    ):
        page = self.sent(client).content.decode()
        assert "Cette page ne peut pas être montrée" in page
        assert "Rien n’a été effacé ni modifié" in page
        assert "Marelle est arrêtée" not in page
        assert HOME in page
        assert str(child.pk) not in page
        assert "viendra" not in caplog.text
        assert Event.objects.get(action="refusal").record_ids == [str(child.pk)]

    @pytest.mark.parametrize("trouble", ["away", "altered"])
    def test_gives_the_reference_of_the_request(self, client: Client, request: pytest.FixtureRequest, trouble: str):
        request.getfixturevalue(trouble)
        one, other = self.sent(client), self.sent(client)
        for response in (one, other):
            assert f"Référence : {response['X-Request-ID']}" in response.content.decode()
        assert one["X-Request-ID"] != other["X-Request-ID"]
