"""What is printed: a blank fiche, the fiche as filled in, the parcours for the family, the bilan."""

from typing import Any

import pytest
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from audit.pdf import PdfFailed
from partners.models import Term
from pre_cases.models import SaisineSign
from pre_cases.services.review import write_bilan
from pre_cases.services.support import add_objective
from pre_cases.services.timeline import add_comment
from tests.cast import Cast, make_child, make_saisine
from tests.pre_cases.views.reach import url


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was handed over to be set, instead of the setting itself."""
    told: dict[str, Any] = {}

    def keep(**document: Any) -> bytes:
        told.update(document, text=str(document["blocks"]))
        return b"%PDF-1.7"

    for module in ("saisine", "parcours"):
        monkeypatch.setattr(f"pre_cases.printed.{module}.write_pdf", keep)
    return told


def with_bilan(cast: Cast) -> None:
    objective = add_objective(
        parcours=cast.ines_parcours,
        text="Lire chaque soir",
        domain=Term.objects.get(pk="domain:educatif"),
        priority=Term.objects.get(pk="priority:decrochage"),
        set_on=timezone.localdate(),
        by=cast.benoit,
    )
    write_bilan(
        parcours=cast.ines_parcours,
        on=timezone.localdate(),
        text="Elle lit seule.",
        family_word="« Elle est fière. »",
        relay="La bibliothèque",
        exit_reason=Term.objects.get(pk="exit_reason:objectifs-atteints"),
        results={objective.pk: "reached"},
        by=cast.benoit,
    )


class TestSaisineSheetBlank:
    def test_is_a_real_tagged_document_about_nobody(self, cast: Cast, signed_in) -> None:
        answer = signed_in(cast.benoit).get(url("saisine_sheet_blank"))
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert b"/Marked true" in answer.content

    def test_holds_every_sign_under_its_heading(self, cast: Cast, signed_in, printed) -> None:
        signed_in(cast.benoit).get(url("saisine_sheet_blank"))
        for words in ("Absences ou retards répétés", "Situation familiale", "119", "Ce qu’en dit l’enfant"):
            assert words in printed["text"]

    def test_does_not_exist_for_who_records_no_saisine(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.david).get(url("saisine_sheet_blank")).status_code == 404


class TestSaisinePrint:
    def test_says_what_was_recorded(self, cast: Cast, signed_in, printed) -> None:
        saisine = make_saisine(
            make_child("Zoé"), cast.team_a, assignee=cast.benoit, child_words="« Je m’ennuie. »", situation="Seule."
        )
        with acting_as(system_account()):
            SaisineSign.objects.create(saisine=saisine, sign=Term.objects.get(pk="sign:isolement"), is_main=True)
        signed_in(cast.benoit).get(url("saisine_print", saisine.pk))
        for words in ("Zoé Morel", "« Je m’ennuie. »", "isolement social (principal)", "Nadia Morel"):
            assert words in printed["text"]

    def test_is_journalled_as_printed(self, cast: Cast, signed_in, printed) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        signed_in(cast.benoit).get(url("saisine_print", saisine.pk))
        assert Event.objects.filter(action="print", subject_id=saisine.pk).exists()


class TestParcoursPdf:
    def test_tells_the_family_in_plain_words_and_without_internal_ones(self, cast: Cast, signed_in, printed) -> None:
        with_bilan(cast)
        add_comment(parcours=cast.ines_parcours, text="Entre nous.", by=cast.amina)
        answer = signed_in(cast.benoit).get(url("parcours_pdf", cast.ines_parcours.pk))
        assert "Inès" not in answer["Content-Disposition"]
        assert printed["title"] == "Le parcours de Inès"
        for words in ("Lire chaque soir", "C’est réussi.", "retirer votre accord", "Benoît Test"):
            assert words in printed["text"]
        assert "Entre nous." not in printed["text"]

    def test_says_that_it_could_not_be_set(self, cast: Cast, signed_in, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(**document: Any) -> bytes:
            raise PdfFailed("timeout")

        monkeypatch.setattr("pre_cases.printed.parcours.write_pdf", fail)
        answer = signed_in(cast.benoit).get(url("parcours_pdf", cast.ines_parcours.pk))
        assert answer.status_code == 503
        assert "Réessayez" in answer.content.decode()


class TestBilanPdf:
    def test_holds_the_results_the_word_of_the_family_and_the_relay(self, cast: Cast, signed_in, printed) -> None:
        with_bilan(cast)
        signed_in(cast.amina).get(url("bilan_pdf", cast.ines_parcours.pk))
        for words in ("Elle lit seule.", "« Elle est fière. »", "La bibliothèque", "atteint"):
            assert words in printed["text"]

    def test_does_not_exist_before_the_bilan(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.benoit).get(url("bilan_pdf", cast.ines_parcours.pk)).status_code == 404
