"""The child, the adults around, the residence and the class; a school is typed, then chosen among those that answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import ModelChoiceIterator
from django.utils import timezone

from partners.models import Nomenclature, School, Sex
from pre_cases.forms.fields import DayField, TermField
from pre_cases.levels import is_unusual_level
from pre_cases.models import LivesWith, Relation

MANY_SCHOOLS = 20  # beyond, choosing is slower than typing one more word
PHONE = re.compile(r"\+?[0-9 .()-]{6,29}")
QPV_CODE = re.compile(r"Q[PN][0-9]{5,6}[A-Z]?")


class ByHeading(ModelChoiceIterator):
    """The terms of a list under their headings, as the browser's option groups."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        terms = self.queryset.select_related("parent").order_by("parent__position", "position")
        for heading, group in groupby(terms, key=lambda term: term.parent.label):
            yield heading, [self.choice(term) for term in group]


class LevelField(TermField):
    """A class, under its cycle; a cycle itself cannot be chosen."""

    iterator = ByHeading

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Nomenclature.LEVEL, **kwargs)

    def __deepcopy__(self, memo: Any) -> LevelField:
        copy: Any = super().__deepcopy__(memo)
        copy.queryset = copy.queryset.filter(parent__isnull=False)
        return copy


class SchoolChoiceField(forms.ModelChoiceField):
    def label_from_instance(self, obj: School) -> str:
        place = ", ".join(part for part in (obj.address, f"{obj.postcode} {obj.city}".strip()) if part)
        return f"{obj.name} ({place})" if place else obj.name


