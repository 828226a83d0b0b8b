"""The pages « Qui a lu ce parcours » and « Qui a changé quoi »."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from audit.history import acting_as
from audit.journal.models import Event
from pre_cases.models import Entry
from referents.models import Role
from tests.cast import Cast, make_exceptional_access, make_stand_in, make_user
from tests.erasures import make_former
from tests.pre_cases.views.reach import assert_hidden, url
from tests.queries import queries_of


def read_by(client, cast: Cast) -> str:
    return client.get(url("parcours_readers", cast.ines_parcours.pk)).content.decode()


class TestParcoursReaders:
    def test_says_who_opened_it_and_at_what_right(self, cast: Cast, signed_in) -> None:
        david = signed_in(cast.david)
        for _ in range(3):
            david.get(url("parcours_detail", cast.ines_parcours.pk))
        page = read_by(signed_in(cast.benoit), cast)
        assert cast.david.get_full_name() in page
        assert "partage : " in page
        assert "consultation (3 fois)" in page

    def test_says_whom_a_stand_in_replaced(self, cast: Cast, ibrahim, signed_in) -> None:
        make_stand_in(cast.benoit, ibrahim)
        signed_in(ibrahim).get(url("parcours_detail", cast.ines_parcours.pk))
        assert f"en remplacement de {cast.benoit.get_full_name()}" in read_by(signed_in(cast.amina), cast)

    def test_says_that_a_name_was_seen_in_a_list(self, cast: Cast, signed_in) -> None:
        signed_in(cast.amina).get(url("team_parcours", cast.team_a.code))
        assert "nom et classe, dans une liste" in read_by(signed_in(cast.benoit), cast)

    def test_names_an_exceptional_access(self, cast: Cast, signed_in) -> None:
        lise = make_user("Lise", Role.COORDINATOR, cast.team_b)
        make_exceptional_access(cast.ines_parcours, lise)
        signed_in(lise).get(url("parcours_detail", cast.ines_parcours.pk))
        page = read_by(signed_in(cast.benoit), cast)
        assert "accès exceptionnel du " in page
        assert "hors de l’équipe" not in page

    def test_points_out_a_reader_from_outside(self, cast: Cast, signed_in) -> None:
        Event.objects.create(
            action="read", actor_id=cast.chloe.pk, role="referent", team_id=cast.team_b.pk, kind="pre_cases.parcours",
            subject_id=cast.ines_parcours.pk, subject_team_id=cast.team_a.pk,
        )  # fmt: skip
        assert "hors de l’équipe" in read_by(signed_in(cast.benoit), cast)

    def test_looks_a_month_at_a_time(self, cast: Cast, signed_in) -> None:
        Event.objects.create(
            action="print", actor_id=cast.amina.pk, kind="pre_cases.parcours", subject_id=cast.ines_parcours.pk,
            at=timezone.now() - timedelta(days=40),
        )  # fmt: skip
        client = signed_in(cast.benoit)
        before = timezone.localdate() - timedelta(days=31)
        address = url("parcours_readers", cast.ines_parcours.pk)
        assert "impression" not in client.get(address).content.decode()
        assert "impression" in client.get(address, {"jusqu": before.isoformat()}).content.decode()

    def test_leaves_out_what_was_read_of_the_child_after_the_closing(self, cast: Cast, signed_in) -> None:
        closed = make_former(cast.team_a, ended_on=date(2024, 6, 30))
        for at, action in ((date(2024, 6, 30), "download"), (date(2024, 7, 1), "print")):
            Event.objects.create(
                action=action, actor_id=cast.amina.pk, kind="pre_cases.child", subject_id=closed.child_id,
                at=datetime(at.year, at.month, at.day, 12, tzinfo=UTC),
            )  # fmt: skip
        page = signed_in(cast.amina).get(url("parcours_readers", closed.pk), {"jusqu": "2024-07-10"}).content.decode()
        assert "téléchargement" in page
        assert "impression" not in page

    @pytest.mark.parametrize("day", ["hier", "2999-01-01", "0001-01-01", "2026-02-30"])
    def test_shows_today_for_a_day_that_it_cannot_read(self, cast: Cast, signed_in, day: str) -> None:
        assert (
            signed_in(cast.benoit).get(url("parcours_readers", cast.ines_parcours.pk), {"jusqu": day}).status_code
            == 200
        )

    def test_asks_as_much_for_one_reading_as_for_twenty_five(self, cast: Cast, ibrahim, signed_in) -> None:
        client = signed_in(cast.benoit)
        address = url("parcours_readers", cast.ines_parcours.pk)
        signed_in(cast.david).get(url("parcours_detail", cast.ines_parcours.pk))
        once = queries_of(client, address)
        for number in range(25):
            Event.objects.create(
                action="read", actor_id=(cast.amina if number % 2 else ibrahim).pk, kind="pre_cases.parcours",
                subject_id=cast.ines_parcours.pk, at=timezone.now() - timedelta(days=number),
            )  # fmt: skip
        assert len(queries_of(client, address)) == len(once)

    def test_is_hidden_from_the_readers_of_a_share(self, cast: Cast, signed_in) -> None:
        assert_hidden(signed_in(cast.david), "parcours_readers", cast.ines_parcours.pk, ("get",))


def history(client, cast: Cast, **query: str) -> str:
    return client.get(url("parcours_history", cast.ines_parcours.pk), query).content.decode()


def write(cast: Cast, text: str) -> Entry:
    with acting_as(cast.benoit):
        return Entry.objects.create(
            parcours=cast.ines_parcours,
            data_key_id=cast.ines_parcours.data_key_id,
            author=cast.benoit,
            kind="phone",
            on=timezone.localdate(),
            text=text,
        )


class TestParcoursHistory:
    def test_shows_the_words_that_left_and_those_that_came(self, cast: Cast, signed_in) -> None:
        entry = write(cast, "La mère viendra mardi à l’école")
        with acting_as(cast.amina):
            entry.text = "La mère viendra jeudi à l’école"
            entry.save()
        page = history(signed_in(cast.benoit), cast)
        assert "</span>mardi</del>" in page
        assert "</span>jeudi</ins>" in page
        assert cast.amina.get_full_name() in page

    def test_says_a_choice_in_words(self, cast: Cast, signed_in) -> None:
        entry = write(cast, "Appel")
        with acting_as(cast.benoit):
            entry.kind = "home_visit"
            entry.save()
        page = history(signed_in(cast.amina), cast)
        assert "</span>appel</del>" in page
        assert "</span>visite à domicile</ins>" in page

    def test_never_tells_a_confidential_address(self, cast: Cast, signed_in) -> None:
        link = cast.ines.adult_links.select_related("adult").first()
        with acting_as(cast.benoit):
            link.adult.address = "3 rue Cachée"
            link.adult.address_is_confidential = True
            link.adult.save()
        page = history(signed_in(cast.benoit), cast)
        assert "rue Cachée" not in page
        assert "adresse confidentielle" in page.lower()

    def test_stops_at_the_closing_for_what_is_the_child_s(self, cast: Cast, signed_in) -> None:
        with acting_as(cast.benoit):
            cast.ines.first_name = "Inès-Maria"
            cast.ines.save()
            cast.ines_parcours.closed_on = timezone.localdate() - timedelta(days=1)
            cast.ines_parcours.exit_reason_id = "exit_reason:contact-perdu"
            cast.ines_parcours.save()
        page = history(signed_in(cast.amina), cast)
        assert "</span>Inès-Maria</ins>" not in page
        assert "contact perdu" in page.lower()

    def test_asks_as_much_for_one_version_as_for_sixty(self, cast: Cast, signed_in) -> None:
        client, address = signed_in(cast.benoit), url("parcours_history", cast.ines_parcours.pk)
        write(cast, "Un")
        once = queries_of(client, address)
        for number in range(60):
            write(cast, f"Échange {number}")
        assert len(queries_of(client, address)) <= len(once)  # fewer kinds of words to read, in the latest fifty
        assert "changements plus anciens" in history(client, cast)
        assert "changements plus anciens" not in history(client, cast, tout="oui")

    def test_is_hidden_from_the_readers_of_a_share(self, cast: Cast, signed_in) -> None:
        assert_hidden(signed_in(cast.david), "parcours_history", cast.ines_parcours.pk, ("get",))


class TestTeamJournal:
    def test_shows_what_was_done_in_the_files_of_the_team_by_their_number(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).get(url("parcours_detail", cast.ines_parcours.pk))
        page = signed_in(cast.amina).get(url("team_journal", cast.team_a.code)).content.decode()
        assert cast.ines_parcours.number in page
        assert cast.benoit.get_full_name() in page
        assert "Inès" not in page

    def test_shows_nothing_of_another_team(self, cast: Cast, signed_in) -> None:
        signed_in(cast.chloe).get(url("parcours_detail", cast.tom_parcours.pk))
        page = signed_in(cast.amina).get(url("team_journal", cast.team_a.code)).content.decode()
        assert cast.chloe.get_full_name() not in page

    def test_points_out_readings_from_outside(self, cast: Cast, signed_in) -> None:
        lise = make_user("Lise", Role.COORDINATOR, cast.team_b)
        make_exceptional_access(cast.ines_parcours, lise)
        signed_in(lise).get(url("parcours_detail", cast.ines_parcours.pk))
        page = signed_in(cast.amina).get(url("team_journal", cast.team_a.code)).content.decode()
        assert "Lectures par une personne d’une autre équipe" in page

    def test_offers_no_way_to_sort_by_person(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).get(url("parcours_detail", cast.ines_parcours.pk))
        page = signed_in(cast.amina).get(url("team_journal", cast.team_a.code), {"actor": cast.amina.pk})
        assert 'name="actor"' not in page.content.decode()
        assert cast.benoit.get_full_name() in page.content.decode()

    def test_says_what_is_wrong_with_a_day(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.amina).get(url("team_journal", cast.team_a.code), {"day": "2999-01-01"})
        assert "dans le futur" in page.content.decode()

    def test_asks_as_much_for_one_event_as_for_twenty_five(self, cast: Cast, signed_in) -> None:
        client, address = signed_in(cast.amina), url("team_journal", cast.team_a.code)
        signed_in(cast.benoit).get(url("parcours_detail", cast.ines_parcours.pk))
        once = queries_of(client, address)
        for _ in range(25):
            signed_in(cast.benoit).get(url("parcours_detail", cast.ines_parcours.pk))
        assert len(queries_of(client, address)) == len(once)
