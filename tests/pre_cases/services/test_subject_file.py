"""The file of a child's data: prepared for who may receive it, read, approved by another person, taken once in time."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.history import acting_as, system_account
from audit.journal.models import Event
from audit.services import Refused
from pre_cases.models import ChildAdult, FileState, SubjectFile
from pre_cases.services.erasure import erase_child
from pre_cases.services.family_request import answer_request
from pre_cases.services.subject_file import (
    FileRefused,
    OwnFile,
    approve_file,
    expire_files,
    keep_passage,
    mask_passage,
    name_professional,
    passages_of,
    prepare_file,
    return_file,
    submit_file,
    take_file,
    undecided,
)
from pre_cases.services.subject_file_job import make_file
from pre_cases.services.timeline import add_entry
from pre_cases.subject_access.document import decided
from referents.models import Role, User
from tests.at_once import at_once
from tests.cast import Cast, make_child, make_parcours, make_user
from tests.family_requests import again, ask, gathered, ready, submitted
from tests.pre_cases.facts import close

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

NOTE = "Sa mère parle aussi de Lina, qui dort mal."


def note(cast: Cast, text: str = NOTE) -> None:
    today = timezone.localdate()
    add_entry(parcours=cast.ines_parcours, kind="phone", on=today, with_whom="family", text=text, by=cast.benoit)


def number_of(file: SubjectFile, text: str) -> int:
    return next(passage["number"] for passage in passages_of(file.gathered) if passage["text"] == text)


def opened(archive: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(archive)) as held:
        assert held.read("donnees-de-l-enfant.pdf").startswith(b"%PDF-")
        content: dict[str, Any] = json.loads(held.read("donnees-de-l-enfant.json"))
    return content


def refusal(action: Callable[[], object], kind: type[Refused] = FileRefused) -> Refused:
    """Nothing is written when a step is refused, but the attempt to overreach."""
    before = list(SubjectFile.objects.values())
    with pytest.raises(kind) as caught:
        action()
    assert list(SubjectFile.objects.values()) == before
    return caught.value


class TestPrepareFile:
    def test_is_gathered_by_the_worker(self, cast: Cast, django_capture_on_commit_callbacks: Callable) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            file = prepare_file(request=ask(cast.ines, cast.amina), by=cast.amina)
            assert file.state == FileState.COLLECTING
        assert again(file).state == FileState.READING
        assert Event.objects.get(action="prepare").subject_id == cast.ines.pk

    def test_waits_for_the_identity(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, identity_means="")
        assert "identité" in str(refusal(lambda: prepare_file(request=request, by=cast.amina)))

    @pytest.mark.parametrize("right", ["holds_authority", "may_receive_documents"])
    def test_is_for_a_holder_of_authority_who_may_receive_it(self, cast: Cast, right: str) -> None:
        link = ChildAdult.objects.get(child=cast.ines)
        setattr(link, right, False)
        with acting_as(system_account()):
            link.save()
        refusal(lambda: prepare_file(request=ask(cast.ines, cast.amina), by=cast.amina))

    def test_is_for_the_young_person_too(self, cast: Cast) -> None:
        assert prepare_file(request=ask(cast.ines, cast.amina, adult=None), by=cast.amina)

    def test_answers_a_request_for_access_only(self, cast: Cast) -> None:
        refusal(lambda: prepare_file(request=ask(cast.ines, cast.amina, kind="correction"), by=cast.amina))

    def test_is_asked_once_while_the_worker_is_at_it(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina)
        prepare_file(request=request, by=cast.amina)
        assert "déjà en préparation" in str(refusal(lambda: prepare_file(request=request, by=cast.amina)))

    def test_replaces_a_former_one_and_destroys_it(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina)
        former = gathered(request, cast.amina)
        prepare_file(request=request, by=cast.amina)
        assert (again(former).state, again(former).content) == (FileState.REPLACED, None)


class TestDecisions:
    def test_a_name_of_a_brother_or_sister_waits_for_a_decision(self, cast: Cast) -> None:
        make_child("Lina", family=cast.ines.family)
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        number = number_of(file, NOTE)
        assert undecided(file) == [number]
        assert "1 passage " in str(refusal(lambda: submit_file(file=file, has_read=True, by=cast.amina)))
        keep_passage(file=file, passage=number, by=cast.amina)
        assert undecided(file) == []

    @pytest.mark.parametrize(
        ("words", "expected"),
        [("Lina", "Sa mère parle aussi de [masqué], qui dort mal."), ("", "[masqué]"), ("lina, DORT MAL", None)],
    )
    def test_masks_some_words_or_the_whole(self, cast: Cast, words: str, expected: str | None) -> None:
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        mask_passage(
            file=file, passage=number_of(file, NOTE), motive="other_child", reason="Sa sœur", words=words, by=cast.amina
        )
        approve_file(file=submit_file(file=file, has_read=True, by=cast.amina), by=cast.gaelle)
        make_file(file_id=file.pk)
        text = json.dumps(opened(take_file(file=again(file), by=cast.amina)), ensure_ascii=False)
        assert (expected or "de [masqué], qui [masqué].") in text
        assert "Lina" not in text

    def test_masks_for_a_reason_and_words_that_are_there(self, cast: Cast) -> None:
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        mask = {"file": file, "passage": number_of(file, NOTE), "motive": "other_child", "by": cast.amina}
        assert refusal(lambda: mask_passage(reason=" ", **mask)).field == "reason"
        assert refusal(lambda: mask_passage(reason="x", words="Zoé", **mask)).field == "words"
        refusal(lambda: mask_passage(reason="x", **mask | {"passage": 999}))

    def test_the_last_one_counts(self, cast: Cast) -> None:
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        number = number_of(file, NOTE)
        mask_passage(file=file, passage=number, motive="safety", reason="x", by=cast.amina)
        keep_passage(file=file, passage=number, by=cast.amina)
        assert [(d.kind, d.reason) for d in file.decisions.all()] == [("keep", None)]

    def test_names_a_professional_for_a_reason(self, cast: Cast) -> None:
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        name = {"file": file, "by": cast.amina}
        assert refusal(lambda: name_professional(professional=cast.benoit, reason="", **name)).field == "reason"
        refusal(lambda: name_professional(professional=cast.esther, reason="x", **name))
        name_professional(professional=cast.benoit, reason="La famille le connaît", **name)
        approve_file(file=submit_file(file=file, has_read=True, by=cast.amina), by=cast.gaelle)
        make_file(file_id=file.pk)
        text = json.dumps(opened(take_file(file=again(file), by=cast.amina)), ensure_ascii=False)
        assert "Benoît Test, référent de parcours, équipe A" in text
        assert "Amina Test" not in text


class TestSubmitFile:
    def test_counts_what_the_second_person_sees(self, cast: Cast) -> None:
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        mask_passage(file=file, passage=number_of(file, NOTE), motive="other_child", reason="x", by=cast.amina)
        sent = submit_file(file=file, has_read=True, by=cast.amina)
        assert ["Échanges", 1, 1, 1] in sent.counts
        assert sent.state == FileState.APPROVAL

    def test_is_read_whole_first(self, cast: Cast) -> None:
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        assert refusal(lambda: submit_file(file=file, has_read=False, by=cast.amina)).field == "has_read"

    def test_is_no_longer_changed(self, cast: Cast) -> None:
        note(cast)
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        refusal(lambda: keep_passage(file=file, passage=1, by=cast.amina))
        refusal(lambda: submit_file(file=file, has_read=True, by=cast.amina))


class TestApproveFile:
    def test_lets_the_worker_print_it(self, cast: Cast) -> None:
        file = approve_file(file=submitted(ask(cast.ines, cast.amina), cast.amina), by=cast.gaelle)
        assert file.state == FileState.PRINTING
        make_file(file_id=file.pk)
        assert again(file).state == FileState.READY

    def test_is_not_for_who_prepared_or_read_it(self, cast: Cast) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        refusal(lambda: approve_file(file=file, by=cast.amina), OwnFile)
        assert Event.objects.get(action="refusal", kind="pre_cases.subjectfile").actor_id == cast.amina.pk
        other = make_user("Alix", Role.COORDINATOR, cast.team_a)
        read_by_another = again(file)
        return_file(file=read_by_another, reason="À revoir", by=cast.gaelle)
        submit_file(file=read_by_another, has_read=True, by=other)
        refusal(lambda: approve_file(file=read_by_another, by=other), OwnFile)

    def test_is_refused_by_the_database_too(self, cast: Cast) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        with pytest.raises(IntegrityError, match="two_persons"), transaction.atomic():
            SubjectFile.objects.filter(pk=file.pk).update(approved_by=cast.amina, approved_at=timezone.now())

    def test_comes_after_the_reading(self, cast: Cast) -> None:
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        refusal(lambda: approve_file(file=file, by=cast.gaelle))

    def test_is_given_once(self, cast: Cast) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        approve_file(file=file, by=cast.gaelle)
        refusal(lambda: approve_file(file=file, by=cast.gaelle))


class TestReturnFile:
    def test_gives_it_back_with_what_is_to_be_read_again(self, cast: Cast) -> None:
        file = return_file(
            file=submitted(ask(cast.ines, cast.amina), cast.amina), reason="Trop de masques", by=cast.gaelle
        )
        assert (again(file).state, again(file).return_reason) == (FileState.READING, "Trop de masques")

    def test_says_why(self, cast: Cast) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        assert refusal(lambda: return_file(file=file, reason=" ", by=cast.gaelle)).field == "reason"


class TestWhoMadeIt:
    def test_approves_it_no_more_after_it_was_given_back(self, cast: Cast) -> None:
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        for number in undecided(file):
            keep_passage(file=file, passage=number, by=cast.amina)
        submit_file(file=again(file), has_read=True, by=cast.gaelle)
        return_file(file=again(file), reason="À relire.", by=cast.hugo)
        submit_file(file=again(file), has_read=True, by=cast.amina)
        refusal(lambda: approve_file(file=again(file), by=cast.gaelle), OwnFile)

    def test_approves_nothing_of_which_they_decided_a_passage(self, cast: Cast) -> None:
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        mask_passage(file=file, passage=number_of(file, NOTE), motive="other_child", reason="Lina", by=cast.gaelle)
        submit_file(file=again(file), has_read=True, by=cast.amina)
        refusal(lambda: approve_file(file=again(file), by=cast.gaelle), OwnFile)

    @pytest.mark.parametrize("words", [",", " , ,", ""])
    def test_masks_a_whole_passage_when_no_word_is_named(self, cast: Cast, words: str) -> None:
        note(cast)
        file = gathered(ask(cast.ines, cast.amina), cast.amina)
        number = number_of(file, NOTE)
        decision = mask_passage(
            file=file, passage=number, motive="other_child", reason="Lina", words=words, by=cast.amina
        )
        assert decision.words is None
        content = decided(again(file).gathered, file.decisions.all())
        assert NOTE not in json.dumps(content, ensure_ascii=False)


class TestTakeFile:
    def test_gives_both_forms_and_keeps_nothing(self, cast: Cast) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        content = opened(take_file(file=file, by=cast.amina))
        assert (content["child"], content["request"]) == ("Inès Morel", file.request.reference)
        taken = again(file)
        assert (taken.state, taken.content, taken.archive) == (FileState.TAKEN, None, None)
        assert Event.objects.get(action="download").subject_id == cast.ines.pk

    def test_is_done_once(self, cast: Cast) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        take_file(file=file, by=cast.amina)
        assert "une fois" in str(refusal(lambda: take_file(file=file, by=cast.amina)))

    def test_is_done_within_seven_days(self, cast: Cast) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
            assert "a expiré" in str(refusal(lambda: take_file(file=file, by=cast.amina)))
        with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
            assert take_file(file=file, by=cast.amina)

    @pytest.mark.parametrize("days", [8])
    def test_is_refused_by_the_database_too(self, cast: Cast, days: int) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        late = timezone.now() + timedelta(days=days)
        with pytest.raises(IntegrityError, match="taken_once_in_time"), transaction.atomic():
            SubjectFile.objects.filter(pk=file.pk).update(
                downloaded_at=late, downloaded_by=cast.amina, ended_at=late, content=None, archive=None
            )

    def test_stops_when_the_person_may_no_longer_receive_it(self, cast: Cast) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        link = ChildAdult.objects.get(child=cast.ines)
        link.may_receive_documents = False
        with acting_as(system_account()):
            link.save()
        assert "ne peut pas recevoir" in str(refusal(lambda: take_file(file=file, by=cast.amina)))

    def test_stops_with_the_refusal_of_the_request(self, cast: Cast) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        answer_request(
            request=file.request,
            outcome="refused",
            answer="L’identité ne peut pas être confirmée.",
            answered_on=timezone.localdate(),
            by=cast.amina,
        )
        assert (again(file).content, again(file).archive) == (None, None)

    def test_comes_after_the_approval(self, cast: Cast) -> None:
        file = submitted(ask(cast.ines, cast.amina), cast.amina)
        assert "pas prêt" in str(refusal(lambda: take_file(file=file, by=cast.amina)))

    def test_finds_nothing_once_the_child_is_erased(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        close(make_parcours(cast.team_a, child=zoe, referent=cast.benoit), by=cast.amina)
        file = ready(ask(zoe, cast.amina), cast.amina, cast.gaelle)
        erase_child(child=zoe, by=system_account())
        assert not SubjectFile.objects.filter(pk=file.pk).exists()
        assert not SubjectFile.history.filter(id=file.pk).exists()


class TestExpireFiles:
    def test_destroys_what_nobody_took(self, cast: Cast) -> None:
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        assert expire_files(by=system_account()) == 0
        with time_machine.travel(timezone.now() + timedelta(days=8)):
            assert expire_files(by=system_account()) == 1
            assert expire_files(by=system_account()) == 0
        assert (again(file).state, again(file).archive) == (FileState.EXPIRED, None)


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTwoPeople:
    def test_take_it_once(self, tmp_path: Path) -> None:
        cast = Cast()
        file = ready(ask(cast.ines, cast.amina), cast.amina, cast.gaelle)
        other = make_user("Alix", Role.COORDINATOR, cast.team_a)

        def take(person: User) -> Callable[[], object]:
            def run() -> object:
                load_keys([file.data_key_id])
                return take_file(file=file, by=person)

            return run

        outcomes, downloads = at_once(
            tmp_path, [take(cast.amina), take(other)], lambda: Event.objects.filter(action="download").count()
        )
        assert downloads == 1
        assert outcomes[0].startswith("Ce fichier a été téléchargé")
        assert outcomes[1] == "bytes"

    def test_prepare_it_once(self, tmp_path: Path) -> None:
        cast = Cast()
        request = ask(cast.ines, cast.amina)
        other = make_user("Alix", Role.COORDINATOR, cast.team_a)
        outcomes, files = at_once(
            tmp_path,
            [lambda by=by: prepare_file(request=request, by=by) for by in (cast.amina, other)],
            lambda: SubjectFile.objects.filter(request=request).count(),
        )
        assert files == 1
        assert outcomes[1] == "SubjectFile" or "déjà en préparation" in outcomes[1]
