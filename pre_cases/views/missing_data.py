"""What the annual statistics lack, before they are made."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from pre_cases.models import Assignment, Parcours
from pre_cases.querysets.parcours import CONDITIONS, LACKS, ParcoursFlag
from pre_cases.views.board import NOBODY, coordinated_team
from referents.models import User
from referents.requests import SignedInRequest


@require_safe
def team_missing(request: SignedInRequest, code: str) -> HttpResponse:
    """What the annual statistics lack, référent by référent; every figure opens the list it counts."""
    team = coordinated_team(request, code)
    today = timezone.localdate()
    follower = Assignment.objects.current(today).filter(parcours=OuterRef("pk")).values("referent")[:1]
    lacking = Parcours.objects.in_team(team.pk).open().annotate(follower=Subquery(follower)).order_by()
    flags = (ParcoursFlag.INCOMPLETE, *LACKS)
    counted = {flag.name: Count("pk", filter=CONDITIONS[flag](today)) for flag in flags}
    found: dict[int | None, dict[str, Any]] = {
        row["follower"]: dict(row) for row in lacking.values("follower").annotate(**counted)
    }
    names = {person.pk: person.get_full_name() for person in User.objects.filter(pk__in=[pk for pk in found if pk])}
    url = reverse("pre_cases:team_parcours", args=[team.code])
    rows = [
        {
            "name": names.get(pk, "Sans référent"),
            "cells": [
                {
                    "label": flag.label,
                    "count": row[flag.name],
                    "url": f"{url}?referent={pk or NOBODY}&filtre={flag.value}",
                }
                for flag in flags
            ],
        }
        for pk, row in sorted(found.items(), key=lambda item: (item[0] is None, -item[1]["INCOMPLETE"], item[0] or 0))
    ]
    context = {"team": team, "flags": flags, "rows": [row for row in rows if row["cells"][0]["count"]]}
    return render(request, "pre_cases/team_missing.html", context)
