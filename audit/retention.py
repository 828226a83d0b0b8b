"""How long a personal record is kept: every personal model states one of these as ``retention``."""

from enum import Enum


class Retention(Enum):
    """The rule that ends a record's life, and where the rule comes from.

    The storage limitation of article 5(1)(e) of the GDPR is behind all of them; the lengths marked « DPO » are
    settings that the data protection officer confirms. Public archives leave with the visa of article L. 212-2 of
    the Code du patrimoine.
    """

    WITH_PARCOURS = "with_parcours"
    """With the child's file: 24 months (DPO) after the last contact, unless a hold is stated."""

    WITH_SAISINE = "with_saisine"
    """A saisine that opened nothing: the later of 31 August and 90 days after its receipt (DPO)."""

    WITH_FAMILY = "with_family"
    """Shared by siblings: with the last file of the family."""

    DRAFT = "draft"
    """What was typed and not sent: until it is sent or discarded, and with the child's file at the latest.

    One that belongs to no file yet goes fourteen days after it was last touched."""

    ACCOUNT = "account"
    """Who acted: as long as a file, a history row or an event names the account (GDPR, articles 5(2) and 32)."""

    JOURNAL = "journal"
    """Traces of access: 12 months (CNIL, délibération n° 2021-122 of 14 October 2021, « journalisation »)."""
