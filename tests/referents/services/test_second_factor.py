import pytest
from allauth.mfa.models import Authenticator

from audit.journal.models import Event
from referents.services.second_factor import (
    LastFactor,
    OwnSecondFactor,
    WrongCode,
    remove_factor,
    reset_second_factor,
    verify_code,
)
from tests.cast import Cast
from tests.second_factor import code, enrol, enrol_key, give_recovery_codes, wrong_code


def codes_of_events() -> list[tuple[str, str]]:
    return list(Event.objects.order_by("at", "id").values_list("action", "data_kind"))


class TestVerifyCode:
    def test_gives_the_factor_that_the_code_comes_from(self, cast: Cast) -> None:
        factor = enrol(cast.benoit)
        with pytest.raises(LookupError):
            verify_code(cast.benoit, code())  # secrets open in a request of their owner only
        assert Authenticator.objects.get() == factor

    def test_keeps_the_failure_it_refuses(self, cast: Cast) -> None:
        with pytest.raises(WrongCode):
            verify_code(cast.benoit, "000000")
        assert codes_of_events() == [("second_factor_failed", "code")]

    def test_never_writes_what_was_typed(self, cast: Cast) -> None:
        with pytest.raises(WrongCode):
            verify_code(cast.benoit, wrong_code())
        assert wrong_code() not in str(Event.objects.values())


class TestRemoveFactor:
    def test_gives_up_one_of_two(self, cast: Cast) -> None:
        codes, key = enrol(cast.benoit), enrol_key(cast.benoit)
        remove_factor(user=cast.benoit, factor=codes, by=cast.benoit)
        assert Authenticator.objects.get() == key
        assert codes_of_events()[-1] == ("second_factor_removed", "totp")

    def test_refuses_the_last_one(self, cast: Cast) -> None:
        """Recovery codes are not a factor."""
        factor = enrol(cast.benoit)
        give_recovery_codes(cast.benoit)
        with pytest.raises(LastFactor, match="seul second facteur"):
            remove_factor(user=cast.benoit, factor=factor, by=cast.benoit)
        assert Authenticator.objects.filter(pk=factor.pk).exists()


class TestResetSecondFactor:
    def test_takes_every_factor_and_ends_every_session(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit), enrol_key(cast.benoit), give_recovery_codes(cast.benoit)
        client = signed_in(cast.benoit)
        reset_second_factor(user=cast.benoit, by=cast.hugo)
        assert not Authenticator.objects.exists()
        assert client.get("/parcours/")["Location"].startswith("/connexion/")

    def test_leaves_the_others_alone(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit), enrol(cast.amina)
        client = signed_in(cast.amina)
        reset_second_factor(user=cast.benoit, by=cast.hugo)
        assert Authenticator.objects.get().user == cast.amina
        assert client.get("/equipes/a/").status_code == 200

    def test_is_signed_by_who_does_it(self, cast: Cast) -> None:
        enrol(cast.benoit)
        reset_second_factor(user=cast.benoit, by=cast.hugo)
        event = Event.objects.get(action="second_factor_reset")
        assert (event.actor_id, event.record_ids) == (cast.hugo.pk, [str(cast.benoit.pk)])
        assert set(Event.objects.filter(action="second_factor_removed").values_list("actor_id", flat=True)) == {
            cast.hugo.pk
        }

    def test_is_refused_on_oneself(self, cast: Cast) -> None:
        enrol(cast.hugo)
        with pytest.raises(OwnSecondFactor, match="autre personne"):
            reset_second_factor(user=cast.hugo, by=cast.hugo)
        assert Authenticator.objects.exists()
