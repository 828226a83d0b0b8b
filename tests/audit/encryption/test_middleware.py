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
