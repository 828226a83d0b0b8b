"""The agenda of a session: a situation put on it, its anonymised sheet, its order, and its leaving."""

from __future__ import annotations

from django.db.models import Max
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.anonymity import require_anonymous
from pre_cases.models import Child, EpreItem, EprePurpose, EpreRemoval, EpreSession, EpreState, Parcours
from pre_cases.services.epre_session import locked_session, take_off
from pre_cases.services.preconditions import locked, require_agreement
from referents.models import Role, User


class AgendaRefused(Refused):
    """The situation cannot be put on this agenda, or no longer leaves it."""


@service
def put_on_agenda(
    *,
    session: EpreSession,
    parcours: Parcours,
    by: User,
    purpose: EprePurpose = EprePurpose.ENTRY,
    question: str = "",
    resources: str = "",
    tried: str = "",
) -> EpreItem:
    """Put a situation on the agenda of a session of its team; nothing goes there before a signed agreement.

    The coordination may complete the agenda of a session that is over, until it writes down who came.
    """
    current, where = locked(parcours), locked_session(session)
    if where.team_id != current.team_id:
        raise AgendaRefused("Cette séance est celle d’une autre équipe.", field="session")
    runs = where.team_id in by.standing.team_ids(Role.COORDINATOR)
    if where.state == EpreState.HELD or (where.on < timezone.localdate() and not runs):
        raise AgendaRefused("Cette séance est passée : choisissez une séance à venir.", field="session")
    _require_agreement(current, EprePurpose(purpose))
    if purpose == EprePurpose.RENEWAL and current.entered_on is None:
        raise AgendaRefused("Seul un parcours où l’enfant est entré se reconduit.", field="purpose")
    waiting = EpreItem.objects.filter(parcours=current, decision="", removed_on__isnull=True).first()
    if waiting is not None and not EpreItem.objects.pending().filter(pk=waiting.pk).exists():
        take_off(waiting, EpreRemoval.TAKEN_OFF)  # it had left that agenda by itself
        waiting = None
    if waiting is not None:
        raise AgendaRefused("Cette situation est déjà à l’ordre du jour d’une séance.")
    texts = _sheet(current, question, resources, tried)
    return add_item(where, current, by, purpose=purpose, **texts)


def add_item(session: EpreSession, parcours: Parcours, author: User, **values: str | None) -> EpreItem:
    """A row of the agenda, inside the transaction of its service; both are locked."""
    load_keys([parcours.data_key_id])
    last = session.items.aggregate(last=Max("number"))["last"] or 0
    item = EpreItem.objects.create(
        session=session,
        parcours=parcours,
        number=last + 1,
        added_by=author,
        data_key_id=parcours.data_key_id,
        **values,
    )
    record_change(item, "create")
    return item


def _require_agreement(parcours: Parcours, purpose: EprePurpose) -> None:
    """In force; but for a renewal, since an agreement that has run out is what the EPRE is asked to extend."""
    if purpose != EprePurpose.RENEWAL:
        require_agreement(parcours, AgendaRefused)
        return
    agreement = parcours.agreement
    withdrawn = agreement.signed_on is None or agreement.withdrawn_on is not None
    if withdrawn or agreement.holders.objecting().exists():
        raise AgendaRefused("L’accord de la famille est retiré ou contesté : rien ne va à l’EPRE.")


def _sheet(parcours: Parcours, question: str, resources: str, tried: str) -> dict[str, str | None]:
    texts = {"question": question.strip(), "resources": resources.strip(), "tried": tried.strip()}
    require_anonymous(Child.objects.get(pk=parcours.child_id), texts)
    return {name: text or None for name, text in texts.items()}


def locked_item(item: EpreItem) -> EpreItem:
    """A situation that nobody has decided, with its parcours and its session locked; refuses what no longer waits."""
    parcours, session = locked(item.parcours), locked_session(item.session)
    current = EpreItem.objects.pending().filter(pk=item.pk).first()
    if current is None:
        raise AgendaRefused("Cette situation n’est plus à l’ordre du jour : relisez la séance.")
    load_keys([parcours.data_key_id])
    current.parcours, current.session = parcours, session
    return current


@service
def write_sheet(
    *, item: EpreItem, by: User, purpose: EprePurpose, question: str, resources: str = "", tried: str = ""
) -> EpreItem:
    """Write the sheet that the members read; refuses a text that names the child or somebody around."""
    current = locked_item(item)
    for name, text in _sheet(current.parcours, question, resources, tried).items():
        setattr(current, name, text)
    current.purpose = purpose
    current.save()
    record_change(current, "change")
    return current


@service
def move_up(*, item: EpreItem, by: User) -> EpreItem:
    """Examine a situation before the one that precedes it: they exchange their numbers."""
    session = locked_session(item.session)
    if session.state == EpreState.HELD:
        raise AgendaRefused("La séance est tenue : les numéros sont ceux du compte rendu.")
    there = list(EpreItem.objects.there().filter(session=session).order_by("number"))
    place = next((rank for rank, one in enumerate(there) if one.pk == item.pk), 0)
    if place == 0:
        raise AgendaRefused("Cette situation est déjà la première.")
    before, moved = there[place - 1], there[place]
    load_keys([before.data_key_id, moved.data_key_id])
    numbers = before.number, moved.number
    moved.number = 0  # no two have the same one, even for a moment
    moved.save()
    before.number, moved.number = numbers[1], numbers[0]
    before.save()
    moved.save()
    record_change(moved, "order")
    return moved


@service
def remove_from_agenda(*, item: EpreItem, by: User) -> EpreItem:
    """Take a situation off before the session; one that is held loses nothing."""
    current = locked_item(item)
    if current.session.state == EpreState.HELD:
        raise AgendaRefused("La séance est tenue : décidez de la situation, ou ajournez-la.")
    take_off(current, EpreRemoval.TAKEN_OFF)
    return current


def leave_agendas(parcours: Parcours, removal: EpreRemoval) -> None:
    """What the end of a parcours or of its agreement does: no session examines it any more. The parcours is locked."""
    waiting = EpreItem.objects.filter(parcours=parcours, decision="", removed_on__isnull=True)
    for item in waiting.select_related("session"):
        take_off(item, removal)
