"""Families' requests and files of children's data at each of their steps, made by the services."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from audit.encryption.keys import load_keys_of
from pre_cases.models import Adult, Child, FamilyRequest, SubjectFile
from pre_cases.services.family_request import record_request
from pre_cases.services.subject_file import approve_file, keep_passage, prepare_file, submit_file, undecided
from pre_cases.services.subject_file_job import make_file
from referents.models import User


def mother_of(child: Child) -> Adult:
    adult: Adult = child.family.adults.get()
    load_keys_of(child, adult, child.family)
    return adult


def ask(
    child: Child, by: User, *, kind: str = "access", received_on: date | None = None, **values: Any
) -> FamilyRequest:
    """Asked by the mother, whose identity is checked, unless told otherwise."""
    load_keys_of(child)
    values = {"adult": mother_of(child), "identity_means": "known", "text": "Voir ce qui est écrit."} | values
    return record_request(child=child, kind=kind, received_on=received_on or timezone.localdate(), by=by, **values)


def again(file: SubjectFile) -> SubjectFile:
    """As it stands now."""
    return SubjectFile.objects.select_related("request").get(pk=file.pk)


def gathered(request: FamilyRequest, by: User) -> SubjectFile:
    """Prepared, and the worker has gathered the data."""
    file = prepare_file(request=request, by=by)
    make_file(file_id=file.pk)
    return again(file)


def submitted(request: FamilyRequest, by: User) -> SubjectFile:
    """Read whole, and every passage that names somebody left as it is."""
    file = gathered(request, by)
    for number in undecided(file):
        keep_passage(file=file, passage=number, by=by)
    return submit_file(file=file, has_read=True, by=by)


def ready(request: FamilyRequest, by: User, officer: User) -> SubjectFile:
    """Approved by another person, and printed."""
    file = approve_file(file=submitted(request, by), by=officer)
    make_file(file_id=file.pk)
    return again(file)
