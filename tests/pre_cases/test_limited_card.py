"""What a référent keeps of a parcours once it is passed on: the limited card, on every page that there is."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from pre_cases.models import HandOver
from pre_cases.services.access_request import ask_access
from pre_cases.services.draft import save_draft
from pre_cases.services.hand_over import accept_hand_over, ask_hand_over
from pre_cases.services.timeline import add_task
from referents.models import Role, User
from tests import test_access_matrix as matrix
from tests.cast import Cast, make_document, make_enrolment, make_share, make_user
from tests.pre_cases.facts import join, leave
from tests.test_access_matrix import HIDDEN, MATRIX, WITHOUT_ARGUMENT, ask, nowhere, seen

DAY = timedelta(days=1)
CARD = "pre_cases:parcours_card"
# pages about no parcours: a team, a caseload, a hand-over, an export, a project
OTHER_SUBJECTS = {
    "team_board",
    "team_parcours",
    "team_search",
    "team_statistics",
    "caseload_hand_over",
    "stand_in_create",
    "stand_in_end",
    "hand_over_refuse",
    "hand_over_cancel",
    "exceptional_end",
    "exceptional_review",
    "notice_settle",
    "export_detail",
    "export_download",
    "project_change",
    "entry_template_remove",
    "calendar_feed",
    "session_detail",
    "session_sheets",
    "session_sheets_pdf",
}
SAISINE = (
    "saisine_detail",
    "saisine_assign",
    "saisine_outcome",
    "saisine_entry",
    "saisine_print",
    "saisine_change",
    "saisine_complete",
    "parcours_open",
)


def about_ines(name: str, cast: Cast) -> str:
    """The page about Inès's own file: her parcours, what hangs on it, or the saisine it came from."""
    short = name.removeprefix("pre_cases:")
    if short in SAISINE or (short.startswith("agreement_") and short != "agreement_withdraw"):
        return reverse(name, args=[cast.ines_parcours.saisine_id])
    if short in ("parcours_reopen", "parcours_enter", "item_create"):
        return reverse(name, args=[cast.ines_parcours.pk])
    if short == "item_remove":
        return reverse(name, args=[matrix.ARGUMENT["pre_cases:item_write"](cast)])
    return matrix.address_of(name, cast)


PAGES = [
    name
    for name in MATRIX
    if name.startswith("pre_cases:")
    and name not in WITHOUT_ARGUMENT
    and name.removeprefix("pre_cases:") not in OTHER_SUBJECTS
]


def pass_on(cast: Cast, ibrahim: User) -> HandOver:
    load_keys_of(cast.ines_parcours)
    waiting = ask_hand_over(
        parcours_list=[cast.ines_parcours], from_referent=cast.benoit, to_referent=ibrahim, by=cast.benoit
    )[0]
    return accept_hand_over(hand_over=waiting, by=ibrahim)


