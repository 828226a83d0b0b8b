"""What the tests of encrypted records need beside the cast."""

from typing import Any

from django.db import connections, models

from audit.encryption.envelope import Envelope
from pre_cases.models import Child, Draft
from referents.models import Role
from tests.cast import make_parcours, make_team, make_user

FIRST_NAME: Any = Child._meta.get_field("first_name")
BIRTH_DATE: Any = Child._meta.get_field("birth_date")


def stored(record: models.Model, name: str = "first_name") -> Envelope | None:
    return type(record)._base_manager.filter(pk=record.pk).values_list(name, flat=True).get()


def write_raw(record: models.Model, name: str, data: bytes | None) -> None:
    """As someone with write access to the database would."""
    table, column = record._meta.db_table, record._meta.get_field(name).column
    key = record._meta.pk.get_db_prep_value(record.pk, connections["default"])
    with connections["default"].cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [data, key])


class JsonHolder:
    """A draft about a child, written and read back."""

    def __init__(self, child: Child) -> None:
        team = make_team("a")
        self.draft = Draft(
            user=make_user("Amina", Role.COORDINATOR, team),
            parcours=make_parcours(team, child=child),
            form="review",
            data_key_id=child.data_key_id,
        )

    def round_trip(self, content: Any) -> Any:
        self.draft.content = content
        self.draft.save()
        return Draft.objects.get(pk=self.draft.pk).content
