"""One exchange about several children, each in its own file, and corrections that leave the others as they are."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from pre_cases.models import Entry, Parcours
from pre_cases.services.draft import save_draft
from pre_cases.services.entries import SEVERAL, add_entries, correct_entry, names_one_of
from pre_cases.services.timeline import EntryRefused, add_entry
from tests.cast import Cast, make_child, make_parcours

DAY = timedelta(days=1)


@pytest.fixture
def lina(cast: Cast) -> Parcours:
    return make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Lina"))


def both(cast: Cast, lina: Parcours, **values) -> list[Entry]:
    exchange = {"kind": "school", "on": timezone.localdate(), "with_whom": "school", "text": "Réunion de rentrée."}
    parcours_list = list(Parcours.objects.filter(pk__in=[cast.ines_parcours.pk, lina.pk]).select_related("child"))
    return add_entries(**{"parcours_list": parcours_list, "by": cast.benoit} | exchange | values)


class TestAddEntries:
    def test_writes_one_row_for_each_child_under_its_own_key(self, cast: Cast, lina: Parcours) -> None:
        entries = both(cast, lina)
        assert {entry.parcours_id: entry.data_key_id for entry in entries} == {
            cast.ines_parcours.pk: cast.ines_parcours.data_key_id,
            lina.pk: lina.data_key_id,
        }
        assert len({entry.group_id for entry in entries}) == 1
        assert entries[0].group_id is not None
        assert {entry.text for entry in Entry.objects.all()} == {"Réunion de rentrée."}

    def test_of_a_single_child_is_a_plain_entry(self, cast: Cast, lina: Parcours) -> None:
        [entry] = both(cast, lina, parcours_list=[lina], text="Lina va mieux.")
        assert entry.group_id is None

    @pytest.mark.parametrize("text", ["Inès et Lina sont venues.", "La grande soeur, INES, aide.", "lina dort mal"])
    def test_refuses_to_name_one_child_in_the_file_of_another(self, cast: Cast, lina: Parcours, text: str) -> None:
        with pytest.raises(EntryRefused, match="prénom") as refusal:
            both(cast, lina, text=text)
        assert refusal.value.field == "text"
        assert not Entry.objects.exists()

    def test_writes_all_of_them_or_none(self, cast: Cast, lina: Parcours) -> None:
        """The second parcours began after the day typed."""
        recent = make_parcours(
            cast.team_a, referent=cast.benoit, child=make_child("Zoé"), opened_on=timezone.localdate()
        )
        with pytest.raises(EntryRefused, match="précède la saisine"):
            both(cast, lina, parcours_list=[lina, recent], on=timezone.localdate() - 30 * DAY)
        assert not Entry.objects.exists()

    def test_refuses_a_parcours_that_the_author_no_longer_writes_in(self, cast: Cast, lina: Parcours) -> None:
        with pytest.raises(EntryRefused, match="changer de mains"):
            both(cast, lina, parcours_list=[lina, cast.tom_parcours])
        assert not Entry.objects.exists()

    def test_asks_for_somebody(self, cast: Cast, lina: Parcours) -> None:
        with pytest.raises(EntryRefused, match="au moins un enfant"):
            both(cast, lina, parcours_list=[])

    def test_throws_the_draft_away(self, cast: Cast, lina: Parcours) -> None:
        save_draft(parcours=None, form=SEVERAL, content={"text": "Réunion"}, by=cast.benoit)
        both(cast, lina)
        assert not cast.benoit.drafts.exists()


class TestCorrectEntry:
    def correct(self, cast: Cast, entry: Entry, others=(), **values) -> list[Entry]:
        exchange = {"kind": entry.kind, "on": entry.on, "with_whom": entry.with_whom, "text": "Réunion reportée."}
        return correct_entry(**{"entry": entry, "others": others, "by": cast.benoit} | exchange | values)

    def test_leaves_the_others_as_they_are_unless_they_are_chosen(self, cast: Cast, lina: Parcours) -> None:
        first, second = both(cast, lina)
        self.correct(cast, first)
        assert Entry.objects.get(pk=second.pk).text == "Réunion de rentrée."
        self.correct(cast, first, [second])
        assert {entry.text for entry in Entry.objects.all()} == {"Réunion reportée."}

    def test_keeps_what_it_said_in_the_history(self, cast: Cast, lina: Parcours) -> None:
        first, _ = both(cast, lina)
        self.correct(cast, first)
        versions = Entry.history.filter(id=first.pk).order_by("history_date", "history_id")
        assert [version.text for version in versions] == ["Réunion de rentrée.", "Réunion reportée."]

    def test_refuses_one_that_was_not_noted_with_it(self, cast: Cast, lina: Parcours) -> None:
        first, _ = both(cast, lina)
        alone = add_entry(
            parcours=lina, kind="phone", on=timezone.localdate(), with_whom="family", text="Seule", by=cast.benoit
        )
        with pytest.raises(EntryRefused, match="pas été noté avec"):
            self.correct(cast, first, [alone])
        assert Entry.objects.get(pk=alone.pk).text == "Seule"

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"on": timezone.localdate() + DAY}, "futur"),
            ({"text": " "}, "en une phrase"),
            ({"on": timezone.localdate() - 400 * DAY}, "précède la saisine"),
        ],
    )
    def test_obeys_the_rules_of_an_exchange(self, cast: Cast, lina: Parcours, values, sentence: str) -> None:
        first, _ = both(cast, lina)
        with pytest.raises(EntryRefused, match=sentence):
            self.correct(cast, first, **values)

    def test_refuses_to_name_a_child_in_the_others(self, cast: Cast, lina: Parcours) -> None:
        first, second = both(cast, lina)
        load_keys_of(lina)
        with pytest.raises(EntryRefused, match="prénom"):
            self.correct(cast, first, [second], text="Lina était absente.")

    def test_moves_the_last_contact(self, cast: Cast, lina: Parcours) -> None:
        first, second = both(cast, lina)
        before = timezone.localdate() - 3 * DAY
        self.correct(cast, first, [second], on=before)
        assert set(Parcours.objects.filter(team=cast.team_a).values_list("last_contact_on", flat=True)) == {before}


class TestNamesOneOf:
    @pytest.mark.parametrize(
        ("text", "found"),
        [("Ines est venue", True), ("Jean-Marc appelle", True), ("Jean appelle", False), ("La marche", False)],
    )
    def test_reads_whole_names_whatever_their_writing(self, text: str, found: bool) -> None:
        assert names_one_of(text, ["Inès", "Jean-Marc", ""]) is found
