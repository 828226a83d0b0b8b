"""``reencrypt``: a new key for one child, and the sentence that says where it stands."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command

from audit.encryption import keys
from audit.encryption.keys import destroy_data_keys
from audit.encryption.keystore.models import DataKey
from audit.encryption.reencryption import begin_reencryption
from audit.history import system_account
from audit.journal.models import Event
from pre_cases.models import Child
from tests.audit.encryption.records import stored, write_raw
from tests.cast import make_child

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

NOON = "2026-03-02 12:00:00+01:00"


@pytest.fixture(autouse=True)
def time():
    with time_machine.travel(NOON, tick=False) as time:
        yield time


@pytest.fixture
def child(time, tmp_path: Path, settings) -> Child:
    settings.SEALED_FILES_DIR = tmp_path
    return Child.objects.get(pk=make_child().pk)


@pytest.fixture
def run(child: Child):
    """The command as a process of its own, without the keys of the test."""

    def command(*options: str) -> str:
        out = StringIO()
        token = keys._ring.set(None)
        try:
            call_command("reencrypt", *options, stdout=out)
        finally:
            keys._ring.reset(token)
        return out.getvalue()

    return command


def versions(key_id) -> list[int]:
    return sorted(DataKey.objects.filter(key_id=key_id, retired_at__isnull=True).values_list("version", flat=True))


class TestReencrypt:
    def test_gives_the_child_another_key_and_says_what_is_left(self, run, child: Child):
        said = run(f"--child={child.pk}")
        assert f"Clé {child.data_key_id} : version 2, " in said
        assert "lignes et fichiers chiffrés de nouveau.\n" in said
        assert said.endswith("Le serveur de tâches mettra l’ancienne version hors service dans un quart d’heure.\n")
        assert stored(child, "first_name").key_version() == 2
        assert versions(child.data_key_id) == [1, 2]
        assert versions(child.family.data_key_id) == [1]

    def test_never_says_a_name(self, run, child: Child):
        assert "Inès" not in run(f"--child={child.pk}")

    def test_takes_the_family_too_when_told_to(self, run, child: Child):
        run(f"--child={child.pk}", "--with-family")
        assert stored(child.family.adults.get(), "family_name").key_version() == 2

    def test_goes_on_with_one_that_was_interrupted(self, run, child: Child, time):
        begin_reencryption(child.data_key_id, by=system_account())
        time.shift(timedelta(minutes=15))
        assert "version 2" in run(f"--child={child.pk}")
        assert versions(child.data_key_id) == [2]

    def test_ends_the_service_of_the_old_version_once_nobody_can_hold_it(self, run, child: Child, time):
        run(f"--child={child.pk}")
        time.shift(timedelta(minutes=15))
        said = run(f"--child={child.pk}")
        assert ": version 2, 0 lignes et fichiers" in said
        assert said.endswith("L’ancienne version est hors service.\n")
        assert versions(child.data_key_id) == [2]

    def test_signs_with_the_account_of_the_installation(self, run, child: Child):
        run(f"--child={child.pk}")
        event = Event.objects.get(action="key_use")
        assert (event.detail["what"], event.actor_id) == ("reencryption_started", system_account().pk)

    def test_keeps_the_old_version_while_a_value_does_not_open(self, run, child: Child, time):
        write_raw(child, "first_name", stored(child, "family_name").data)
        with pytest.raises(CommandError, match="1 valeurs ne s’ouvrent pas : l’ancienne version reste"):
            run(f"--child={child.pk}")
        time.shift(timedelta(days=1))
        with pytest.raises(CommandError):
            run(f"--child={child.pk}")
        assert versions(child.data_key_id) == [1, 2]

    def test_refuses_an_unknown_child(self, run):
        with pytest.raises(CommandError, match="Aucun enfant ne porte cet identifiant"):
            run(f"--child={uuid4()}")

    def test_refuses_a_child_whose_key_was_destroyed(self, run, child: Child):
        destroy_data_keys([child.data_key_id])
        with pytest.raises(CommandError, match="does not open with this key-encryption key"):
            run(f"--child={child.pk}")
        assert versions(child.data_key_id) == []
