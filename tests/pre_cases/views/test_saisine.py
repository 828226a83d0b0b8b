"""The pages of saisines: who reaches them, what they keep, what they write."""

from datetime import date, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import School
from partners.models.school import uai_letter
from pre_cases.models import Child, DuplicateNotice, Entry, Relation, Saisine
from pre_cases.services.family import NewAdult, add_adult
from pre_cases.services.saisine import decide_outcome
from referents.models import Role
from tests.cast import Cast, make_agreement, make_child, make_parcours, make_saisine, make_team, make_user
from tests.pre_cases.views.reach import assert_hidden, queries_of, url


@pytest.fixture
def today() -> date:
    return timezone.localdate()


@pytest.fixture
def saisine(cast: Cast) -> Saisine:
    return make_saisine(make_child("Zoé", family_name="Petit"), cast.team_a)


def typed(**values: Any) -> dict[str, Any]:
    """What a person types to record a saisine about a new child."""
    defaults = {
        "received_on": timezone.localdate().isoformat(),
        "source": "source:college",
        "first_name": "Léo",
        "family_name": "Ferrand",
        "birth_date": (timezone.localdate() - relativedelta(years=8)).isoformat(),
        "adult1_lives_with": "main",
        "adult2_lives_with": "main",
    }
    return defaults | values


def make_schools(*names: str) -> list[School]:
    return [
        School.objects.create(uai=(digits := f"{750100 + number:07d}") + uai_letter(digits), name=name, city="Paris")
        for number, name in enumerate(names)
    ]


