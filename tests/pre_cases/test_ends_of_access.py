"""Every way an access ends, at the next request: its date, its withdrawal, and what it was given under."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from pre_cases.models import Child, Parcours, ParcoursShare, Saisine, Task
from pre_cases.services.access import revoke_share
from pre_cases.services.assignment import assign_referent
from pre_cases.services.exceptional import end_exceptional_access
from pre_cases.services.parcours import reopen_parcours
from referents.models import Role, StandIn, User
from referents.services.stand_in import end_stand_in
from referents.tasks import tell_stand_in
from tests.cast import Cast, make_exceptional_access, make_stand_in, make_user
from tests.pre_cases.facts import again, close, join, leave, let_charter_expire, sees, suspend, withdraw

DAY = timedelta(days=1)


class Scene:
    """Inès's parcours, opened to David by a share, to Ibrahim by a replacement, to Lise by an exceptional access."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        self.lise = make_user("Lise", Role.COORDINATOR, cast.team_b)
        self.grants: dict[str, Any] = {
            "share": cast.share,
            "stand_in": make_stand_in(cast.benoit, self.ibrahim),
            "exceptional": make_exceptional_access(cast.ines_parcours, self.lise),
        }
        self.readers = {"share": cast.david, "stand_in": self.ibrahim, "exceptional": self.lise}


@pytest.fixture
def scene(cast: Cast) -> Scene:
    return Scene(cast)


def revoke(scene: Scene, kind: str) -> None:
    by = scene.cast.amina
    {
        "share": lambda: revoke_share(share=scene.grants["share"], by=by),
        "stand_in": lambda: end_stand_in(stand_in=scene.grants["stand_in"], by=by),
        "exceptional": lambda: end_exceptional_access(access=scene.grants["exceptional"], by=by),
    }[kind]()


def reassign(scene: Scene, kind: str) -> None:
    denis = make_user("Denis", Role.REFERENT, scene.cast.team_a)
    assign_referent(parcours=scene.cast.ines_parcours, referent=denis, by=scene.cast.amina)


ENDS: dict[str, Callable[[Scene, str], None]] = {
    "revoked": revoke,
    "closing": lambda scene, kind: close(scene.cast.ines_parcours, by=scene.cast.amina),
    "withdrawal of the agreement": lambda scene, kind: withdraw(scene.cast.ines_parcours, by=scene.cast.amina),
    "end of the membership": lambda scene, kind: leave(scene.readers[kind]),
    "account suspended": lambda scene, kind: suspend(scene.readers[kind]),
    "charter expired": lambda scene, kind: let_charter_expire(scene.readers[kind]),
    "end of the membership replaced": lambda scene, kind: leave(scene.cast.benoit),
    "reassignment": reassign,
}
OF_THE_REPLACEMENT = {"end of the membership replaced", "reassignment"}
KINDS = ("share", "stand_in", "exceptional")
CASES = [(kind, end) for end in ENDS for kind in KINDS if kind == "stand_in" or end not in OF_THE_REPLACEMENT]
GOES_ON = [(kind, end) for end in sorted(OF_THE_REPLACEMENT) for kind in ("share", "exceptional")]


def pages(scene: Scene) -> list[str]:
    parcours = scene.cast.ines_parcours.pk
    return [reverse(f"pre_cases:{name}", args=[parcours]) for name in ("parcours_detail", "parcours_print")]


