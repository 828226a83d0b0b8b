"""The certificate of an erasure: what left, when, by whose decision; signed as JSON and as PDF, without a name.

The JSON file is ``{"certificate", "signature", "pdf_signature", "key_id"}``: both signatures are Ed25519 in base64,
the first of the certificate's canonical JSON, the second of the bytes of the PDF.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from audit.pdf import bullets, heading, pairs, paragraph, table, write_pdf
from audit.signing import BadSignature, key_id, sign, verify
from pre_cases.models import Erasure, ErasureMotive, ErasureStep, Family
from referents.days import instant, long_day

CERTIFICATE, PRINTED = "marelle erasure 1", "marelle erasure pdf 1"  # what each signature is made for
JOURNAL = "identifiants au journal des accès, sans valeur, jusqu’à sa purge"
FIGURES = "chiffres annuels : des nombres par tableau, jamais une ligne par enfant"
GRAVES = "identifiants des clés détruites, pour effacer de nouveau après une restauration"
FAMILIES = str(Family._meta.verbose_name_plural)
FAMILY_KEY = (
    "clé de la fratrie, parce qu’un autre enfant y est : ce que d’anciennes sauvegardes disent des adultes reste "
    "lisible tant qu’elles durent"
)


class NotACertificate(Exception):
    """The file is not a certificate of erasure, or something in it was changed."""


def certify(erasure: Erasure) -> None:
    """Fill in both forms of the certificate of an erasure whose scan is done; the caller saves. Raises SigningError."""
    certificate = certificate_of(erasure)
    signed, signer = sign(canonical(certificate), context=CERTIFICATE), key_id()
    pdf = printed(certificate, signed, signer)
    document = {
        "certificate": certificate,
        "signature": base64.b64encode(signed).decode(),
        "pdf_signature": base64.b64encode(sign(pdf, context=PRINTED)).decode(),
        "key_id": signer,
    }
    erasure.certificate = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1)
    erasure.certificate_pdf = pdf


def verify_certificate(text: str, pdf: bytes | None = None) -> dict[str, Any]:
    """The content of a certificate whose signature holds, and that of its PDF when it is given.

    Raises NotACertificate, or SigningError when the key that signed is not known here.
    """
    try:
        document = json.loads(text)
        certificate, signer = document["certificate"], document["key_id"]
        signatures = [base64.b64decode(document[name], validate=True) for name in ("signature", "pdf_signature")]
    except (ValueError, KeyError, TypeError):
        raise NotACertificate("This is not a certificate of erasure.") from None
    try:
        verify(canonical(certificate), signatures[0], context=CERTIFICATE, key_id=signer)
        if pdf is not None:
            verify(pdf, signatures[1], context=PRINTED, key_id=signer)
    except BadSignature:
        raise NotACertificate("The signature does not hold: something was changed.") from None
    result: dict[str, Any] = certificate
    return result


def certificate_of(erasure: Erasure) -> dict[str, Any]:
    """What is signed: ids, counts and dates. Two dates: the live data today, every backup of the keys later."""
    today = timezone.localdate()
    return {
        "type": "marelle-erasure",
        "version": 1,
        "installation": settings.SITE_URL,
        "erasure": str(erasure.pk),
        "subject": str(erasure.subject_id),
        "team": erasure.team.code,
        "motive": erasure.motive,
        "archive_visa": erasure.archive_visa,
        "requested": {"account": erasure.requested_by_id, "at": _iso(erasure.requested_at)},
        "approved": {"account": erasure.decided_by_id, "at": _iso(erasure.decided_at)},
        "steps": erasure.steps,
        "erased": erasure.counts,
        "destroyed_keys": erasure.plan["keys"],
        "scan": {"columns": erasure.plan["searched"], "found": 0},
        "kept": [JOURNAL, FIGURES, GRAVES, *([] if FAMILIES in erasure.counts else [FAMILY_KEY])],
        "erased_on": today.isoformat(),
        "complete_on": (today + timedelta(days=settings.KEYSTORE_BACKUP_DAYS)).isoformat(),
    }


def canonical(certificate: dict[str, Any]) -> bytes:
    """One way to write it: keys in order, no space, UTF-8."""
    return json.dumps(certificate, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def printed(certificate: dict[str, Any], signature: bytes, signer: str) -> bytes:
    """The certificate for people, as a tagged PDF."""
    erased_on, complete_on = (datetime.fromisoformat(certificate[name]) for name in ("erased_on", "complete_on"))
    return write_pdf(
        title="Certificat d’effacement",
        footer=f"Effacement {certificate['erasure']}",
        blocks=[
            paragraph(
                f"Les données de l’enfant désigné ci-dessous ont été effacées de Marelle le {long_day(erased_on)}. "
                "Sa clé de chiffrement est détruite. L’effacement est complet le "
                f"{long_day(complete_on)} : la dernière sauvegarde du coffre des clés faite avant lui aura expiré, et "
                "ce que d’autres sauvegardes contiennent encore ne pourra plus être lu par personne."
            ),
            heading("La décision"),
            pairs(
                [
                    ("Enfant (identifiant)", certificate["subject"]),
                    ("Équipe", certificate["team"]),
                    ("Pourquoi", str(ErasureMotive(certificate["motive"]).label)),
                    ("Visa des archives", certificate["archive_visa"] or "sans objet, ou voir le registre"),
                    ("Demandé", _signed(certificate["requested"])),
                    ("Approuvé", _signed(certificate["approved"])),
                ]
            ),
            heading("Ce qui a été effacé"),
            table(
                "Nombre de lignes effacées, avec leur historique",
                header=["Nature", "Nombre"],
                rows=[[kind, str(count)] for kind, count in sorted(certificate["erased"].items())],
            ),
            table(
                "Étapes",
                header=["Étape", "Faite le"],
                rows=[
                    [str(step.label), instant(datetime.fromisoformat(certificate["steps"][step.value]))]
                    for step in ErasureStep
                    if step.value in certificate["steps"]
                ],
            ),
            paragraph(
                f"Restes cherchés dans {certificate['scan']['columns']} colonnes, dans les fichiers et dans le coffre "
                f"des clés : {certificate['scan']['found']} trouvé."
            ),
            heading("Ce qui reste, sans donnée de l’enfant"),
            bullets(certificate["kept"]),
            heading("Signature"),
            pairs(
                [
                    ("Clé (Ed25519)", signer),
                    ("Signature du certificat", base64.b64encode(signature).decode()),
                ]
            ),
            paragraph("Le fichier JSON remis avec ce document porte la signature de chacun des deux."),
        ],
    )


def _signed(decision: dict[str, Any]) -> str:
    return f"par le compte n° {decision['account']}, le {instant(datetime.fromisoformat(decision['at']))}"


def _iso(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")
