"""Fields that the forms of the case files share."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from partners.models import Nomenclature, Term
from referents.models import User

# what a person may mean; beyond, a slip of the keyboard, and days that cannot always be counted from
YEARS = range(1900, 2201)


class DayField(forms.DateField):
    """A day, today by default when ``today=True``, typed with the browser's own calendar."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, *, today: bool = False, **kwargs: Any) -> None:
        if today:
            kwargs.setdefault("initial", timezone.localdate)
        super().__init__(**kwargs)

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is not None and value.year not in YEARS:
            raise forms.ValidationError("Vérifiez l’année de cette date.")


class RecordsField(forms.ModelMultipleChoiceField):
    """Several records by their ids; what cannot be an id is refused like an id that is not offered."""

    def _check_values(self, value: Any) -> Any:
        try:
            return super()._check_values(value)  # type: ignore[misc]
        except forms.ValidationError as error:
            if error.code in ("list", "invalid_choice"):
                raise
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from error


class PersonField(forms.ModelChoiceField):
    """A professional, by name and employer, among those that the form offers: its ``people``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(User.objects.none(), **kwargs)

    def label_from_instance(self, obj: User) -> str:
        return f"{obj.get_full_name()} ({obj.employer})" if obj.employer else obj.get_full_name()


class PeopleForm(forms.Form):
    """A form that asks for one professional: ``people`` are those it offers, whatever the field is called."""

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, PersonField):
                field.queryset = people


class TermField(forms.ModelChoiceField):
    """A word of a nomenclature, among those valid today."""

    def __init__(self, nomenclature: Nomenclature, **kwargs: Any) -> None:
        self.nomenclature = nomenclature
        super().__init__(Term.objects.none(), **kwargs)

    def __deepcopy__(self, memo: Any) -> "TermField":
        copy = super().__deepcopy__(memo)
        copy.queryset = Term.objects.of(self.nomenclature).valid()
        return copy


def short_text(label: str, limit: int, *, rows: int = 4, required: bool = True, help_text: str = "") -> forms.CharField:
    """A free text: short, factual, readable by the family; its limit is said while typing."""
    return forms.CharField(
        label=label,
        max_length=limit,
        required=required,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows, "maxlength": limit}),
        error_messages={"max_length": f"{label} : {limit} signes au plus."},
    )
