"""The directory of organisations: adding one, keeping it up to date."""

from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Organisation, OrganisationKind
from referents.models import Arrondissement, User
from referents.text import normalised


class OrganisationExists(Refused):
    """Another organisation bears the same name, accents and case aside."""


@service
def create_organisation(
    *,
    name: str,
    kind: OrganisationKind,
    by: User,
    arrondissement: Arrondissement | None = None,
    in_qpv: bool = False,
    address: str = "",
    phone: str = "",
) -> Organisation:
    """Add an organisation to the directory."""
    organisation = _written(
        Organisation(),
        name=name,
        kind=kind,
        arrondissement=arrondissement,
        in_qpv=in_qpv,
        address=address,
        phone=phone,
    )
    record_change(organisation, "create")
    return organisation


@service
def change_organisation(
    *,
    organisation: Organisation,
    name: str,
    kind: OrganisationKind,
    by: User,
    arrondissement: Arrondissement | None = None,
    in_qpv: bool = False,
    address: str = "",
    phone: str = "",
) -> Organisation:
    """Replace what the directory says of an organisation."""
    current = Organisation.objects.select_for_update().get(pk=organisation.pk)
    _written(current, name=name, kind=kind, arrondissement=arrondissement, in_qpv=in_qpv, address=address, phone=phone)
    record_change(current, "change")
    return current


def _written(organisation: Organisation, **values: object) -> Organisation:
    for field, value in values.items():
        setattr(organisation, field, value)
    same_name = Organisation.objects.filter(search_name=normalised(organisation.name))
    if same_name.exclude(pk=organisation.pk).exists():
        raise OrganisationExists("Cet organisme est déjà dans l’annuaire : cherchez-le par son nom.", field="name")
    organisation.save()
    return organisation
