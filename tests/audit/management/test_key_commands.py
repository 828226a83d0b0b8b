"""``check_keys`` and ``rotate_keys``: what they say, and how they end."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command

from audit.encryption import rotation
from audit.encryption.keys import create_data_keys, destroy_data_keys
from audit.encryption.keystore.models import DataKey, MasterKey
from audit.encryption.providers import create_key_file, provider
from audit.encryption.providers.secret import parsed
from audit.encryption.rotation import is_rotating, start_rotation
from audit.history import system_account
from audit.journal.models import Event
from pre_cases.models import Child
from tests.audit.encryption.installation import NOON, installed, kek_versions, key_provider
from tests.cast import make_child

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def time():
    with time_machine.travel(NOON, tick=False) as time:
        yield time


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, time):
    with installed(tmp_path / "key") as path:
        yield path


class TestCheckKeys:
    @pytest.fixture(autouse=True)
    def child(self, key_file: Path) -> Child:
        """With the family's and that of the index of duplicates, three keys."""
        return make_child()

    def run(self) -> tuple[int, str, str]:
        """The exit code, and what was written on each output."""
        out, err = StringIO(), StringIO()
        try:
            call_command("check_keys", stdout=out, stderr=err)
        except SystemExit as end:
            return end.code, out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    def refused(self) -> str:
        code, out, err = self.run()
        assert code == 1
        assert "Tout s’ouvre." not in out
        return err

    def test_ends_with_0_when_everything_opens(self):
        assert self.run() == (
            0,
            "Versions de la clé maîtresse : 1.\n3 clés sur 3 s’ouvrent, 3 témoins déchiffrés.\nTout s’ouvre.\n",
            "",
        )

    def test_ends_with_0_during_a_rotation_and_says_so(self):
        start_rotation(by=system_account())
        code, out, err = self.run()
        assert (code, err) == (0, "")
        assert "Versions de la clé maîtresse : 1, 2.\n" in out
        assert "3 clés sont encore enveloppées par une ancienne version : la rotation est en cours.\n" in out

    def test_refuses_a_master_key_that_is_away(self, key_file: Path):
        key_file.unlink()
        assert "Clé maîtresse hors d’atteinte : The key file" in self.refused()
        assert "Versions de la clé maîtresse : aucune." in self.run()[1]

    def test_refuses_a_wrong_key_file(self, tmp_path: Path):
        create_key_file(tmp_path / "wrong")
        with key_provider(f"file:{tmp_path / 'wrong'}"):
            said = self.refused()
        assert "Mauvaise clé maîtresse : Version 1 of the key-encryption key is another key" in said
        assert "Clés qui ne s’ouvrent pas (3)" in said

    def test_refuses_the_keystore_of_another_installation(self):
        DataKey.objects.all().delete()
        create_data_keys("child", 2)
        assert "c’est celui d’une autre installation, ou il est vide." in self.refused()

    def test_refuses_a_missing_key(self, child: Child):
        DataKey.objects.filter(key_id=child.data_key_id).delete()
        assert self.refused() == f"Clés que les données nomment et qui manquent (1) : {child.data_key_id}\n"

    def test_refuses_an_altered_canary(self, child: Child):
        DataKey.objects.filter(key_id=child.data_key_id).update(canary=bytes(48))
        assert self.refused() == f"Clés qui s’ouvrent mais ne sont pas les bonnes (1) : {child.data_key_id} v1\n"

    def test_refuses_an_altered_wrapped_key(self, child: Child):
        DataKey.objects.filter(key_id=child.data_key_id).update(wrapped=bytes(60))
        assert self.refused() == f"Clés qui ne s’ouvrent pas (1) : {child.data_key_id} v1\n"

    def test_refuses_a_destroyed_key_with_rows_left(self, child: Child):
        destroy_data_keys([child.data_key_id])
        said = self.refused()
        assert "Clés détruites dont des lignes restent" in said
        assert "« manage.py erase --replay »" in said
        assert str(child.data_key_id) in said

    def test_says_every_fault_at_once(self, child: Child):
        DataKey.objects.filter(key_id=child.data_key_id).update(wrapped=bytes(60))
        DataKey.objects.filter(key_id=child.family.data_key_id).update(canary=bytes(48))
        assert len(self.refused().splitlines()) == 2

    def test_never_says_a_name(self, child: Child):
        DataKey.objects.all().update(wrapped=bytes(60))
        _, out, err = self.run()
        assert "Inès" not in out + err


