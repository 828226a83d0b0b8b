from referents.models.grant import Grant, StandIn, StandInReason
from referents.models.territory import Arrondissement, Team
from referents.models.user import CharterSignature, Membership, Role, User

__all__ = [
    "Arrondissement",
    "CharterSignature",
    "Grant",
    "Membership",
    "Role",
    "StandIn",
    "StandInReason",
    "Team",
    "User",
]
