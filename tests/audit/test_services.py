import inspect

import pytest
from django.db import connection

from audit.history import MissingActor, current_actor, system_account
from audit.services import Refused, service
from referents.models import Arrondissement, User

pytestmark = pytest.mark.django_db


@service
def rename(*, number: int, name: str, by: User) -> Arrondissement:
    """Give an arrondissement a name."""
    record = Arrondissement.objects.create(number=number, name=name)
    assert current_actor() == by
    assert connection.in_atomic_block
    if not name:
        raise Refused("Donnez un nom à l’arrondissement.", field="name")
    return record


class TestService:
    def test_gives_what_the_change_gives(self):
        assert rename(number=1, name="Louvre", by=system_account()).name == "Louvre"

    def test_is_signed_only_while_it_runs(self):
        rename(number=1, name="Louvre", by=system_account())
        with pytest.raises(MissingActor):
            current_actor()

    def test_writes_nothing_when_refused(self):
        with pytest.raises(Refused):
            rename(number=1, name="", by=system_account())
        assert not Arrondissement.objects.exists()

    @pytest.mark.parametrize("by", [{}, {"by": None}])
    def test_needs_a_person(self, by: dict):
        with pytest.raises(MissingActor):
            rename(number=1, name="Louvre", **by)
        assert not Arrondissement.objects.exists()

    def test_is_known_as_a_service(self):
        assert rename.is_service
        assert rename.__name__ == "rename"
        assert list(inspect.signature(rename).parameters) == ["number", "name", "by"]

    def test_is_refused_to_a_function_without_by(self):
        with pytest.raises(TypeError, match="by="):
            service(lambda *, name: None)

    def test_is_refused_to_positional_arguments(self):
        with pytest.raises(TypeError, match="keyword-only"):
            service(lambda name, *, by: None)


class TestRefused:
    def test_says_its_sentence_and_its_field(self):
        refusal = Refused("Choisissez une date.", field="on")
        assert (str(refusal), refusal.field) == ("Choisissez une date.", "on")
        assert Refused("Non.").field is None
