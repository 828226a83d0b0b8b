"""Who replaces somebody has that person's rights on the files of one team: all of them, those only, and on record."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.journal.models import Event
from pre_cases.models import Child, Parcours, Saisine, Task
from pre_cases.services.timeline import add_task
from referents.models import Role, User
from tests.cast import (
    Cast,
    make_child,
    make_exceptional_access,
    make_parcours,
    make_saisine,
    make_share,
    make_stand_in,
    make_user,
)
from tests.pre_cases.facts import again, changes, join, sees
from tests.test_access_matrix import HIDDEN, MATRIX, OPEN, WITHOUT_ARGUMENT, address_of, ask, nowhere, seen

TOMORROW = timedelta(days=1)
# what a référent does about one's own caseload, and that nobody does in one's place
ONE_S_OWN = {
    "pre_cases:caseload_hand_over",
    "pre_cases:stand_in_create",
    "pre_cases:stand_in_end",
    "pre_cases:hand_over_refuse",
    "pre_cases:hand_over_cancel",
    "pre_cases:entry_correct",
    "pre_cases:entry_template_remove",
}
# of the whole team, or of whoever holds the address
NOBODY_S_OWN = {
    "pre_cases:session_detail",
    "pre_cases:session_sheets",
    "pre_cases:session_sheets_pdf",
    "pre_cases:calendar_feed",
}
PAGES = [
    name
    for name in MATRIX
    if name.startswith("pre_cases:") and name not in WITHOUT_ARGUMENT and name not in NOBODY_S_OWN
]
CARRIED = [name for name in PAGES if MATRIX[name][1] == OPEN and name not in ONE_S_OWN]
NOT_CARRIED = [name for name in PAGES if MATRIX[name][1] == HIDDEN or name in ONE_S_OWN]


@pytest.fixture
def elsa(cast: Cast) -> User:
    """A colleague of Benoît, who replaces him today."""
    elsa = make_user("Elsa", Role.REFERENT, cast.team_a)
    make_stand_in(cast.benoit, elsa)
    return elsa


def a_task(assignee: User, **parent: object) -> Task:
    due_on = timezone.localdate()
    return add_task(label="Appeler l’école", due_on=due_on, assignee=assignee, by=assignee, **parent)


class TestEveryPage:
    @pytest.mark.parametrize("name", CARRIED)
    def test_answers_as_to_the_person_replaced_and_says_for_whom(
        self, name: str, cast: Cast, elsa: User, signed_in
    ) -> None:
        url = address_of(name, cast)
        response = ask(signed_in(elsa), name, url)
        assert seen(response) == OPEN
        response.getvalue()  # a file that is sent stays open until it is read
        events = Event.objects.filter(actor_id=elsa.pk).exclude(action="sign_in")
        assert events.exists()
        assert {event.acting_for_id for event in events} == {cast.benoit.pk}

    @pytest.mark.parametrize("name", CARRIED)
    def test_is_the_colleague_s_own_affair_without_a_replacement(self, name: str, cast: Cast, signed_in) -> None:
        """The same person, the day before: a colleague, to whom the pages of Benoît's files are nothing."""
        if name == "pre_cases:parcours_card":
            return
        url = address_of(name, cast)
        colleague = signed_in(make_user("Elsa", Role.REFERENT, cast.team_a))
        assert seen(ask(colleague, name, url)) == HIDDEN

    @pytest.mark.parametrize("name", NOT_CARRIED)
    def test_hides_what_the_person_replaced_may_not_do_or_does_alone(
        self, name: str, cast: Cast, elsa: User, signed_in
    ) -> None:
        url, client = address_of(name, cast), signed_in(elsa)
        response, nothing = ask(client, name, url), ask(client, name, nowhere(name) or url)
        assert seen(response) == HIDDEN
        assert response.content == nothing.content


