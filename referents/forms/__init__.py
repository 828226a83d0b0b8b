"""How every form looks: the renderer named by ``FORM_RENDERER``, and the bound field it gives to each form.

A form declares plain Django fields and widgets; classes, calendars and descriptions are added here, so that a
page only writes ``{{ form }}`` or ``{{ form.name.as_field_group }}``.
"""

from pathlib import Path
from typing import Any

import django.contrib.admin
import django.forms
from django.conf import settings
from django.forms import BaseForm, Field, ModelChoiceField, widgets
from django.forms.boundfield import BoundField
from django.forms.renderers import DjangoTemplates
from django.template.backends.django import DjangoTemplates as Engine
from django.utils.functional import cached_property

CHECKS = (widgets.CheckboxInput, widgets.RadioSelect, widgets.CheckboxSelectMultiple)
DJANGO_EMPTY = "---------"
ISO_DAY = "%Y-%m-%d"  # the only format that <input type="date"> reads


class MarelleBoundField(BoundField):
    """A field as the pages show it: the browser's calendar for days, a described limit for long texts."""

    def __init__(self, form: BaseForm, field: Field, name: str) -> None:
        super().__init__(form, field, name)
        if type(field.widget) is widgets.DateInput:
            field.widget.input_type, field.widget.format = "date", ISO_DAY
        if isinstance(field, ModelChoiceField) and field.empty_label == DJANGO_EMPTY:
            field.empty_label = "À choisir" if field.required else "—"

    @property
    def limit(self) -> int | None:
        """The number of characters a long text may hold, None for every other field."""
        if isinstance(self.field.widget, widgets.Textarea):
            return getattr(self.field, "max_length", None)
        return None

    @property
    def aria_describedby(self) -> str | None:
        described: str | None = super().aria_describedby
        if self.limit and self.auto_id and described is not None:
            described = f"{described} {self.auto_id}_limit".strip()
        return described

    def build_widget_attrs(self, attrs: dict[str, Any], widget: widgets.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        if widget.is_hidden:
            return attrs
        classes = [widget.attrs.get("class", ""), attrs.get("class", ""), css_class(widget)]
        classes.append("is-invalid" if self.errors else "")
        attrs["class"] = " ".join(filter(None, classes))
        attrs["placeholder"] = False  # a label and a help text stay while one types, a placeholder does not
        return attrs


def css_class(widget: widgets.Widget) -> str:
    """The class of the style sheet for a kind of widget."""
    if isinstance(widget, CHECKS):
        return "form-check-input"
    return "form-select" if isinstance(widget, widgets.Select) else "form-control"


class FormRenderer(DjangoTemplates):
    """Renders forms, fields and widgets with the templates of the project, then Django's own."""

    form_template_name = "components/form.html"
    field_template_name = "referents/form_field.html"
    bound_field_class = MarelleBoundField

    @cached_property
    def engine(self) -> Engine:
        libraries = (django.forms, django.contrib.admin)
        folders = [
            settings.BASE_DIR / "templates",
            *(Path(str(library.__file__)).parent / "templates" for library in libraries),
        ]
        return Engine({"APP_DIRS": False, "DIRS": folders, "NAME": "marelle-forms", "OPTIONS": {}})
