"""A process of an installation of its own, which plays the steps of a drill: one request a line, one answer a line."""

import io
import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

# ruff: noqa: E402 - the applications are ready from here on
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.utils import timezone

from audit.encryption import reencryption
from audit.encryption.errors import UnreadableValue
from audit.encryption.files.store import open_file
from audit.encryption.keyed import encrypted_fields, keyed_models
from audit.encryption.keys import key_ring, load_keys
from audit.history import system_account
from config.celery import app
from config.management.backups import restore
from partners.models import Term
from pre_cases.models import Child, Erasure, Parcours
from pre_cases.services.erasure_request import approve_erasure, request_erasure
from pre_cases.services.parcours import close_parcours
from referents.models import Role, User
from tests.cast import make_child, make_document, make_parcours, make_residence, make_team, make_user

NAMES = ["Canarine", "Serinette", "Linotte", "Fauvette", "Mésangeline", "Alouette"]
TEXT = b"%PDF-1.7\n" + b"canari-du-document " * 9_000 + b"\n%%EOF\n"


def fill() -> list[str]:
    """Six closed parcours, the first two of one family, each with a document."""
    team = make_team("a")
    amina = make_user("Amina", Role.COORDINATOR, team)
    benoit = make_user("Benoît", Role.REFERENT, team)
    family = None
    ids = []
    for name in NAMES:
        child = make_child(name, family=family, family_name="Quetzalcoatl")
        family = child.family if name == NAMES[0] else None
        make_residence(child, address=f"12 passage de {name}")
        parcours = make_parcours(team, referent=benoit, child=child, opened_on=timezone.localdate() - timedelta(50))
        make_document(parcours, benoit, content=TEXT, name=f"{name}.pdf")
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=parcours, on=timezone.localdate(), reason=lost, by=amina)
        ids.append(str(child.pk))
    return ids


def erase(child_id: str) -> str:
    """Asked for by the coordination, approved by the data protection officer, carried out; the state of the end."""
    child = Child.objects.get(pk=child_id)
    gaelle = User.objects.filter(first_name="Gaëlle").first() or make_user("Gaëlle", Role.DPO)
    amina = User.objects.get(first_name="Amina")
    app.conf.task_always_eager = True
    load_keys([child.data_key_id])
    asked = request_erasure(child=child, motive="family", reason="La famille le demande.", by=amina)
    approve_erasure(erasure=asked, by=gaelle)
    return Erasure.objects.get(pk=asked.pk).state


def look() -> dict[str, object]:
    """Which children are there, how many values of theirs open and how many do not, history and documents included."""
    opened = closed = 0
    for model in keyed_models():
        fields = encrypted_fields(model)
        for row in model._base_manager.values_list("id", "data_key_id", *(field.attname for field in fields)):
            load_keys([row[1]])
            for field, envelope in zip(fields, row[2:], strict=True):
                if envelope is None:
                    continue
                try:
                    assert field.value_of(field.unseal(envelope, row[0], row[1]), row[0])
                    opened += 1
                except UnreadableValue:
                    closed += 1
    documents = []
    for parcours in Parcours.objects.all():
        for document in parcours.documents.all():
            load_keys([document.data_key_id])
            try:
                with open_file(document.sealed) as reader:
                    documents.append(b"".join(reader.chunks()) == TEXT)
            except UnreadableValue:
                documents.append(False)
    load_keys(Child.objects.values_list("data_key_id", flat=True))
    children = {str(child.pk): name_of(child) for child in Child.objects.all()}
    return {"children": children, "opened": opened, "closed": closed, "documents": documents}


def name_of(child: Child) -> str:
    try:
        return child.first_name
    except UnreadableValue:
        return ""


def manage(*arguments: str) -> dict[str, object]:
    """One command of the installation: what it said, and its status."""
    said, status = io.StringIO(), 0
    try:
        call_command(*arguments, stdout=said, stderr=said)
    except CommandError as error:
        said.write(str(error))
        status = 1
    except SystemExit as end:
        status = int(end.code or 0)
    return {"said": said.getvalue(), "status": status}


def put_back(archive: str) -> None:
    """The data of an archive as a careless operator would: without replaying anything."""
    restore("data", Path(archive))


def end_reencryption() -> int:
    """As a quarter of an hour later."""
    reencryption.LONGEST_WORK = timedelta(0)
    return reencryption.finish_reencryptions(by=system_account())


def close() -> None:
    for connection in connections.all():
        connection.close()


STEPS: dict[str, Callable[..., object]] = {
    step.__name__: step for step in (fill, erase, look, manage, put_back, end_reencryption, close)
}


def main() -> None:
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        if name == "manage":
            answer = manage(*arguments)
        else:
            with key_ring():
                answer = STEPS[name](*arguments)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
