"""The lists of words of the programme, among its reference data: ended, never deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm

from partners.models import Term
from referents.admin import ReferenceAdmin, reference

__all__ = ["reference"]


class TermForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        """A word stands under a word of its own list, on one level; its id is made of the list and the code."""
        values: dict[str, Any] = super().clean() or {}
        nomenclature = values.get("nomenclature") or self.instance.nomenclature
        parent = values.get("parent")
        if parent is not None and (parent.nomenclature != nomenclature or parent.parent_id or parent == self.instance):
            self.add_error("parent", ValidationError("Choisissez une rubrique de la même liste."))
        return values


@admin.register(Term, site=reference)
class TermAdmin(ReferenceAdmin):
    form = TermForm
    list_display = ["label", "nomenclature", "code", "parent", "position", "valid_from", "valid_to"]
    list_filter = ["nomenclature"]
    list_select_related = ["parent"]
    search_fields = ["label", "code"]
    fields = ["nomenclature", "code", "label", "parent", "position", "survey_code", "valid_from", "valid_to"]

    def get_readonly_fields(self, request: Any, obj: Term | None = None) -> list[str]:
        """Past years are counted by the list and the code: only the words, the place and the days change."""
        return ["nomenclature", "code"] if obj else []

    def save_model(self, request: Any, obj: Term, form: ModelForm, change: bool) -> None:
        if not change:
            obj.pk = f"{obj.nomenclature}:{obj.code}"
        super().save_model(request, obj, form, change)
