"""The pages of a child's file: read by the coordination, approved on numbers by the DPO, taken once."""

import io
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.journal.models import Event
from pre_cases.models import FileState, SubjectFile
from pre_cases.services.subject_file import mask_passage, passages_of, submit_file
from pre_cases.services.timeline import add_entry
from tests.cast import Cast, make_child
from tests.family_requests import again, ask, gathered, ready, submitted
from tests.pre_cases.views.reach import assert_hidden, url

NOTE = "Lina dort mal."


@pytest.fixture
def reading(cast: Cast) -> SubjectFile:
    """To be read, with a note that names a sister."""
    make_child("Lina", family=cast.ines.family)
    today = timezone.localdate()
    add_entry(parcours=cast.ines_parcours, kind="phone", on=today, with_whom="family", text=NOTE, by=cast.benoit)
    return gathered(ask(cast.ines, cast.amina), cast.amina)


def number_of(file: SubjectFile) -> int:
    return next(text["number"] for text in passages_of(file.gathered) if text["text"] == NOTE)


class TestFilePrepare:
    def test_asks_the_worker(self, cast: Cast, signed_in, django_capture_on_commit_callbacks) -> None:
        request = ask(cast.ines, cast.amina)
        with django_capture_on_commit_callbacks(execute=True):
            response = signed_in(cast.amina).post(url("file_prepare", request.pk), follow=True)
        assert "Le fichier est en préparation." in response.content.decode()
        assert SubjectFile.objects.get().state == FileState.READING

    def test_says_why_not(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina, identity_means="")
        response = signed_in(cast.amina).post(url("file_prepare", request.pk), follow=True)
        assert "Vérifiez d’abord l’identité" in response.content.decode()

    def test_is_the_coordination_s(self, cast: Cast, signed_in) -> None:
        assert_hidden(signed_in(cast.benoit), "file_prepare", ask(cast.ines, cast.benoit).pk, ("post",))


class TestFileDetail:
    def test_shows_the_passages_to_decide(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        response = signed_in(cast.amina).get(url("file_detail", reading.pk))
        page = response.content.decode()
        assert response.context["left"] == [number_of(reading)]
        assert "1 passage nomme quelqu’un d’autre et attend une décision" in page
        event = Event.objects.get(action="read", kind="pre_cases.subjectfile")
        assert (event.data_kind, event.subject_id) == ("subject-access", cast.ines.pk)

    def test_is_not_read_by_the_dpo_nor_the_referent(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        for person in (cast.gaelle, cast.benoit, cast.hugo):
            assert_hidden(signed_in(person), "file_detail", reading.pk, ("get",))

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"work": "queued", "collected_at": None}, "En préparation"),
            ({"work": "failed"}, "La préparation a échoué"),
            ({"content": None, "ended_at": timezone.now()}, "Un autre fichier a remplacé celui-ci"),
        ],
    )
    def test_says_where_it_stands(self, cast: Cast, reading: SubjectFile, signed_in, values, sentence: str) -> None:
        SubjectFile.objects.filter(pk=reading.pk).update(**values)
        assert sentence in signed_in(cast.amina).get(url("file_detail", reading.pk)).content.decode()