class TestSaisineList:
    def test_shows_urgent_ones_first_then_the_oldest(self, cast: Cast, signed_in, today: date) -> None:
        for name, days, urgent in (("Ana", 5, False), ("Bob", 9, False), ("Cléo", 1, True)):
            make_saisine(make_child(name), cast.team_a, received_on=today - timedelta(days=days), is_urgent=urgent)
        page = signed_in(cast.amina).get(url("saisine_list"))
        names = [row.child.first_name for row in page.context["page"]]
        assert names == ["Cléo", "Bob", "Ana"]

    def test_holds_neither_what_is_over_nor_another_team(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        make_saisine(make_child("Autre"), cast.team_b)
        page = signed_in(cast.amina).get(url("saisine_list"))
        assert [row.pk for row in page.context["page"]] == [saisine.pk]

    def test_hides_from_a_referent_what_a_colleague_follows(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        other = make_user("Omar", Role.REFERENT, cast.team_a)
        followed = make_saisine(make_child("Ana"), cast.team_a, assignee=other)
        rows = {row.pk for row in signed_in(cast.benoit).get(url("saisine_list")).context["page"]}
        assert rows == {saisine.pk}
        rows = {row.pk for row in signed_in(cast.amina).get(url("saisine_list")).context["page"]}
        assert rows == {saisine.pk, followed.pk}

    def test_counts_what_each_filter_shows(self, cast: Cast, signed_in, today: date) -> None:
        make_saisine(make_child("Fay"), cast.team_a, submitted_on=None)
        make_saisine(make_child("Gus"), cast.team_a, completion_asked_on=today)
        make_saisine(make_child("Ana"), cast.team_a, assignee=cast.benoit, is_urgent=True)
        make_agreement(make_saisine(make_child("Bob"), cast.team_a))
        make_agreement(make_saisine(make_child("Cléo"), cast.team_a), signed_on=today)
        make_agreement(make_saisine(make_child("Dan"), cast.team_a), refused_on=today)
        ended = make_saisine(make_child("Eli"), cast.team_a)
        decide_outcome(saisine=ended, outcome="no_follow_up", on=today, reason="Déjà suivi.", by=cast.amina)
        client = signed_in(cast.amina)
        filters = client.get(url("saisine_list")).context["filters"]
        assert [link["count"] for link in filters] == [5, 1, 1, 1, 1, 1, 1, 4, 1, 1]
        for link in filters:
            assert len(client.get(link["url"]).context["page"]) == link["count"], link["label"]

    def test_keeps_the_team_of_the_board(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        both = make_user("Ondine", Role.COORDINATOR, cast.team_a)
        other = make_saisine(make_child("Ana"), cast.team_b)
        with acting_as(system_account()):
            both.memberships.create(role=Role.COORDINATOR, team=cast.team_b, starts_on=timezone.localdate())
        client = signed_in(both)
        assert {row.pk for row in client.get(url("saisine_list")).context["page"]} == {saisine.pk, other.pk}
        page = client.get(url("saisine_list") + "?equipe=b")
        assert [row.pk for row in page.context["page"]] == [other.pk]
        assert all("equipe=b" in link["url"] for link in page.context["filters"])

    def test_is_journalled_with_the_ids_it_shows(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        signed_in(cast.amina).get(url("saisine_list"))
        event = Event.objects.filter(action="list", kind="pre_cases.saisine").get()
        assert event.record_ids == [str(saisine.pk)]

    def test_reads_as_much_for_one_row_as_for_a_page(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        client = signed_in(cast.amina)
        client.get(url("saisine_list"))
        one = queries_of(client, url("saisine_list"))
        for number in range(26):
            make_saisine(make_child(f"N{number}"), cast.team_a, assignee=cast.benoit)
        assert queries_of(client, url("saisine_list")) == one <= 7

    def test_goes_on_to_the_next_page_without_repeating(self, cast: Cast, signed_in, today: date) -> None:
        for number in range(27):
            make_saisine(make_child(f"N{number}"), cast.team_a, received_on=today, is_urgent=number % 2 == 0)
        client = signed_in(cast.amina)
        first = client.get(url("saisine_list"))
        second = client.get(url("saisine_list") + first.context["next_url"])
        rows = [row.pk for page in (first, second) for row in page.context["page"]]
        assert (len(rows), len(set(rows)), second.context["next_url"]) == (27, 27, "")

    def test_says_what_to_do_when_empty(self, cast: Cast, signed_in) -> None:
        assert "Aucune saisine en attente" in signed_in(cast.amina).get(url("saisine_list")).content.decode()

    def test_does_not_exist_for_who_works_in_no_team(self, cast: Cast, signed_in) -> None:
        for person in (cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert signed_in(person).get(url("saisine_list")).status_code == 404


ELSEWHERE = "Une situation existe peut-être déjà ailleurs."
NOBODY = "Aucun enfant que vous connaissez ne porte un nom proche."
SEVERAL = "Des enfants que vous connaissez"
TOO_MANY = "enregistrez cette saisine demain, ou demandez à un collègue de l’équipe"


def sought(cast: Cast, first_name: str, family_name: str, birth_date: date | None = None) -> dict[str, Any]:
    """What a person types before a child is recorded."""
    return {
        "first_name": first_name,
        "family_name": family_name,
        "birth_date": birth_date.isoformat() if birth_date else "",
        "team": cast.team_a.pk,
    }


def stranger() -> tuple[Child, list[str]]:
    """A child of another team, and all that tells where it is followed."""
    team = make_team("quetzal", 20)
    referent = make_user("Zébulonne", Role.REFERENT, team)
    child = make_child("Tom", family_name="Castafiore")
    parcours = make_parcours(team, referent=referent, child=child)
    ids = [str(record.pk) for record in (child, parcours, parcours.saisine, child.family)]
    return child, [*ids, "QUETZAL", "quetzal", "Zébulonne", referent.email, "Castafiore", child.birth_date.isoformat()]


class TestSaisineSearch:
    def test_asks_only_who_the_child_is(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).get(url("saisine_search"))
        assert page.status_code == 200
        assert list(page.context["form"].fields) == ["first_name", "family_name", "birth_date", "team"]
        assert not Event.objects.filter(action="search").exists()

    def test_shows_a_child_in_reach_with_its_parcours(self, cast: Cast, signed_in) -> None:
        for person in (cast.benoit, cast.amina):
            page = signed_in(person).post(url("saisine_search"), sought(cast, "ines", "Morelle"))
            assert page.status_code == 200
            text = page.content.decode()
            assert "Un enfant que vous connaissez peut-être" in text
            assert "<strong>Inès Morel</strong>, née le" in text
            assert f'href="{url("saisine_again", cast.ines.pk)}"' in text
            assert 'aria-label="Parcours de Inès"' in text
            assert f'href="{url("parcours_detail", cast.ines_parcours.pk)}"' in text
            assert "Benoît Test" in text
            assert ELSEWHERE not in text
            assert NOBODY not in text

    def test_shows_a_child_of_whom_only_a_saisine_waits(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        text = signed_in(cast.benoit).post(url("saisine_search"), sought(cast, "Zoé", "Petit")).content.decode()
        assert f'href="{url("saisine_again", saisine.child_id)}"' in text
        assert 'aria-label="Parcours de' not in text

    def test_shows_every_child_that_it_may_be(self, cast: Cast, signed_in) -> None:
        undated = make_child("Inès", birth_date=None)
        make_parcours(cast.team_a, referent=cast.benoit, child=undated)
        text = signed_in(cast.benoit).post(url("saisine_search"), sought(cast, "Inès", "Morel")).content.decode()
        assert SEVERAL in text
        for child in (cast.ines, undated):
            assert f'href="{url("saisine_again", child.pk)}"' in text

    def test_says_of_a_child_of_another_team_that_it_exists_and_no_more(self, cast: Cast, signed_in) -> None:
        child, secrets = stranger()
        page = signed_in(cast.benoit).post(url("saisine_search"), sought(cast, "Tom", "Castafiorre"))
        assert page.status_code == 200
        text = page.content.decode()
        assert ELSEWHERE in text
        assert "Les coordinations sont prévenues" in text
        assert NOBODY not in text
        assert "C’est cet enfant" not in text
        assert not [secret for secret in secrets if secret in text or secret in str(page.headers)]
        assert DuplicateNotice.objects.filter(child=child).exists()

    def test_says_that_nobody_was_found(self, cast: Cast, signed_in) -> None:
        text = signed_in(cast.benoit).post(url("saisine_search"), sought(cast, "Zoé", "Petit")).content.decode()
        assert NOBODY in text
        assert ELSEWHERE not in text
        assert "que vous connaissez peut-être" not in text

    def test_goes_on_with_what_was_typed(self, cast: Cast, signed_in, today: date) -> None:
        born = today - relativedelta(years=8)
        page = signed_in(cast.benoit).post(url("saisine_search"), sought(cast, "Léo", "Ferrand", born))
        form = page.context["form"]
        assert [form[name].value() for name in ("first_name", "family_name", "birth_date", "team")] == [
            "Léo",
            "Ferrand",
            born,
            cast.team_a.pk,
        ]
        assert f'action="{url("saisine_create")}"' in page.content.decode()
        data = typed(team=cast.team_a.pk, searched=form["searched"].value())
        assert signed_in(cast.benoit).post(url("saisine_create"), data).status_code == 302

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"first_name": ""}, "first_name"),
            ({"family_name": "-"}, "family_name"),
            ({"birth_date": "hier"}, "birth_date"),
            ({"team": ""}, "team"),
        ],
    )
    def test_says_beside_the_field_what_is_missing(self, cast: Cast, signed_in, values: dict, field: str) -> None:
        data = sought(cast, "Inès", "Morel") | values
        page = signed_in(cast.benoit).post(url("saisine_search"), data)
        assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
        assert not Event.objects.filter(action="search").exists()

    def test_refuses_another_team(self, cast: Cast, signed_in) -> None:
        data = sought(cast, "Inès", "Morel") | {"team": cast.team_b.pk}
        page = signed_in(cast.benoit).post(url("saisine_search"), data)
        assert (page.status_code, list(page.context["form"].errors)) == (422, ["team"])

    def test_says_that_the_searches_of_the_day_are_spent(self, cast: Cast, signed_in, settings) -> None:
        settings.CHILD_SEARCHES_A_DAY = 1
        client, data = signed_in(cast.benoit), sought(cast, "Inès", "Morel")
        assert client.post(url("saisine_search"), data).status_code == 200
        page = client.post(url("saisine_search"), data)
        assert page.status_code == 422
        text = page.content.decode()
        assert f"Vous avez déjà fait 1 recherches en un jour : {TOO_MANY}." in text
        assert 'value="Morel"' in text
        assert url("saisine_again", cast.ines.pk) not in text

    def test_leaves_in_the_journal_the_parcours_that_it_shows(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).post(url("saisine_search"), sought(cast, "Inès", "Morel"))
        shown = [event.record_ids for event in Event.objects.filter(action="read", kind="pre_cases.parcours")]
        assert shown == [[str(cast.ines_parcours.pk)]]

    def test_does_not_exist_for_who_works_in_no_team(self, cast: Cast, signed_in) -> None:
        for person in (cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            client = signed_in(person)
            assert client.get(url("saisine_search")).status_code == 404
            assert client.post(url("saisine_search"), sought(cast, "Inès", "Morel")).status_code == 404
        assert not Event.objects.filter(action="search").exists()


class TestSaisineCreate:
    def test_records_the_child_and_shows_the_saisine(self, cast: Cast, signed_in) -> None:
        data = typed(
            team=cast.team_a.pk,
            level="level:ce2",
            signs=["sign:absences", "sign:famille"],
            main_sign="sign:famille",
            adult1_family_name="Ferrand",
            adult1_relation="mother",
            adult1_holds_authority="on",
        )
        response = signed_in(cast.benoit).post(url("saisine_create"), data)
        saisine = Saisine.objects.get(author=cast.benoit)
        assert response.headers["Location"] == url("saisine_detail", saisine.pk)
        assert saisine.child.adult_links.get().holds_authority
        assert saisine.signs.get(is_main=True).sign_id == "sign:famille"

    def test_keeps_what_was_typed_and_says_it_beside_the_field(self, cast: Cast, signed_in, today: date) -> None:
        data = typed(
            team=cast.team_a.pk,
            received_on=(today + timedelta(days=1)).isoformat(),
            situation="Ce que dit l’école",
            signs=["sign:absences"],
            adult2_phone="01 02 03 04 05",
            adult2_family_name="Petit",
            adult2_relation="father",
        )
        children = Child.objects.count()
        page = signed_in(cast.benoit).post(url("saisine_create"), data)
        assert page.status_code == 422
        assert page.context["form"].errors["received_on"] == ["Cette date est dans le futur."]
        text = page.content.decode()
        assert "Ce que dit l’école" in text
        assert "01 02 03 04 05" in text
        assert 'value="sign:absences" id="sign-signabsences" checked' in text
        assert Child.objects.count() == children

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"source": ""}, "source", "obligatoire"),
            ({"main_sign": "sign:absences"}, "main_sign", "Cochez aussi"),
            ({"adult1_phone": "appeler le soir"}, "adult1_phone", "téléphone"),
            ({"adult1_first_name": "Karim"}, "adult1_family_name", "nom de cet adulte"),
            ({"school_text": "Introuvable"}, "school_text", "Aucun établissement"),
            ({"birth_date": "1990-01-01"}, "birth_date", "plus de 21 ans"),
            ({"situation": "x" * 1001}, "situation", "1000"),
        ],
    )
    def test_refuses_what_cannot_be(self, cast: Cast, signed_in, values: dict, field: str, sentence: str) -> None:
        page = signed_in(cast.benoit).post(url("saisine_create"), typed(team=cast.team_a.pk, **values))
        assert page.status_code == 422
        assert sentence in " ".join(page.context["form"].errors[field])

    def test_finds_a_school_by_a_few_words(self, cast: Cast, signed_in) -> None:
        school, _ = make_schools("École Saint-Éloi", "Collège du Parc")
        data = typed(team=cast.team_a.pk, school_text="saint eloi", level="level:ce2")
        signed_in(cast.benoit).post(url("saisine_create"), data)
        assert Saisine.objects.get(author=cast.benoit).child.schoolings.get().school == school

    def test_asks_which_school_when_several_answer(self, cast: Cast, signed_in) -> None:
        _, second = make_schools("École du Parc", "Collège du Parc")
        client, data = signed_in(cast.benoit), typed(team=cast.team_a.pk, school_text="parc", level="level:cm2")
        page = client.post(url("saisine_create"), data)
        assert page.status_code == 422
        assert [choice.pk for choice in page.context["form"].fields["school"].queryset]
        assert client.post(url("saisine_create"), data | {"school": second.pk}).status_code == 302
        assert Saisine.objects.get(author=cast.benoit).child.schoolings.get().school == second

    def test_refuses_a_school_that_does_not_answer_what_was_typed(self, cast: Cast, signed_in) -> None:
        *_, other = make_schools("École du Parc", "Collège du Parc", "Lycée Ravel")
        data = typed(team=cast.team_a.pk, school_text="parc", level="level:6e", school=other.pk)
        assert signed_in(cast.benoit).post(url("saisine_create"), data).status_code == 422

    def test_refuses_another_team(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).post(url("saisine_create"), typed(team=cast.team_b.pk))
        assert (page.status_code, "team" in page.context["form"].errors) == (422, True)
        assert not Saisine.objects.filter(author=cast.benoit).exists()

    def test_warns_about_an_unusual_age_without_blocking(self, cast: Cast, signed_in, today: date) -> None:
        data = typed(team=cast.team_a.pk, birth_date=(today - relativedelta(years=1)).isoformat())
        page = signed_in(cast.benoit).post(url("saisine_create"), data, follow=True)
        assert "moins de 2 ans" in page.content.decode()

    def test_begins_by_a_search(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).get(url("saisine_create"))
        assert response.headers["Location"] == url("saisine_search")
        assert not Saisine.objects.filter(author=cast.benoit).exists()

    def test_says_what_to_do_in_danger(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).post(url("saisine_create"), typed(team=cast.team_a.pk, source=""))
        assert "appelez le 119" in page.content.decode()

    def test_looks_for_a_child_that_nobody_has_looked_for(self, cast: Cast, signed_in) -> None:
        """Sent without a search, or for other names than those searched: the known child is shown first."""
        born = cast.ines.birth_date.isoformat()
        data = typed(team=cast.team_a.pk, first_name="Ines", family_name="Morelle", birth_date=born)
        client = signed_in(cast.benoit)
        page = client.post(url("saisine_create"), data | {"searched": "0" * 64})
        assert page.status_code == 422
        assert [row["child"].pk for row in page.context["known_children"]] == [cast.ines.pk]
        assert not Saisine.objects.filter(author=cast.benoit).exists()
        again = data | {"searched": page.context["form"]["searched"].value()}
        assert client.post(url("saisine_create"), again).status_code == 302
        assert Saisine.objects.filter(author=cast.benoit).count() == 1

    def test_asks_again_when_the_names_have_changed_since(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        who = {"first_name": "Léo", "family_name": "Ferrand", "birth_date": "", "team": cast.team_a.pk}
        searched = client.post(url("saisine_search"), who).context["form"]["searched"].value()
        changed = typed(team=cast.team_a.pk, first_name="Inès", family_name="Morel", birth_date="", searched=searched)
        assert client.post(url("saisine_create"), changed).status_code == 422

    def test_does_not_take_the_search_of_another_person(self, cast: Cast, signed_in) -> None:
        born = cast.ines.birth_date
        page = signed_in(cast.amina).post(url("saisine_search"), sought(cast, "Inès", "Morel", born))
        theirs = page.context["form"]["searched"].value()
        data = typed(
            team=cast.team_a.pk,
            first_name="Inès",
            family_name="Morel",
            birth_date=born.isoformat(),
            searched=theirs,
        )
        page = signed_in(cast.benoit).post(url("saisine_create"), data)
        assert page.status_code == 422
        assert url("saisine_again", cast.ines.pk) in page.content.decode()

    def test_says_of_a_child_of_another_team_that_it_exists_and_no_more(self, cast: Cast, signed_in) -> None:
        _, secrets = stranger()
        data = typed(team=cast.team_a.pk, first_name="Tom", family_name="Castafiorre", birth_date="")
        page = signed_in(cast.benoit).post(url("saisine_create"), data)
        assert page.status_code == 422
        text = page.content.decode()
        assert ELSEWHERE in text
        assert not [secret for secret in secrets if secret in text]
        assert not Saisine.objects.filter(author=cast.benoit).exists()

    def test_records_nothing_without_a_search_once_those_of_the_day_are_spent(
        self, cast: Cast, signed_in, settings
    ) -> None:
        settings.CHILD_SEARCHES_A_DAY = 0
        client, data = signed_in(cast.benoit), typed(team=cast.team_a.pk, situation="Ce que dit l’école")
        page = client.post(url("saisine_create"), data)
        assert page.status_code == 422
        text = page.content.decode()
        assert TOO_MANY in text
        assert "Ce que dit l’école" in text
        again = data | {"searched": page.context["form"]["searched"].value() or ""}
        assert client.post(url("saisine_create"), again).status_code == 422
        assert not Saisine.objects.filter(author=cast.benoit).exists()

    def test_does_not_exist_for_who_works_in_no_team(self, cast: Cast, signed_in) -> None:
        for person in (cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            client = signed_in(person)
            assert client.get(url("saisine_create")).status_code == 404
            assert client.post(url("saisine_create"), typed(team=cast.team_a.pk)).status_code == 404


class TestSaisineAgain:
    def data(self, cast: Cast) -> dict[str, Any]:
        return {"team": cast.team_a.pk, "received_on": timezone.localdate().isoformat(), "source": "source:college"}

    def test_records_another_saisine_about_the_child(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert "rattachée" in client.get(url("saisine_again", cast.ines.pk)).content.decode()
        assert client.post(url("saisine_again", cast.ines.pk), self.data(cast)).status_code == 302
        assert cast.ines.saisines.count() == 2

    def test_is_open_to_the_coordination_after_a_closing(self, cast: Cast, signed_in, today: date) -> None:
        child = make_child("Zoé")
        parcours = make_parcours(cast.team_a, child=child)
        type(parcours).objects.filter(pk=parcours.pk).update(
            closed_on=today, exit_reason="exit_reason:objectifs-atteints"
        )
        assert signed_in(cast.amina).get(url("saisine_again", child.pk)).status_code == 200

    def test_does_not_exist_out_of_reach(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "saisine_again", cast.ines.pk)

    def test_keeps_what_was_typed(self, cast: Cast, signed_in) -> None:
        data = self.data(cast) | {"source": "", "situation": "Des faits"}
        page = signed_in(cast.benoit).post(url("saisine_again", cast.ines.pk), data)
        assert (page.status_code, "Des faits" in page.content.decode()) == (422, True)


class TestSaisineSibling:
    def test_offers_the_adults_of_the_child_known(self, cast: Cast, signed_in) -> None:
        add_adult(
            child=cast.ines,
            adult=NewAdult(family_name="Morel", first_name="Karim", relation=Relation.FATHER),
            on=timezone.localdate(),
            by=cast.benoit,
        )
        text = signed_in(cast.benoit).get(url("saisine_sibling", cast.ines.pk)).content.decode()
        assert "Nadia Morel" in text
        assert "Karim Morel" in text

    def test_makes_a_child_of_the_same_family_with_the_adults_ticked(self, cast: Cast, signed_in) -> None:
        mother = cast.ines.adult_links.get().adult
        name = f"known_{mother.pk.hex}"
        data = typed(
            team=cast.team_a.pk,
            **{
                name: "on",
                f"{name}_relation": "mother",
                f"{name}_holds_authority": "on",
                f"{name}_lives_with": "alternating",
            },
        )
        assert signed_in(cast.benoit).post(url("saisine_sibling", cast.ines.pk), data).status_code == 302
        child = Saisine.objects.get(author=cast.benoit).child
        link = child.adult_links.get()
        assert (child.family, link.adult, link.lives_with) == (cast.ines.family, mother, "alternating")

    def test_asks_what_a_ticked_adult_is_to_the_child(self, cast: Cast, signed_in) -> None:
        name = f"known_{cast.ines.adult_links.get().adult_id.hex}"
        data = typed(team=cast.team_a.pk, **{name: "on", f"{name}_relation": "", f"{name}_lives_with": "main"})
        page = signed_in(cast.benoit).post(url("saisine_sibling", cast.ines.pk), data)
        assert (page.status_code, list(page.context["form"].errors)) == (422, [f"{name}_relation"])

    def test_looks_for_the_child_before_it_is_recorded(self, cast: Cast, signed_in) -> None:
        """A sister known already, here or elsewhere: it is said first, and sent again the saisine is recorded."""
        _, secrets = stranger()
        twin = make_child("Nora")
        make_parcours(cast.team_a, referent=cast.benoit, child=twin)
        client, address = signed_in(cast.benoit), url("saisine_sibling", cast.ines.pk)
        here = typed(team=cast.team_a.pk, first_name="Norra", family_name="Morel", birth_date="")
        elsewhere = typed(team=cast.team_a.pk, first_name="Tom", family_name="Castafiorre", birth_date="")
        for data, said in ((here, url("saisine_again", twin.pk)), (elsewhere, ELSEWHERE)):
            page = client.post(address, data)
            assert page.status_code == 422
            text = page.content.decode()
            assert said in text
            assert not [secret for secret in secrets if secret in text]
            assert not Saisine.objects.filter(author=cast.benoit).exists()
        again = elsewhere | {"searched": page.context["form"]["searched"].value()}
        assert client.post(address, again).status_code == 302
        assert Saisine.objects.get(author=cast.benoit).child.family == cast.ines.family

    def test_says_that_the_searches_of_the_day_are_spent(self, cast: Cast, signed_in, settings) -> None:
        settings.CHILD_SEARCHES_A_DAY = 0
        page = signed_in(cast.benoit).post(url("saisine_sibling", cast.ines.pk), typed(team=cast.team_a.pk))
        assert (page.status_code, TOO_MANY in page.content.decode()) == (422, True)
        assert not Saisine.objects.filter(author=cast.benoit).exists()

    def test_does_not_exist_out_of_reach(self, cast: Cast, signed_in) -> None:
        assert_hidden(signed_in(cast.chloe), "saisine_sibling", cast.ines.pk)


def possible(context: Any) -> set[str]:
    """What the page was told may be done."""
    return {name for name in context.keys() if name.startswith("may_") and context[name]}  # noqa: SIM118


class TestSaisineDetail:
    def test_says_what_comes_next(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        client, address = signed_in(cast.amina), url("saisine_detail", saisine.pk)
        assert "présenter le formulaire d’accord" in client.get(address).content.decode()
        agreement = make_agreement(saisine)
        assert "recueillir la signature" in client.get(address).content.decode()
        type(agreement).objects.filter(pk=agreement.pk).update(
            signed_on=today, agreed_until_on=today + timedelta(days=300)
        )
        assert "ouvrir le parcours" in client.get(address).content.decode()

    def test_shows_only_what_is_possible(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        context = signed_in(cast.benoit).get(url("saisine_detail", saisine.pk)).context
        assert possible(context) == {"may_take", "may_change", "may_rewrite"}
        context = signed_in(cast.amina).get(url("saisine_detail", saisine.pk)).context
        assert possible(context) == {
            "may_assign",
            "may_change",
            "may_rewrite",
            "may_ask",
            "may_write",
            "may_present",
            "may_decide",
        }

    def test_offers_nothing_but_attaching_for_a_child_already_followed(self, cast: Cast, signed_in) -> None:
        saisine = make_saisine(cast.ines, cast.team_a, assignee=cast.benoit)
        page = signed_in(cast.amina).get(url("saisine_detail", saisine.pk))
        assert page.context["next_step"].label == "rattacher la saisine au parcours en cours"
        assert not page.context["may_present"]
        assert url("parcours_detail", cast.ines_parcours.pk) in page.content.decode()

    def test_shows_every_button_that_leads_somewhere(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        make_agreement(saisine)
        client = signed_in(cast.amina)
        text = client.get(url("saisine_detail", saisine.pk)).content.decode()
        for name in ("agreement_oral", "agreement_sign", "agreement_refuse", "saisine_entry", "saisine_outcome"):
            assert url(name, saisine.pk) in text
            assert client.get(url(name, saisine.pk)).status_code == 200

    def test_stays_readable_once_the_parcours_is_open(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.amina).get(url("saisine_detail", cast.ines_parcours.saisine_id))
        assert "Cette saisine a ouvert un parcours." in page.content.decode()
        assert page.context["next_step"] is None

    def test_closes_to_a_colleague_once_the_parcours_is_open(self, cast: Cast, signed_in) -> None:
        colleague = make_user("Denis", Role.REFERENT, cast.team_a)
        opened = cast.ines_parcours.saisine
        for assignee in (None, colleague):  # nobody followed it, or the colleague did until the opening
            with acting_as(system_account()):
                opened.assignee = assignee
                opened.save()
            for name, pk in (
                ("saisine_detail", opened.pk),
                ("saisine_again", cast.ines.pk),
                ("saisine_sibling", cast.ines.pk),
            ):
                assert_hidden(signed_in(colleague), name, pk, ("get",))
            assert signed_in(cast.benoit).get(url("saisine_detail", opened.pk)).status_code == 200

    def test_closes_to_the_team_once_ended_without_a_follower(self, cast: Cast, signed_in, today: date) -> None:
        ended = make_saisine(make_child("Ana"), cast.team_a, outcome="no_follow_up", outcome_on=today)
        assert_hidden(signed_in(cast.benoit), "saisine_detail", ended.pk, ("get",))
        assert signed_in(cast.amina).get(url("saisine_detail", ended.pk)).status_code == 200

    def test_reads_as_much_for_many_facts_as_for_one(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        client, address = signed_in(cast.amina), url("saisine_detail", saisine.pk)
        make_agreement(saisine)
        client.get(address)
        few = queries_of(client, address)
        for number in range(4):
            facts = NewAdult(family_name=f"A{number}", relation=Relation.OTHER)
            add_adult(child=saisine.child, adult=facts, on=timezone.localdate(), by=cast.amina)
            Entry.objects.bulk_create(
                [
                    Entry(
                        saisine=saisine,
                        author=cast.benoit,
                        kind="phone",
                        on=timezone.localdate(),
                        text="x",
                        data_key_id=saisine.data_key_id,
                    )
                ]
            )
        assert queries_of(client, address) == few

    def test_is_journalled(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        signed_in(cast.amina).get(url("saisine_detail", saisine.pk))
        assert Event.objects.filter(action="read", record_ids=[str(saisine.pk)], actor_id=cast.amina.pk).exists()

    def test_does_not_exist_out_of_reach(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        for person in (cast.chloe, cast.david, cast.esther, cast.hugo):
            assert_hidden(signed_in(person), "saisine_detail", saisine.pk, ("get",))


class TestSaisineAssign:
    def test_lets_a_referent_take_it_in_one_click(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        response = signed_in(cast.benoit).post(url("saisine_assign", saisine.pk), {"assignee": cast.benoit.pk})
        assert response.status_code == 302
        assert Saisine.objects.get(pk=saisine.pk).assignee == cast.benoit

    def test_lets_the_coordination_choose(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        client = signed_in(cast.amina)
        offered = client.get(url("saisine_assign", saisine.pk)).context["form"].fields["assignee"].queryset
        assert set(offered) == {cast.amina, cast.benoit}
        client.post(url("saisine_assign", saisine.pk), {"assignee": cast.benoit.pk})
        assert Saisine.objects.get(pk=saisine.pk).assignee == cast.benoit

    def test_refuses_somebody_who_is_not_offered(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        for person, assignee in ((cast.benoit, cast.amina), (cast.amina, cast.chloe)):
            page = signed_in(person).post(url("saisine_assign", saisine.pk), {"assignee": assignee.pk})
            assert (page.status_code, "assignee" in page.context["form"].errors) == (422, True)

    def test_does_not_exist_out_of_reach(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        assert_hidden(signed_in(cast.chloe), "saisine_assign", saisine.pk)


class TestSaisineOutcome:
    def data(self, **values: Any) -> dict[str, Any]:
        return {"outcome": "no_follow_up", "on": timezone.localdate().isoformat(), "reason": "Autre solution"} | values

    def test_ends_the_saisine_then_keeps_the_days_told(
        self, cast: Cast, signed_in, saisine: Saisine, today: date
    ) -> None:
        client, address = signed_in(cast.amina), url("saisine_outcome", saisine.pk)
        assert client.post(address, self.data()).status_code == 302
        assert client.post(address, {"family_told_on": today.isoformat(), "requester_told_on": ""}).status_code == 302
        ended = Saisine.objects.get(pk=saisine.pk)
        assert (ended.outcome, ended.family_told_on) == ("no_follow_up", today)

    def test_keeps_what_was_typed(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        page = signed_in(cast.amina).post(url("saisine_outcome", saisine.pk), self.data(outcome="redirected"))
        assert page.status_code == 422
        assert page.context["form"].errors["redirected_to"] == ["Dites vers qui la famille est orientée."]
        assert "Autre solution" in page.content.decode()

    def test_offers_only_attaching_for_a_child_already_followed(self, cast: Cast, signed_in) -> None:
        saisine = make_saisine(cast.ines, cast.team_a)
        client, address = signed_in(cast.amina), url("saisine_outcome", saisine.pk)
        assert client.post(address, self.data()).status_code == 422
        assert client.post(address, self.data(outcome="attached")).status_code == 302

    def test_belongs_to_the_coordination(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        for person in (cast.benoit, cast.chloe, cast.esther):
            assert_hidden(signed_in(person), "saisine_outcome", saisine.pk)


class TestSaisineEntry:
    def data(self, **values: Any) -> dict[str, Any]:
        day = timezone.localdate().isoformat()
        return {"kind": "phone", "with_whom": "family", "on": day, "text": "Un échange"} | values

    def test_notes_an_exchange_before_the_opening(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        assert signed_in(cast.amina).post(url("saisine_entry", saisine.pk), self.data()).status_code == 302
        entry = saisine.entries.get()
        assert (entry.parcours, entry.text, entry.author) == (None, "Un échange", cast.amina)

    def test_refuses_a_day_before_the_saisine(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        page = signed_in(cast.amina).post(url("saisine_entry", saisine.pk), self.data(on="2001-01-01"))
        assert (page.status_code, "Un échange" in page.content.decode()) == (422, True)
        assert page.context["form"].errors["on"]

    def test_belongs_to_who_follows_the_saisine(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        client, address = signed_in(cast.benoit), url("saisine_entry", saisine.pk)
        assert_hidden(client, "saisine_entry", saisine.pk)
        Saisine.objects.filter(pk=saisine.pk).update(assignee=cast.benoit)
        assert client.post(address, self.data()).status_code == 302
