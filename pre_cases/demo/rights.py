"""What families ask about their data, told through the services: one request of each kind, at different steps."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from audit.encryption.keys import load_keys_of
from pre_cases.demo import accounts
from pre_cases.demo.staff import Staff
from pre_cases.models import (
    Adult,
    Child,
    EntryKind,
    EntryWith,
    FamilyRequest,
    FileDecision,
    IdentityMeans,
    Parcours,
    Relation,
    RequestKind,
    RequestOutcome,
    SubjectFile,
)
from pre_cases.services.family_request import answer_request, extend_request, record_request
from pre_cases.services.subject_file import mask_passage, passages_of, prepare_file, submit_file, undecided
from pre_cases.services.subject_file_job import make_file
from pre_cases.services.timeline import add_entry
from pre_cases.subject_access.masking import found_in
from referents.models import User


def tell_requests(staff: Staff, ines: Parcours, former: Parcours | None) -> None:
    """Two requests for access, one to read and one to approve; a correction refused, an opposition that waits beyond
    its first month, and the erasure of a former parcours.
    """
    amina, today = staff.of(accounts.AMINA), timezone.localdate()
    add_entry(
        parcours=ines,
        kind=EntryKind.PHONE,
        on=today - timedelta(days=5),
        with_whom=EntryWith.FAMILY,
        text="La mère va mieux. Elle s’inquiète pour Sami, qui dort mal depuis la rentrée.",
        by=staff.of(accounts.BENOIT),
    )
    mother, father = (_adult(ines.child, relation) for relation in (Relation.MOTHER, Relation.FATHER))
    text = "Elle veut lire tout ce qui est écrit sur sa fille."
    _gather(_ask(ines.child, RequestKind.ACCESS, mother, 6, text, amina), amina)
    text = "Il veut savoir qui a lu, et ce qui est noté."
    _submit(_gather(_ask(ines.child, RequestKind.ACCESS, father, 11, text, amina), amina), amina)
    text = "Écrire que les devoirs sont faits chez lui."
    correction = _ask(ines.child, RequestKind.CORRECTION, father, 20, text, amina)
    answer_request(
        request=correction,
        outcome=RequestOutcome.REFUSED,
        answer="La note dit ce que l’école a observé ce jour-là ; votre version est jointe.",
        statement="Depuis octobre, les devoirs sont faits chez moi chaque soir.",
        answered_on=today - timedelta(days=2),
        by=amina,
    )
    text = "Ne plus rien transmettre à l’association."
    opposition = _ask(ines.child, RequestKind.OPPOSITION, mother, 45, text, amina)
    extend_request(
        request=opposition,
        told_on=today - timedelta(days=20),
        reason="L’association et l’autre parent doivent être entendus.",
        by=amina,
    )
    if former is not None:
        _ask(former.child, RequestKind.ERASURE, None, 34, "Il ne veut plus apparaître nulle part.", amina)


def _adult(child: Child, relation: Relation) -> Adult:
    link = child.adult_links.select_related("adult").get(relation=relation)
    load_keys_of(child, link.adult)
    return link.adult


def _ask(child: Child, kind: RequestKind, adult: Adult | None, days: int, text: str, by: User) -> FamilyRequest:
    load_keys_of(child)
    received_on: date = timezone.localdate() - timedelta(days=days)
    return record_request(
        child=child,
        kind=kind,
        adult=adult,
        text=text,
        received_on=received_on,
        identity_means=IdentityMeans.KNOWN,
        by=by,
    )


def _gather(request: FamilyRequest, by: User) -> SubjectFile:
    """As the worker does, which is not there yet."""
    file = prepare_file(request=request, by=by)
    make_file(file_id=file.pk)
    return SubjectFile.objects.select_related("request").get(pk=file.pk)


def _submit(file: SubjectFile, by: User) -> None:
    """The names of others are masked, and the file waits for the data protection officer."""
    flagged = {text["number"]: text for text in passages_of(file.gathered)}
    for number in undecided(file):
        mask_passage(
            file=file,
            passage=number,
            motive=FileDecision.Motive.OTHER_PERSON,
            words=", ".join(found_in(flagged[number]["text"], flagged[number]["flags"])),
            reason="Nomme une autre personne que l’enfant.",
            by=by,
        )
    submit_file(file=file, has_read=True, by=by)
