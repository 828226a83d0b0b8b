"""Two requests at the same instant, as two processes answer them: a code serves once, a factor remains."""

from pathlib import Path

import pytest
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from django.test import RequestFactory

from audit.journal.models import Event
from referents.models import Role, User
from referents.services.second_factor import remove_factor, verify_code
from tests.at_once import at_once
from tests.cast import make_user
from tests.second_factor import code, enrol, enrol_key, wrong_code

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


def typing(user: User, typed: str):
    """A request of this person with this code."""

    def run():
        request = RequestFactory().post("/")
        request.user = user
        with request_context(request):
            return verify_code(user, typed)

    return run


class TestAtOnce:
    def test_a_code_opens_one_session(self, tmp_path: Path) -> None:
        gaelle = make_user("Gaëlle", Role.DPO)
        enrol(gaelle)
        shown = code()
        outcomes, failed = at_once(
            tmp_path,
            [typing(gaelle, shown)] * 4,
            lambda: Event.objects.filter(action="second_factor_failed").count(),
        )
        assert outcomes.count("Authenticator") == 1
        assert failed == 3

    def test_no_more_than_five_wrong_codes_are_looked_at(self, tmp_path: Path) -> None:
        gaelle = make_user("Gaëlle", Role.DPO)
        enrol(gaelle)
        outcomes, failed = at_once(
            tmp_path,
            [typing(gaelle, wrong_code())] * 6,
            lambda: Event.objects.filter(action="second_factor_failed").count(),
        )
        assert failed == 5
        assert sum("Trop d’essais" in outcome for outcome in outcomes) == 1

    def test_two_factors_given_up_leave_one(self, tmp_path: Path) -> None:
        gaelle = make_user("Gaëlle", Role.DPO)
        factors = [enrol(gaelle), enrol_key(gaelle)]

        def give_up(factor: Authenticator):
            return lambda: remove_factor(user=gaelle, factor=factor, by=gaelle)

        outcomes, left = at_once(tmp_path, [give_up(factor) for factor in factors], Authenticator.objects.count)
        assert left == 1
        assert any("seul second facteur" in outcome for outcome in outcomes)
