"""What happens to the journal by itself: it is sealed every few seconds, and verified every night."""

from __future__ import annotations

import logging

from celery import shared_task

from audit.journal.checkpoint import export_checkpoint, require_continued
from audit.journal.integrity import verify_and_keep
from audit.journal.sealing import JournalDamaged, seal_committed
from audit.journal.seals import Seal
from audit.signing import SigningError

logger = logging.getLogger(__name__)


@shared_task(name="audit.seal_journal")
def seal_journal() -> int:
    """Seal what was committed and write the checkpoint; how many seals. What cannot be sealed waits, and is logged."""
    try:
        require_continued()
        if not Seal.objects.exists():
            export_checkpoint()
        made = seal_committed()
        export_checkpoint()
    except (JournalDamaged, SigningError, OSError) as error:
        logger.critical("The journal is not sealed: %s", error)
        return 0
    return made


@shared_task(name="audit.verify_journal")
def verify_journal() -> str:
    """Verify the whole journal and keep the result; the fault, or nothing."""
    return verify_and_keep().fault
