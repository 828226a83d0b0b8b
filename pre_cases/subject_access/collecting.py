"""Gathering what is held about one child, row by row, into plain words: the content of a file, before any decision.

The content is what JSON can hold: ``{"child", "sections": [{"title", "source", "items": [{"title", "facts",
"texts"}]}], "readers", "flagged"}``. A fact is ``[label, value]``, where a professional is ``{"professional": id,
"function", "organisation"}``; a text is a passage ``{"number", "label", "text", "flags"}``, numbered in the whole file,
whose ``flags`` are the people whom it names or is about, that somebody must look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from itertools import count, pairwise
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from audit.encryption.fields import EncryptedDateField, EncryptedField, EncryptedJSONField
from audit.encryption.keys import load_keys
from audit.erasure import plan_for
from pre_cases.models import NOTHING_DUE, Adult, Child, ChildAdult, FamilyRequest, Residence
from pre_cases.subject_access.masking import CONFIDENTIAL, found_in, without
from pre_cases.subject_access.readers import readers_of
from pre_cases.subject_access.sections import HIDDEN_FIELDS, SECTIONS, Section, models_about_children
from referents.days import instant, long_day
from referents.models import Membership, Role, User

FIRST_DAYS = ("on", "received_on", "opened_on", "set_on", "presented_on", "starts_on")
LAST_DAYS = ("ends_on", "agreed_until_on")
CONTACTS = ("phone", "email", "address")
SHORT = 80  # characters: a longer text is a passage that may be masked
CONFIDENTIAL_SENTENCE = "confidentielle : elle n’est communiquée à personne"
OF_ANOTHER = "coordonnées d’une autre personne, non communiquées"


def collect(request: FamilyRequest) -> dict[str, Any]:
    """Everything held about the child of a request, for the person who asks; the child's key is loaded.

    A constant number of queries for each model of the file.
    """
    return _Collection(request).content()


class _Collection:
    """One gathering; ``adults`` are those of the family, whose key they share, and those ever around the child."""

    REQUESTS = (FamilyRequest, FamilyRequest.history.model)
    RESIDENCES = (Residence, Residence.history.model)

    def __init__(self, request: FamilyRequest) -> None:
        self.request = request
        self.child = Child.objects.select_related("family").get(pk=request.child_id)
        siblings = list(Child.objects.filter(family=self.child.family_id).exclude(pk=self.child.pk))
        load_keys([self.child.family.data_key_id, *(sibling.data_key_id for sibling in siblings)])
        around = Q(family=self.child.family_id) | Q(child_links__child=self.child)
        self.adults = {adult.pk: adult for adult in Adult.objects.filter(around).distinct()}
        self.confidential = [
            adult.address for adult in self.adults.values() if adult.address_is_confidential and adult.address
        ]
        self.numbers = count(1)
        self.seen: dict[tuple[type[models.Model], Any], Any] = {}
        self.rows = plan_for(self.child).rows
        self.professionals = self._professionals()
        self.watched = [
            *(sibling.first_name for sibling in siblings),
            *(sibling.family_name for sibling in siblings if sibling.family_name != self.child.family_name),
            *(person.last_name for person in self.professionals.values()),
            *(adult.first_name for pk, adult in self.adults.items() if pk != request.adult_id and adult.first_name),
        ]

    def content(self) -> dict[str, Any]:
        told = [section for section in SECTIONS if section.is_told]
        sections = [made for section in told if (made := self._section(section))["items"]]
        flagged = [
            text["number"] for made in sections for item in made["items"] for text in item["texts"] if text["flags"]
        ]
        return {
            "child": self.child.full_name,
            "sections": sections,
            "readers": readers_of(self.child),
            "flagged": flagged,
        }

    def _section(self, section: Section) -> dict[str, Any]:
        rows = section.model._base_manager.filter(pk__in=self.rows.get(section.model, set())).order_by("pk")
        former = self._former(section)
        fields = shown_fields(section.model)
        items = [self._item(row, fields, former.get(row.pk, [])) for row in rows]
        return {"title": section.title, "source": section.source, "items": items}

    def _item(self, row: Any, fields: list[models.Field[Any, Any]], former: list[Any]) -> dict[str, Any]:
        facts: list[list[Any]] = []
        texts: list[dict[str, Any]] = []
        for field in fields:
            self._add(facts, texts, field, row, str(field.verbose_name))
        if isinstance(row, ChildAdult):
            facts += self._contacts(self.adults[row.adult_id])
        for field, version, until in former:
            self._add(facts, texts, field, version, f"{field.verbose_name} (avant le {long_day(until)})")
        return {"title": title_of(row), "facts": facts, "texts": texts}

    def _add(
        self, facts: list[list[Any]], texts: list[dict[str, Any]], field: models.Field[Any, Any], row: Any, label: str
    ) -> None:
        """One value of a row, among the facts or the texts; nothing for what was never filled in."""
        label = label[:1].upper() + label[1:]
        if isinstance(field, EncryptedField) and not isinstance(field, EncryptedDateField):
            text = getattr(row, field.attname)
            if isinstance(field, EncryptedJSONField) and text is not None:
                text = "\n".join(str(value) for value in text.values() if value)
            if not text:
                return
            text = without(text, self.confidential, replaced_by=CONFIDENTIAL)
            if self.confidential and isinstance(row, self.RESIDENCES) and field.name == "address":
                text = CONFIDENTIAL  # that of one of them, perhaps written otherwise
            if (field.max_length or SHORT + 1) <= SHORT:
                facts.append([label, text])
            else:
                flags = [*found_in(text, self.watched), *self._other_adult(row)]
                texts.append({"number": next(self.numbers), "label": label, "text": text, "flags": flags})
            return
        value = self._value(field, row)
        if value not in (None, "", []):
            facts.append([label, value])

    def _other_adult(self, row: Any) -> list[str]:
        """What is typed about an adult is not always for the other one to read, nor what the young person asked."""
        adult_id = getattr(row, "adult_id", None)
        if adult_id == self.request.adult_id:
            return []
        if adult_id is None:
            return [self.child.first_name] if isinstance(row, self.REQUESTS) else []
        return [self.adults[adult_id].full_name]

    def _value(self, field: models.Field[Any, Any], row: Any) -> Any:
        """A clear value in words; a professional as function and organisation."""
        raw = getattr(row, field.attname)
        if raw is None or raw == "" or raw == NOTHING_DUE:
            return None
        if field.remote_field:
            return self._named(field.remote_field.model, raw)
        if field.choices:
            return str(dict(field.flatchoices)[raw]) if raw in dict(field.flatchoices) else str(raw)
        if isinstance(raw, bool):
            return "oui" if raw else "non"
        if isinstance(raw, datetime):
            return instant(raw)
        if field.name in LAST_DAYS:  # half-open in the tables: people read the last day
            raw = max(raw - timedelta(days=1), getattr(row, "starts_on", None) or date.min)
        return long_day(raw) if isinstance(raw, date) else str(raw)

    def _named(self, model: type[models.Model], pk: Any) -> Any:
        """What a foreign key names, once a model and id."""
        if model is User:
            return professional(self.professionals[pk], self.memberships) if pk in self.professionals else None
        if model is Adult:
            return self.adults[pk].full_name if pk in self.adults else None
        if (model, pk) not in self.seen:
            found = model._base_manager.filter(pk=pk).first()
            self.seen[model, pk] = next(
                (str(getattr(found, name)) for name in ("label", "title", "name") if hasattr(found, name)), ""
            )
        return self.seen[model, pk]

    def _contacts(self, adult: Adult) -> list[list[Any]]:
        """Only the person who asks has its own coordinates; a confidential address is told to nobody."""
        if adult.pk != self.request.adult_id:
            return [["Coordonnées", OF_ANOTHER]]
        named: list[list[Any]] = []
        for name in CONTACTS:
            value = getattr(adult, name)
            if name == "address" and adult.address_is_confidential:
                value = CONFIDENTIAL_SENTENCE
            if value:
                label = str(Adult._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
                named.append([label[:1].upper() + label[1:], value])
        return named

    def _professionals(self) -> dict[int, User]:
        """The accounts that the rows name, and the latest membership of each."""
        ids: set[int] = set()
        for section in SECTIONS:
            columns = [f.attname for f in section.model._meta.concrete_fields if f.related_model is User]
            if columns and self.rows.get(section.model):
                rows = section.model._base_manager.filter(pk__in=self.rows[section.model])
                ids |= {pk for named in rows.values_list(*columns) for pk in named if pk is not None}
        memberships = Membership.objects.filter(user__in=ids).select_related("team").order_by("starts_on", "pk")
        self.memberships = {membership.user_id: membership for membership in memberships}  # the latest
        return User.objects.in_bulk(ids)

    def _former(self, section: Section) -> dict[UUID, list[tuple[models.Field[Any, Any], Any, datetime]]]:
        """What each row said before, by row: the field, the version that said it, and when it changed."""
        history = getattr(section.model, "history", None)
        if history is None:
            return {}
        tracked = {field.name for field in history.model._meta.concrete_fields}
        fields = [field for field in shown_fields(section.model) if field.name in tracked]
        rows = history.model._base_manager.filter(id__in=self.rows.get(section.model, set()))
        versions: dict[UUID, list[Any]] = {}
        for version in rows.order_by("history_date", "history_id"):
            versions.setdefault(version.id, []).append(version)
        return {pk: list(_changes(fields, ordered)) for pk, ordered in versions.items()}


def _changes(
    fields: list[models.Field[Any, Any]], versions: list[Any]
) -> Iterator[tuple[models.Field[Any, Any], Any, datetime]]:
    for before, after in pairwise(versions):
        for field in fields:
            old = getattr(before, field.attname)
            if old not in (None, "") and old != getattr(after, field.attname):
                yield field, before, after.history_date


@cache
def shown_fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """The columns that say something: neither technical, nor what the row belongs to."""
    above = models_about_children() - {Adult}
    return [f for f in model._meta.concrete_fields if f.name not in HIDDEN_FIELDS and f.related_model not in above]


def professional(person: User, memberships: dict[int, Membership]) -> dict[str, Any]:
    """Function and organisation; the id only serves a reasoned decision to give the name."""
    membership = memberships.get(person.pk)
    function = str(Role(membership.role).label) if membership else "professionnel"
    if membership and membership.team:
        function = f"{function}, équipe {membership.team.name}"
    return {"professional": person.pk, "function": function, "organisation": person.employer}


def title_of(row: models.Model) -> str:
    """What a row is, with its first day: « échange, 3 mars 2026 »."""
    first = next((day for name in FIRST_DAYS if (day := getattr(row, name, None)) is not None), None)
    name = str(row._meta.verbose_name)
    name = name[:1].upper() + name[1:]
    return f"{name}, {long_day(first)}" if first else name
