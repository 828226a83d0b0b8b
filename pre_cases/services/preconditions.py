"""What every change to a parcours asks first: the row locked and read again, a day that has come, an agreement."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.utils import timezone

from audit.services import Refused
from pre_cases.models import Child, Erasure, Parcours


class ParcoursIsClosed(Refused):
    """A closed parcours no longer changes."""


class ErasureUnderWay(Refused):
    """Whatever is written now would leave with the child."""


def locked(parcours: Parcours) -> Parcours:
    """The parcours as it stands once nobody else can change it; refuses a closed one."""
    current = Parcours.objects.select_for_update(of=("self",)).select_related("agreement").get(pk=parcours.pk)
    if current.is_closed:
        raise ParcoursIsClosed("Le parcours est clos : il ne se modifie plus. La coordination peut le rouvrir.")
    return current


def lock_child(child_id: UUID) -> None:
    """Of two people who open a parcours for the same child, the second one waits, then is told."""
    Child.objects.select_for_update(of=("self",)).only("pk").get(pk=child_id)
    require_not_frozen(child_id)


def require_not_frozen(child_id: UUID) -> None:
    """Nothing is written any more about a child whose erasure is approved; the child is locked by the caller."""
    if Erasure.objects.freezing().filter(subject_id=child_id).exists():
        raise ErasureUnderWay("L’effacement de ce parcours est approuvé : plus rien ne s’y écrit.")


def not_in_future(day: date, refusal: type[Refused], *, field: str) -> None:
    if day > timezone.localdate():
        raise refusal("Cette date est dans le futur.", field=field)


def require_agreement(parcours: Parcours, refusal: type[Refused]) -> None:
    """Nothing leaves those who follow without the family's agreement, in force today and opposed by no holder."""
    agreement = parcours.agreement
    if agreement.signed_on is None or agreement.withdrawn_on is not None:
        raise refusal("La famille a retiré son accord : rien ne peut plus être transmis hors de l’équipe.")
    if agreement.agreed_until_on is not None and agreement.agreed_until_on <= timezone.localdate():
        raise refusal("L’accord de la famille a expiré : faites-le d’abord reconduire.")
    require_no_objection(parcours, refusal)


def require_no_objection(parcours: Parcours, refusal: type[Refused]) -> None:
    """Nothing new begins while a holder of authority objects."""
    if parcours.agreement.holders.objecting().exists():
        raise refusal(
            "Un titulaire de l’autorité parentale s’est opposé par écrit : la coordination doit trancher ou clore."
        )
