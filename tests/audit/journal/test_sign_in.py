import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.test import RequestFactory

from audit.history import acting_as, system_account
from audit.journal import sign_in
from audit.journal.models import Event
from referents.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def amina() -> User:
    with acting_as(system_account()):
        return get_user_model().objects.create_user("amina@example.org", "une phrase assez longue")


def connected(signal) -> bool:
    return any(receiver.__module__ == sign_in.__name__ for receiver in signal._live_receivers(None)[0])


class TestConnect:
    def test_listens_to_the_three_signals(self):
        assert all(connected(signal) for signal in (user_logged_in, user_logged_out, user_login_failed))


class TestRecordSignIn:
    def test_keeps_who_signed_in(self, amina: User, client):
        client.force_login(amina, backend="allauth.account.auth_backends.AuthenticationBackend")
        event = Event.objects.get()
        assert (event.action, event.actor_id, event.record_ids) == ("sign_in", amina.pk, [str(amina.pk)])

    def test_leaves_no_history_of_the_account(self, amina: User, client):
        client.force_login(amina, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert amina.history.count() == 1


class TestRecordSignOut:
    def test_keeps_who_signed_out(self, amina: User, client):
        client.force_login(amina, backend="allauth.account.auth_backends.AuthenticationBackend")
        client.logout()
        assert list(Event.objects.order_by("at").values_list("action", flat=True)) == ["sign_in", "sign_out"]

    def test_says_nothing_of_a_session_already_ended(self, rf: RequestFactory):
        request = rf.post("/")
        sign_in.record_sign_out(request=request, user=None)
        assert not Event.objects.exists()
        assert request.has_signed_out


class TestRecordFailure:
    def test_keeps_nothing_that_was_typed(self, amina: User, rf: RequestFactory):
        assert authenticate(rf.post("/"), email="amina@example.org", username="amina@example.org", password="x") is None
        event = Event.objects.get()
        assert (event.action, event.actor_id, event.record_ids, event.detail) == ("sign_in_failed", None, [], {})