class TestPassageDecide:
    def page(self, file: SubjectFile) -> str:
        return f"{url('passage_decide', file.pk)}?passage={number_of(file)}"

    def test_proposes_to_mask_the_names_found(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        form = signed_in(cast.amina).get(self.page(reading)).context["form"]
        assert form.initial == {"words": "Lina"}

    def test_masks_for_a_reason(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        client = signed_in(cast.amina)
        typed = {"motive": "other_child", "words": "Lina", "reason": ""}
        assert "reason" in client.post(self.page(reading), typed).context["form"].errors
        words = client.post(self.page(reading), typed | {"words": "Zoé", "reason": "x"}).context["form"].errors["words"]
        assert "Ces mots ne sont pas dans le passage : Zoé." in words
        client.post(self.page(reading), typed | {"reason": "Sa sœur"})
        assert "[masqué] dort mal." in client.get(url("file_detail", reading.pk)).content.decode()

    def test_leaves_what_is_read(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        client = signed_in(cast.amina)
        response = client.post(self.page(reading), {"keep": "1"})
        assert response["Location"].endswith(f"#passage-{number_of(reading)}")
        assert client.get(url("file_detail", reading.pk)).context["left"] == []

    @pytest.mark.parametrize("number", ["999", "x", ""])
    def test_goes_back_from_a_passage_that_is_not_there(self, cast, reading, signed_in, number: str) -> None:
        response = signed_in(cast.amina).get(f"{url('passage_decide', reading.pk)}?passage={number}")
        assert response["Location"] == url("file_detail", reading.pk)


class TestProfessionalName:
    def test_is_told_for_a_reason(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        client, page = signed_in(cast.amina), f"{url('professional_name', reading.pk)}?compte={cast.benoit.pk}"
        assert client.post(page, {"reason": ""}).status_code == 422
        assert client.post(page, {"reason": "La famille le connaît"}).status_code == 302
        assert "Nom communiqué : La famille le connaît" in client.get(url("file_detail", reading.pk)).content.decode()

    def test_is_of_somebody_whom_the_file_names(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        page = f"{url('professional_name', reading.pk)}?compte={cast.chloe.pk}"
        assert signed_in(cast.amina).get(page)["Location"] == url("file_detail", reading.pk)


class TestFileSubmit:
    def test_waits_for_every_decision_then_for_the_reading(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        client, page = signed_in(cast.amina), url("file_submit", reading.pk)
        response = client.post(page, {"has_read": "on"})
        assert (response.status_code, "1 passage avec un nom" in response.content.decode()) == (422, True)
        client.post(f"{url('passage_decide', reading.pk)}?passage={number_of(reading)}", {"keep": "1"})
        assert "has_read" in client.post(page, {}).context["form"].errors
        assert client.post(page, {"has_read": "on"}).status_code == 302
        assert again(reading).state == FileState.APPROVAL


class TestFileReview:
    def test_shows_numbers_and_reasons_and_no_content(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        mask_passage(
            file=reading,
            passage=number_of(reading),
            motive="other_child",
            words="Lina",
            reason="Sa sœur",
            by=cast.amina,
        )
        submit_file(file=reading, has_read=True, by=cast.amina)
        page = signed_in(cast.gaelle).get(url("file_review", reading.pk)).content.decode()
        for shown in ("Échanges", "Sa sœur", "concerne un autre enfant", "masqué en partie"):
            assert shown in page
        for secret in ("Inès", "Morel", "Lina", "dort mal", "Nadia"):
            assert secret not in page

    def test_approves(self, cast: Cast, signed_in) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        signed_in(cast.gaelle).post(url("file_review", file.pk))
        assert again(file).approved_by == cast.gaelle

    def test_gives_back_with_a_reason(self, cast: Cast, signed_in) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        client, page = signed_in(cast.gaelle), url("file_review", file.pk)
        assert client.post(page, {"return": "1", "reason": ""}).status_code == 422
        client.post(page, {"return": "1", "reason": "Trop de masques"})
        assert "Trop de masques" in signed_in(cast.amina).get(url("file_detail", file.pk)).content.decode()

    def test_refuses_who_prepared_it(self, cast: Cast, signed_in) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        SubjectFile.objects.filter(pk=file.pk).update(submitted_by=cast.gaelle)
        response = signed_in(cast.gaelle).post(url("file_review", file.pk), follow=True)
        assert "Qui prépare le fichier ne l’approuve pas" in response.content.decode()

    def test_shows_nothing_before_the_reading_is_over(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        assert_hidden(signed_in(cast.gaelle), "file_review", reading.pk)

    def test_says_that_it_is_decided_already(self, cast: Cast, signed_in) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        client, page = signed_in(cast.gaelle), url("file_review", file.pk)
        client.post(page)
        assert "n’est pas à approuver" in client.post(page, follow=True).content.decode()


class TestFileDownload:
    def test_gives_the_archive_once(self, cast: Cast, signed_in) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        client, page = signed_in(cast.amina), url("file_download", file.pk)
        response = client.post(page)
        assert response["Content-Type"] == "application/zip"
        assert "no-store" in response["Cache-Control"]
        assert len(zipfile.ZipFile(io.BytesIO(response.content)).namelist()) == 2
        assert "il ne l’est qu’une fois" in client.post(page, follow=True).content.decode()

    def test_asks_for_the_second_factor_again(self, cast: Cast, signed_in) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        client = signed_in(cast.amina)
        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            response = client.post(url("file_download", file.pk))
        assert response["Location"].startswith("/compte/second-facteur/confirmation/")
        assert again(file).state == FileState.READY

    def test_says_that_it_has_expired(self, cast: Cast, signed_in) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        with time_machine.travel(timezone.now() + timedelta(days=8)):
            response = signed_in(cast.amina).post(url("file_download", file.pk), follow=True)
        assert "a expiré" in response.content.decode()

    def test_says_that_it_is_not_ready(self, cast: Cast, reading: SubjectFile, signed_in) -> None:
        response = signed_in(cast.amina).post(url("file_download", reading.pk), follow=True)
        assert "n’est pas prêt" in response.content.decode()

    def test_is_the_coordination_s(self, cast: Cast, signed_in) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        for person in (cast.gaelle, cast.benoit):
            assert_hidden(signed_in(person), "file_download", file.pk, ("post",))
        assert again(file).state == FileState.READY
