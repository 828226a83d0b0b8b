"""A number for every parcours, and for every share the membership under which it was made."""

from typing import Any

from django.db import migrations
from django.db.models import F
from django.utils import timezone

from pre_cases.models.access import make_number


def number_everything(apps: Any, schema_editor: Any) -> None:
    Parcours = apps.get_model("pre_cases", "Parcours")
    taken: set[str] = set()
    while (batch := list(Parcours.objects.filter(number__isnull=True).only("pk")[:2_000])):
        for parcours in batch:
            parcours.number = make_number()
            while parcours.number in taken:
                parcours.number = make_number()
            taken.add(parcours.number)
        Parcours.objects.bulk_update(batch, ["number"], batch_size=500)


def find_memberships(apps: Any, schema_editor: Any) -> None:
    """The membership held in the parcours's team on the day of the share; otherwise the latest one of the team, or of
    the person: none opens anything that it did not."""
    ParcoursShare = apps.get_model("pre_cases", "ParcoursShare")
    Membership = apps.get_model("referents", "Membership")
    for share in ParcoursShare.objects.filter(membership__isnull=True).select_related("content_object"):
        held = Membership.objects.filter(user=share.user_id).order_by("-starts_on", "-pk")
        here = held.filter(team=share.content_object.team_id)
        share.membership = here.filter(starts_on__lte=share.starts_on).first() or here.first() or held.first()
        share.save(update_fields=["membership"])
    # what ended before this change is not announced now
    over = ParcoursShare.objects.filter(revoked_at__isnull=False) | ParcoursShare.objects.filter(
        ends_on__lte=timezone.localdate()
    )
    over.update(end_told_at=F("granted_at"))


class Migration(migrations.Migration):

    dependencies = [
        ("pre_cases", "0003_access"),
    ]

    operations = [
        migrations.RunPython(number_everything, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(find_memberships, migrations.RunPython.noop, elidable=True),
    ]
