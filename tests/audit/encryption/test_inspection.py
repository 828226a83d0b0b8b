from pathlib import Path

import pytest

from audit.encryption import inspection
from audit.encryption.inspection import inspect_keys
from audit.encryption.keys import create_data_key, create_data_keys, destroy_data_keys
from audit.encryption.keystore.models import DataKey, MasterKey
from audit.encryption.keystore.rows import sealed_canary, unwrapped
from audit.encryption.providers import create_key_file
from audit.encryption.rotation import rewrap_all, start_rotation
from audit.history import system_account
from pre_cases.models import Child
from tests.audit.encryption.installation import installed, key_provider
from tests.cast import make_child

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path):
    with installed(tmp_path / "key") as path:
        yield path


@pytest.fixture
def child(key_file: Path) -> Child:
    """A child and a family; with the index of duplicates, three keys."""
    return make_child()


def fault() -> str:
    (only,) = inspect_keys().faults
    return only


class TestInspectKeys:
    def test_finds_nothing_wrong_with_an_empty_keystore(self):
        found = inspect_keys()
        assert (found.keys, found.versions, found.faults) == (0, [1], [])

    def test_opens_every_key_and_every_canary(self, child: Child):
        found = inspect_keys()
        assert (found.keys, found.opened, found.with_canary, found.pending) == (3, 3, 3, 0)
        assert found.faults == []

    def test_counts_the_keys_that_have_no_canary_yet(self, child: Child):
        DataKey.objects.filter(key_id=child.data_key_id).update(canary=None)
        found = inspect_keys()
        assert (found.opened, found.with_canary, found.faults) == (3, 2, [])

    def test_counts_what_a_rotation_has_still_to_wrap(self, child: Child):
        start_rotation(by=system_account())
        assert (inspect_keys().pending, inspect_keys().versions) == (3, [1, 2])
        rewrap_all(by=system_account())
        assert (inspect_keys().pending, inspect_keys().faults) == (0, [])

    def test_says_that_the_master_key_is_away(self, child: Child, key_file: Path):
        key_file.unlink()
        assert fault().startswith(f"Clé maîtresse hors d’atteinte : The key file {key_file} cannot be read")
        assert inspect_keys().keys == 0

    def test_says_that_the_key_file_is_the_wrong_one(self, child: Child, tmp_path: Path):
        create_key_file(tmp_path / "wrong")
        with key_provider(f"file:{tmp_path / 'wrong'}"):
            found = inspect_keys()
        wrong, closed = found.faults
        assert wrong.startswith("Mauvaise clé maîtresse : Version 1 of the key-encryption key is another key")
        assert closed.startswith("Clés qui ne s’ouvrent pas (3) : ")
        assert (found.keys, found.opened) == (3, 0)

    def test_says_that_a_version_of_the_master_key_is_missing(self, child: Child, key_file: Path):
        before = key_file.read_bytes()
        start_rotation(by=system_account())
        rewrap_all(by=system_account())
        key_file.write_bytes(before)
        with key_provider(f"file:{key_file}"):
            missing, closed = inspect_keys().faults
        assert missing == "Mauvaise clé maîtresse : Version 2 of the key-encryption key is missing."
        assert closed.startswith("Clés qui ne s’ouvrent pas (3) : ")

    def test_says_that_the_keystore_is_that_of_another_installation(self, child: Child):
        DataKey.objects.all().delete()
        create_data_keys("child", 4)
        assert fault() == (
            "Aucune des 2 clés que les données nomment n’est dans ce coffre : "
            "c’est celui d’une autre installation, ou il est vide."
        )

    def test_says_that_the_keystore_is_empty(self, child: Child):
        DataKey.objects.all().delete()
        MasterKey.objects.all().delete()
        assert fault().startswith("Aucune des 2 clés que les données nomment n’est dans ce coffre")

    def test_says_which_keys_are_missing(self, child: Child):
        DataKey.objects.filter(key_id=child.data_key_id).delete()
        assert fault() == f"Clés que les données nomment et qui manquent (1) : {child.data_key_id}"

    def test_says_which_destroyed_keys_have_rows_left(self, child: Child):
        destroy_data_keys([child.data_key_id])
        assert fault() == (
            "Clés détruites dont des lignes restent ; « manage.py erase --replay » finit l’effacement "
            f"(1) : {child.data_key_id}"
        )

    def test_tells_destroyed_keys_from_missing_ones(self, child: Child):
        other = make_child("Tom")
        destroy_data_keys([child.data_key_id])
        DataKey.objects.filter(key_id=other.data_key_id).delete()
        missing, destroyed = inspect_keys().faults
        assert missing.endswith(f"qui manquent (1) : {other.data_key_id}")
        assert destroyed.endswith(f"(1) : {child.data_key_id}")

    def test_says_which_wrapped_keys_were_altered(self, child: Child):
        row = DataKey.objects.get(key_id=child.data_key_id)
        altered = bytearray(row.wrapped)
        altered[20] ^= 1
        DataKey.objects.filter(pk=row.pk).update(wrapped=bytes(altered))
        assert fault() == f"Clés qui ne s’ouvrent pas (1) : {child.data_key_id} v1"

    def test_says_which_wrapped_keys_were_moved(self, child: Child):
        stolen = DataKey.objects.get(key_id=child.family.data_key_id).wrapped
        DataKey.objects.filter(key_id=child.data_key_id).update(wrapped=stolen)
        assert fault() == f"Clés qui ne s’ouvrent pas (1) : {child.data_key_id} v1"

    def test_says_which_canaries_were_altered(self, child: Child):
        row = DataKey.objects.get(key_id=child.data_key_id)
        altered = bytearray(row.canary)
        altered[-1] ^= 1
        for canary in (bytes(altered), b"", b"short", bytes(48)):
            DataKey.objects.filter(pk=row.pk).update(canary=canary)
            assert fault() == f"Clés qui s’ouvrent mais ne sont pas les bonnes (1) : {child.data_key_id} v1"

    def test_says_which_keys_are_not_those_of_their_canary(self, child: Child):
        """A key that opens but is not the one that sealed the data: nothing else would notice before the data do."""
        row = DataKey.objects.get(key_id=child.data_key_id)
        DataKey.objects.filter(pk=row.pk).update(canary=sealed_canary(row.key_id, 1, b"x" * 32))
        assert fault().startswith("Clés qui s’ouvrent mais ne sont pas les bonnes (1)")

    def test_says_which_canaries_say_something_else(self, child: Child, monkeypatch: pytest.MonkeyPatch):
        row = DataKey.objects.get(key_id=child.data_key_id)
        monkeypatch.setattr("audit.encryption.keystore.rows.CANARY", b"another word")
        DataKey.objects.filter(pk=row.pk).update(canary=sealed_canary(row.key_id, 1, unwrapped(row)))
        monkeypatch.undo()
        assert fault().startswith("Clés qui s’ouvrent mais ne sont pas les bonnes (1)")

    def test_names_the_versions_of_a_key_apart(self, child: Child):
        DataKey.objects.create(key_id=child.data_key_id, version=2, kind="child", wrapped=b"x" * 60, kek_version=1)
        assert fault() == f"Clés qui ne s’ouvrent pas (1) : {child.data_key_id} v2"

    def test_names_a_few_ids_and_counts_the_others(self, child: Child, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(inspection, "NAMED_AT_MOST", 2)
        made = create_data_keys("child", 5)
        DataKey.objects.filter(key_id__in=made).update(wrapped=b"x" * 60)
        said = fault()
        assert said.startswith("Clés qui ne s’ouvrent pas (5) : ")
        assert said.endswith(" …")
        assert said.count(" v1") == 2

    def test_changes_nothing(self, child: Child):
        create_data_key("child")
        before = list(DataKey.objects.values()), list(MasterKey.objects.values())
        inspect_keys()
        assert (list(DataKey.objects.values()), list(MasterKey.objects.values())) == before

    def test_goes_through_a_whole_keystore_in_few_queries(self, child: Child, django_assert_max_num_queries):
        create_data_keys("child", 300)
        with django_assert_max_num_queries(8, using="keys"):
            assert inspect_keys().keys == 303

    def test_says_that_erasures_are_to_finish_when_every_key_was_destroyed(self, child: Child):
        destroy_data_keys(DataKey.objects.values_list("key_id", flat=True))
        assert "manage.py erase --replay" in fault()