class TestRotateKeys:
    def run(self, *options: str) -> str:
        out = StringIO()
        call_command("rotate_keys", *options, stdout=out)
        return out.getvalue()

    def test_wraps_every_key_again_and_says_what_comes_next(self):
        create_data_keys("child", 3)
        assert self.run() == (
            "Version 2 en service : 3 clés à envelopper.\n  encore 0\n"
            "Toutes les clés sont enveloppées. Sauvegardez le coffre, puis « rotate_keys --retire ».\n"
        )
        assert kek_versions() == {2}

    def test_signs_with_the_account_of_the_installation(self):
        create_data_keys("child", 1)
        self.run()
        events = Event.objects.filter(action="key_use")
        assert [event.detail["what"] for event in events.order_by("pk")] == ["rotation_started", "rotation_done"]
        assert {event.actor_id for event in events} == {system_account().pk}

    def test_goes_on_with_what_a_kill_interrupted(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(rotation, "BATCH", 2)
        create_data_keys("child", 5)
        master = start_rotation(by=system_account())
        rotation._rewrap(DataKey.objects.first())
        assert self.run().startswith("Version 2 en service : 4 clés à envelopper.\n")
        assert provider().versions() == [1, master.version]
        assert not is_rotating()

    def test_says_how_many_keys_do_not_open(self, key_file: Path):
        create_data_keys("child", 3)
        DataKey.objects.filter(pk=DataKey.objects.first().pk).update(wrapped=bytes(60))
        with pytest.raises(CommandError, match="1 clés ne s’ouvrent pas : voyez « check_keys »"):
            self.run()
        assert set(parsed(key_file.read_bytes(), "")) == {1, 2}

    def test_gives_the_work_to_the_worker(self):
        create_data_keys("child", 2)
        assert "Le serveur de tâches s’en charge" in self.run("--background")
        assert kek_versions() == {2}  # here a task is run at once

    def test_says_where_the_rotation_is_and_changes_nothing(self):
        create_data_keys("child", 2)
        assert self.run("--status") == "Aucune rotation en cours.\n"
        start_rotation(by=system_account())
        assert self.run("--status") == "Rotation en cours : 2 clés à envelopper.\n"
        assert kek_versions() == {1}

    def test_destroys_the_old_versions(self, time, key_file: Path):
        create_data_keys("child", 2)
        self.run()
        with pytest.raises(CommandError, match="Une copie de l’ancienne version peut être en mémoire"):
            self.run("--retire")
        time.shift(timedelta(minutes=2))
        assert self.run("--retire") == "Détruites : 1.\n"
        assert self.run("--retire") == "Aucune ancienne version à détruire.\n"
        assert set(parsed(key_file.read_bytes(), "")) == {2}

    def test_refuses_to_destroy_what_still_wraps_a_key(self, time):
        create_data_keys("child", 2)
        start_rotation(by=system_account())
        time.shift(timedelta(minutes=2))
        with pytest.raises(CommandError, match="Toutes les clés ne sont pas encore enveloppées"):
            self.run("--retire")

    def test_does_one_thing_at_a_time(self):
        with pytest.raises(CommandError, match="not allowed with argument"):
            self.run("--status", "--retire")

    def test_says_what_the_operator_must_do(self, monkeypatch: pytest.MonkeyPatch, key_file: Path):
        monkeypatch.setenv("MARELLE_TEST_ROTATE_KEYS", key_file.read_text())
        with (
            key_provider("env:MARELLE_TEST_ROTATE_KEYS"),
            pytest.raises(CommandError, match="add « 2: » and 32 random bytes"),
        ):
            self.run()
        assert MasterKey.objects.count() == 1

    def test_says_that_the_key_is_away(self, key_file: Path):
        key_file.unlink()
        assert self.run("--status") == "Aucune rotation en cours.\n"
        for option in ([], ["--retire"]):
            with pytest.raises(CommandError, match="cannot be read: No such file"):
                self.run(*option)
