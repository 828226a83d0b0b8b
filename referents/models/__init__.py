from referents.models.charter import CharterSignature
from referents.models.invitation import Invitation
from referents.models.territory import Arrondissement, Team
from referents.models.user import Membership, Role, User

__all__ = ["Arrondissement", "CharterSignature", "Invitation", "Membership", "Role", "Team", "User"]
