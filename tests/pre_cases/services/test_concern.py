"""An information préoccupante: the fact only, for its author and the coordination only."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pre_cases.models import ConcernReported, Parcours
from pre_cases.past import past_of
from pre_cases.services.assignment import assign_referent
from pre_cases.services.concern import ConcernRefused, report_concern
from pre_cases.timeline import timeline_of
from referents.models import Role, User
from tests.cast import Cast, make_exceptional_access, make_stand_in, make_user


@pytest.fixture
def concern(cast: Cast) -> ConcernReported:
    return report_concern(
        parcours=cast.ines_parcours, reported_on=timezone.localdate(), addressee="crip", by=cast.benoit
    )


def known_to(user: User) -> bool:
    return ConcernReported.objects.visible_to(User.objects.get(pk=user.pk)).exists()


class TestReportConcern:
    def test_holds_no_text(self) -> None:
        kinds = {field.get_internal_type() for field in ConcernReported._meta.concrete_fields}
        assert kinds == {"UUIDField", "ForeignKey", "DateField", "CharField"}
        assert ConcernReported._meta.get_field("addressee").choices

    def test_refuses_a_day_to_come_one_before_the_saisine_and_the_same_twice(
        self, cast: Cast, concern: ConcernReported
    ) -> None:
        for days in (1, -400):
            on = timezone.localdate() + timedelta(days=days)
            with pytest.raises(ConcernRefused) as refusal:
                report_concern(parcours=cast.ines_parcours, reported_on=on, addressee="119", by=cast.benoit)
            assert refusal.value.field == "reported_on"
        with pytest.raises(ConcernRefused, match="déjà"):
            report_concern(
                parcours=cast.ines_parcours, reported_on=concern.reported_on, addressee="crip", by=cast.benoit
            )


class TestVisibleTo:
    def test_is_the_author_and_the_coordination(self, cast: Cast, concern: ConcernReported) -> None:
        assert {person.first_name for person in cast if known_to(person)} == {"Amina", "Benoît"}

    def test_is_neither_who_replaces_nor_who_reads_by_exception(self, cast: Cast, concern: ConcernReported) -> None:
        replacing = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        make_stand_in(cast.benoit, replacing)
        other = make_user("Lise", Role.COORDINATOR, cast.team_b)
        make_exceptional_access(cast.ines_parcours, other)
        for person in (replacing, other):
            assert Parcours.objects.visible_to(person).filter(pk=cast.ines_parcours.pk).exists()
            assert not known_to(person)

    def test_is_not_the_next_referent_nor_the_former_one(self, cast: Cast, concern: ConcernReported) -> None:
        ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        assign_referent(parcours=cast.ines_parcours, referent=ibrahim, by=cast.amina)
        assert not known_to(ibrahim)
        assert not known_to(cast.benoit)


class TestSilence:
    def test_is_kept_by_the_timeline_and_by_the_history(self, cast: Cast, concern: ConcernReported) -> None:
        parcours = Parcours.objects.with_page().get(pk=cast.ines_parcours.pk)
        told = str(timeline_of(parcours, everything=True)) + str(past_of(parcours, everything=True))
        assert "préoccupante" not in told
        assert "CRIP" not in told
