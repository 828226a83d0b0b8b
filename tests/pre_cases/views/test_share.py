"""Sharing a parcours, and taking the share back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import ParcoursShare
from referents.models import Role
from tests.cast import Cast, make_child, make_parcours, make_schooling, make_share, make_user
from tests.queries import queries_of


def answers_like_nothing(client, url: str, unknown: str) -> bool:
    """Out of reach, a page answers what a random id does, whatever the method."""
    for method in (client.get, client.post):
        foreign, nothing = method(url), method(unknown)
        if not foreign.status_code == nothing.status_code == 404 or foreign.content != nothing.content:
            return False
    return True


class TestShareCreate:
    def url(self, cast: Cast) -> str:
        return reverse("pre_cases:share_create", args=[cast.ines_parcours.pk])

    def test_opens_the_reading_until_the_last_day_included(self, cast: Cast, signed_in) -> None:
        colleague = make_user("Léa", Role.EPRE_MEMBER, cast.team_a)
        last_day = timezone.localdate() + timedelta(days=10)
        response = signed_in(cast.benoit).post(
            self.url(cast), {"user": colleague.pk, "reason": "Prépare l’EPRE", "ends_on": last_day.isoformat()}
        )
        assert response.status_code == 302
        share = ParcoursShare.objects.get(user=colleague)
        assert (share.ends_on, share.granted_by, share.reason) == (
            last_day + timedelta(days=1),
            cast.benoit,
            "Prépare l’EPRE",
        )
        detail = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        assert signed_in(colleague).get(detail).status_code == 200

    def test_proposes_the_end_of_next_month(self, cast: Cast, signed_in) -> None:
        make_user("Léa", Role.EPRE_MEMBER, cast.team_a)
        form = signed_in(cast.benoit).get(self.url(cast)).context["form"]
        proposed = form["ends_on"].value()
        assert (proposed + timedelta(days=1)).day == 1
        assert 28 <= (proposed - timezone.localdate()).days <= 62

    def test_offers_people_of_the_team_who_do_not_see_it(self, cast: Cast, signed_in) -> None:
        colleague = make_user("Léa", Role.EPRE_MEMBER, cast.team_a)
        form = signed_in(cast.benoit).get(self.url(cast)).context["form"]
        assert list(form.fields["user"].queryset) == [colleague]

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"reason": ""}, "obligatoire"),
            ({"user": ""}, "Choisissez une personne de l’équipe."),
            ({"ends_on": "2020-01-01"}, "est passé"),
            ({"ends_on": "2200-12-31"}, "trop lointaine"),
        ],
    )
    def test_keeps_what_was_typed_and_says_what_is_wrong(self, cast: Cast, signed_in, values, sentence) -> None:
        colleague = make_user("Léa", Role.EPRE_MEMBER, cast.team_a)
        typed = {
            "user": colleague.pk,
            "reason": "Prépare l’EPRE",
            "ends_on": timezone.localdate().isoformat(),
            **values,
        }
        response = signed_in(cast.benoit).post(self.url(cast), typed)
        page = response.content.decode()
        assert response.status_code == 422
        assert sentence in page
        assert typed["reason"] in page
        assert typed["ends_on"] in page
        assert not ParcoursShare.objects.filter(user=colleague).exists()

    def test_refuses_a_person_of_another_team(self, cast: Cast, signed_in) -> None:
        typed = {"user": cast.chloe.pk, "reason": "x", "ends_on": timezone.localdate().isoformat()}
        assert signed_in(cast.benoit).post(self.url(cast), typed).status_code == 422
        assert not ParcoursShare.objects.filter(user=cast.chloe).exists()

    def test_says_beforehand_that_the_agreement_has_ended(self, cast: Cast, signed_in) -> None:
        with acting_as(system_account()):
            cast.ines_parcours.agreement.agreed_until_on = timezone.localdate()
            cast.ines_parcours.agreement.save()
        page = signed_in(cast.benoit).get(self.url(cast)).content.decode()
        assert "a expiré" in page
        assert "Partager</button>" not in page

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, signed_in) -> None:
        """David reads the parcours, and shares it with nobody."""
        unknown = reverse("pre_cases:share_create", args=[uuid4()])
        for person in (cast.chloe, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert answers_like_nothing(signed_in(person), self.url(cast), unknown), person


class TestShareRevoke:
    def url(self, cast: Cast) -> str:
        return reverse("pre_cases:share_revoke", args=[cast.share.pk])

    def test_asks_to_confirm_and_changes_nothing_meanwhile(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).get(self.url(cast)).content.decode()
        assert "Préparation de l’EPRE" in page
        assert ParcoursShare.objects.in_force().exists()

    def test_closes_the_reading_at_the_next_request(self, cast: Cast, signed_in) -> None:
        reader, detail = signed_in(cast.david), reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        assert reader.get(detail).status_code == 200
        assert signed_in(cast.amina).post(self.url(cast)).status_code == 302
        assert reader.get(detail).status_code == 404

    def test_says_that_it_is_done_already(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.post(self.url(cast))
        response = client.post(self.url(cast))
        assert response.status_code == 422
        assert "déjà retiré" in response.content.decode()

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, signed_in) -> None:
        unknown = reverse("pre_cases:share_revoke", args=[uuid4()])
        for person in (cast.chloe, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert answers_like_nothing(signed_in(person), self.url(cast), unknown), person
        assert ParcoursShare.objects.in_force().count() == 1


class TestSharedParcours:
    URL = "pre_cases:shared_parcours"

    def test_lists_what_is_open_today_with_its_last_day(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        for first_name, values in (
            ("Zoé", {"ends_on": today, "starts_on": today - timedelta(days=9)}),
            ("Malo", {"starts_on": today + timedelta(days=2)}),
            ("Rose", {"revoked_at": timezone.now()}),
        ):
            make_share(
                make_parcours(cast.team_a, referent=cast.benoit, child=make_child(first_name)), cast.david, **values
            )
        page = signed_in(cast.david).get(reverse(self.URL))
        assert [parcours.pk for parcours in page.context["page"]] == [cast.ines_parcours.pk]

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.david)
        one = queries_of(client, reverse(self.URL))
        for number in range(24):
            child = make_child(f"Enfant{number}")
            make_schooling(child)
            make_share(make_parcours(cast.team_a, referent=cast.benoit, child=child), cast.david)
        assert len(queries_of(client, reverse(self.URL))) == len(one)
