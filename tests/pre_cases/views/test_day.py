"""A référent's day: what it shows, in how many queries, and that every figure is that of the list it opens."""

from datetime import time, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import AccessRequest, Appointment, Draft, Entry, FollowUp
from pre_cases.services.draft import save_draft
from pre_cases.services.entries import SEVERAL
from pre_cases.services.entry_template import add_template
from pre_cases.services.timeline import add_entry, add_task
from referents.models import Role, User
from tests.cast import (
    Cast,
    make_agreement,
    make_child,
    make_hand_over,
    make_parcours,
    make_residence,
    make_saisine,
    make_schooling,
    make_session,
    make_stand_in,
    make_user,
)
from tests.pre_cases.views.reach import url
from tests.queries import queries_of

DAY = timedelta(days=1)


def meet(cast: Cast, parcours, on, user: User | None = None, **values) -> Appointment:
    with acting_as(system_account()):
        return Appointment.objects.create(
            parcours=parcours,
            user=user or cast.benoit,
            on=on,
            starts_at=values.pop("starts_at", time(9, 30)),
            data_key_id=parcours.data_key_id,
            **values,
        )


def ask(cast: Cast, parcours) -> FollowUp:
    today = timezone.localdate()
    entry = add_entry(parcours=parcours, kind="phone", on=today - 3 * DAY, with_whom="family", text="x", by=cast.benoit)
    with acting_as(system_account()):
        return FollowUp.objects.create(
            entry=entry, asked_by=cast.amina, question="Et ensuite ?", data_key_id=parcours.data_key_id
        )


def fill(cast: Cast, number: int) -> None:
    """Parcours with a task, a meeting, a question, a relay, a request and a saisine each."""
    today, colleague = timezone.localdate(), make_user("Malik", Role.REFERENT, cast.team_a)
    for index in range(number):
        child = make_child(f"Enfant{index}")
        make_schooling(child)
        make_residence(child)
        opened_on = today - (300 if index % 2 else 50) * DAY
        parcours = make_parcours(cast.team_a, referent=cast.benoit, child=child, opened_on=opened_on)
        add_task(parcours=parcours, assignee=cast.benoit, label="Rappeler", due_on=today, by=cast.benoit)
        meet(cast, parcours, today + DAY)
        ask(cast, parcours)
        make_hand_over(
            make_parcours(cast.team_a, referent=colleague, child=make_child("Passé")), colleague, cast.benoit
        )
        with acting_as(system_account()):
            AccessRequest.objects.create(
                parcours=parcours, asked_by=colleague, reason="x", data_key_id=parcours.data_key_id
            )
        make_agreement(make_saisine(make_child("Attendue"), cast.team_a, assignee=cast.benoit))


