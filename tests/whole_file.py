"""Everything that the application can hold about a child, and what the two databases hold, row by row."""

from collections import Counter
from collections.abc import Iterable
from datetime import time, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connections, models
from django.utils import timezone

from audit.history import acting_as, system_account
from partners.models import Project, Term
from pre_cases.models import (
    AccessRequest,
    Action,
    Appointment,
    Bilan,
    Child,
    Comment,
    Document,
    Draft,
    DuplicateNotice,
    Entry,
    Erasure,
    ErasureReason,
    FamilyRequest,
    FileDecision,
    FollowUp,
    HandOver,
    Objective,
    Parcours,
    RequestEffect,
    RetentionHold,
    RetentionNotice,
    Review,
    SaisineSign,
    SubjectFile,
    Task,
)
from referents.models import User
from tests.cast import (
    PDF,
    make_document,
    make_enrolment,
    make_exceptional_access,
    make_parcours,
    make_project,
    make_residence,
    make_schooling,
    make_share,
)

Dump = dict[str, Counter[str]]


def make_whole_file(parcours: Parcours, person: User, *, content: bytes = PDF) -> None:
    """Rows in every model that leads to the child of a parcours, which stays open (see ``end()``), and one document."""
    child, key, today = parcours.child, parcours.data_key_id, timezone.localdate()
    make_document(parcours, person, content=content)
    domain = Term.objects.get(pk="domain:educatif")
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    own: dict[str, Any] = {"parcours": parcours, "data_key_id": key}
    signed: dict[str, Any] = own | {"author": person}
    if not child.residences.exists():
        make_residence(child, address="1 rue du Parc")
        make_schooling(child)
        make_share(parcours, person)
    make_exceptional_access(parcours, person)
    make_enrolment(parcours, make_project(parcours.team, title=f"Atelier {Project.objects.count()}"))
    former = make_parcours(
        parcours.team,
        child=child,
        referent=person,
        opened_on=today - timedelta(days=500),
        closed_on=today - timedelta(days=300),
        exit_reason=lost,
    )
    with acting_as(system_account()):
        parcours.previous = former
        parcours.save()
        agreement = parcours.agreement
        agreement.oral_on, agreement.oral_given_by = agreement.presented_on, child.family.adults.get()
        agreement.save()
        SaisineSign.objects.create(saisine=parcours.saisine, sign=Term.objects.get(pk="sign:absences"), is_main=True)
        objective = Objective.objects.create(
            **own, text="x", domain=domain, priority=Term.objects.get(pk="priority:sante"), set_on=today
        )
        Action.objects.create(
            objective=objective, label="x", domain=domain, mode="individual", nature="pre", data_key_id=key
        )
        entry = Entry.objects.create(**signed, kind="phone", on=today, text="x")
        answered = {"answer": "x", "answered_by": person, "answered_at": timezone.now()}
        FollowUp.objects.create(entry=entry, asked_by=person, question="x", data_key_id=key, **answered)
        Entry.objects.create(saisine=former.saisine, author=person, kind="phone", on=today, text="x", data_key_id=key)
        Comment.objects.create(**signed, text="x")
        Task.objects.create(**own, assignee=person, label="x", due_on=today)
        Appointment.objects.create(**own, user=person, on=today, starts_at=time(9, 30), means="home", place="x")
        Draft.objects.create(**own, user=person, form="entry", content={"text": "x"})
        Review.objects.create(**signed, on=today, text="x")
        Bilan.objects.create(**signed, on=today, text="x", exit_reason=lost)
        AccessRequest.objects.create(**own, asked_by=person, reason="x")
        HandOver.objects.create(**own, from_referent=person, to_referent=system_account(), asked_by=person, message="x")
        DuplicateNotice.objects.create(team=parcours.team, other_team=parcours.team, child=child, sought_by=person)
        RetentionNotice.objects.create(child=child, team=parcours.team, announced_on=today, last_contact_on=today)
        RetentionHold.objects.create(  # past its end: it holds nothing any more
            child=child,
            author=person,
            motive="dispute",
            reason="x",
            starts_on=today - timedelta(days=90),
            ends_on=today,
            data_key_id=key,
        )
        asked = Erasure.objects.create(  # refused once: it holds nothing back
            subject_id=child.pk,
            team=parcours.team,
            motive="term",
            state="refused",
            requested_by=person,
            decided_by=system_account(),
            decided_at=timezone.now(),
        )
        ErasureReason.objects.create(erasure=asked, child=child, text="x", data_key_id=key)
        request = FamilyRequest.objects.create(
            child=child,
            team=parcours.team,
            kind="access",
            text="x",
            received_on=today,
            recorded_by=person,
            extended_on=today,
            extension_reason="x",
            outcome="refused",
            answer="x",
            answered_on=today,
            answered_by=person,
            data_key_id=key,
        )
        RequestEffect.objects.create(
            request=request, kind="corrected", record_kind="pre_cases.child", record_id=child.pk
        )
        now = timezone.now()
        file = SubjectFile.objects.create(
            request=request,
            prepared_by=person,
            content={"child": "x", "sections": [], "readers": [], "flagged": []},
            archive=b"x",
            collected_at=now,
            submitted_by=person,
            submitted_at=now,
            approved_by=system_account(),
            approved_at=now,
            ready_at=now,
            expires_at=now + timedelta(days=7),
            data_key_id=key,
            work="",
        )
        FileDecision.objects.create(
            file=file, kind="mask", passage=1, motive="safety", reason="x", decided_by=person, data_key_id=key
        )


def end(parcours: Parcours) -> None:
    """Close a parcours, so that its child can be erased."""
    with acting_as(system_account()):
        parcours.closed_on = timezone.localdate()
        parcours.exit_reason = Term.objects.get(pk="exit_reason:contact-perdu")
        parcours.save()


def models_about_a_child() -> set[type[models.Model]]:
    """Every model with a path of foreign keys to a child, whatever its application; history follows its own model."""
    found: set[type[models.Model]] = {Child}
    left = {
        m for m in apps.get_models(include_auto_created=True) if m._meta.managed and not hasattr(m, "instance_type")
    }
    while more := {m for m in left - found if any(f.related_model in found for f in m._meta.concrete_fields)}:
        found |= more
    return found


def documents_of(child: Child) -> Iterable[Document]:
    return Document.objects.filter(parcours__child=child)


def everything() -> Dump:
    """Every row of every table of both databases, as text without hyphens, so that an id is written in one way."""
    dump: Dump = {}
    for alias in ("default", "keys"):
        with connections[alias].cursor() as cursor:
            for table in connections[alias].introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                rows = ([bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor.fetchall())
                dump[f"{alias}.{table}"] = Counter(str(row).replace("-", "") for row in rows)
    return dump


def naming(dump: Dump, ids: Iterable[UUID]) -> Dump:
    """The rows that name one of these ids, in the tables that hold any."""
    wanted = [identifier.hex for identifier in ids]
    found = {
        table: Counter({row: count for row, count in rows.items() if any(identifier in row for identifier in wanted)})
        for table, rows in dump.items()
    }
    return {table: rows for table, rows in found.items() if rows}


def difference(one: Dump, other: Dump) -> Dump:
    """The rows of the first that the second does not have."""
    return {table: left for table, rows in one.items() if (left := rows - other.get(table, Counter()))}
