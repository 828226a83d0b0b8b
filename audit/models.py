from audit.journal.models import Event

__all__ = ["Event"]