class TestMyDay:
    def test_is_where_a_referent_lands(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.benoit).get("/")["Location"] == url("my_day")
        assert signed_in(cast.amina).get("/")["Location"] == url("team_list")

    def test_costs_twelve_queries_at_most_whatever_the_volume(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        one = queries_of(client, url("my_day"))
        fill(cast, 60)
        save_draft(parcours=None, form=SEVERAL, content={"text": "x"}, by=cast.benoit)
        many = queries_of(client, url("my_day"))
        assert len(many) <= 12, "\n".join(many)
        assert len(many) == len(one)

    def test_shows_the_sessions_of_the_epre_this_week(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        for days, place in ((0, "Bleue"), (6, "Verte"), (7, "Jaune")):
            make_session(cast.team_a, cast.amina, on=today + days * DAY, place=f"Maison {place}")
        make_session(cast.team_b, cast.amina, on=today, place="Maison Rouge")
        page = signed_in(cast.benoit).get(url("my_day")).content.decode()
        shown = [place for place in ("Bleue", "Verte", "Jaune", "Rouge") if f"Maison {place}" in page]
        assert shown == ["Bleue", "Verte"]

    def test_mixes_meetings_and_sessions_by_day_and_hour(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        make_session(cast.team_a, on=today + 2 * DAY)
        early, late = meet(cast, cast.ines_parcours, today + DAY), meet(cast, cast.ines_parcours, today + 3 * DAY)
        week = signed_in(cast.benoit).get(url("my_day")).context["week"]
        assert [each.on for each in week] == [early.on, today + 2 * DAY, late.on]

    def test_counts_on_each_tile_the_rows_of_the_list_it_opens(self, cast: Cast, signed_in) -> None:
        fill(cast, 3)
        make_parcours(
            cast.team_a, referent=cast.benoit, child=make_child("Muette"), opened_on=timezone.localdate() - 90 * DAY
        )
        client = signed_in(cast.benoit)
        context = client.get(url("my_day")).context
        tiles = [*context["waiting"], *context["watched"]]
        assert len(tiles) == 7
        assert all(tile.count for tile in tiles), tiles
        for tile in tiles:
            assert self.rows(client, tile) == tile.count, tile

    def rows(self, client: Client, tile) -> int:
        context = client.get(tile.url.partition("#")[0]).context
        if "#hand-overs" in tile.url:
            return len(context["hand_overs"])
        if "#requests" in tile.url:
            return len(context["requests"])
        assert not context["page"].has_next
        return len(context["page"].records)

    def test_shows_what_is_late_today_and_tomorrow_and_no_later(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        for label, days in (("Aujourd’hui même", 0), ("Demain matin", 1), ("Plus tard", 2)):
            add_task(
                parcours=cast.ines_parcours,
                assignee=cast.benoit,
                label=label,
                due_on=today + days * DAY,
                by=cast.benoit,
            )
        page = signed_in(cast.benoit).get(url("my_day")).content.decode()
        assert "Aujourd’hui même" in page
        assert "Demain matin" in page
        assert "Plus tard" not in page

    def test_shows_the_week_and_what_nobody_has_settled(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        shown = {
            days: meet(cast, cast.ines_parcours, today + days * DAY, starts_at=time(10 + abs(days))).pk
            for days in (-3, 0, 6, 7)
        }
        meet(cast, cast.ines_parcours, today, state="cancelled")
        meet(cast, cast.ines_parcours, today, user=cast.amina)
        meetings = signed_in(cast.benoit).get(url("my_day")).context["week"]
        assert [meeting.pk for meeting in meetings] == [shown[-3], shown[0], shown[6]]

    def test_shows_the_work_of_whom_one_replaces(self, cast: Cast, signed_in, ibrahim: User) -> None:
        make_stand_in(cast.benoit, ibrahim)
        meeting = meet(cast, cast.ines_parcours, timezone.localdate())
        assert [m.pk for m in signed_in(ibrahim).get(url("my_day")).context["week"]] == [meeting.pk]

    def test_comes_back_after_a_task_is_done_in_one_click(self, cast: Cast, signed_in) -> None:
        task = add_task(
            parcours=cast.ines_parcours,
            assignee=cast.benoit,
            label="Rappeler",
            due_on=timezone.localdate(),
            by=cast.benoit,
        )
        response = signed_in(cast.benoit).post(url("task_complete", task.pk), {"next": "day"})
        assert response["Location"] == url("my_day")

    def test_writes_in_the_journal_whose_names_it_shows(self, cast: Cast, signed_in) -> None:
        fill(cast, 1)
        signed_in(cast.benoit).get(url("my_day"))
        event = Event.objects.get(action="list")
        assert event.kind == "pre_cases.parcours"
        assert set(event.record_ids) == {str(pk) for pk in cast.benoit.assignments.values_list("parcours", flat=True)}

    def test_is_not_for_who_follows_nobody(self, cast: Cast, signed_in) -> None:
        for person in (cast.amina, cast.david, cast.esther):
            assert signed_in(person).get(url("my_day")).status_code == 404


class TestEntrySeveral:
    @pytest.fixture
    def lina(self, cast: Cast):
        return make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Lina"))

    def typed(self, *parcours_list, **values) -> dict:
        today = timezone.localdate().isoformat()
        exchange = {"kind": "school", "with_whom": "school", "on": today, "text": "Réunion."}
        return {"parcours_list": [str(parcours.pk) for parcours in parcours_list]} | exchange | values

    def test_notes_the_exchange_for_each_child_chosen(self, cast: Cast, signed_in, lina) -> None:
        response = signed_in(cast.benoit).post(url("entry_several"), self.typed(cast.ines_parcours, lina))
        assert response["Location"] == url("my_day")
        assert set(Entry.objects.values_list("parcours", flat=True)) == {cast.ines_parcours.pk, lina.pk}

    def test_notes_an_attempt_in_one_tap(self, cast: Cast, signed_in, lina) -> None:
        tapped = {"parcours_list": [str(lina.pk)], "attempt": "1"}
        assert signed_in(cast.benoit).post(url("entry_several"), tapped).status_code == 302
        entry = Entry.objects.get()
        assert (entry.kind, entry.on, entry.parcours_id) == ("attempt", timezone.localdate(), lina.pk)

    def test_takes_no_parcours_that_the_page_does_not_offer(self, cast: Cast, signed_in, lina) -> None:
        response = signed_in(cast.benoit).post(url("entry_several"), self.typed(lina, cast.tom_parcours))
        assert response.status_code == 422
        assert "parcours_list" in response.context["form"].errors
        assert not Entry.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("text", "é" * 5000, "1000 signes au plus"),
            ("text", "", "en une phrase"),
            ("text", "Lina a pleuré.", "prénom"),
            ("on", (timezone.localdate() - 900 * DAY).isoformat(), "précède la saisine"),
            ("on", "demain", "date"),
            ("kind", "pigeon", "pigeon"),
            ("parcours_list", [], "au moins un enfant"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(
        self, cast: Cast, signed_in, lina, field: str, value, sentence: str
    ) -> None:
        typed = self.typed(cast.ines_parcours, lina, **{field: value})
        response = signed_in(cast.benoit).post(url("entry_several"), typed)
        assert response.status_code == 422
        assert sentence in " ".join(response.context["form"].errors[field])
        assert typed["text"] in response.content.decode()
        assert not Entry.objects.exists()

    def test_finds_the_draft_again(self, cast: Cast, signed_in, lina) -> None:
        client = signed_in(cast.benoit)
        kept = client.post(
            url("entry_several"), self.typed(lina, text="À moitié", draft="1"), headers={"HX-Request": "true"}
        )
        assert "Brouillon gardé à" in kept.content.decode()
        for page in (url("entry_several"), url("my_day")):
            form = client.get(page).context["form"]
            assert form["text"].value() == "À moitié"
            assert form["parcours_list"].value() == [str(lina.pk)]
        client.post(url("entry_several"), {"discard": "1"})
        assert not Draft.objects.exists()

    def test_is_filled_in_by_one_s_own_template(self, cast: Cast, signed_in) -> None:
        mine = add_template(
            label="Relance", kind="message", with_whom="school", text="Relance de l’école", by=cast.benoit
        )
        other = add_template(label="Autre", kind="phone", with_whom="family", text="De Chloé", by=cast.chloe)
        client = signed_in(cast.benoit)
        assert (
            client.get(url("entry_several"), {"modele": mine.pk}).context["form"]["text"].value()
            == "Relance de l’école"
        )
        page = client.get(url("entry_several"), {"modele": other.pk}).content.decode()
        assert "De Chloé" not in page

    def test_costs_the_same_with_one_child_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        one = queries_of(client, url("entry_several"))
        for index in range(24):
            make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Enfant{index}"))
        assert len(queries_of(client, url("entry_several"))) == len(one)


class TestLongForms:
    """What was typed before the session ended is there after the next sign-in."""

    def later(self, cast: Cast, signed_in) -> Client:
        return signed_in(cast.benoit)

    @pytest.mark.parametrize(
        ("name", "typed"),
        [
            ("review_create", {"text": "Il lit mieux", "family_present": "on", "on": "2024-02-30"}),
            ("bilan_write", {"text": "Le chemin", "family_word": "Merci", "exit_reason": "exit_reason:autre"}),
        ],
    )
    def test_of_a_parcours_are_found_again(self, cast: Cast, signed_in, name: str, typed: dict[str, str]) -> None:
        address = url(name, cast.ines_parcours.pk)
        signed_in(cast.benoit).post(address, typed | {"draft": "1"}, headers={"HX-Request": "true"})
        form = self.later(cast, signed_in).get(address).context["form"]
        for field, value in typed.items():
            assert form[field].value() in (value, True), field

    def test_of_a_parcours_lose_their_draft_once_sent(self, cast: Cast, signed_in) -> None:
        address, client = url("review_create", cast.ines_parcours.pk), signed_in(cast.benoit)
        today = timezone.localdate().isoformat()
        assert client.post(address, {"text": "Il lit", "on": today, "draft": "1"}).status_code == 302
        assert Draft.objects.get().form == "review"
        assert client.post(address, {"text": "Il lit mieux", "on": today}).status_code == 302
        assert not Draft.objects.exists()

    def test_of_a_saisine_is_found_again_from_the_search(self, cast: Cast, signed_in) -> None:
        typed = {
            "first_name": "Salomé",
            "family_name": "Roy",
            "signs": ["sign:absences", "sign:sommeil"],
            "situation": "é" * 3000,
            "draft": "1",
        }
        signed_in(cast.benoit).post(url("saisine_create"), typed, headers={"HX-Request": "true"})
        client = self.later(cast, signed_in)
        assert url("saisine_create") in client.get(url("saisine_search")).content.decode()
        form = client.get(url("saisine_create")).context["form"]
        assert form["first_name"].value() == "Salomé"
        assert form["signs"].value() == typed["signs"]
        assert form["situation"].value() == "é" * 3000
        client.post(url("saisine_create"), {"discard": "1"})
        assert client.get(url("saisine_create"))["Location"] == url("saisine_search")

    def test_are_nobody_else_s(self, cast: Cast, signed_in, ibrahim: User) -> None:
        signed_in(cast.benoit).post(url("saisine_create"), {"situation": "À moi", "draft": "1"})
        assert signed_in(ibrahim).get(url("saisine_create")).status_code == 302


class TestEntryCreate:
    def test_is_filled_in_by_the_meeting_that_was_held(self, cast: Cast, signed_in) -> None:
        meeting = meet(cast, cast.ines_parcours, timezone.localdate(), means="home", with_whom="child")
        client = signed_in(cast.benoit)
        response = client.post(url("appointment_settle", meeting.pk), {"state": "held"})
        form = client.get(response["Location"]).context["form"]
        assert (form["kind"].value(), form["with_whom"].value()) == ("home_visit", "child")
        assert form["on"].value() == timezone.localdate().isoformat()
        assert Appointment.objects.get().state == "held"

    def test_keeps_the_text_of_a_draft_beside_what_the_meeting_says(self, cast: Cast, signed_in) -> None:
        load_keys_of(cast.ines_parcours)
        save_draft(
            parcours=cast.ines_parcours, form="entry", content={"text": "À moitié", "kind": "phone"}, by=cast.benoit
        )
        address = url("entry_create", cast.ines_parcours.pk)
        form = signed_in(cast.benoit).get(f"{address}?nature=school&le=x&avec=y").context["form"]
        assert (form["kind"].value(), form["text"].value()) == ("school", "À moitié")

    def test_notes_an_attempt_in_one_tap(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).post(url("entry_create", cast.ines_parcours.pk), {"attempt": "1"})
        assert Entry.objects.get().kind == "attempt"


class TestMyAppointments:
    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        meet(cast, cast.ines_parcours, timezone.localdate())
        one = queries_of(client, url("my_appointments"))
        for index in range(24):
            parcours = make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Enfant{index}"))
            meet(cast, parcours, timezone.localdate() + index * DAY)
        assert len(queries_of(client, url("my_appointments"))) == len(one)

    @pytest.mark.parametrize(
        ("values", "field"),
        [({"on": "2020-01-01"}, "on"), ({"starts_at": "25:00"}, "starts_at"), ({"place": "x" * 121}, "place")],
    )
    def test_says_beside_the_field_what_cannot_be_planned(self, cast: Cast, signed_in, values, field: str) -> None:
        tomorrow = (timezone.localdate() + DAY).isoformat()
        typed = {"on": tomorrow, "starts_at": "14:30", "means": "school", "with_whom": "school", "place": "Salle 3"}
        address, client = url("appointment_create", cast.ines_parcours.pk), signed_in(cast.benoit)
        response = client.post(address, typed | values)
        assert response.status_code == 422
        assert field in response.context["form"].errors
        assert not Appointment.objects.exists()
        assert client.post(address, typed).status_code == 302
        assert "Salle 3" in client.get(url("my_appointments")).content.decode()

    def test_moves_one_and_refuses_what_is_no_state(self, cast: Cast, signed_in) -> None:
        meeting = meet(cast, cast.ines_parcours, timezone.localdate() + DAY)
        client = signed_in(cast.benoit)
        client.post(url("appointment_settle", meeting.pk), {"state": "oublié"})
        assert Appointment.objects.get().state == "planned"
        later = {"on": (timezone.localdate() + 4 * DAY).isoformat(), "starts_at": "10:00"}
        assert client.post(url("appointment_move", meeting.pk), later).status_code == 302
        assert sorted(Appointment.objects.values_list("state", flat=True)) == ["moved", "planned"]


class TestHome:
    def test_is_named_in_the_menu(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).get(reverse("pre_cases:my_parcours")).content.decode()
        assert f'href="{url("my_day")}"' in page
