"""Which documents. Their rights are those of their parcours; a share does not cover them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef

if TYPE_CHECKING:
    from pre_cases.models import Document
    from referents.models import User


class DocumentQuerySet(models.QuerySet["Document"]):
    def kept(self) -> DocumentQuerySet:
        """Those whose file is still there."""
        return self.filter(removed_at__isnull=True)

    def visible_to(self, user: User) -> DocumentQuerySet:
        """For who follows the parcours and for its coordination, once it is closed too."""
        from pre_cases.models import Parcours

        return self.kept().filter(Exists(Parcours.objects.carried_by(user).filter(pk=OuterRef("parcours"))))

    def editable_by(self, user: User) -> DocumentQuerySet:
        from pre_cases.models import Parcours

        return self.kept().filter(Exists(Parcours.objects.editable_by(user).filter(pk=OuterRef("parcours"))))
