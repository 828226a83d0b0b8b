from referents.models.territory import Arrondissement, Team
from referents.models.user import CharterSignature, Membership, Role, User

__all__ = ["Arrondissement", "CharterSignature", "Membership", "Role", "Team", "User"]
