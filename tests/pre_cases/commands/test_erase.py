"""``erase``: says what would leave, erases when it is confirmed, and finishes what a restoration brought back."""

from collections.abc import Callable
from contextvars import Context
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from audit.encryption.files.store import path_of
from audit.encryption.keystore.models import DataKey, Tombstone
from audit.history import system_account
from audit.journal.models import Event
from pre_cases.models import Child
from pre_cases.services.erasure import erase_child
from tests.cast import Cast, make_child
from tests.whole_file import documents_of, end, everything, make_whole_file


@pytest.fixture(autouse=True)
def full(cast: Cast, settings: Any, tmp_path: Path) -> Cast:
    """Inès has rows in every model and a file, and a closed parcours; the system's account is there already."""
    settings.SEALED_FILES_DIR = tmp_path / "files"
    make_whole_file(cast.ines_parcours, cast.benoit)
    end(cast.ines_parcours)
    return cast


def run(*arguments: str) -> str:
    """As a process of its own does: no key is loaded before."""
    said = StringIO()
    Context().run(call_command, "erase", *arguments, stdout=said)
    return said.getvalue()


class TestADryRun:
    def test_changes_nothing(self, cast: Cast) -> None:
        before = everything()
        said = run(f"--child={cast.ines.pk}")
        assert said.endswith("\nRien n’a été changé. Ajoutez --confirm pour effacer.\n")
        assert everything() == before
        assert all(path_of(document.pk).exists() for document in documents_of(cast.ines))

    def test_counts_what_would_leave(self, cast: Cast) -> None:
        said = [line.strip() for line in run(f"--child={cast.ines.pk}").splitlines()]
        assert said[0] == "Partiraient, avec leur historique (clés détruites : 2) :"
        for line in ("1 enfants", "1 fratries", "1 adultes", "2 parcours", "2 saisines", "1 documents", "1 fichiers"):
            assert line in said

    def test_keeps_the_family_of_a_sibling(self, cast: Cast) -> None:
        make_child("Zoé", family=cast.ines.family)
        said = run(f"--child={cast.ines.pk}")
        assert "(clés détruites : 1)" in said
        assert "fratries" not in said

    def test_says_what_forbids_to_erase(self, cast: Cast) -> None:
        said = run(f"--child={cast.tom.pk}")
        assert said.endswith("\nRien n’a été changé. Un parcours est ouvert pour cet enfant : clôturez-le d’abord.\n")
        assert "--confirm" not in said

    def test_names_nobody(self, cast: Cast) -> None:
        said = run(f"--child={cast.ines.pk}") + run(f"--child={cast.ines.pk}", "--confirm")
        assert not [name for name in ("Inès", "Morel", "Nadia", cast.ines.birth_date.isoformat()) if name in said]


class TestConfirmed:
    def test_erases_the_child(self, cast: Cast, django_capture_on_commit_callbacks: Callable) -> None:
        files = [path_of(document.pk) for document in documents_of(cast.ines)]
        with django_capture_on_commit_callbacks(execute=True):
            said = run(f"--child={cast.ines.pk}", "--confirm")
        assert said.startswith("Effacé. Lignes : ")
        assert said.endswith(", fichiers : 1.\n")
        assert Child.objects.get() == cast.tom
        assert not DataKey.objects.filter(key_id=cast.ines.data_key_id).exists()
        assert not any(path.exists() for path in files)

    def test_is_signed_by_the_system(self, cast: Cast) -> None:
        run(f"--child={cast.ines.pk}", "--confirm")
        assert Event.objects.filter(action="erase").get().actor_id == system_account().pk

    def test_is_refused_while_a_parcours_is_open(self, cast: Cast) -> None:
        before = everything()
        with pytest.raises(CommandError, match="Un parcours est ouvert pour cet enfant"):
            run(f"--child={cast.tom.pk}", "--confirm")
        assert everything() == before

    def test_is_refused_for_nobody(self, cast: Cast) -> None:
        for arguments in ([f"--child={uuid4()}"], [f"--child={uuid4()}", "--confirm"]):
            with pytest.raises(CommandError, match="Aucun enfant ne porte cet identifiant"):
                run(*arguments)


class TestReplay:
    def test_erases_what_a_restoration_brought_back(self, cast: Cast) -> None:
        with transaction.atomic():
            erase_child(child=cast.ines, by=system_account())
            transaction.set_rollback(True)
        assert Child.objects.filter(pk=cast.ines.pk).exists()
        assert run("--replay") == "Enfants effacés de nouveau : 1.\n"
        assert Child.objects.get() == cast.tom

    def test_of_nothing_does_nothing(self, cast: Cast) -> None:
        before = everything()
        assert run("--replay") == "Enfants effacés de nouveau : 0.\n"
        assert everything() == before
        assert not Tombstone.objects.exists()


class TestTheArguments:
    @pytest.mark.parametrize(
        "arguments",
        [[], ["--confirm"], ["--child=Inès"], ["--child=00000000-0000-7000-8000-000000000000", "--replay"]],
        ids=str,
    )
    def test_are_a_child_or_a_replay(self, cast: Cast, arguments: list[str]) -> None:
        before = everything()
        with pytest.raises(CommandError):
            run(*arguments)
        assert everything() == before
