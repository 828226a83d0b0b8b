"""Templates, the calendar that other software reads, and the letter of Monday, as people choose them."""

from datetime import time, timedelta

import pytest
from django.utils import timezone

from audit.history import acting_as
from audit.journal.models import Event
from pre_cases.models import Appointment, CalendarFeed, Digest, EntryTemplate
from pre_cases.services.calendar_feed import digest_of, make_feed
from pre_cases.services.entry_template import MOST_TEMPLATES, TemplateRefused, add_template
from pre_cases.services.timeline import add_task
from tests.cast import Cast, make_child, make_parcours
from tests.conftest import SecureClient
from tests.pre_cases.facts import leave, let_charter_expire, suspend
from tests.pre_cases.views.reach import assert_hidden, url
from tests.queries import queries_of

DAY = timedelta(days=1)


def feed_of(token: str) -> str:
    return url("calendar_feed", token)


class TestCalendarFeed:
    @pytest.fixture
    def token(self, cast: Cast) -> str:
        return make_feed(by=cast.benoit)

    def test_is_read_without_a_session_and_names_nobody(self, cast: Cast, token: str) -> None:
        today = timezone.localdate()
        add_task(parcours=cast.ines_parcours, assignee=cast.benoit, label="Appeler Nadia", due_on=today, by=cast.benoit)
        with acting_as(cast.benoit):
            Appointment.objects.create(
                parcours=cast.ines_parcours,
                user=cast.benoit,
                on=today + DAY,
                starts_at=time(14, 30),
                place="chez Nadia Morel",
                data_key_id=cast.ines.data_key_id,
            )
        response = SecureClient().get(feed_of(token))
        assert response["Content-Type"] == "text/calendar; charset=utf-8"
        content = response.content.decode()
        for name in ("Inès", "Morel", "Nadia", "Benoît", "Appeler"):
            assert name not in content
        number = cast.ines_parcours.number
        for what in ("Tâche", "Rendez-vous", "Point d’étape"):
            assert f"{what}\\, parcours n° {number}" in content

    def test_is_journalled_as_a_reading_of_the_files_that_it_tells_of(self, cast: Cast, token: str) -> None:
        SecureClient().get(feed_of(token))
        event = Event.objects.get(action="list", kind="pre_cases.calendarfeed")
        assert (event.actor_id, event.record_ids) == (cast.benoit.pk, [str(cast.ines_parcours.pk)])

    @pytest.mark.parametrize("lose", [leave, suspend, let_charter_expire])
    def test_opens_nothing_once_the_account_may_not_read(self, cast: Cast, token: str, lose) -> None:
        assert SecureClient().get(feed_of(token)).status_code == 200
        lose(cast.benoit)
        response = SecureClient().get(feed_of(token))
        assert response.status_code == 404
        assert response.content == SecureClient().get("/nulle/part/").content
        assert Event.objects.filter(action="refusal", kind="pre_cases.calendarfeed").exists()

    @pytest.mark.parametrize("wrong", ["x", "a" * 43, "é", "..", "0" * 500])
    def test_opens_nothing_with_a_wrong_address(self, cast: Cast, token: str, wrong: str) -> None:
        nothing = SecureClient().get("/nulle/part/").content
        for address in (feed_of(wrong), feed_of(token[:-1]), feed_of(token.swapcase()), feed_of(digest_of(token))):
            response = SecureClient().get(address)
            assert (response.status_code, response.content) == (404, nothing)

    def test_is_not_sent_again_when_nothing_has_changed(self, cast: Cast, token: str) -> None:
        first = SecureClient().get(feed_of(token))
        assert first["Cache-Control"] == "private, max-age=300"
        again = SecureClient().get(feed_of(token), headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        add_task(
            parcours=cast.ines_parcours,
            assignee=cast.benoit,
            label="x",
            due_on=timezone.localdate(),
            by=cast.benoit,
        )
        assert SecureClient().get(feed_of(token), headers={"If-None-Match": first["ETag"]}).status_code == 200

    def test_costs_the_same_with_one_file_or_twenty_five(self, cast: Cast, token: str) -> None:
        client = SecureClient()
        one = queries_of(client, feed_of(token))
        for index in range(24):
            parcours = make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Enfant{index}"))
            add_task(parcours=parcours, assignee=cast.benoit, label="x", due_on=timezone.localdate(), by=cast.benoit)
        assert len(queries_of(client, feed_of(token))) == len(one)


class TestDaySettings:
    def test_shows_the_address_once_and_stores_its_digest(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        page = client.post(url("calendar_make"))
        address = page.context["address"]
        assert address in page.content.decode()
        token = address.rpartition("/")[2].removesuffix(".ics")
        assert CalendarFeed.objects.get().digest == digest_of(token)
        assert token not in client.get(url("day_settings")).content.decode()
        assert SecureClient().get(feed_of(token)).status_code == 200

    def test_changes_the_address_and_closes_it(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        first, second = (
            client.post(url("calendar_make")).context["address"].rpartition("/")[2].removesuffix(".ics")
            for _ in range(2)
        )
        assert SecureClient().get(feed_of(first)).status_code == 404
        assert SecureClient().get(feed_of(second)).status_code == 200
        assert client.post(url("calendar_revoke")).status_code == 302
        assert SecureClient().get(feed_of(second)).status_code == 404
        assert client.post(url("calendar_revoke")).status_code == 302  # twice: nothing more to close

    def test_stops_the_letter_of_monday_in_one_click(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.amina)
        assert "Ne plus le recevoir" in client.get(url("day_settings")).content.decode()
        client.post(url("digest_choose"), {"wanted": "0"})
        assert Digest.objects.get().is_wanted is False
        assert ">Le recevoir<" in client.get(url("day_settings")).content.decode()
        client.post(url("digest_choose"), {"wanted": "1"})
        assert Digest.objects.get().is_wanted is True

    def test_is_found_from_the_account_page(self, cast: Cast, signed_in) -> None:
        found = {
            person: url("day_settings") in signed_in(getattr(cast, person)).get("/compte/securite/").content.decode()
            for person in ("amina", "benoit", "esther")
        }
        assert found == {"amina": True, "benoit": True, "esther": False}


class TestEntryTemplateList:
    def typed(self, **values: str) -> dict[str, str]:
        return {"label": "Relance", "kind": "message", "with_whom": "school", "text": "Relance de l’école."} | values

    def test_keeps_them_for_oneself(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).post(url("entry_template_list"), self.typed())
        assert "Relance de l’école." in signed_in(cast.benoit).get(url("entry_template_list")).content.decode()
        assert "Relance de l’école." not in signed_in(cast.chloe).get(url("entry_template_list")).content.decode()
        assert_hidden(signed_in(cast.chloe), "entry_template_remove", EntryTemplate.objects.get().pk, ("post",))

    @pytest.mark.parametrize(
        ("text", "warned"), [("Inès est venue.", True), ("ines ne vient plus", True), ("Tom est venu.", False)]
    )
    def test_warns_when_it_names_a_child_whom_one_follows(self, cast: Cast, signed_in, text: str, warned: bool) -> None:
        page = signed_in(cast.benoit).post(url("entry_template_list"), self.typed(text=text), follow=True)
        assert EntryTemplate.objects.exists()
        assert ("prénom d’un enfant" in page.content.decode()) is warned

    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        for field, value in (("text", "é" * 5000), ("text", ""), ("label", "x" * 61), ("kind", "pigeon")):
            response = client.post(url("entry_template_list"), self.typed(**{field: value}))
            assert response.status_code == 422
            assert field in response.context["form"].errors
        assert not EntryTemplate.objects.exists()

    def test_removes_one(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.post(url("entry_template_list"), self.typed())
        client.post(url("entry_template_remove", EntryTemplate.objects.get().pk))
        assert not EntryTemplate.objects.exists()

    def test_costs_the_same_with_one_or_twenty(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        add_template(**self.typed(), by=cast.benoit)
        one = queries_of(client, url("entry_template_list"))
        for _ in range(MOST_TEMPLATES - 1):
            add_template(**self.typed(), by=cast.benoit)
        assert len(queries_of(client, url("entry_template_list"))) == len(one)
        with pytest.raises(TemplateRefused, match="20 modèles"):
            add_template(**self.typed(), by=cast.benoit)
