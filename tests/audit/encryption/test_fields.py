from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.forms import modelform_factory
from django.forms.models import model_to_dict

from audit.encryption.fields import EncryptedDateField, EncryptedField, EncryptedJSONField, EncryptedTextField
from pre_cases.models import Child
from tests.audit.encryption.records import stored

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.usefixtures("signed")]


class TestForms:
    Form = modelform_factory(Child, fields=["first_name", "family_name", "birth_date"])

    def test_show_what_is_stored(self, ines: Child):
        assert model_to_dict(ines, ["first_name"]) == {"first_name": "Inès"}
        html = str(self.Form(instance=ines)["first_name"])
        assert 'value="Inès"' in html
        assert 'maxlength="80"' in html

    def test_save_what_is_typed(self, ines: Child):
        before = stored(ines, "family_name")
        form = self.Form({"first_name": "Inaya", "family_name": "Morel", "birth_date": "2017-05-03"}, instance=ines)
        form.save()
        child = Child.objects.get(pk=ines.pk)
        assert (child.first_name, child.birth_date) == ("Inaya", date(2017, 5, 3))
        assert stored(ines, "family_name") == before

    def test_make_null_of_nothing(self, ines: Child):
        self.Form({"first_name": "Inès", "family_name": "Morel", "birth_date": ""}, instance=ines).save()
        assert stored(ines, "birth_date") is None

    def test_show_a_date_the_way_the_browser_wants_it(self, ines: Child):
        ines.birth_date = date(2017, 5, 3)
        html = str(self.Form(instance=ines)["birth_date"])
        assert 'type="date"' in html
        assert 'value="2017-05-03"' in html

    @pytest.mark.parametrize(("max_length", "tag"), [(200, "<input"), (201, "<textarea"), (None, "<textarea")])
    def test_give_long_texts_an_area(self, max_length: int | None, tag: str):
        field = EncryptedTextField(aad="note.text", max_length=max_length)
        assert field.formfield().widget.render("text", None).strip().startswith(tag)

    def test_refuse_what_is_too_long(self, ines: Child):
        form = self.Form({"first_name": "x" * 81, "family_name": "Morel"}, instance=ines)
        assert list(form.errors) == ["first_name"]


class TestValidation:
    def test_refuses_what_is_too_long(self, ines: Child):
        ines.first_name = "x" * 81
        with pytest.raises(ValidationError) as caught:
            ines.full_clean()
        assert list(caught.value.message_dict) == ["first_name"]

    def test_asks_for_what_is_required(self, ines: Child):
        ines.first_name = ""
        with pytest.raises(ValidationError) as caught:
            ines.full_clean()
        assert caught.value.error_dict["first_name"][0].code == "blank"

    def test_accepts_a_stored_record_and_keeps_its_envelopes(self, ines: Child):
        before = stored(ines)
        ines.full_clean()
        ines.save()
        assert stored(ines) == before

    def test_reads_a_typed_date(self, ines: Child):
        ines.birth_date = "2017-05-03"
        ines.full_clean()
        assert ines.birth_date == date(2017, 5, 3)


class TestDefinition:
    @pytest.mark.parametrize("kind", [EncryptedTextField, EncryptedDateField, EncryptedJSONField])
    def test_is_kept_by_migrations(self, kind: type[EncryptedField]):
        field = kind("titre", aad="note.text", max_length=30, null=True)
        _, path, args, options = field.deconstruct()
        assert path == f"audit.encryption.fields.{kind.__name__}"
        assert options == {"verbose_name": "titre", "aad": "note.text", "max_length": 30, "null": True}
        assert kind(*args, **options).deconstruct()[1:] == field.deconstruct()[1:]

    @pytest.mark.parametrize("aad", ["", "text", "Note.text", "note.text.more", "note.té"])
    def test_wants_a_stable_name(self, aad: str):
        with pytest.raises(ValueError, match="stable name"):
            EncryptedTextField(aad=aad)

    @pytest.mark.parametrize("option", [{"unique": True}, {"db_index": True}, {"choices": [("a", "A")]}])
    def test_refuses_what_ciphertext_cannot_do(self, option: dict[str, Any]):
        field = EncryptedTextField(aad="note.text", max_length=30, **option)
        field.set_attributes_from_name("text")
        assert "encryption.E001" in [problem.id for problem in field.check()]
