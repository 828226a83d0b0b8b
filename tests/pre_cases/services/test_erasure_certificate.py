import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.signing import UnknownKey
from pre_cases.models import Erasure, ErasureStep
from pre_cases.services.erasure_certificate import FAMILY_KEY, NotACertificate, verify_certificate
from tests.cast import Cast, make_child
from tests.erasures import announce, approved, carried_out, make_former


@pytest.fixture
def certified(cast: Cast, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Callable) -> Erasure:
    settings.SEALED_FILES_DIR, settings.KEYSTORE_BACKUP_DAYS = tmp_path / "files", 12
    child = make_former(cast.team_a).child
    announce(child)
    return carried_out(
        approved(child, cast.amina, cast.gaelle, archive_visa="2026-114"), django_capture_on_commit_callbacks
    )


class TestCertificate:
    def test_says_what_left_by_whose_decision_and_both_dates(self, cast: Cast, certified: Erasure) -> None:
        found = verify_certificate(certified.certificate, bytes(certified.certificate_pdf))
        assert found["subject"] == str(certified.subject_id)
        assert (found["requested"]["account"], found["approved"]["account"]) == (cast.amina.pk, cast.gaelle.pk)
        assert (found["motive"], found["archive_visa"], found["team"]) == ("term", "2026-114", "a")
        assert found["erased"]["parcours"] == 1
        assert len(found["destroyed_keys"]) == 2
        assert set(found["steps"]) == set(ErasureStep.values) - {"certify"}
        assert found["scan"]["found"] == 0
        assert found["scan"]["columns"] > 100
        erased_on, complete_on = (date.fromisoformat(found[name]) for name in ("erased_on", "complete_on"))
        assert complete_on == erased_on + timedelta(days=12)

    def test_says_that_the_key_of_a_family_stays_for_another_child(
        self, cast: Cast, django_capture_on_commit_callbacks: Callable
    ) -> None:
        child = make_former(cast.team_a).child
        announce(child)
        make_child("Lou", family=child.family)
        done = carried_out(approved(child, cast.amina, cast.gaelle), django_capture_on_commit_callbacks)
        found = verify_certificate(done.certificate)
        assert FAMILY_KEY in found["kept"]
        assert len(found["destroyed_keys"]) == 1

    def test_names_nobody(self, cast: Cast, certified: Erasure) -> None:
        for name in ("Zoé", "Morel", "Nadia", "Amina", "Gaëlle", "Le terme est passé."):
            assert name not in certified.certificate

    def test_is_a_tagged_document(self, certified: Erasure) -> None:
        assert bytes(certified.certificate_pdf).startswith(b"%PDF-1.7")
        assert b"/StructTreeRoot" in bytes(certified.certificate_pdf)

    @pytest.mark.parametrize("name", ["subject", "erased_on", "complete_on", "motive", "erased", "destroyed_keys"])
    def test_altered_is_found_out(self, certified: Erasure, name: str) -> None:
        document = json.loads(certified.certificate)
        document["certificate"][name] = "autre"
        with pytest.raises(NotACertificate, match="changed"):
            verify_certificate(json.dumps(document))

    def test_is_found_out_when_its_pdf_was_altered(self, certified: Erasure) -> None:
        pdf = bytearray(bytes(certified.certificate_pdf))
        pdf[len(pdf) // 2] ^= 1
        with pytest.raises(NotACertificate):
            verify_certificate(certified.certificate, bytes(pdf))

    def test_holds_however_its_json_is_laid_out(self, certified: Erasure) -> None:
        verify_certificate(json.dumps(json.loads(certified.certificate)))

    def test_of_another_installation_is_neither_believed_nor_refused(self, certified: Erasure) -> None:
        document = json.loads(certified.certificate) | {"key_id": "0" * 64}
        with pytest.raises(UnknownKey):
            verify_certificate(json.dumps(document))

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"certificate": {}}', '{"certificate": 1, "key_id": 2}'])
    def test_is_not_anything(self, text: str) -> None:
        with pytest.raises(NotACertificate):
            verify_certificate(text)
