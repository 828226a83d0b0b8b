"""How a change that does not happen is said on its form."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.services import Refused
from referents.models import Arrondissement, Team
from referents.views.answer import MEANWHILE, attempt
from tests.cast import make_team


class NameForm(forms.Form):
    name = forms.CharField()


@pytest.fixture
def form() -> NameForm:
    form = NameForm({"name": "x"})
    assert form.is_valid()
    return form


def raising(error: Exception):
    def change() -> None:
        raise error

    return change


class TestAttempt:
    def test_gives_what_the_service_gives(self, form: NameForm) -> None:
        assert attempt(form, lambda: 3) == 3
        assert not form.errors

    @pytest.mark.parametrize(("field", "place"), [("name", "name"), ("gone", "__all__"), (None, "__all__")])
    def test_puts_a_refusal_beside_its_field(self, form: NameForm, field: str | None, place: str) -> None:
        assert attempt(form, raising(Refused("Non.", field=field))) is None
        assert form.errors == {place: ["Non."]}

    def test_says_a_constraint_in_its_words(self, form: NameForm) -> None:
        assert attempt(form, raising(ValidationError("Déjà là."))) is None
        assert form.errors == {"__all__": ["Déjà là."]}

    def test_says_that_somebody_was_first(self, db: None, form: NameForm) -> None:
        team = make_team("nord")

        @transaction.atomic
        def create_the_same() -> Team:
            return Team.objects.create(code=team.code, name="Nord", arrondissement=Arrondissement.objects.get())

        assert attempt(form, create_the_same) is None
        assert form.errors == {"__all__": [MEANWHILE]}

    def test_lets_any_other_failure_through(self, form: NameForm) -> None:
        with pytest.raises(IntegrityError):
            attempt(form, raising(IntegrityError("CHECK constraint failed")))
