"""Nothing held about a child is forgotten: every model is in the file, or left out for a stated reason."""

import pytest

from pre_cases.models import Adult, Family
from pre_cases.subject_access.collecting import shown_fields
from pre_cases.subject_access.sections import HIDDEN_FIELDS, LEFT_OUT, SECTIONS, models_about_children
from tests.whole_file import models_about_a_child

IN_THE_FILE = {section.model for section in SECTIONS}


class TestSections:
    def test_hold_every_model_about_a_child_or_say_why_not(self) -> None:
        assert models_about_children() == models_about_a_child() | {Adult, Family}
        assert IN_THE_FILE | set(LEFT_OUT) == models_about_children()
        assert IN_THE_FILE & set(LEFT_OUT) == set()
        assert len(SECTIONS) == len(IN_THE_FILE)

    @pytest.mark.parametrize("reasons", [LEFT_OUT, HIDDEN_FIELDS])
    def test_say_why_in_a_sentence(self, reasons: dict[object, str]) -> None:
        assert [reason for reason in reasons.values() if not reason.endswith(".")] == []

    def test_hide_no_field_that_no_longer_exists(self) -> None:
        names = {field.name for model in IN_THE_FILE for field in model._meta.concrete_fields}
        assert set(HIDDEN_FIELDS) <= names

    @pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.model.__name__)
    def test_show_something_in_french(self, section) -> None:
        assert shown_fields(section.model)
        assert section.title[0].isupper()
