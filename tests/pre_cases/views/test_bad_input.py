"""What people get wrong, through the pages: a sentence beside the field, what was typed kept, nothing written."""

from datetime import timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.test import Client
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import Agreement, Assignment, Entry, Saisine, Schooling
from referents.models import Role
from tests.cast import Cast, make_agreement, make_child, make_saisine, make_schooling, make_user
from tests.pre_cases.views.reach import url
from tests.pre_cases.views.test_saisine import typed

DAY = timedelta(days=1)


def refused(client: Client, address: str, sent: dict[str, Any], field: str | None, sentence: str) -> str:
    """The page shown again: the sentence beside the field (above the form for None), and every text that was typed."""
    page = client.post(address, sent)
    assert page.status_code == 422
    errors = page.context["form"].errors
    assert sentence in " ".join(errors[field or "__all__"]), errors
    content = page.content.decode()
    if field is not None:
        assert f'id="id_{field}_error"' in content
    for value in sent.values():
        if isinstance(value, str) and 3 < len(value) < 200:
            assert value in content
    return content


class TestAgreement:
    def signature(self, saisine: Saisine, on: str) -> dict[str, str]:
        key = saisine.child.adult_links.get().adult_id.hex
        return {f"answer_{key}": "signed", f"on_{key}": on}

    def test_signed_in_the_future_is_refused(self, cast: Cast, signed_in) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        make_agreement(saisine)
        tomorrow = (timezone.localdate() + DAY).isoformat()
        page = signed_in(cast.benoit).post(url("agreement_sign", saisine.pk), self.signature(saisine, tomorrow))
        assert page.status_code == 422
        assert "Cette date est dans le futur." in page.content.decode()
        assert tomorrow in page.content.decode()
        assert Agreement.objects.get(saisine=saisine).signed_on is None


class TestReferent:
    def test_a_second_principal_takes_the_place_of_the_first_only_knowingly(self, cast: Cast, signed_in) -> None:
        """The page showed nobody; meanwhile somebody was chosen: the second choice is refused, one stays."""
        other = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        sent = {"referent": str(other.pk), "on": timezone.localdate().isoformat(), "seen": "0"}
        refused(signed_in(cast.amina), url("parcours_assign", cast.ines_parcours.pk), sent, None, "vient d’être choisi")
        current = Assignment.objects.filter(parcours=cast.ines_parcours, ends_on=None)
        assert [row.referent for row in current] == [cast.benoit]


class TestChild:
    def test_of_twenty_five_years_is_refused(self, cast: Cast, signed_in) -> None:
        born_on = (timezone.localdate() - relativedelta(years=25)).isoformat()
        sent = typed(team=cast.team_a.pk, birth_date=born_on, situation="Vingt-cinq ans déjà.")
        refused(signed_in(cast.benoit), url("saisine_create"), sent, "birth_date", "plus de 21 ans")
        assert not Saisine.objects.filter(author=cast.benoit).exists()

    @pytest.mark.parametrize("birth_date", ["le 3 mars 2018", "2018-02-30", "0001-01-01", "99999-01-01", "3/13/2018"])
    def test_birth_typed_as_text_is_refused(self, cast: Cast, signed_in, birth_date: str) -> None:
        sent = typed(team=cast.team_a.pk, birth_date=birth_date)
        page = signed_in(cast.benoit).post(url("saisine_create"), sent)
        assert page.status_code == 422
        assert set(page.context["form"].errors) == {"birth_date"}
        assert birth_date in page.content.decode()
        assert not Saisine.objects.filter(author=cast.benoit).exists()


class TestClass:
    def sent(self, **values: str) -> dict[str, str]:
        return {"level": "level:terminale", "starts_on": timezone.localdate().isoformat(), "school_text": ""} | values

    def test_that_cannot_be_for_the_age_is_asked_twice_and_then_believed(self, cast: Cast, signed_in) -> None:
        client, address = signed_in(cast.benoit), url("schooling_record", cast.ines.pk)
        content = refused(client, address, self.sent(), "level", "rare à cet âge")
        assert 'name="level_confirmed" value="level:terminale"' in content
        assert client.post(address, self.sent(level_confirmed="level:terminale")).status_code == 302
        assert Schooling.objects.filter(child=cast.ines, level="level:terminale").exists()

    def test_confirmed_for_another_class_is_asked_again(self, cast: Cast, signed_in) -> None:
        client, address = signed_in(cast.benoit), url("schooling_record", cast.ines.pk)
        refused(client, address, self.sent(level_confirmed="level:ps"), "level", "rare à cet âge")

    def test_of_a_new_child_is_asked_twice_too(self, cast: Cast, signed_in) -> None:
        client, sent = signed_in(cast.benoit), typed(team=cast.team_a.pk, level="level:3e")
        refused(client, url("saisine_create"), sent, "level", "rare à cet âge")
        assert client.post(url("saisine_create"), sent | {"level_confirmed": "level:3e"}).status_code == 302

    @pytest.mark.parametrize("level", ["ce1", "ce2", "cm1", "6e"])
    def test_a_year_or_two_from_the_usual_one_is_nobody_s_business(self, cast: Cast, signed_in, level: str) -> None:
        sent = self.sent(level=f"level:{level}")
        assert signed_in(cast.benoit).post(url("schooling_record", cast.ines.pk), sent).status_code == 302

    def test_that_overlaps_a_later_one_is_refused(self, cast: Cast, signed_in) -> None:
        current = cast.ines.schoolings.get()
        later = timezone.localdate()
        with acting_as(system_account()):
            current.ends_on = later
            current.save()
        make_schooling(cast.ines, level="cm1", starts_on=later)
        sent = self.sent(level="level:ce2", starts_on=(later - DAY).isoformat())
        refused(signed_in(cast.benoit), url("schooling_record", cast.ines.pk), sent, "starts_on", "déjà connue depuis")
        assert cast.ines.schoolings.count() == 2


class TestEntry:
    def sent(self, **values: str) -> dict[str, str]:
        today = timezone.localdate().isoformat()
        return {"kind": "phone", "with_whom": "family", "on": today, "text": "La mère a rappelé."} | values

    def test_dated_before_the_saisine_is_refused(self, cast: Cast, signed_in) -> None:
        before = (cast.ines_parcours.saisine.received_on - DAY).isoformat()
        address = url("entry_create", cast.ines_parcours.pk)
        refused(signed_in(cast.benoit), address, self.sent(on=before), "on", "précède la saisine")
        assert not Entry.objects.exists()

    def test_of_five_thousand_characters_keeps_them_all_on_the_page(self, cast: Cast, signed_in) -> None:
        long = "Les devoirs du soir. " * 240
        page = signed_in(cast.benoit).post(url("entry_create", cast.ines_parcours.pk), self.sent(text=long))
        assert page.status_code == 422
        assert page.context["form"].errors == {"text": ["Ce qui s’est échangé : 1000 signes au plus."]}
        assert long.strip() in page.content.decode()
        assert not Entry.objects.exists()