class TestAccess:
    @pytest.mark.parametrize(("kind", "end"), CASES)
    def test_is_over_at_the_next_request(self, scene: Scene, signed_in, kind: str, end: str) -> None:
        """In the same session, of the same person: what answered no longer does, and the right is gone with it."""
        reader, parcours = scene.readers[kind], scene.cast.ines_parcours
        client = signed_in(reader)
        assert [client.get(url).status_code for url in pages(scene)] == [200, 200]
        ENDS[end](scene, kind)
        for url in pages(scene):
            response = client.get(url)
            assert response.status_code in (302, 404), (url, response.status_code)
            assert b"Morel" not in response.content
        assert not sees(reader, parcours)

    @pytest.mark.parametrize(("kind", "end"), CASES)
    def test_leaves_nothing_in_the_lists(self, scene: Scene, kind: str, end: str) -> None:
        ENDS[end](scene, kind)
        person = again(scene.readers[kind])
        if end in ("account suspended", "charter expired"):
            return  # no page answers such a person: the middleware and the sign-in are before the scopes
        parcours = Parcours.objects.filter(pk=scene.cast.ines_parcours.pk)
        for scope in ("shared_with", "stood_in_by", "exceptionally_opened_to", "visible_to", "editable_by"):
            assert not getattr(parcours, scope)(person).exists(), scope
        assert not Child.objects.visible_to(person).filter(pk=scene.cast.ines.pk).exists()
        assert not Saisine.objects.visible_to(person).filter(child=scene.cast.ines).exists()
        assert not Task.objects.of(person).exists()

    @pytest.mark.parametrize(("kind", "end"), GOES_ON)
    def test_goes_on_when_it_hangs_on_nobody_else(self, scene: Scene, kind: str, end: str) -> None:
        ENDS[end](scene, kind)
        assert sees(scene.readers[kind], scene.cast.ines_parcours)

    @pytest.mark.parametrize(("kind", "days"), [("share", 30), ("stand_in", 14), ("exceptional", 1)])
    def test_is_over_on_its_date(self, scene: Scene, kind: str, days: int) -> None:
        reader, parcours, now = scene.readers[kind], scene.cast.ines_parcours, timezone.now()
        with time_machine.travel(now + days * DAY - timedelta(minutes=5), tick=False):
            expected = kind == "exceptional" or timezone.localdate() < scene.grants[kind].ends_on
            assert sees(reader, parcours) is expected
        with time_machine.travel(now + (days - 1) * DAY, tick=False):
            assert sees(reader, parcours)
        with time_machine.travel(now + days * DAY + timedelta(minutes=5), tick=False):
            assert not sees(reader, parcours)

    @pytest.mark.parametrize("kind", KINDS)
    def test_is_not_woken_by_a_new_membership(self, scene: Scene, kind: str) -> None:
        reader = scene.readers[kind]
        role, team = reader.memberships.get().role, reader.memberships.get().team
        leave(reader)
        join(reader, role, team)
        assert not sees(reader, scene.cast.ines_parcours)
        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
            assert not sees(reader, scene.cast.ines_parcours)

    def test_is_not_woken_by_the_return_of_the_person_replaced(self, scene: Scene) -> None:
        """Benoît leaves and comes back: his parcours are his again, the former replacement is not."""
        leave(scene.cast.benoit)
        join(scene.cast.benoit, Role.REFERENT, scene.cast.team_a)
        assert not sees(scene.ibrahim, scene.cast.ines_parcours)
        assert sees(scene.cast.benoit, scene.cast.ines_parcours)

    @pytest.mark.parametrize("kind", KINDS)
    def test_comes_back_with_the_account_and_the_charter(self, scene: Scene, kind: str) -> None:
        """Suspended by mistake: the dates and the membership have not changed."""
        reader = scene.readers[kind]
        suspend(reader)
        assert not sees(reader, scene.cast.ines_parcours)
        User.objects.filter(pk=reader.pk).update(is_active=True)
        assert sees(reader, scene.cast.ines_parcours)

    @pytest.mark.parametrize("kind", ["share", "exceptional"])
    def test_is_not_woken_by_a_reopening(self, scene: Scene, kind: str) -> None:
        close(scene.cast.ines_parcours, by=scene.cast.amina)
        reopen_parcours(parcours=scene.cast.ines_parcours, reason="Par erreur", by=scene.cast.amina)
        assert not sees(scene.readers[kind], scene.cast.ines_parcours)

    def test_goes_on_while_the_account_replaced_is_only_suspended(self, scene: Scene) -> None:
        """An absence may be that too: the replacement holds until its own date."""
        suspend(scene.cast.benoit)
        assert sees(scene.ibrahim, scene.cast.ines_parcours)


class TestQueuedTask:
    @pytest.mark.parametrize("end", ["revoked", "end of the membership", "end of the membership replaced"])
    def test_says_nothing_of_a_replacement_that_is_over(self, scene: Scene, end: str) -> None:
        ENDS[end](scene, "stand_in")
        tell_stand_in(StandIn.objects.get().pk)
        assert mail.outbox == []

    def test_says_nothing_of_a_replacement_whose_date_has_come(self, scene: Scene) -> None:
        with time_machine.travel(timezone.now() + 14 * DAY, tick=False):
            tell_stand_in(StandIn.objects.get().pk)
        assert mail.outbox == []


class TestInForce:
    """The scope of the lists of accesses says what the scope of the parcours does."""

    @pytest.mark.parametrize(("kind", "end"), [case for case in CASES if case[1] not in ("charter expired",)])
    def test_agrees_with_the_reading(self, scene: Scene, kind: str, end: str) -> None:
        ENDS[end](scene, kind)
        if end in ("closing", "withdrawal of the agreement", "reassignment") and kind == "stand_in":
            return  # the replacement is of the whole caseload
        grant = scene.grants[kind]
        running = type(grant).objects.in_force().filter(pk=grant.pk)
        assert not running.exists()
        if end != "account suspended":
            assert not type(grant).objects.held_by(again(scene.readers[kind])).exists()

    def test_holds_while_nothing_has_ended(self, scene: Scene) -> None:
        for kind, grant in scene.grants.items():
            assert type(grant).objects.in_force().get() == grant
            assert type(grant).objects.held_by(again(scene.readers[kind])).get() == grant
        assert ParcoursShare.objects.in_force(timezone.localdate() + 30 * DAY).count() == 0
