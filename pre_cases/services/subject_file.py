"""The file of a child's data: prepared and read by a coordination, approved by somebody else, taken once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.models import Action
from audit.journal.record import record_change
from audit.services import Overreach, Refused, service
from pre_cases.models import ChildAdult, FamilyRequest, FileDecision, FileState, RequestKind, SubjectFile
from pre_cases.services.preconditions import ErasureUnderWay, lock_child
from pre_cases.subject_access.document import counts_of
from pre_cases.subject_access.masking import found_in
from referents.days import instant
from referents.models import User

Kind = FileDecision.Kind


class FileRefused(Refused):
    """This step is not possible for this file now."""


class OwnFile(Overreach):
    """Nobody approves what they prepared themselves."""

    kind = SubjectFile._meta.label_lower


@service
def prepare_file(*, request: FamilyRequest, by: User) -> SubjectFile:
    """Ask the worker to gather the data; a file that was not taken is replaced, its content destroyed."""
    lock_child(request.child_id)
    current = FamilyRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    _require_receivable(current)
    for former in current.files.kept():
        if former.is_being_made:
            raise FileRefused("Le fichier est déjà en préparation.")
        load_keys([former.data_key_id])
        end_file(former)
        record_change(former, "replace")
    made = SubjectFile.objects.create(request=current, prepared_by=by, data_key_id=current.data_key_id)
    record_change(made, "prepare")
    queue_file(made.pk)
    return made


def _require_receivable(request: FamilyRequest) -> None:
    """Only a holder of authority, or the young person, receives the data; and somebody has recognised them."""
    if request.kind != RequestKind.ACCESS:
        raise FileRefused("Cette demande n’est pas une demande d’accès aux données.")
    if request.outcome:
        raise FileRefused("Cette demande a déjà sa réponse.")
    if not request.identity_means:
        raise FileRefused("Vérifiez d’abord l’identité de la personne qui demande.")
    if request.adult_id is None:
        return
    link = ChildAdult.objects.current().filter(child=request.child_id, adult=request.adult_id).first()
    if link is None or not link.holds_authority:
        raise FileRefused("Cette personne n’est pas titulaire de l’autorité parentale : refusez, en disant pourquoi.")
    if not link.may_receive_documents:
        raise FileRefused("Cette personne ne peut pas recevoir de documents : refusez, en disant pourquoi.")


def queue_file(file_id: UUID) -> None:
    """Tell the worker once the row is there; the message holds the id and nothing else."""
    from pre_cases.tasks import make_subject_file  # which calls the job

    transaction.on_commit(lambda: make_subject_file.delay(str(file_id)))


@service
def mask_passage(
    *,
    file: SubjectFile,
    passage: int,
    motive: FileDecision.Motive | str,
    reason: str,
    by: User,
    words: str = "",
) -> FileDecision:
    """Hide a passage, or only some words of it (separated by commas), for a reason that the second person reads."""
    current = _being_read(file)
    text = _passage(current, passage)
    if not reason.strip():
        raise FileRefused("Dites pourquoi ce passage est masqué.", field="reason")
    kept = [word.strip() for word in words.split(",") if word.strip()]
    missing = [word for word in kept if not found_in(text["text"], [word])]
    if missing:
        raise FileRefused(f"Ces mots ne sont pas dans le passage : {', '.join(missing)}.", field="words")
    values = {"motive": motive, "words": ", ".join(kept) or None, "reason": reason.strip()}
    return _decide(current, Kind.MASK, by, passage=passage, **values)


@service
def keep_passage(*, file: SubjectFile, passage: int, by: User) -> FileDecision:
    """Leave as it is a passage that names somebody, once read."""
    current = _being_read(file)
    _passage(current, passage)
    motive = FileDecision.Motive.NONE
    return _decide(current, Kind.KEEP, by, passage=passage, motive=motive, words=None, reason=None)


@service
def name_professional(*, file: SubjectFile, professional: User, reason: str, by: User) -> FileDecision:
    """Tell the family the name of a professional, by a reasoned decision; their function is told anyway."""
    current = _being_read(file)
    if professional.pk not in professionals_of(current.gathered):
        raise FileRefused("Ce professionnel n’apparaît pas dans le fichier.", field="professional")
    if not reason.strip():
        raise FileRefused("Dites pourquoi ce nom est communiqué.", field="reason")
    motive = FileDecision.Motive.PROFESSIONAL
    return _decide(current, Kind.NAME, by, professional=professional, motive=motive, reason=reason.strip())


def professionals_of(content: dict[str, Any]) -> set[int]:
    """The accounts that the facts of a content name by their function."""
    facts = (fact for section in content["sections"] for item in section["items"] for fact in item["facts"])
    return {value["professional"] for _, value in facts if isinstance(value, dict)}


def _decide(file: SubjectFile, kind: FileDecision.Kind, decider: User, **values: Any) -> FileDecision:
    """The one decision on a passage or a professional: the former gives way."""
    subject = {name: values[name] for name in ("passage", "professional") if values.get(name) is not None}
    decision = file.decisions.filter(**subject).first() or FileDecision(file=file, data_key_id=file.data_key_id)
    for name, value in values.items():
        setattr(decision, name, value)
    decision.kind, decision.decided_by, decision.decided_at = kind, decider, timezone.now()
    decision.save()
    record_change(decision, "decide", purpose=kind.value)
    return decision


def undecided(file: SubjectFile) -> list[int]:
    """Numbers of the passages that name others and about which nothing is decided; the key is loaded."""
    decided = set(file.decisions.filter(passage__isnull=False).values_list("passage", flat=True))
    return [number for number in file.gathered["flagged"] if number not in decided]


@service
def submit_file(*, file: SubjectFile, has_read: bool, by: User) -> SubjectFile:
    """Send the file, once read whole, to the person who approves."""
    current = _being_read(file)
    _require_receivable(current.request)
    left = undecided(current)
    if left:
        raise FileRefused(
            f"{len(left)} passage{'s' if len(left) > 1 else ''} avec un nom : masquez, ou laissez après lecture."
        )
    if not has_read:
        raise FileRefused("Dites que vous avez relu le fichier en entier.", field="has_read")
    current.counts = counts_of(current.gathered, current.decisions.all())
    current.submitted_by, current.submitted_at, current.return_reason = by, timezone.now(), None
    current.save()
    record_change(current, "submit")
    return current


@service
def return_file(*, file: SubjectFile, reason: str, by: User) -> SubjectFile:
    """Give the file back to the coordination, which reads it again."""
    current = _submitted(file, by)
    if not reason.strip():
        raise FileRefused("Dites à la coordination ce qui est à revoir.", field="reason")
    current.submitted_by, current.submitted_at, current.return_reason = None, None, reason.strip()
    current.save()
    record_change(current, "return")
    return current


@service
def approve_file(*, file: SubjectFile, by: User) -> SubjectFile:
    """Let the family have the file; never by who prepared it or read it. The worker then prints it."""
    current = _submitted(file, by)
    _require_receivable(current.request)
    current.approved_by, current.approved_at = by, timezone.now()
    current.work, current.heartbeat_at, current.attempts = SubjectFile.Work.QUEUED, timezone.now(), 0
    current.save()
    record_change(current, "approve")
    queue_file(current.pk)
    return current


@service
def take_file(*, file: SubjectFile, by: User) -> bytes:
    """The archive, given once and before it expires; nothing of it is kept here afterwards."""
    current = _locked(file)
    if current.state == FileState.TAKEN:
        raise FileRefused(f"Ce fichier a été téléchargé le {instant(current.downloaded_at)} : il ne l’est qu’une fois.")
    if current.state == FileState.EXPIRED:
        raise FileRefused(
            f"Ce fichier a expiré le {instant(current.expires_at)} : préparez-en un autre si la famille le demande."
        )
    if current.state != FileState.READY:
        raise FileRefused("Ce fichier n’est pas prêt.")
    _require_receivable(current.request)
    archive = current.archive or b""
    current.downloaded_by, current.downloaded_at = by, timezone.now()
    end_file(current)
    record_change(current, Action.DOWNLOAD)
    return archive


def end_file(file: SubjectFile) -> None:
    """Destroy what a file holds, inside the transaction of its service; its steps remain."""
    file.content, file.archive, file.ended_at = None, None, timezone.now()
    file.work = ""
    file.save()


@service
def expire_files(*, by: User) -> int:
    """Destroy what nobody came to take in time; how many files. Those of a child being erased leave with it."""
    expired = 0
    for file in SubjectFile.objects.expired().select_related("request").order_by("request__child", "pk"):
        try:
            current = _locked(file)
        except ErasureUnderWay:
            continue
        if current.ended_at is None:
            end_file(current)
            record_change(current, "expire")
            expired += 1
    return expired


def _locked(file: SubjectFile) -> SubjectFile:
    """The file as it stands once nobody else can change it, its key loaded."""
    lock_child(file.request.child_id)
    current = SubjectFile.objects.select_for_update(of=("self",)).select_related("request").get(pk=file.pk)
    load_keys([current.data_key_id])
    return current


def _being_read(file: SubjectFile) -> SubjectFile:
    current = _locked(file)
    if current.state != FileState.READING:
        raise FileRefused(f"Ce fichier n’est plus à relire : il est {current.state.label}.")
    return current


def _submitted(file: SubjectFile, officer: User) -> SubjectFile:
    current = _locked(file)
    made_it = officer.pk in (current.prepared_by_id, current.submitted_by_id)
    if made_it or current.decisions.filter(decided_by=officer).exists() or _has_read(current, officer):
        raise OwnFile("Qui prépare le fichier ne l’approuve pas : une autre personne doit le faire.")
    if current.state != FileState.APPROVAL:
        raise FileRefused(f"Ce fichier n’est pas à approuver : il est {current.state.label}.")
    return current


def _has_read(file: SubjectFile, officer: User) -> bool:
    """The person sent it for approval once, even if it was given back and sent again by somebody else."""
    versions: Any = SubjectFile
    return bool(versions.history.filter(id=file.pk, submitted_by=officer.pk).exists())


def _passage(file: SubjectFile, number: int) -> dict[str, Any]:
    found = passages_of(file.gathered)
    text = next((text for text in found if text["number"] == number), None)
    if text is None:
        raise FileRefused("Ce passage n’existe pas dans le fichier.")
    return text


def passages_of(content: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Every passage of a content, in the order of the file."""
    return (text for section in content["sections"] for item in section["items"] for text in item["texts"])
