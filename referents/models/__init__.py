from referents.models.charter import CharterSignature
from referents.models.grant import Grant, StandIn, StandInReason
from referents.models.invitation import Invitation
from referents.models.territory import Arrondissement, Team
from referents.models.user import Membership, Role, User

__all__ = [
    "Arrondissement",
    "CharterSignature",
    "Grant",
    "Invitation",
    "Membership",
    "Role",
    "StandIn",
    "StandInReason",
    "Team",
    "User",
]
