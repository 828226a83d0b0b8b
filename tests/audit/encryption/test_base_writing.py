from datetime import date, datetime
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Upper
from uuid_utils.compat import uuid7

from audit.encryption.envelope import Envelope
from audit.encryption.keys import (
    KeyNotLoaded,
    PlainTextRefused,
    UnreadableValue,
    create_data_keys,
    load_keys,
)
from audit.encryption.keystore.models import DataKey
from audit.history import bulk_create_with_history
from pre_cases.models import Child, Draft
from tests.audit.encryption.records import FIRST_NAME, JsonHolder, stored, write_raw
from tests.cast import make_child

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.usefixtures("signed")]


class TestSaving:
    def test_keeps_the_envelope_of_an_unchanged_value(self, ines: Child):
        before = {name: stored(ines, name) for name in ("first_name", "family_name", "birth_date")}
        _ = ines.first_name
        ines.sex = "boy"
        ines.family_name = "Morel"
        ines.save()
        assert {name: stored(ines, name) for name in before} == before

    def test_keeps_it_after_a_refresh(self, ines: Child):
        before = stored(ines)
        ines.refresh_from_db()
        ines.save()
        assert stored(ines) == before

    def test_keeps_it_right_after_creation(self):
        child = make_child()
        before = stored(child)
        child.save()
        assert stored(child) == before

    def test_makes_a_new_one_for_a_changed_value(self, ines: Child):
        names, first = stored(ines, "family_name"), stored(ines)
        ines.first_name = "Inaya"
        ines.save()
        assert stored(ines, "family_name") == names
        assert stored(ines).data[4:16] != first.data[4:16]

    def test_never_uses_the_same_envelope_for_the_same_value_twice(self, ines: Child, tom: Child):
        tom.first_name = ines.first_name
        tom.save()
        assert stored(ines).data[4:] != stored(tom).data[4:]

    def test_sees_a_json_changed_in_place(self, ines: Child):
        record = JsonHolder(ines)
        record.round_trip({"texte": "a"})
        record.draft.content["texte"] = "b"
        record.draft.save()
        assert Draft.objects.get(pk=record.draft.pk).content == {"texte": "b"}

    def test_seals_again_under_another_id(self, ines: Child):
        names = ines.first_name, ines.family_name, ines.birth_date
        _ = ines.search_words
        ines.pk, ines._state.adding = uuid7(), True
        ines.save()
        copied = Child.objects.get(pk=ines.pk)
        assert (copied.first_name, copied.family_name, copied.birth_date) == names

    def test_refuses_another_record_s_envelope(self, ines: Child, tom: Child):
        ines.first_name = stored(tom)
        with pytest.raises(UnreadableValue):
            ines.save()

    def test_replaces_an_unreadable_value_by_what_is_typed(self, ines: Child):
        write_raw(ines, "first_name", b"x" * 48)
        child = Child.objects.get(pk=ines.pk)
        child.first_name = "Inès"
        child.save()
        assert Child.objects.get(pk=ines.pk).first_name == "Inès"

    def test_needs_the_key_in_the_ring(self, ines: Child, new_ring):
        ines.first_name = "Inaya"
        before = stored(ines)
        with new_ring(), pytest.raises(KeyNotLoaded), transaction.atomic():
            ines.save()
        assert stored(ines) == before

    def test_needs_a_key_that_exists(self, ines: Child, new_ring):
        DataKey.objects.filter(key_id=ines.data_key_id).delete()
        ines.first_name = "Inaya"
        with new_ring():
            load_keys([ines.data_key_id])
            with pytest.raises(KeyNotLoaded, match="no longer exists"):
                ines.save()

    def test_without_a_key_is_impossible(self, ines: Child):
        with pytest.raises(KeyNotLoaded, match="data_key_id"):
            Child.objects.create(family=ines.family, first_name="Lina", family_name="Morel")

    @pytest.mark.parametrize("nothing", ["", None])
    def test_of_nothing_typed_is_null(self, ines: Child, nothing: str | None):
        adult = ines.family.adults.get()
        adult.phone = nothing
        assert adult.phone is None
        adult.save()
        assert stored(adult, "phone") is None
        assert type(adult).objects.get(phone__isnull=True) == adult

    def test_of_nothing_in_a_required_field_is_refused(self, ines: Child):
        ines.first_name = ""
        with pytest.raises(IntegrityError), transaction.atomic():
            ines.save()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("first_name", 3),
            ("first_name", b"In"),
            ("first_name", Value("Inès")),
            ("birth_date", "2017-05-03"),
            ("birth_date", datetime(2017, 5, 3)),
        ],
    )
    def test_refuses_a_value_of_another_type_without_showing_it(self, ines: Child, name: str, value: Any):
        setattr(ines, name, value)
        with pytest.raises(TypeError) as caught:
            ines.save()
        assert "2017" not in str(caught.value)
        assert "Inès" not in str(caught.value)

    def test_in_bulk_seals_each_record(self, ines: Child):
        ids = create_data_keys("child", 3)
        made = bulk_create_with_history(
            [
                Child(family=ines.family, first_name=f"Enfant {n}", family_name="Morel", data_key_id=key_id)
                for n, key_id in enumerate(ids)
            ],
            Child,
        )
        read = Child.objects.in_bulk([child.pk for child in made])
        assert sorted(child.first_name for child in read.values()) == ["Enfant 0", "Enfant 1", "Enfant 2"]
        assert Child.history.filter(data_key_id__in=ids).count() == 3
        assert made[0].history.get().first_name == "Enfant 0"


