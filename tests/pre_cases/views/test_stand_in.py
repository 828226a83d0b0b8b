"""Replacing somebody: the caseload that opens, having oneself replaced, and the end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.journal.models import Event
from pre_cases.services.assignment import assign_referent
from referents.models import Role, StandIn, User
from tests.cast import (
    Cast,
    make_child,
    make_parcours,
    make_stand_in,
    make_user,
)
from tests.pre_cases.views.reach import OTHERS, caseload, hidden, url
from tests.queries import queries_of

DAY = timedelta(days=1)


class TestStoodInParcours:
    def test_lists_the_caseload_replaced_and_until_when(self, cast: Cast, ibrahim: User, signed_in) -> None:
        make_stand_in(cast.benoit, ibrahim)
        page = signed_in(ibrahim).get(url("stood_in_parcours"))
        assert [parcours.pk for parcours in page.context["page"]] == [cast.ines_parcours.pk]
        assert "Vous remplacez Benoît Test (équipe A)" in page.content.decode()

    def test_empties_when_the_parcours_changes_hands(self, cast: Cast, ibrahim: User, signed_in) -> None:
        make_stand_in(cast.benoit, ibrahim)
        denis = make_user("Denis", Role.REFERENT, cast.team_a)
        assign_referent(parcours=cast.ines_parcours, referent=denis, by=cast.amina)
        assert not signed_in(ibrahim).get(url("stood_in_parcours")).context["page"].records

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, ibrahim: User, signed_in) -> None:
        make_stand_in(cast.benoit, ibrahim)
        client = signed_in(ibrahim)
        one = queries_of(client, url("stood_in_parcours"))
        for number in range(24):
            make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Enfant{number}"))
        assert len(queries_of(client, url("stood_in_parcours"))) == len(one)


class TestStandInCreate:
    def typed(self, person: User, **values: object) -> dict[str, object]:
        today = timezone.localdate()
        return {
            "user": person.pk,
            "reason": "leave",
            "starts_on": today.isoformat(),
            "ends_on": (today + 6 * DAY).isoformat(),
            **values,
        }

    def test_opens_the_caseload_until_the_last_day_included(self, cast: Cast, ibrahim: User, signed_in) -> None:
        address = url("stand_in_create", caseload(cast.benoit))
        response = signed_in(cast.benoit).post(address, self.typed(ibrahim))
        assert response["Location"] == url("my_accesses")
        made = StandIn.objects.get()
        assert (made.user, made.last_day, made.granted_by) == (ibrahim, timezone.localdate() + 6 * DAY, cast.benoit)
        assert signed_in(ibrahim).get(url("parcours_detail", cast.ines_parcours.pk)).status_code == 200

    def test_offers_the_people_of_the_team_who_follow_children(self, cast: Cast, ibrahim: User, signed_in) -> None:
        form = signed_in(cast.benoit).get(url("stand_in_create", caseload(cast.benoit))).context["form"]
        assert set(form.fields["user"].queryset) == {ibrahim, cast.amina}

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"user": ""}, "Choisissez une personne de l’équipe."),
            ({"user": "foreign"}, "ne suit pas de parcours dans l’équipe"),
            ({"reason": ""}, "obligatoire"),
            ({"reason": "maladie"}, "maladie"),
            ({"starts_on": ""}, "obligatoire"),
            ({"starts_on": "2020-01-01"}, "Ce jour est passé"),
            ({"ends_on": "2020-01-01"}, "ne peut pas précéder"),
            ({"ends_on": "2200-01-01"}, "trop lointaine"),
            ({"ends_on": (timezone.localdate() + 300 * DAY).isoformat()}, "6 mois au plus"),
            ({"ends_on": "bientôt"}, "date"),
        ],
    )
    def test_keeps_what_was_typed_and_says_what_is_wrong(
        self, cast: Cast, ibrahim: User, signed_in, values: dict[str, object], sentence: str
    ) -> None:
        sent = self.typed(ibrahim, **values)
        if sent["user"] == "foreign":
            sent["user"] = cast.chloe.pk
        response = signed_in(cast.benoit).post(url("stand_in_create", caseload(cast.benoit)), sent)
        page = response.content.decode()
        assert response.status_code == 422
        assert sentence in page
        assert str(sent["ends_on"]) in page
        assert not StandIn.objects.exists()

    def test_says_that_the_chosen_person_is_replaced_too(self, cast: Cast, ibrahim: User, signed_in) -> None:
        make_stand_in(ibrahim, cast.amina)
        response = signed_in(cast.benoit).post(url("stand_in_create", caseload(cast.benoit)), self.typed(ibrahim))
        assert response.status_code == 422
        assert "elle-même remplacée" in response.content.decode()

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, ibrahim: User, signed_in) -> None:
        for person in (ibrahim, *(getattr(cast, name) for name in OTHERS)):
            assert hidden(signed_in(person), "stand_in_create", caseload(cast.benoit), 987654), person.first_name


class TestStandInEnd:
    def test_closes_at_the_next_request_and_says_when_it_is_done(self, cast: Cast, ibrahim: User, signed_in) -> None:
        made = make_stand_in(cast.benoit, ibrahim)
        reader, detail = signed_in(ibrahim), url("parcours_detail", cast.ines_parcours.pk)
        assert reader.get(detail).status_code == 200
        client = signed_in(cast.benoit)
        assert "n’ouvre plus rien" in client.post(url("stand_in_end", made.pk), follow=True).content.decode()
        assert reader.get(detail).status_code == 404
        assert "déjà terminé" in client.post(url("stand_in_end", made.pk), follow=True).content.decode()
        assert Event.objects.filter(action="revoke", kind="referents.standin").count() == 1

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, ibrahim: User, signed_in) -> None:
        """Nor does the one who replaces leave a caseload without anybody."""
        made = make_stand_in(cast.benoit, ibrahim)
        for person in (ibrahim, *(getattr(cast, name) for name in OTHERS)):
            assert hidden(signed_in(person), "stand_in_end", made.pk, 987654, methods=("post",)), person.first_name
        assert StandIn.objects.unrevoked().exists()
