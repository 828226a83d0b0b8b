"""Whom to sign in as in the demonstration. No database here: the sign-in page shows this list."""

from base64 import b32encode
from dataclasses import dataclass
from hashlib import sha256

DEMO_DOMAIN = "demo.marelle.example"
DEMO_PASSWORD = "un-deux-trois-soleil"  # noqa: S105  # nosec B105 - of the invented city only, shown on its first page


@dataclass(frozen=True)
class DemoAccount:
    first_name: str
    last_name: str
    description: str
    email: str

    @property
    def code_secret(self) -> str:
        """What to type in an application of codes, to be this person on a telephone."""
        return code_secret(self.email)


def code_secret(email: str) -> str:
    """The secret of an invented account's application of codes: always the same, and no secret at all."""
    return b32encode(sha256(f"demo {email}".encode()).digest()[:20]).decode()


AMINA = DemoAccount("Amina", "Belkacem", "coordinatrice de deux équipes", f"amina@{DEMO_DOMAIN}")
BENOIT = DemoAccount("Benoît", "Carpentier", "référent de parcours", f"benoit@{DEMO_DOMAIN}")
CHLOE = DemoAccount("Chloé", "Delmas", "référente de parcours, dans une autre équipe", f"chloe@{DEMO_DOMAIN}")
DAVID = DemoAccount("David", "Estève", "membre de l’EPRE", f"david@{DEMO_DOMAIN}")
ESTHER = DemoAccount("Esther", "Fontanel", "pilotage du programme", f"esther@{DEMO_DOMAIN}")
FARID = DemoAccount("Farid", "Guerroudj", "porteur d’un projet associatif", f"farid@{DEMO_DOMAIN}")
GAELLE = DemoAccount("Gaëlle", "Hervieu", "déléguée à la protection des données", f"gaelle@{DEMO_DOMAIN}")
HUGO = DemoAccount("Hugo", "Isambert", "administrateur technique", f"hugo@{DEMO_DOMAIN}")

DEMO_ACCOUNTS = [BENOIT, AMINA, CHLOE, DAVID, FARID, ESTHER, GAELLE, HUGO]
