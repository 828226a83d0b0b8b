from audit.journal.integrity import Verification
from audit.journal.models import Event
from audit.journal.seals import PurgedMonth, Seal

__all__ = ["Event", "PurgedMonth", "Seal", "Verification"]