class TestFormerReferent:
    @pytest.mark.parametrize("name", PAGES)
    def test_finds_nothing_on_any_page_but_the_card(self, name: str, cast: Cast, ibrahim: User, signed_in) -> None:
        url = about_ines(name, cast)
        pass_on(cast, ibrahim)
        client = signed_in(cast.benoit)
        response = ask(client, name, url)
        if name == CARD:
            assert response.status_code == 200
            return
        assert seen(response) == HIDDEN
        assert response.content == ask(client, name, nowhere(name) or url).content

    def test_is_known_by_every_list(self, cast: Cast, ibrahim: User, signed_in) -> None:
        """No list, count or search gives more than the first name; what is promised to go is gone."""
        due_on = timezone.localdate() + DAY
        add_task(
            parcours=cast.ines_parcours, label="Tâche secrète", due_on=due_on, assignee=cast.benoit, by=cast.benoit
        )
        save_draft(parcours=cast.ines_parcours, form="entry", content={"text": "À peine ébauché"}, by=cast.benoit)
        make_enrolment(cast.ines_parcours, cast.project)
        make_document(cast.ines_parcours, cast.benoit)
        pass_on(cast, ibrahim)
        client = signed_in(cast.benoit)
        for name in ("my_parcours", "my_tasks", "shared_parcours", "stood_in_parcours", "saisine_list", "my_accesses"):
            page = client.get(reverse(f"pre_cases:{name}")).content.decode()
            for hidden in (str(cast.ines_parcours.pk), "Morel", "Tâche secrète", "À peine ébauché", "CE2"):
                assert hidden not in page, (name, hidden)
        home = client.get(reverse("home"), follow=True).content.decode()
        assert str(cast.ines_parcours.pk) not in home
        for name in ("parcours_search", "saisine_search"):
            found = client.post(reverse(f"pre_cases:{name}"), {"name": "Morel"}).content.decode()
            assert str(cast.ines_parcours.pk) not in found
        assert str(cast.ines_parcours.pk) in client.get(reverse("pre_cases:colleague_list")).content.decode()

    def test_no_longer_reads_to_whom_it_was_shared(self, cast: Cast, ibrahim: User, signed_in) -> None:
        make_share(cast.ines_parcours, make_user("Léa", Role.EPRE_MEMBER, cast.team_a))
        type(cast.share).objects.all().update(granted_by=cast.benoit)
        url = reverse("pre_cases:my_accesses")
        assert "lit le parcours de Inès" in signed_in(cast.benoit).get(url).content.decode()
        pass_on(cast, ibrahim)
        page = signed_in(cast.benoit).get(url).content.decode()
        assert "lit le parcours" not in page
        assert reverse("pre_cases:share_revoke", args=[cast.share.pk]) not in page

    def test_keeps_the_first_name_of_what_was_passed_while_in_the_team(
        self, cast: Cast, ibrahim: User, signed_in
    ) -> None:
        """Once the team is left, not even that: the card is for colleagues."""
        pass_on(cast, ibrahim)
        ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=cast.benoit)
        url = reverse("pre_cases:my_accesses")
        assert "Inès" in signed_in(cast.benoit).get(url).content.decode()
        leave(cast.benoit)
        join(cast.benoit, Role.REFERENT, cast.team_b)
        page = signed_in(cast.benoit).get(url).content.decode()
        assert "Inès" not in page

    def test_has_promised_nothing_else(self, cast: Cast, ibrahim: User, signed_in) -> None:
        """The page that is read before proposing says it in the same words."""
        url = reverse("pre_cases:caseload_hand_over", args=[cast.benoit.memberships.get().pk])
        typed = {"parcours_list": [cast.ines_parcours.pk], "to_referent": ibrahim.pk}
        page = signed_in(cast.benoit).post(url, typed).content.decode()
        assert "n’en garde que la fiche (prénom, référent, équipe)" in page
        assert "ses brouillons sur ces parcours sont effacés" in page


class TestLimitedCard:
    def body(self, cast: Cast, ibrahim: User, signed_in, name: str) -> str:
        """The page without its frame: what is said about the child stands between ``<main`` and its end."""
        args = [cast.ines_parcours.pk] if name == "parcours_card" else []
        response = signed_in(ibrahim).get(reverse(f"pre_cases:{name}", args=args))
        assert response.status_code == 200
        return response.content.decode()

    @pytest.mark.parametrize("name", ["parcours_card", "colleague_list"])
    def test_says_the_first_name_the_referent_and_the_team_and_nothing_else(
        self, cast: Cast, ibrahim: User, signed_in, name: str
    ) -> None:
        due_on = date(2031, 7, 23)
        with acting_as(system_account()):
            type(cast.ines_parcours).objects.filter(pk=cast.ines_parcours.pk).update(due_on=due_on)
        page = self.body(cast, ibrahim, signed_in, name)
        for shown in ("Inès", "Benoît", cast.team_a.name):
            assert shown in page
        birth = cast.ines.birth_date
        parcours = cast.ines_parcours
        hidden = [
            "Morel",
            "Nadia",
            "9 ans",
            birth.isoformat(),
            birth.strftime("%d/%m/%Y"),
            "CE2",
            "2031",
            "juillet 2031",
            "QN07518",
            parcours.number,
            str(cast.ines.pk),
            str(parcours.saisine_id),
            "En retard",
            parcours.opened_on.strftime("%d/%m/%Y"),
        ]
        hidden += [
            f'"{reverse(f"pre_cases:{other}", args=[parcours.pk])}"'
            for other in ("parcours_detail", "parcours_print", "entry_create", "share_create")
        ]
        for value in hidden:
            assert value not in page, value

    def test_says_a_parcours_that_nobody_follows(self, cast: Cast, ibrahim: User, signed_in) -> None:
        parcours = cast.ines_parcours
        with acting_as(system_account()):
            assignment = parcours.assignments.get()
            assignment.ends_on = timezone.localdate()
            assignment.save()
        url = reverse(CARD, args=[parcours.pk])
        assert "aucun" in signed_in(ibrahim).get(url).content.decode()

    def test_is_for_the_open_parcours_of_one_s_own_team(self, cast: Cast, ibrahim: User, signed_in) -> None:
        client = signed_in(ibrahim)
        other = client.get(reverse(CARD, args=[cast.tom_parcours.pk]))
        nothing = client.get(nowhere(CARD))
        assert (other.status_code, other.content) == (404, nothing.content)
        assert "Tom" not in client.get(reverse("pre_cases:colleague_list")).content.decode()