class TestPlainText:
    """Whatever the way, it does not reach the column."""

    WAYS = {
        "update": lambda rows: rows.update(first_name="Secret"),
        "update_value": lambda rows: rows.update(first_name=Value("Secret")),
        "update_typed_value": lambda rows: rows.update(first_name=Value("Secret", output_field=FIRST_NAME)),
        "update_case": lambda rows: rows.update(first_name=Case(When(sex="girl", then=Value("Secret")))),
        "update_function": lambda rows: rows.update(first_name=Upper(Value("Secret"))),
        "update_other_column": lambda rows: rows.update(first_name=F("sex")),
        "update_bytes": lambda rows: rows.update(first_name=b"Secret"),
        "update_false_envelope": lambda rows: rows.update(first_name=Envelope(b"Secret, rue de la Chapelle, Paris 18")),
        "update_date": lambda rows: rows.update(birth_date=date(2017, 5, 3)),
        "annotate": lambda rows: list(rows.annotate(said=Value("Secret", output_field=FIRST_NAME))),
    }

    @pytest.mark.parametrize("way", WAYS)
    def test_is_refused(self, ines: Child, way: str):
        before = stored(ines)
        with pytest.raises(PlainTextRefused) as caught, transaction.atomic():
            self.WAYS[way](Child.objects.filter(pk=ines.pk))
        assert "Secret" not in str(caught.value)
        assert stored(ines) == before

    def test_is_refused_in_bulk_update(self, ines: Child):
        ines.first_name = "Secret"
        with pytest.raises(PlainTextRefused):
            Child.objects.bulk_update([ines], ["first_name"])

    def test_lets_bulk_update_write_clear_columns(self, ines: Child):
        before = stored(ines)
        ines.first_name, ines.sex = "Secret", "boy"
        Child.objects.bulk_update([ines], ["sex"])
        assert Child.objects.get(pk=ines.pk).sex == "boy"
        assert stored(ines) == before

    def test_is_refused_in_loaddata(self, ines: Child):
        fixture = [
            {
                "model": "pre_cases.child",
                "pk": str(uuid7()),
                "fields": {
                    "data_key_id": str(ines.data_key_id),
                    "family": str(ines.family_id),
                    "first_name": "Secret",
                    "family_name": "Secret",
                },
            }
        ]
        (loaded,) = serializers.deserialize("python", fixture)
        with pytest.raises(PlainTextRefused):
            loaded.save()

    def test_does_not_leave_by_dumpdata_without_keys(self, ines: Child, new_ring):
        with new_ring(), pytest.raises(KeyNotLoaded):
            serializers.serialize("json", Child.objects.all())

    def test_is_not_in_the_statements(self, ines: Child, django_assert_num_queries):
        ines.first_name = "Secret"
        with django_assert_num_queries(2) as queries:
            ines.save()
        assert not any("Secret" in query["sql"] for query in queries)

    def test_can_be_removed(self, ines: Child):
        Child.objects.filter(pk=ines.pk).update(birth_date=None)
        assert Child.objects.get(pk=ines.pk).birth_date is None

    def test_of_an_envelope_can_be_put_back(self, ines: Child):
        before = stored(ines)
        ines.first_name = "Inaya"
        ines.save()
        Child.objects.filter(pk=ines.pk).update(first_name=before)
        assert Child.objects.get(pk=ines.pk).first_name == "Inès"


class TestLookups:
    @pytest.mark.parametrize(
        "condition",
        [
            {"first_name": "Inès"},
            {"first_name": None},
            {"first_name__iexact": "inès"},
            {"first_name__in": ["Inès"]},
            {"first_name__startswith": "I"},
            {"first_name__regex": "I"},
            {"birth_date__gte": date(2010, 1, 1)},
            {"birth_date__year": 2010},
            {"family__children__first_name": "Inès"},
        ],
    )
    def test_raise(self, condition: dict[str, Any]):
        with pytest.raises(FieldError, match="is encrypted: only isnull"):
            list(Child.objects.filter(**condition))

    def test_of_isnull_answer(self, ines: Child):
        assert list(Child.objects.filter(birth_date__isnull=False)) == [ines]
        assert not Child.objects.filter(birth_date__isnull=True).exists()
