"""Someone with write access to the database puts a value somewhere else: nothing is ever shown of it."""

from uuid import UUID

import pytest
from django.db import connections

from audit.encryption.base import EncryptedField
from audit.encryption.errors import UnreadableValue
from audit.encryption.keyed import encrypted_fields, is_historical, keyed_models
from pre_cases.models import Adult, Child
from tests.audit.encryption.case import DATED, Case, fill, records_of
from tests.audit.encryption.records import FIRST_NAME, stored, write_raw
from tests.cast import make_child, make_team

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def case(tmp_path, settings) -> Case:
    settings.SEALED_FILES_DIR = tmp_path
    return Case(make_team("a"), "Inès")


OF_A_PERSON = {"entry_template.label", "entry_template.text"}  # under a key of their own, about no child


class Cells:
    """Every encrypted value of some records, and what is stored for it."""

    def __init__(self, *key_ids, history: bool = False) -> None:
        self.places = [
            (record, field)
            for record in records_of(*key_ids, history=history)
            for field in encrypted_fields(type(record))
            if getattr(record, field.attname) is not None
        ]
        self.records = list({id(record): record for record, _ in self.places}.values())
        self.stored = [
            type(record)._base_manager.filter(pk=record.pk).values_list(field.attname, flat=True).get().data
            for record, field in self.places
        ]

    def write(self, contents: list[bytes]) -> None:
        """Put these bytes in the cells, in their order, behind the application's back."""
        written: dict[int, dict[str, bytes]] = {}
        for (record, field), content in zip(self.places, contents, strict=True):
            written.setdefault(id(record), {})[field.column] = content
        with connections["default"].cursor() as cursor:
            for record in self.records:
                columns = written[id(record)]
                assignments = ", ".join(f"{column} = %s" for column in columns)
                key = record._meta.pk.get_db_prep_value(record.pk, connections["default"])
                query = f"UPDATE {record._meta.db_table} SET {assignments} WHERE {record._meta.pk.column} = %s"
                cursor.execute(query, [*columns.values(), key])

    def opened(self) -> list[tuple[str, UUID, object]]:
        """The cells that still give something, even nothing: read again, each by itself."""
        found = []
        fresh = {id(record): type(record)._base_manager.get(pk=record.pk) for record in self.records}
        for record, field in self.places:
            try:
                found.append((field.aad, record.id, getattr(fresh[id(record)], field.attname)))
            except UnreadableValue:
                continue
        return found


class TestCellsOfACase:
    def test_are_those_of_every_encrypted_field(self, case: Case):
        found = {field.aad for _, field in Cells(case.child.data_key_id, case.child.family.data_key_id).places}
        known = {field.aad for model in keyed_models() if not is_historical(model) for field in encrypted_fields(model)}
        assert known - found == DATED | OF_A_PERSON

    def test_open_where_they_are(self, case: Case):
        cells = Cells(case.child.data_key_id, case.child.family.data_key_id)
        cells.write(cells.stored)
        assert len(cells.opened()) == len(cells.places) >= 30

    def test_are_refused_in_the_place_of_any_other(self, case: Case):
        """Every ordered pair: at each turn, each cell holds what another one further held."""
        tom = make_child("Tom")
        fill(Child.objects.get(pk=tom.pk))
        cells = Cells(case.child.data_key_id, case.child.family.data_key_id, tom.data_key_id)
        count = len(cells.places)
        for shift in range(1, count):
            cells.write([cells.stored[(index + shift) % count] for index in range(count)])
            assert cells.opened() == []
        cells.write(cells.stored)
        assert len(cells.opened()) == count

    def test_are_refused_in_the_history_of_any_other(self, case: Case):
        """A row of history opens as its own record does, and takes nothing from the others."""
        cells = Cells(case.child.data_key_id, case.child.family.data_key_id, history=True)
        places = zip(cells.places, cells.stored, strict=True)
        one_of_each = {(field.aad, record.id): data for (record, field), data in places}
        assert len(one_of_each) >= 30
        for owner, data in one_of_each.items():
            cells.write([data] * len(cells.places))
            assert {(aad, record_id) for aad, record_id, _ in cells.opened()} == {owner}

    def test_are_refused_in_another_record_of_the_same_key(self, case: Case):
        family = case.child.family
        other = make_child("Léa", family=family)
        adult = Adult.objects.get(family=family)
        assert other.data_key_id != adult.data_key_id
        for name in ("first_name", "family_name"):
            write_raw(adult, name, stored(Child.objects.get(pk=other.pk), name).data)
            with pytest.raises(UnreadableValue, match=f"adult.{name} of record {adult.pk} cannot be read"):
                getattr(Adult.objects.get(pk=adult.pk), name)

    @pytest.mark.parametrize("data", [b"", b"\0", b"\1", bytes(48), b"Tom", "Inès".encode() * 12])
    def test_are_never_an_empty_text(self, case: Case, data: bytes):
        field: EncryptedField = FIRST_NAME
        write_raw(case.child, "first_name", data)
        with pytest.raises(UnreadableValue, match=f"{field.aad} of record {case.child.pk} cannot be read"):
            _ = Child.objects.get(pk=case.child.pk).first_name
