"""Every form is shown by one renderer: what a person and a screen reader find around each field."""

import re
from datetime import date

from django import forms


class ExampleForm(forms.Form):
    title = forms.CharField(
        label="Intitulé", max_length=80, widget=forms.TextInput({"class": "wide", "placeholder": "x"})
    )
    day = forms.DateField(label="Le", initial=date(2026, 3, 12), help_text="Ce jour est compris.")
    text = forms.CharField(label="Texte", max_length=1000, widget=forms.Textarea, required=False)
    present = forms.BooleanField(label="La famille était présente", required=False)
    kind = forms.ChoiceField(label="Nature", choices=[("a", "appel"), ("b", "entretien")], widget=forms.RadioSelect)
    slot = forms.ChoiceField(label="Créneau", choices=[("", "—"), ("1", "le soir")], required=False)
    token = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_token(self) -> str:
        if self.data.get("token") == "bad":
            raise forms.ValidationError("La page a expiré.")
        return ""


def tag(html: str, pattern: str) -> str:
    """The first tag that matches, to be looked at alone."""
    found = re.search(rf"<[^>]*{pattern}[^>]*>", html)
    assert found, f"no {pattern} in {html}"
    return found.group()


class TestFormRenderer:
    def test_gives_days_the_calendar_of_the_browser(self) -> None:
        day = tag(str(ExampleForm()), 'name="day"')
        assert 'type="date"' in day
        assert 'value="2026-03-12"' in day

    def test_leaves_the_declared_form_as_it_was(self) -> None:
        str(ExampleForm())
        assert ExampleForm.base_fields["day"].widget.input_type == "text"

    def test_labels_each_control(self) -> None:
        html = str(ExampleForm())
        for name in ("title", "day", "text", "present", "slot"):
            assert f'for="id_{name}"' in html

    def test_says_in_words_what_is_required(self) -> None:
        html = str(ExampleForm()["title"].as_field_group())
        assert "(obligatoire)" in html
        assert "(obligatoire)" not in str(ExampleForm()["text"].as_field_group())

    def test_keeps_the_classes_of_a_widget_and_drops_its_placeholder(self) -> None:
        title = tag(str(ExampleForm()), 'name="title"')
        assert 'class="wide form-control"' in title
        assert "placeholder" not in title

    def test_gives_lists_and_boxes_their_own_classes(self) -> None:
        html = str(ExampleForm())
        assert "form-select" in tag(html, 'name="slot"')
        assert "form-check-input" in tag(html, 'name="present"')

    def test_groups_choices_under_a_legend(self) -> None:
        html = str(ExampleForm()["kind"].as_field_group())
        assert html.count("<fieldset") == html.count("<legend") == html.count("</fieldset>") == 1
        assert html.count('type="radio"') == 2
        assert 'for="id_kind_1"' in html

    def test_describes_a_field_by_its_help_its_error_and_its_limit(self) -> None:
        form = ExampleForm({"day": "hier", "text": "x" * 1001})
        day, text = tag(str(form), 'name="day"'), tag(str(form), 'name="text"')
        assert 'aria-describedby="id_day_helptext id_day_error"' in day
        assert 'aria-describedby="id_text_error id_text_limit"' in text
        for part in ("id_day_helptext", "id_day_error", "id_text_error", "id_text_limit"):
            assert f'id="{part}"' in str(form)

    def test_marks_a_refused_field(self) -> None:
        day = tag(str(ExampleForm({"day": "hier"})), 'name="day"')
        assert 'aria-invalid="true"' in day
        assert "is-invalid" in day

    def test_links_the_summary_to_the_fields(self) -> None:
        html = str(ExampleForm({"title": "x"}))
        assert "2 points sont à corriger" in html
        assert 'href="#id_day"' in html
        assert 'href="#id_kind"' in html
        assert 'id="id_kind"' in html

    def test_shows_no_summary_on_a_fresh_form(self) -> None:
        assert "à corriger" not in str(ExampleForm())

    def test_says_the_error_of_a_hidden_field(self) -> None:
        assert "La page a expiré." in str(ExampleForm({"token": "bad"}))

    def test_escapes_what_was_typed(self) -> None:
        html = str(ExampleForm({"title": "<b>gras</b>", "text": "</textarea><script>"}))
        assert "<b>" not in html
        assert "<script>" not in html