class WithSchool(forms.Form):
    """``school_text`` is looked up; when several schools answer, ``school`` offers them. Nothing typed: no school."""

    school_text = forms.CharField(
        label="École ou établissement",
        max_length=100,
        required=False,
        help_text="Nom, commune ou numéro UAI.",
    )
    school = SchoolChoiceField(
        School.objects.none(),
        label="Lequel de ces établissements ?",
        required=False,
        empty_label=None,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        typed = str(self.data.get(self.add_prefix("school_text"), "")).strip() if self.is_bound else ""
        found = School.objects.open().matching(typed)[: MANY_SCHOOLS + 1] if typed else []
        self.matches = list(found)
        if 1 < len(self.matches) <= MANY_SCHOOLS:
            choices = School.objects.filter(pk__in=[school.pk for school in self.matches])
            self.fields["school"].queryset = choices  # type: ignore[attr-defined]
        else:
            del self.fields["school"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not values.pop("school_text", "").strip():
            values["school"] = None
        elif not self.matches:
            self.add_error(
                "school_text", "Aucun établissement ouvert ne répond : essayez avec moins de mots, ou le numéro UAI."
            )
        elif len(self.matches) > MANY_SCHOOLS:
            self.add_error("school_text", "Trop d’établissements répondent : ajoutez un mot, ou tapez le numéro UAI.")
        elif len(self.matches) == 1:
            values["school"] = self.matches[0]
        elif values.get("school") is None:
            self.add_error("school_text", "Plusieurs établissements répondent : choisissez ci-dessous.")
        return values


class WithLevel(WithSchool):
    """A class that cannot be for the age is shown once more: the same class sent again is confirmed."""

    level_confirmed = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)

    def check_level(self, birth_date: date | None, on: date | None) -> None:
        level, confirmed = self.cleaned_data.get("level"), self.cleaned_data.pop("level_confirmed", "")
        if level is None or birth_date is None or not is_unusual_level(level, birth_date, on or timezone.localdate()):
            return
        if confirmed != level.pk:
            sent: Any = self.data.copy()  # type: ignore[attr-defined]
            sent[self.add_prefix("level_confirmed")] = level.pk
            self.data = sent
            self.add_error(
                "level", "Cette classe est rare à cet âge : vérifiez-la, ou enregistrez encore pour confirmer."
            )


class ChildForm(forms.Form):
    first_name = forms.CharField(label="Prénom", max_length=80)
    family_name = forms.CharField(label="Nom", max_length=80)
    birth_date = DayField(label="Date de naissance", required=False)
    sex = forms.ChoiceField(label="Sexe", choices=[("", "non renseigné"), *Sex.choices], required=False)


def clean_phone(typed: str) -> str:
    """The number as typed; refuses what cannot be dialled."""
    number = typed.strip()
    if number and not PHONE.fullmatch(number):
        raise ValidationError("Un numéro de téléphone ne compte que des chiffres, des espaces, des points et « + ».")
    return number


class AdultForm(forms.Form):
    first_name = forms.CharField(label="Prénom", max_length=80, required=False)
    family_name = forms.CharField(label="Nom", max_length=80)
    relation = forms.ChoiceField(label="Lien avec l’enfant", choices=[("", "À choisir"), *Relation.choices])
    holds_authority = forms.BooleanField(label="Titulaire de l’autorité parentale", required=False)
    lives_with = forms.ChoiceField(label="Résidence", choices=LivesWith.choices, initial=LivesWith.MAIN)
    phone = forms.CharField(label="Téléphone", max_length=30, required=False)
    email = forms.EmailField(label="Adresse électronique", max_length=120, required=False)
    address = forms.CharField(
        label="Adresse", max_length=240, required=False, help_text="Si elle n’est pas celle de l’enfant."
    )
    address_is_confidential = forms.BooleanField(
        label="Adresse confidentielle", required=False, help_text="Elle n’est ni imprimée ni communiquée."
    )
    may_be_contacted = forms.BooleanField(label="Peut être contacté", required=False, initial=True)
    may_receive_documents = forms.BooleanField(label="Peut recevoir des documents", required=False, initial=True)
    reason = forms.CharField(
        label="Motif de la restriction",
        max_length=300,
        required=False,
        help_text="Demandé si cet adulte ne doit pas être contacté ou recevoir de documents. Des faits, sans jugement.",
    )
    on = DayField(label="Depuis le", today=True)

    def clean_phone(self) -> str:
        return clean_phone(self.cleaned_data["phone"])


class ResidenceForm(forms.Form):
    UNKNOWN, OUTSIDE, INSIDE = "unknown", "outside", "inside"

    address = forms.CharField(label="Adresse de l’enfant", max_length=240)
    starts_on = DayField(label="Depuis le", today=True)
    qpv = forms.ChoiceField(
        label="Quartier prioritaire",
        choices=[
            (UNKNOWN, "pas encore vérifié"),
            (OUTSIDE, "hors quartier prioritaire"),
            (INSIDE, "en quartier prioritaire"),
        ],
        initial=UNKNOWN,
        widget=forms.RadioSelect,
    )
    qpv_code = forms.CharField(
        label="Code du quartier", max_length=10, required=False, help_text="Par exemple QN07501M."
    )
    determined_on = DayField(label="Vérifié le", required=False)

    def clean_qpv_code(self) -> str:
        code = self.cleaned_data["qpv_code"].strip().upper()
        if code and not QPV_CODE.fullmatch(code):
            raise ValidationError("Un code de quartier commence par QP ou QN, suivi de chiffres.")
        return code

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        qpv = values.pop("qpv", self.UNKNOWN)
        if qpv == self.INSIDE and not values.get("qpv_code") and "qpv_code" not in self.errors:
            self.add_error("qpv_code", "Donnez le code du quartier.")
        if qpv != self.UNKNOWN and values.get("determined_on") is None and "determined_on" not in self.errors:
            self.add_error("determined_on", "Dites à quelle date l’adresse a été vérifiée.")
        if qpv != self.INSIDE and "qpv_code" in values:
            values["qpv_code"] = ""
        if qpv == self.UNKNOWN and "determined_on" in values:
            values["determined_on"] = None
        return values


class SchoolingForm(WithLevel):
    level = LevelField(label="Classe")
    starts_on = DayField(label="Depuis le", today=True)
    in_ulis = forms.BooleanField(label="Dispositif ULIS", required=False)
    in_upe2a = forms.BooleanField(label="Dispositif UPE2A", required=False)
    field_order = ["school_text", "school", "level", "starts_on", "in_ulis", "in_upe2a"]

    def __init__(self, *args: Any, birth_date: date | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.birth_date = birth_date

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        self.check_level(self.birth_date, values.get("starts_on"))
        return values
