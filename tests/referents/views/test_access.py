"""The charter and the explanation that stand before every page."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from referents.models import User
from tests.cast import Cast


def expire_charter(user: User) -> None:
    with acting_as(system_account()):
        charter = user.charters.get()
        charter.expires_on = timezone.localdate()
        charter.save()


class TestCharterSign:
    def test_stands_before_every_page_until_signed(self, cast: Cast, signed_in) -> None:
        expire_charter(cast.benoit)
        client = signed_in(cast.benoit)
        detail = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        assert client.get(detail)["Location"] == reverse("charter_sign")
        assert "Signer la charte" in client.get(reverse("charter_sign")).content.decode()
        assert client.post(reverse("charter_sign"), {"agreed": "yes"}).status_code == 302
        assert client.get(detail).status_code == 200

    def test_says_beside_the_box_that_it_must_be_ticked(self, cast: Cast, signed_in) -> None:
        expire_charter(cast.benoit)
        response = signed_in(cast.benoit).post(reverse("charter_sign"))
        page = response.content.decode()
        assert response.status_code == 422
        assert "Cochez la case" in page
        assert 'aria-describedby="agreed-error"' in page
        assert cast.benoit.charters.count() == 1

    def test_lasts_a_year_and_is_journalled(self, cast: Cast, signed_in) -> None:
        expire_charter(cast.benoit)
        signed_in(cast.benoit).post(reverse("charter_sign"), {"agreed": "yes"})
        signature = cast.benoit.charters.latest("signed_on")
        assert 365 <= (signature.expires_on - signature.signed_on).days <= 366
        assert Event.objects.get(kind="referents.chartersignature").actor_id == cast.benoit.pk

    def test_offers_nothing_to_sign_while_it_is_valid(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).get(reverse("charter_sign")).content.decode()
        assert "Vous avez signé la charte" in page
        assert "Signer la charte</button>" not in page


class TestNoAccess:
    def test_explains_to_whom_holds_no_role_any_more(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.yann)
        assert client.get(reverse("pre_cases:my_parcours"))["Location"] == reverse("no_access")
        page = client.get(reverse("no_access")).content.decode()
        assert "aucun rôle" in page
        assert "Se déconnecter" in page

    def test_opens_again_on_the_day_of_a_new_role(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.yann)
        with acting_as(system_account()):
            membership = cast.yann.memberships.get()
            membership.ends_on = timezone.localdate() + timedelta(days=1)
            membership.save()
        assert client.get(reverse("pre_cases:my_parcours")).status_code == 200
