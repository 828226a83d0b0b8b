"""One of two parents objects while the parcours runs: everything new stops at once, until it is settled or closed."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.services import Refused
from partners.models import Term
from pre_cases.models import Adult, AgreementHolder, ChildAdult, Parcours
from pre_cases.querysets.parcours import ParcoursFlag
from pre_cases.services.access import share_parcours
from pre_cases.services.agreement import withdraw_agreement
from pre_cases.services.dates import wrong_dates
from pre_cases.services.objection import ObjectionRefused, record_objection, settle_objection
from pre_cases.services.partnership import enrol_child
from pre_cases.services.support import add_action, add_objective
from tests.cast import Cast, make_enrolment, make_user

DAY = timedelta(days=1)


@pytest.fixture
def father(cast: Cast) -> Adult:
    """A second holder, informed when the mother signed."""
    child, agreement = cast.ines, cast.ines_parcours.agreement
    with acting_as(system_account()):
        father = Adult.objects.create(
            family=child.family, first_name="Paul", family_name="Morel", data_key_id=child.family.data_key_id
        )
        ChildAdult.objects.create(
            child=child,
            adult=father,
            relation="father",
            holds_authority=True,
            starts_on=agreement.presented_on,
            data_key_id=child.data_key_id,
        )
        AgreementHolder.objects.create(
            agreement=agreement,
            adult=father,
            informed_on=agreement.signed_on,
            informed_means="phone",
            data_key_id=child.data_key_id,
        )
    return father


def object_to(cast: Cast, adult: Adult, **values: Any) -> Parcours:
    values = {"on": timezone.localdate(), "by": cast.benoit} | values
    return record_objection(parcours=cast.ines_parcours, adult=adult, **values)


def new_things(cast: Cast) -> list[Any]:
    """Whatever an opposition forbids, ready to be done."""
    parcours, benoit, today = cast.ines_parcours, cast.benoit, timezone.localdate()
    objective = add_objective(
        parcours=parcours,
        text="x",
        domain=Term.objects.get(pk="domain:educatif"),
        priority=Term.objects.get(pk="priority:sante"),
        set_on=today,
        by=benoit,
    )
    reader = make_user("Lucie", "epre_member", cast.team_a)
    return [
        lambda: share_parcours(parcours=parcours, user=reader, reason="x", ends_on=today + 9 * DAY, by=benoit),
        lambda: enrol_child(parcours=parcours, project=cast.project, by=benoit),
        lambda: add_action(
            objective=objective, label="x", domain=objective.domain, mode="individual", nature="pre", by=benoit
        ),
    ]


class TestRecordObjection:
    def test_stops_what_is_new_the_same_day(self, cast: Cast, father: Adult) -> None:
        things = new_things(cast)
        object_to(cast, father)
        for thing in things:
            with pytest.raises(Refused, match="s’est opposé"):
                thing()

    def test_closes_the_shares_at_once_and_leaves_the_file_to_who_follows(self, cast: Cast, father: Adult) -> None:
        assert Parcours.objects.shared_with(cast.david).exists()
        object_to(cast, father)
        assert not Parcours.objects.shared_with(cast.david).exists()
        assert Parcours.objects.visible_to(cast.benoit).filter(pk=cast.ines_parcours.pk).exists()

    def test_is_for_the_coordination_to_settle_within_thirty_days(self, cast: Cast, father: Adult) -> None:
        object_to(cast, father)
        parcours = Parcours.objects.get(pk=cast.ines_parcours.pk)
        assert parcours.due_on == timezone.localdate() + timedelta(days=settings.OBJECTION_DAYS)
        assert list(Parcours.objects.flagged(ParcoursFlag.OPPOSED)) == [parcours]
        assert list(wrong_dates(Parcours.objects.all())) == []

    def test_may_be_a_signature_taken_back_while_another_one_stays(self, cast: Cast, father: Adult) -> None:
        holder = AgreementHolder.objects.get(adult=father)
        with acting_as(system_account()):
            holder.signed_on, holder.informed_on, holder.informed_means = (
                cast.ines_parcours.agreement.signed_on,
                None,
                "",
            )
            holder.save()
        object_to(cast, father)
        holder.refresh_from_db()
        assert holder.signed_on is not None
        assert holder.is_objecting

    def test_of_the_only_signatory_is_a_withdrawal(self, cast: Cast, father: Adult) -> None:
        mother = cast.ines.family.adults.exclude(pk=father.pk).get()
        with pytest.raises(ObjectionRefused, match="retrait de l’accord") as refusal:
            object_to(cast, mother)
        assert refusal.value.field == "adult"
        assert not AgreementHolder.objects.objecting().exists()

    def test_refuses_a_day_to_come_another_adult_and_a_second_time(self, cast: Cast, father: Adult) -> None:
        with pytest.raises(ObjectionRefused, match="futur"):
            object_to(cast, father, on=timezone.localdate() + DAY)
        with pytest.raises(ObjectionRefused, match="titulaire"):
            object_to(cast, cast.tom.family.adults.get())
        object_to(cast, father)
        with pytest.raises(ObjectionRefused, match="déjà"):
            object_to(cast, father)


class TestSettleObjection:
    def test_lets_what_had_stopped_go_on(self, cast: Cast, father: Adult) -> None:
        things = new_things(cast)
        object_to(cast, father)
        settle_objection(
            parcours=cast.ines_parcours, on=timezone.localdate(), how="Les parents se sont vus.", by=cast.amina
        )
        for thing in things:
            thing()
        assert not Parcours.objects.flagged(ParcoursFlag.OPPOSED).exists()
        assert Parcours.objects.shared_with(cast.david).exists(), "the share that ran is open again"
        assert list(wrong_dates(Parcours.objects.all())) == []

    def test_may_be_followed_by_another_opposition(self, cast: Cast, father: Adult) -> None:
        for _ in range(2):
            object_to(cast, father)
            settle_objection(parcours=cast.ines_parcours, on=timezone.localdate(), how="x", by=cast.amina)
        assert AgreementHolder.objects.get(adult=father).history.count() == 5

    def test_asks_how_and_refuses_without_an_opposition(self, cast: Cast, father: Adult) -> None:
        with pytest.raises(ObjectionRefused, match="Aucune"):
            settle_objection(parcours=cast.ines_parcours, on=timezone.localdate(), how="x", by=cast.amina)
        object_to(cast, father)
        with pytest.raises(ObjectionRefused) as refusal:
            settle_objection(parcours=cast.ines_parcours, on=timezone.localdate(), how=" ", by=cast.amina)
        assert refusal.value.field == "how"


class TestWithdrawal:
    def test_ends_everything_the_same_day(self, cast: Cast) -> None:
        """The parcours, who follows it, the places and the shares; what was suspended too."""
        today = timezone.localdate()
        enrolment = make_enrolment(cast.ines_parcours, cast.project, starts_on=today - 9 * DAY)
        withdraw_agreement(parcours=cast.ines_parcours, on=today, by=cast.benoit)
        parcours = Parcours.objects.get(pk=cast.ines_parcours.pk)
        enrolment.refresh_from_db()
        assert parcours.closed_on == today
        assert enrolment.ends_on == today
        assert not parcours.assignments.current().exists()
        assert not Parcours.objects.shared_with(cast.david).exists()
        assert not Parcours.objects.visible_to(cast.benoit).filter(pk=parcours.pk).exists()
