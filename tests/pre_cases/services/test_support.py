"""Objectives, their results and their actions: what a closed parcours, the order of days and the future refuse."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.journal.models import Event
from partners.models import Organisation, Term
from pre_cases.models import Action, ActionMode, ActionNature, Objective, ObjectiveResult
from pre_cases.services.parcours import close_parcours
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.services.support import (
    ActionRefused,
    ObjectiveRefused,
    add_action,
    add_objective,
    end_action,
    record_result,
)
from tests.cast import Cast

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


def set_objective(cast: Cast, **values) -> Objective:
    values.setdefault("set_on", timezone.localdate())
    return add_objective(
        parcours=cast.ines_parcours,
        text="Arriver à l’heure",
        domain=Term.objects.get(pk="domain:educatif"),
        priority=Term.objects.get(pk="priority:decrochage"),
        by=cast.benoit,
        **values,
    )


def plan_action(cast: Cast, objective: Objective, **values) -> Action:
    return add_action(
        objective=objective,
        label="Étude du mardi",
        domain=Term.objects.get(pk="domain:periscolaire"),
        mode=ActionMode.COLLECTIVE,
        nature=ActionNature.COMMON,
        by=cast.benoit,
        **values,
    )


def close(cast: Cast) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)


class TestAddObjective:
    def test_keeps_the_family_s_words_without_a_result(self, cast: Cast, today) -> None:
        objective = Objective.objects.get(pk=set_objective(cast).pk)
        assert (objective.text, objective.set_on) == ("Arriver à l’heure", today)
        assert (objective.result, objective.result_on) == ("", None)
        assert objective.data_key_id == cast.ines.data_key_id

    def test_leaves_its_event_and_its_author(self, cast: Cast) -> None:
        objective = set_objective(cast)
        event = Event.objects.get(kind="pre_cases.objective")
        assert (event.action, event.actor_id, event.subject_id) == ("create", cast.benoit.pk, cast.ines_parcours.pk)
        assert objective.history.get().history_user_id == cast.benoit.pk

    def test_is_possible_from_the_first_day_and_not_before(self, cast: Cast) -> None:
        first = cast.ines_parcours.opened_on
        assert set_objective(cast, set_on=first).set_on == first
        with pytest.raises(ObjectiveRefused, match="n’était pas ouvert") as refusal:
            set_objective(cast, set_on=first - DAY)
        assert refusal.value.field == "set_on"

    def test_refuses_the_future(self, cast: Cast, today) -> None:
        with pytest.raises(ObjectiveRefused, match="futur") as refusal:
            set_objective(cast, set_on=today + DAY)
        assert refusal.value.field == "set_on"
        assert not Objective.objects.exists()

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        close(cast)
        with pytest.raises(ParcoursIsClosed, match="clos"):
            set_objective(cast)


class TestRecordResult:
    def test_replaces_the_former_result_and_keeps_both_in_the_history(self, cast: Cast, today) -> None:
        objective = set_objective(cast, set_on=today - 10 * DAY)
        record_result(objective=objective, result=ObjectiveResult.PARTLY, on=today - 5 * DAY, by=cast.benoit)
        record_result(objective=objective, result=ObjectiveResult.REACHED, on=today, by=cast.amina)
        current = Objective.objects.get(pk=objective.pk)
        assert (current.result, current.result_on) == (ObjectiveResult.REACHED, today)
        history = objective.history.order_by("history_id").values_list("result", "history_user_id")
        assert list(history) == [
            ("", cast.benoit.pk),
            (ObjectiveResult.PARTLY, cast.benoit.pk),
            (ObjectiveResult.REACHED, cast.amina.pk),
        ]

    def test_is_possible_from_the_day_it_was_set_and_not_before(self, cast: Cast, today) -> None:
        objective = set_objective(cast, set_on=today - 3 * DAY)
        with pytest.raises(ObjectiveRefused, match="pas encore fixé") as refusal:
            record_result(objective=objective, result=ObjectiveResult.REACHED, on=today - 4 * DAY, by=cast.benoit)
        assert refusal.value.field == "on"
        assert record_result(
            objective=objective, result=ObjectiveResult.REACHED, on=today - 3 * DAY, by=cast.benoit
        ).result_on == (today - 3 * DAY)

    def test_refuses_the_future(self, cast: Cast, today) -> None:
        objective = set_objective(cast)
        with pytest.raises(ObjectiveRefused, match="futur"):
            record_result(objective=objective, result=ObjectiveResult.REACHED, on=today + DAY, by=cast.benoit)
        objective.refresh_from_db()
        assert objective.result == ""

    def test_refuses_a_closed_parcours(self, cast: Cast, today) -> None:
        objective = set_objective(cast)
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            record_result(objective=objective, result=ObjectiveResult.REACHED, on=today, by=cast.benoit)


class TestAddAction:
    def test_is_only_planned_without_a_start(self, cast: Cast) -> None:
        action = plan_action(cast, set_objective(cast))
        assert (action.starts_on, action.ends_on) == (None, None)
        assert Event.objects.get(kind="pre_cases.action").subject_id == cast.ines_parcours.pk

    def test_keeps_its_partner_time_and_key(self, cast: Cast, today) -> None:
        partner = Organisation.objects.get(name="Les Amis du square")
        action = plan_action(cast, set_objective(cast), partner=partner, starts_on=today, ends_on=today + 7 * DAY)
        action = Action.objects.get(pk=action.pk)
        assert (action.partner, action.starts_on, action.ends_on) == (partner, today, today + 7 * DAY)
        assert (action.label, action.data_key_id) == ("Étude du mardi", cast.ines.data_key_id)

    @pytest.mark.parametrize(
        ("starts", "ends", "sentence", "field"),
        [
            (None, 3, "dites quand", "starts_on"),
            (-51, None, "n’était pas ouvert", "starts_on"),
            (0, -1, "précéder le début", "ends_on"),
        ],
    )
    def test_refuses_days_in_the_wrong_order(self, cast: Cast, today, starts, ends, sentence, field) -> None:
        objective = set_objective(cast)
        days = {name: None if n is None else today + n * DAY for name, n in (("starts_on", starts), ("ends_on", ends))}
        with pytest.raises(ActionRefused, match=sentence) as refusal:
            plan_action(cast, objective, **days)
        assert refusal.value.field == field
        assert not Action.objects.exists()

    def test_begins_at_the_earliest_on_the_day_of_the_opening(self, cast: Cast) -> None:
        opened = cast.ines_parcours.opened_on
        assert plan_action(cast, set_objective(cast), starts_on=opened, ends_on=opened).starts_on == opened

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        objective = set_objective(cast)
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            plan_action(cast, objective)


class TestEndAction:
    def test_counts_its_last_day_in(self, cast: Cast, today) -> None:
        action = plan_action(cast, set_objective(cast), starts_on=today - 5 * DAY)
        assert end_action(action=action, on=today, by=cast.benoit).ends_on == today + DAY

    def test_happens_once(self, cast: Cast, today) -> None:
        action = plan_action(cast, set_objective(cast), starts_on=today - 5 * DAY)
        end_action(action=action, on=today - DAY, by=cast.benoit)
        with pytest.raises(ActionRefused, match="déjà terminée"):
            end_action(action=action, on=today, by=cast.benoit)
        assert Action.objects.get(pk=action.pk).ends_on == today

    def test_refuses_the_future_and_a_day_before_the_beginning(self, cast: Cast, today) -> None:
        action = plan_action(cast, set_objective(cast), starts_on=today)
        for day, sentence in ((today + DAY, "futur"), (today - DAY, "n’avait pas commencé")):
            with pytest.raises(ActionRefused, match=sentence) as refusal:
                end_action(action=action, on=day, by=cast.benoit)
            assert refusal.value.field == "on"

    def test_refuses_what_was_only_planned(self, cast: Cast, today) -> None:
        action = plan_action(cast, set_objective(cast))
        with pytest.raises(ActionRefused, match="n’avait pas commencé"):
            end_action(action=action, on=today, by=cast.benoit)

    def test_refuses_a_closed_parcours(self, cast: Cast, today) -> None:
        action = plan_action(cast, set_objective(cast), starts_on=today)
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            end_action(action=action, on=today, by=cast.benoit)
