"""*Mes parcours* and the page of a parcours: what they show, to whom, at what cost, and with which trace."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import Draft, Parcours
from pre_cases.services.assignment import assign_referent
from pre_cases.services.parcours import close_parcours
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.services.timeline import add_comment, add_entry
from pre_cases.views import timeline
from referents.models import Role
from tests.cast import Cast, make_child, make_parcours, make_residence, make_schooling, make_user
from tests.queries import queries_of


def fill(cast: Cast, number: int) -> None:
    for index in range(number):
        child = make_child(f"Enfant{index}")
        make_schooling(child)
        make_residence(child)
        make_parcours(cast.team_a, referent=cast.benoit, child=child)


class TestMyParcours:
    def test_shows_whom_the_person_follows_and_nobody_else(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).get(reverse("pre_cases:my_parcours")).content.decode()
        assert "Inès" in page
        assert "Tom" not in page

    def test_costs_seven_queries_with_one_row_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        one = queries_of(client, reverse("pre_cases:my_parcours"))
        fill(cast, 24)
        many = queries_of(client, reverse("pre_cases:my_parcours"))
        assert len(one) == len(many) == 7, "\n".join(many)

    def test_goes_on_from_page_to_page_without_losing_a_row(self, cast: Cast, signed_in) -> None:
        fill(cast, 29)
        client = signed_in(cast.benoit)
        first = client.get(reverse("pre_cases:my_parcours"))
        rest = client.get(reverse("pre_cases:my_parcours"), {"suite": first.context["page"].next_cursor})
        shown = [p.pk for response in (first, rest) for p in response.context["page"].records]
        assert len(shown) == len(set(shown)) == 30
        assert not rest.context["page"].has_next

    def test_counts_in_each_filter_what_its_list_shows(self, cast: Cast, signed_in) -> None:
        fill(cast, 3)
        make_parcours(
            cast.team_a,
            referent=cast.benoit,
            child=make_child("Zoé"),
            opened_on=timezone.localdate() - timedelta(days=300),
        )
        client = signed_in(cast.benoit)
        filters = client.get(reverse("pre_cases:my_parcours")).context["filters"]
        assert any(link["count"] for link in filters[1:])
        for link in filters:
            url = link["url"] if link["url"].startswith("/") else reverse("pre_cases:my_parcours") + link["url"]
            assert len(client.get(url).context["page"].records) == link["count"], link

    def test_writes_one_event_with_the_ids_of_the_page(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).get(reverse("pre_cases:my_parcours"))
        event = Event.objects.get(action="list")
        assert event.record_ids == [str(cast.ines_parcours.pk)]
        assert event.actor_id == cast.benoit.pk
        assert event.role == Role.REFERENT

    def test_says_what_to_do_when_nothing_is_there(self, cast: Cast, signed_in) -> None:
        newcomer = make_user("Denis", Role.REFERENT, cast.team_a)
        page = signed_in(newcomer).get(reverse("pre_cases:my_parcours")).content.decode()
        assert "Aucun parcours ne vous est confié" in page


class TestParcoursDetail:
    def test_is_open_to_those_who_follow_coordinate_or_were_given_it(self, cast: Cast, signed_in) -> None:
        url = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        for person in (cast.amina, cast.benoit, cast.david):
            assert "Inès" in signed_in(person).get(url).content.decode()

    def test_answers_the_same_out_of_reach_and_for_nothing(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            client = signed_in(person)
            foreign = client.get(reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk]))
            nothing = client.get(reverse("pre_cases:parcours_detail", args=[uuid4()]))
            assert foreign.status_code == nothing.status_code == 404
            assert foreign.content == nothing.content
            own = {"Date", "X-Request-ID"}
            assert {k: v for k, v in foreign.items() if k not in own} == {
                k: v for k, v in nothing.items() if k not in own
            }

    @pytest.mark.parametrize(("days_ago", "may_reopen"), [(60, True), (61, False)])
    def test_offers_after_the_end_what_can_still_be_done(
        self, cast: Cast, signed_in, days_ago: int, may_reopen: bool
    ) -> None:
        closed_on = timezone.localdate() - timedelta(days=days_ago)
        parcours = make_parcours(
            cast.team_a,
            child=make_child("Lina"),
            opened_on=closed_on - timedelta(days=200),
            closed_on=closed_on,
            exit_reason=Term.objects.get(pk="exit_reason:contact-perdu"),
        )
        page = signed_in(cast.amina).get(reverse("pre_cases:parcours_detail", args=[parcours.pk])).content.decode()
        assert (reverse("pre_cases:parcours_reopen", args=[parcours.pk]) in page) is may_reopen
        assert reverse("pre_cases:saisine_again", args=[parcours.child_id]) in page
        assert f"{reverse('pre_cases:team_parcours', args=['a'])}?filtre=clos" in page

    def test_keeps_comments_between_the_referent_and_the_coordination(self, cast: Cast, signed_in) -> None:
        add_comment(parcours=cast.ines_parcours, text="Entre nous.", by=cast.amina)
        url = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        readers = {name for name in ("amina", "benoit", "david") if self.reads(signed_in(getattr(cast, name)), url)}
        assert readers == {"amina", "benoit"}  # it is shared with David

    def reads(self, client, url: str) -> bool:
        return "Entre nous." in client.get(url).content.decode()

    def test_leaves_an_event_for_the_reading_and_for_the_refusal(self, cast: Cast, signed_in) -> None:
        url = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        signed_in(cast.benoit).get(url)
        signed_in(cast.chloe).get(url)
        reading = Event.objects.get(action="read")
        assert (reading.actor_id, reading.subject_id) == (cast.benoit.pk, cast.ines_parcours.pk)
        refusal = Event.objects.get(action="refusal")
        assert (refusal.actor_id, refusal.subject_id) == (cast.chloe.pk, cast.ines_parcours.pk)

    def test_costs_the_same_with_one_exchange_or_twenty_five(self, cast: Cast, signed_in) -> None:
        def note(number: int) -> None:
            for _ in range(number):
                add_entry(
                    parcours=cast.ines_parcours,
                    kind="phone",
                    on=timezone.localdate(),
                    with_whom="family",
                    text="Appel",
                    by=cast.benoit,
                )

        client = signed_in(cast.benoit)
        url = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        note(1)
        one = queries_of(client, url)
        note(24)
        assert len(queries_of(client, url)) == len(one)

    def test_gives_no_way_to_write_to_who_only_reads(self, cast: Cast, signed_in) -> None:
        url = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        page = signed_in(cast.david).get(url).content.decode()
        assert "Noter un échange" not in page
        assert reverse("pre_cases:bilan_write", args=[cast.ines_parcours.pk]) not in page

    def test_says_that_a_parcours_is_closed(self, cast: Cast, signed_in) -> None:
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)
        page = signed_in(cast.amina).get(reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk]))
        assert "est clos depuis" in page.content.decode()

    def test_no_longer_opens_once_the_referent_has_changed(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        url = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        assert client.get(url).status_code == 200
        other = make_user("Denis", Role.REFERENT, cast.team_a)
        assign_referent(parcours=cast.ines_parcours, referent=other, by=cast.amina)
        assert client.get(url).status_code == 404


class TestQuickEntry:
    def url(self, cast: Cast, name: str = "entry_create") -> str:
        return reverse(f"pre_cases:{name}", args=[cast.ines_parcours.pk])

    def typed(self, **values: str) -> dict[str, str]:
        return {"kind": "phone", "with_whom": "family", "on": timezone.localdate().isoformat(), **values}

    def test_notes_an_exchange(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(self.url(cast), self.typed(text="La mère viendra jeudi."))
        assert response.status_code == 302
        assert cast.ines_parcours.entries.get().text == "La mère viendra jeudi."

    def test_takes_an_attempt_in_one_tap(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).post(self.url(cast), self.typed(kind="attempt"))
        parcours = Parcours.objects.get(pk=cast.ines_parcours.pk)
        assert parcours.entries.get().text is None
        assert parcours.last_contact_on is None

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"text": ""}, "Dites en une phrase"),
            ({"text": "x", "on": "2030-01-01"}, "dans le futur"),
            ({"text": "x", "on": "1990-01-01"}, "précède la saisine"),
            ({"text": "x", "on": "hier"}, "date valide"),
            ({"text": "é" * 1001}, "1000 signes au plus"),
        ],
    )
    def test_keeps_what_was_typed_and_says_what_is_wrong(self, cast: Cast, signed_in, values, sentence) -> None:
        response = signed_in(cast.benoit).post(self.url(cast), self.typed(**values))
        assert response.status_code == 422
        page = response.content.decode()
        assert sentence in page
        assert values["text"] in page
        assert not cast.ines_parcours.entries.exists()

    def test_keeps_a_draft_on_the_server_until_it_is_sent(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.post(self.url(cast, "draft_save"), self.typed(text="à finir"))
        assert Draft.objects.get().content["text"] == "à finir"
        page = client.get(reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])).content.decode()
        assert "à finir" in page
        client.post(self.url(cast), self.typed(text="fini"))
        assert not Draft.objects.exists()

    def test_says_that_the_parcours_was_closed_while_the_draft_was_typed(
        self, cast: Cast, signed_in, monkeypatch
    ) -> None:
        def refuse(**arguments: object) -> None:
            raise ParcoursIsClosed("Le parcours est clos.")

        monkeypatch.setattr(timeline, "save_draft", refuse)
        response = signed_in(cast.benoit).post(self.url(cast), self.typed(text="à finir", draft="1"))
        assert response.status_code == 302
        assert "Le parcours est clos." in [str(message) for message in get_messages(response.wsgi_request)]

    def test_gives_a_draft_to_nobody_else(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).post(self.url(cast, "draft_save"), self.typed(text="à finir"))
        url = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        assert "à finir" not in signed_in(cast.amina).get(url).content.decode()
