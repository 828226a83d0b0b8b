"""``erase``: says what would leave, carries out what two persons decided, verifies, erases again; begins nothing."""

from collections.abc import Callable
from contextvars import Context
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from audit.encryption.files.store import path_of
from audit.encryption.keystore.models import DataKey, Tombstone
from audit.history import system_account
from pre_cases.models import Child, Erasure
from pre_cases.services.erasure import erase_child
from tests.cast import Cast, make_child
from tests.erasures import approved, ask
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
        assert said.endswith("\nRien n’a été changé.\n")
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

    def test_names_nobody(self, cast: Cast) -> None:
        said = run(f"--child={cast.ines.pk}")
        assert not [name for name in ("Inès", "Morel", "Nadia", cast.ines.birth_date.isoformat()) if name in said]


class TestResume:
    @pytest.fixture
    def erasure(self, cast: Cast) -> Erasure:
        return approved(cast.ines, cast.amina, cast.gaelle, motive="family")

    def test_carries_out_what_two_persons_decided(
        self, cast: Cast, erasure: Erasure, django_capture_on_commit_callbacks: Callable
    ) -> None:
        files = [path_of(document.pk) for document in documents_of(cast.ines)]
        with django_capture_on_commit_callbacks(execute=True):
            assert run("--resume") == "Effacements menés à leur terme : 1.\n"
        assert Child.objects.get() == cast.tom
        assert not DataKey.objects.filter(key_id=cast.ines.data_key_id).exists()
        assert not any(path.exists() for path in files)

    def test_says_what_waits(self, cast: Cast, erasure: Erasure, settings: Any) -> None:
        settings.SIGNING_KEY = "file:/nowhere/signing-key"
        with pytest.raises(CommandError, match="attendent"):
            run("--resume")

    def test_erases_nothing_that_is_only_asked_for(self, cast: Cast) -> None:
        ask(cast.ines, cast.amina, motive="family")
        before = everything()
        assert run("--resume") == "Effacements menés à leur terme : 0.\n"
        assert everything() == before


class TestVerify:
    @pytest.fixture
    def certificate(self, cast: Cast, tmp_path: Path) -> tuple[Path, Path]:
        erasure = approved(cast.ines, cast.amina, cast.gaelle, motive="family")
        run("--resume")
        done = Erasure.objects.get(pk=erasure.pk)
        text, pdf = tmp_path / "c.json", tmp_path / "c.pdf"
        text.write_text(done.certificate)
        pdf.write_bytes(bytes(done.certificate_pdf))
        return text, pdf

    def test_says_what_is_certified(self, cast: Cast, certificate: tuple[Path, Path]) -> None:
        text, pdf = certificate
        said = run(f"--verify={text}", f"--pdf={pdf}")
        assert said.startswith(f"Certificat authentique avec son PDF : enfant {cast.ines.pk} effacé le ")

    def test_refuses_what_was_altered(self, certificate: tuple[Path, Path]) -> None:
        text, pdf = certificate
        pdf.write_bytes(pdf.read_bytes() + b" ")
        with pytest.raises(CommandError, match="modifié"):
            run(f"--verify={text}", f"--pdf={pdf}")
        text.write_text(text.read_text().replace("family", "mistake"))
        with pytest.raises(CommandError, match="modifié"):
            run(f"--verify={text}")

    def test_refuses_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="ne se lit pas"):
            run(f"--verify={tmp_path / 'nothing'}")


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
        [
            [],
            ["--confirm"],
            ["--child=Inès"],
            ["--child=00000000-0000-7000-8000-000000000000", "--confirm"],
            ["--child=00000000-0000-7000-8000-000000000000", "--replay"],
        ],
        ids=str,
    )
    def test_are_one_thing_to_do_and_never_an_erasure(self, cast: Cast, arguments: list[str]) -> None:
        before = everything()
        with pytest.raises(CommandError):
            run(*arguments)
        assert everything() == before
