"""What stops a parcours or follows its evaluation: the pages of needs, suspensions, oppositions and concerns."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import AgreementHolder, ConcernReported, Entry, Need, Parcours, ParcoursStage, Suspension
from pre_cases.services.access import share_parcours
from pre_cases.services.concern import report_concern
from pre_cases.services.parcours import close_parcours
from pre_cases.services.support import add_action, add_objective
from pre_cases.services.suspension import suspend_parcours
from referents.models import Role, User
from tests.cast import Cast, make_child, make_parcours, make_user
from tests.pre_cases.services.test_objection import father, object_to
from tests.pre_cases.views.reach import url

__all__ = ["father"]
DAY = timedelta(days=1)


def sent(client: Client, name: str, pk: Any, **typed: Any) -> Any:
    return client.post(url(name, pk), typed)


def detail(client: Client, parcours: Parcours) -> Any:
    return client.get(url("parcours_detail", parcours.pk))


class TestEvaluation:
    TYPED = {"text": "Un endroit calme", "domain": "domain:educatif", "priority": "priority:sante"}

    def test_notes_a_need_and_shows_it_on_both_pages(self, cast: Cast, signed_in) -> None:
        client, today = signed_in(cast.benoit), timezone.localdate().isoformat()
        sent(client, "evaluation", cast.ines_parcours.pk, noted_on=today, **self.TYPED)
        for page in (client.get(url("evaluation", cast.ines_parcours.pk)), detail(client, cast.ines_parcours)):
            assert "Un endroit calme" in page.content.decode()

    def test_keeps_what_was_typed_when_it_refuses(self, cast: Cast, signed_in) -> None:
        tomorrow = (timezone.localdate() + DAY).isoformat()
        page = sent(signed_in(cast.benoit), "evaluation", cast.ines_parcours.pk, noted_on=tomorrow, **self.TYPED)
        assert page.status_code == 422
        assert page.context["form"].errors == {"noted_on": ["Cette date est dans le futur."]}
        assert "Un endroit calme" in page.content.decode()

    def test_leads_to_an_interview_that_is_an_exchange(self, cast: Cast, signed_in) -> None:
        client, address = signed_in(cast.benoit), url("entry_create", cast.ines_parcours.pk)
        assert client.get(f"{address}?nature=evaluation").context["form"]["kind"].value() == "evaluation"
        assert client.get(f"{address}?nature=autre").context["form"]["kind"].value() == "phone"
        typed = {
            "kind": "evaluation",
            "with_whom": "family",
            "on": timezone.localdate(),
            "text": "Ils cherchent de l’aide.",
        }
        assert client.post(address, typed).status_code == 302
        assert Entry.objects.get().kind == "evaluation"
        assert "Ils cherchent de l’aide." in client.get(url("evaluation", cast.ines_parcours.pk)).content.decode()

    def test_corrects_a_need(self, cast: Cast, signed_in) -> None:
        client, today = signed_in(cast.benoit), timezone.localdate().isoformat()
        sent(client, "evaluation", cast.ines_parcours.pk, noted_on=today, **self.TYPED)
        need = Need.objects.get()
        sent(client, "need_change", need.pk, noted_on=today, **self.TYPED | {"text": "Une table"})
        assert Need.objects.get().text == "Une table"

    def test_is_not_shown_by_a_share(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate().isoformat()
        sent(signed_in(cast.benoit), "evaluation", cast.ines_parcours.pk, noted_on=today, **self.TYPED)
        assert "Un endroit calme" not in detail(signed_in(cast.david), cast.ines_parcours).content.decode()


class TestSuspension:
    def test_shows_in_the_banner_until_the_parcours_goes_on(self, cast: Cast, signed_in) -> None:
        client, today = signed_in(cast.benoit), timezone.localdate()
        typed = {"starts_on": (today - DAY).isoformat(), "ends_on": "", "reason": "Un voyage."}
        assert sent(client, "suspension_create", cast.ines_parcours.pk, **typed).status_code == 302
        page = detail(client, cast.ines_parcours)
        assert page.context["parcours"].stage is ParcoursStage.SUSPENDED
        assert "Parcours suspendu depuis" in page.content.decode()
        ended = sent(client, "suspension_end", Suspension.objects.get().pk, on=today.isoformat())
        assert ended.status_code == 302
        assert detail(client, cast.ines_parcours).context["parcours"].stage is ParcoursStage.RUNNING

    def test_tells_a_reader_the_fact_without_the_reason(self, cast: Cast, signed_in) -> None:
        suspend_parcours(
            parcours=cast.ines_parcours, reason="Un deuil.", starts_on=timezone.localdate(), by=cast.benoit
        )
        page = detail(signed_in(cast.david), cast.ines_parcours).content.decode()
        assert "Parcours suspendu depuis" in page
        assert "Un deuil." not in page


class TestObjection:
    def test_is_shown_and_settled_by_the_coordination(self, cast: Cast, signed_in, father) -> None:
        today = timezone.localdate().isoformat()
        benoit, amina = signed_in(cast.benoit), signed_in(cast.amina)
        assert sent(benoit, "objection_record", cast.ines_parcours.pk, adult=father.pk, on=today).status_code == 302
        assert "Opposition d’un titulaire" in detail(benoit, cast.ines_parcours).content.decode()
        assert url("objection_settle", cast.ines_parcours.pk) not in detail(benoit, cast.ines_parcours).content.decode()
        assert sent(benoit, "objection_settle", cast.ines_parcours.pk, on=today, how="x").status_code == 404
        assert (
            sent(amina, "objection_settle", cast.ines_parcours.pk, on=today, how="Ils sont d’accord.").status_code
            == 302
        )
        assert not AgreementHolder.objects.objecting().exists()

    def test_says_so_where_something_new_is_asked(self, cast: Cast, signed_in, father) -> None:
        object_to(cast, father)
        page = signed_in(cast.benoit).get(url("share_create", cast.ines_parcours.pk))
        assert "s’est opposé par écrit" in page.content.decode()

    def test_offers_the_holders_only(self, cast: Cast, signed_in) -> None:
        page = sent(
            signed_in(cast.benoit), "objection_record", cast.ines_parcours.pk,
            adult=cast.tom.family.adults.get().pk, on=timezone.localdate().isoformat(),
        )  # fmt: skip
        assert set(page.context["form"].errors) == {"adult"}


class TestConcern:
    def test_is_a_fact_that_two_people_see(self, cast: Cast, signed_in) -> None:
        typed = {"reported_on": timezone.localdate().isoformat(), "addressee": "crip"}
        assert sent(signed_in(cast.benoit), "concern_report", cast.ines_parcours.pk, **typed).status_code == 302
        for person in (cast.benoit, cast.amina):
            page = detail(signed_in(person), cast.ines_parcours).content.decode()
            assert "Transmise à la CRIP" in page

    def test_is_silent_for_everybody_else(self, cast: Cast, signed_in) -> None:
        report_concern(
            parcours=cast.ines_parcours, reported_on=timezone.localdate(), addressee="parquet", by=cast.amina
        )
        for person in (cast.benoit, cast.david):
            client = signed_in(person)
            for name in ("parcours_detail", "parcours_print"):
                assert "parquet" not in client.get(url(name, cast.ines_parcours.pk)).content.decode()
        client = signed_in(cast.benoit)
        for name in ("parcours_history", "parcours_readers"):
            assert "préoccupante" not in client.get(url(name, cast.ines_parcours.pk)).content.decode()
        assert "Transmise à" not in client.get(url("concern_report", cast.ines_parcours.pk)).content.decode()

    def test_is_reached_from_what_warns_of_danger(self, cast: Cast, signed_in) -> None:
        page = detail(signed_in(cast.benoit), cast.ines_parcours).content.decode()
        assert url("concern_report", cast.ines_parcours.pk) in page
        assert not ConcernReported.objects.exists()


class TestSiblings:
    def sibling(self, cast: Cast, referent: User | None) -> Parcours:
        child = make_child("Sami", family=cast.ines.family)
        return make_parcours(cast.team_a, referent=referent, child=child)

    def test_are_linked_for_who_may_open_them(self, cast: Cast, signed_in) -> None:
        parcours = self.sibling(cast, cast.benoit)
        for person in (cast.benoit, cast.amina):
            page = detail(signed_in(person), cast.ines_parcours).content.decode()
            assert "Frères et sœurs suivis" in page
            assert url("parcours_detail", parcours.pk) in page

    def test_do_not_exist_for_who_may_not(self, cast: Cast, signed_in) -> None:
        self.sibling(cast, make_user("Ibrahim", Role.REFERENT, cast.team_a))
        for person in (cast.benoit, cast.david):
            page = detail(signed_in(person), cast.ines_parcours).content.decode()
            assert "Frères et sœurs" not in page
            assert "Sami" not in page

    def test_have_each_their_own_share(self, cast: Cast, signed_in) -> None:
        parcours = self.sibling(cast, cast.benoit)
        assert "Sami" not in detail(signed_in(cast.david), cast.ines_parcours).content.decode()
        share_parcours(
            parcours=parcours, user=cast.david, reason="x", ends_on=timezone.localdate() + 9 * DAY, by=cast.benoit
        )
        assert "Sami" in detail(signed_in(cast.david), cast.ines_parcours).content.decode()

    def test_leave_a_trace_of_the_name_that_was_shown(self, cast: Cast, signed_in) -> None:
        parcours = self.sibling(cast, cast.benoit)
        detail(signed_in(cast.benoit), cast.ines_parcours)
        listed = [event.record_ids for event in Event.objects.filter(action="list", actor_id=cast.benoit.pk)]
        assert [str(parcours.pk)] in listed


class TestActionChange:
    def test_begins_an_action_that_was_only_planned(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        domain, priority = Term.objects.get(pk="domain:educatif"), Term.objects.get(pk="priority:sante")
        objective = add_objective(
            parcours=cast.ines_parcours, text="x", domain=domain, priority=priority, set_on=today, by=cast.benoit
        )
        action = add_action(
            objective=objective, label="Étude", domain=domain, mode="individual", nature="pre", by=cast.benoit
        )
        client = signed_in(cast.benoit)
        shown = client.get(url("action_change", action.pk)).context["form"].initial
        assert (shown["label"], shown["starts_on"]) == ("Étude", None)
        typed = {"label": "Étude", "domain": domain.pk, "mode": "collective", "nature": "common"}
        assert sent(client, "action_change", action.pk, starts_on=today.isoformat(), **typed).status_code == 302
        action.refresh_from_db()
        assert (action.starts_on, action.mode, action.nature) == (today, "collective", "common")
        assert "droit commun · collective" in detail(client, cast.ines_parcours).content.decode()


@pytest.mark.parametrize(
    "name", ["suspension_create", "objection_record", "aid_request", "concern_report", "evaluation"]
)
def test_pages_of_a_closed_parcours_do_not_exist(cast: Cast, signed_in, name: str) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)
    assert signed_in(cast.amina).get(url(name, cast.ines_parcours.pk)).status_code == 404
