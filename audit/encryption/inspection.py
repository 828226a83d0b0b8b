"""Is every key there, does each open, and is it the right one? What ``check_keys`` says."""

from __future__ import annotations

from dataclasses import dataclass, field

from audit.encryption.errors import KeyProviderUnavailable, UnreadableKey, WrongMasterKey
from audit.encryption.keyed import named_keys
from audit.encryption.keystore.models import DataKey, MasterKey, Tombstone
from audit.encryption.keystore.rows import canary_sings, unwrapped
from audit.encryption.providers import provider
from audit.encryption.witness import require_same_keys

NAMED_AT_MOST = 20  # ids written in a fault; the count says the rest


@dataclass
class Inspection:
    """Counts, and a French sentence for each fault; ids only."""

    keys: int = 0
    opened: int = 0
    with_canary: int = 0
    versions: list[int] = field(default_factory=list)
    pending: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, sentence: str, ids: list[str]) -> None:
        if ids:
            shown = ", ".join(ids[:NAMED_AT_MOST]) + (" …" if len(ids) > NAMED_AT_MOST else "")
            self.faults.append(f"{sentence} ({len(ids)}) : {shown}")


def inspect_keys() -> Inspection:
    """Unwrap every data key, decrypt every canary, and look for the keys that the data name."""
    found = Inspection()
    try:
        found.versions = provider().versions()
        require_same_keys()
    except KeyProviderUnavailable as error:
        found.faults.append(f"Clé maîtresse hors d’atteinte : {error}")
        return found
    except WrongMasterKey as error:
        found.faults.append(f"Mauvaise clé maîtresse : {error}")
    _open_every_key(found)
    _look_for_missing_keys(found)
    latest = MasterKey.objects.order_by("-version").first()
    if latest is not None:
        found.pending = DataKey.objects.filter(kek_version__lt=latest.version).count()
    return found


def _open_every_key(found: Inspection) -> None:
    closed, wrong = [], []
    for row in DataKey.objects.order_by("pk").iterator(chunk_size=1_000):
        found.keys += 1
        try:
            key = unwrapped(row)
        except UnreadableKey:
            closed.append(f"{row.key_id} v{row.version}")
            continue
        found.opened += 1
        if not canary_sings(row, key):
            wrong.append(f"{row.key_id} v{row.version}")
        elif row.canary is not None:
            found.with_canary += 1
    found.fault("Clés qui ne s’ouvrent pas", closed)
    found.fault("Clés qui s’ouvrent mais ne sont pas les bonnes", wrong)


def _look_for_missing_keys(found: Inspection) -> None:
    named = named_keys()
    present = set(DataKey.objects.values_list("key_id", flat=True))
    missing = named - present
    destroyed = missing & set(Tombstone.objects.values_list("key_id", flat=True))
    if missing - destroyed and not named & present:
        found.faults.append(
            f"Aucune des {len(named)} clés que les données nomment n’est dans ce coffre : "
            "c’est celui d’une autre installation, ou il est vide."
        )
        return
    found.fault("Clés que les données nomment et qui manquent", sorted(map(str, missing - destroyed)))
    found.fault(
        "Clés détruites dont des lignes restent ; « manage.py erase --replay » finit l’effacement",
        sorted(map(str, destroyed)),
    )