class TestStandIn:
    def test_reads_and_writes_the_caseload_and_its_saisines(self, cast: Cast, elsa: User) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        assert sees(elsa, cast.ines_parcours)
        assert changes(elsa, cast.ines_parcours)
        assert not again(elsa).has_perm("pre_cases.decide_parcours", cast.ines_parcours)
        person = again(elsa)
        assert list(Parcours.objects.stood_in_by(person)) == [cast.ines_parcours]
        assert list(Saisine.objects.instructed_by(person)) == [saisine]
        assert set(Child.objects.editable_by(person)) == {cast.ines, saisine.child}
        assert not Parcours.objects.followed_by(person).exists()

    def test_finds_the_tasks_in_what_is_to_do(self, cast: Cast, elsa: User, signed_in) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        tasks = {a_task(cast.benoit, parcours=cast.ines_parcours), a_task(cast.benoit, saisine=saisine)}
        a_task(cast.amina, parcours=cast.ines_parcours)
        assert set(Task.objects.of(again(elsa))) == tasks
        page = signed_in(elsa).get(reverse("pre_cases:my_tasks"))
        assert page.status_code == 200
        assert {task.pk for task in tasks} <= {task.pk for task in page.context["page"]}

    def test_signs_a_change_with_both_names(self, cast: Cast, elsa: User, signed_in) -> None:
        task = a_task(cast.benoit, parcours=cast.ines_parcours)
        client = signed_in(elsa)
        assert client.post(reverse("pre_cases:task_complete", args=[task.pk])).status_code == 302
        change = Event.objects.get(action="change", kind="pre_cases.task")
        assert (change.actor_id, change.acting_for_id) == (elsa.pk, cast.benoit.pk)
        url = reverse("pre_cases:comment_create", args=[cast.ines_parcours.pk])
        assert client.post(url, {"text": "Vu la mère"}).status_code == 302
        comment = Event.objects.get(action="create", kind="pre_cases.comment")
        assert (comment.actor_id, comment.acting_for_id) == (elsa.pk, cast.benoit.pk)

    def test_signs_one_s_own_files_alone(self, cast: Cast, elsa: User, signed_in) -> None:
        own = make_parcours(cast.team_a, referent=elsa, child=make_child("Zoé"))
        signed_in(elsa).get(reverse("pre_cases:parcours_detail", args=[own.pk]))
        signed_in(elsa).get(reverse("pre_cases:child_change", args=[own.child_id]))
        events = Event.objects.filter(actor_id=elsa.pk, action="read")
        assert [event.acting_for_id for event in events] == [None, None]

    def test_signs_alone_as_the_coordination_of_the_team(self, cast: Cast, signed_in) -> None:
        make_stand_in(cast.benoit, cast.amina)
        signed_in(cast.amina).get(reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk]))
        assert Event.objects.get(actor_id=cast.amina.pk, action="read").acting_for_id is None


class TestLimits:
    def test_stop_at_the_files_that_the_person_replaced_holds_for_another(self, cast: Cast, elsa: User) -> None:
        """Benoît himself replaces Denis: rows that no service makes, and that open nothing more to Elsa."""
        denis = make_user("Denis", Role.REFERENT, cast.team_a)
        parcours = make_parcours(cast.team_a, referent=denis, child=make_child("Zoé"))
        saisine = make_saisine(make_child("Malo"), cast.team_a, assignee=denis)
        make_stand_in(denis, cast.benoit)
        task = a_task(denis, parcours=parcours)
        assert changes(cast.benoit, parcours)
        assert not sees(elsa, parcours)
        assert not Saisine.objects.visible_to(again(elsa)).filter(pk=saisine.pk).exists()
        assert task in Task.objects.of(again(cast.benoit))
        assert task not in Task.objects.of(again(elsa))

    def test_stop_at_what_is_shared_with_or_opened_to_the_person_replaced(self, cast: Cast, elsa: User) -> None:
        join(cast.benoit, Role.EPRE_MEMBER, cast.team_b)
        make_share(cast.tom_parcours, cast.benoit)
        assert sees(cast.benoit, cast.tom_parcours)
        assert not sees(elsa, cast.tom_parcours)
        make_exceptional_access(cast.tom_parcours, cast.benoit)
        assert not sees(elsa, cast.tom_parcours)

    @pytest.mark.parametrize("role", [None, Role.REFERENT, Role.EPRE_MEMBER])
    def test_stop_at_the_team_of_the_replacement(self, cast: Cast, elsa: User, role: Role | None) -> None:
        """Benoît follows children in team B too; whatever Elsa is there, his files there stay his."""
        join(cast.benoit, Role.REFERENT, cast.team_b)
        if role is not None:
            join(elsa, role, cast.team_b)
        parcours = make_parcours(cast.team_b, referent=cast.benoit, child=make_child("Zoé"))
        saisine = make_saisine(make_child("Malo"), cast.team_b, assignee=cast.benoit)
        task = a_task(cast.benoit, parcours=parcours)
        assert sees(elsa, cast.ines_parcours)
        assert not sees(elsa, parcours)
        assert not Saisine.objects.visible_to(again(elsa)).filter(pk=saisine.pk).exists()
        assert task not in Task.objects.of(again(elsa))

    def test_leave_the_tasks_of_another_team_to_the_person_replaced(self, cast: Cast, elsa: User) -> None:
        """Elsa coordinates team B: she may read those files, but Benoît's tasks there are not hers to do."""
        join(cast.benoit, Role.REFERENT, cast.team_b)
        join(elsa, Role.COORDINATOR, cast.team_b)
        parcours = make_parcours(cast.team_b, referent=cast.benoit, child=make_child("Zoé"))
        task = a_task(cast.benoit, parcours=parcours)
        assert sees(elsa, parcours)
        assert task not in Task.objects.of(again(elsa))

    def test_stop_at_the_closing(self, cast: Cast, elsa: User) -> None:
        closed = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"))
        Parcours.objects.filter(pk=closed.pk).update(closed_on=timezone.localdate(), exit_reason="exit_reason:autre")
        assert not sees(elsa, closed)

    def test_begin_on_the_first_day(self, cast: Cast) -> None:
        denis = make_user("Denis", Role.REFERENT, cast.team_a)
        today = timezone.localdate()
        make_stand_in(cast.benoit, denis, starts_on=today + TOMORROW, ends_on=today + 3 * TOMORROW)
        assert not sees(denis, cast.ines_parcours)

    def test_take_nothing_away_from_the_person_replaced(self, cast: Cast, elsa: User) -> None:
        assert changes(cast.benoit, cast.ines_parcours)
