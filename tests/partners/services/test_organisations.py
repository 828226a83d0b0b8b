"""Adding organisations to the directory, and keeping them up to date."""

from typing import Any

import pytest

from audit.journal.models import Event
from partners.models import Organisation, OrganisationKind
from partners.services.organisations import OrganisationExists, change_organisation, create_organisation
from tests.cast import Cast


@pytest.fixture
def facts() -> dict[str, Any]:
    return {"name": "Centre social Épinettes", "kind": OrganisationKind.CENTRE_SOCIAL_CAF}


class TestCreateOrganisation:
    def test_makes_it_findable_without_accents(self, cast: Cast, facts: dict[str, Any]) -> None:
        organisation = create_organisation(by=cast.amina, **facts)
        assert list(Organisation.objects.matching("epinettes")) == [organisation]

    def test_is_journalled_with_its_author(self, cast: Cast, facts: dict[str, Any]) -> None:
        organisation = create_organisation(by=cast.amina, **facts)
        event = Event.objects.get(kind="partners.organisation", action="create")
        assert (event.actor_id, event.record_ids) == (cast.amina.pk, [str(organisation.pk)])

    def test_refuses_a_name_that_differs_by_accents_only(self, cast: Cast, facts: dict[str, Any]) -> None:
        create_organisation(by=cast.amina, **facts)
        with pytest.raises(OrganisationExists) as refusal:
            create_organisation(by=cast.amina, **facts | {"name": "centre SOCIAL epinettes"})
        assert refusal.value.field == "name"
        assert Organisation.objects.filter(kind=OrganisationKind.CENTRE_SOCIAL_CAF).count() == 1


class TestChangeOrganisation:
    def test_replaces_what_is_said(self, cast: Cast, facts: dict[str, Any]) -> None:
        organisation = create_organisation(by=cast.amina, phone="0140000000", **facts)
        change_organisation(organisation=organisation, by=cast.esther, **facts | {"address": "1 rue Davy"})
        organisation.refresh_from_db()
        assert (organisation.address, organisation.phone) == ("1 rue Davy", "")
        assert Event.objects.filter(action="change", actor_id=cast.esther.pk, kind="partners.organisation").exists()

    def test_keeps_its_own_name(self, cast: Cast, facts: dict[str, Any]) -> None:
        organisation = create_organisation(by=cast.amina, **facts)
        assert change_organisation(organisation=organisation, by=cast.amina, **facts) == organisation

    def test_refuses_the_name_of_another(self, cast: Cast, facts: dict[str, Any]) -> None:
        organisation = create_organisation(by=cast.amina, **facts)
        with pytest.raises(OrganisationExists):
            change_organisation(organisation=organisation, by=cast.amina, **facts | {"name": "Les amis du square"})
