"""The blind index: small numbers that many children share, made under a key; and who may be the same child."""

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from audit.encryption.keys import UnreadableKey, create_data_key, destroy_data_keys, secret_of
from audit.encryption.keystore.models import DataKey, KeyKind
from pre_cases.models import ChildTag
from pre_cases.search import index
from pre_cases.search.index import (
    TAG_BITS,
    Identity,
    current_index_key,
    index_keys,
    is_same,
    secrets_of_index,
    skeleton,
    tag_of,
)
from pre_cases.search.words import sound

SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
BORN = date(2016, 5, 9)
SIZE = 2**TAG_BITS


def ines(first_name: str = "Inès", family_name: str = "Morel", birth_date: date | None = BORN) -> Identity:
    return Identity(first_name, family_name, birth_date)


def tag(identity: Identity, secret: bytes = SECRET) -> int:
    return tag_of(identity, secret)


def many(count: int) -> list[int]:
    """The tags of so many children, every name different and taken as its own sound."""
    return [tag_of(ines(f"a{number}", f"b{number % 97}"), SECRET, str) for number in range(count)]


class TestTheTags:
    def test_are_twelve_bits(self) -> None:
        assert SIZE == 4096
        for one in many(500):
            assert 0 <= one < SIZE

    def test_stay_the_same_from_a_release_to_the_next(self) -> None:
        """With others nothing written in the index would be found: change them with a rotation only."""
        assert tag(ines()) == 3611
        assert tag(ines()) == tag(ines())

    def test_depend_on_the_key(self) -> None:
        assert tag(ines()) != tag(ines(), OTHER_SECRET)

    def test_depend_on_both_names_and_not_on_the_birth_date(self) -> None:
        """Twelve bits in all: a second tag with the date would make twenty-four, which single nearly everybody out."""
        assert tag(ines(first_name="Zoé")) != tag(ines())
        assert tag(ines(family_name="Diallo")) != tag(ines())
        assert tag(ines(birth_date=BORN + timedelta(days=1))) == tag(ines(birth_date=None)) == tag(ines())
        assert {field.name for field in ChildTag._meta.fields} == {"id", "child", "index_key_id", "tag"}

    @pytest.mark.parametrize(
        "other",
        [
            ines("INES", "morel"),
            ines("Morel", "Inès"),
            ines("Innès", "Morel"),
            ines("Inès", "Morrel"),
            ines(" Inès ", "Mo-rel"),
        ],
        ids=lambda identity: f"{identity.first_name} {identity.family_name}",
    )
    def test_are_those_of_names_that_sound_alike_exchanged_or_not(self, other: Identity) -> None:
        assert tag(other) == tag(ines())

    def test_are_those_of_names_in_one_word(self) -> None:
        assert tag(ines(family_name="El Haddad")) == tag(ines(family_name="Elhaddad"))
        assert tag(ines(family_name="N’Diaye")) == tag(ines(family_name="N'Diaye")) == tag(ines(family_name="Ndiaye"))

    def test_do_not_run_one_name_into_the_other(self) -> None:
        """« ab » and « c » are not « a » and « bc »."""
        assert tag_of(ines("ab", "c"), SECRET, str) != tag_of(ines("a", "bc"), SECRET, str)

    @pytest.mark.parametrize("name", ["", "😀", "-"])
    def test_are_made_for_a_name_without_letters(self, name: str) -> None:
        assert 0 <= tag(ines(name, name)) < SIZE


SPELLINGS = [("Lefèvre", "Lefebvre"), ("Mohamed", "Muhammad"), ("Mohamed", "Mohammed")]


class TestTheSkeleton:
    """What is left of a name when it is spelt otherwise: the consonants that are heard."""

    @pytest.mark.parametrize(("one", "other"), SPELLINGS)
    def test_is_the_same_for_two_spellings(self, one: str, other: str) -> None:
        mine, theirs = (ines(name).compact[0] for name in (one, other))
        assert skeleton(mine) == skeleton(theirs)

    @pytest.mark.parametrize(("one", "other"), SPELLINGS)
    def test_makes_the_same_tag(self, one: str, other: str) -> None:
        assert tag(ines(family_name=one)) == tag(ines(family_name=other))
        assert tag(ines(one, "Diallo")) == tag(ines("Diallo", other))
        assert tag(ines(one, birth_date=None)) == tag(ines(other, birth_date=None))

    def test_is_the_sound_of_a_name_without_consonants(self) -> None:
        assert skeleton("eo") == sound("eo") != ""
        assert skeleton("aya") == sound("aya") != skeleton("eo")

    def test_keeps_a_consonant_heard_twice(self) -> None:
        assert skeleton("mamadou") == "MMD"


class TestHowManyShareATag:
    @pytest.mark.parametrize("children", [SIZE, 20_000])
    def test_is_even(self, children: int) -> None:
        """Pearson's chi-squared over the 4,096 tags: 4,095 expected, within four standard deviations."""
        counts = Counter(many(children))
        expected = children / SIZE
        distance = sum((counts[number] - expected) ** 2 / expected for number in range(SIZE))
        assert abs(distance - (SIZE - 1)) < 4 * (2 * (SIZE - 1)) ** 0.5

    def test_is_several_for_nearly_every_child_of_a_city(self) -> None:
        counts = Counter(many(20_000))
        alone = sum(count == 1 for count in counts.values())
        assert alone < 20_000 / 100

    def test_is_several_for_every_child_of_a_large_one(self) -> None:
        counts = Counter(many(60_000))
        assert len(counts) == SIZE
        assert min(counts.values()) > 1


class TestIsSame:
    @pytest.mark.parametrize(
        "other",
        [
            ines(),
            ines("INÈS", "MOREL"),
            ines("Morel", "Inès"),
            ines("Innès", "Morrel"),
            ines("Inès", "Mor el"),
            ines("Inès", "Morelo"),
            ines(birth_date=None),
            ines("Morel", "Ines", None),
        ],
        ids=lambda identity: f"{identity.first_name} {identity.family_name} {identity.birth_date}",
    )
    def test_says_who_may_be_one_child(self, other: Identity) -> None:
        assert is_same(ines(), other)
        assert is_same(other, ines())

    @pytest.mark.parametrize(
        "other",
        [
            ines(birth_date=BORN + timedelta(days=1)),
            ines("Morel", "Inès", BORN - timedelta(days=365)),
            ines("Zoé"),
            ines(family_name="Diallo"),
            ines("Inès", "Inès"),
            ines("Morel", "Morel"),
            ines("Zoé", "Diallo", None),
        ],
        ids=lambda identity: f"{identity.first_name} {identity.family_name} {identity.birth_date}",
    )
    def test_says_who_is_another(self, other: Identity) -> None:
        assert not is_same(ines(), other)
        assert not is_same(other, ines())

    def test_accepts_two_unknown_birth_dates(self) -> None:
        assert is_same(ines(birth_date=None), ines(birth_date=None))

    def test_knows_spellings_that_do_not_sound_alike(self) -> None:
        assert is_same(ines(family_name="Lefèvre"), ines(family_name="Lefebvre"))


class TestChildrenBornTheSameDay:
    """A birth date in common lets the names be further from each other, when enough of them is heard."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Lefèvre", "Lefebvre"),
            ("Mohamed", "Muhammad"),
            ("Amine", "Imane"),
        ],
    )
    def test_may_be_one_under_two_spellings(self, one: str, other: str) -> None:
        for mine, theirs in (
            (ines(one), ines(other)),
            (ines(family_name=one), ines(family_name=other)),
            (ines(one, "Diallo"), ines("Diallo", other)),
        ):
            assert is_same(mine, theirs)
            assert is_same(theirs, mine)

    @pytest.mark.parametrize(("one", "other"), [("Léo", "Léa"), ("Noa", "Inaya"), ("Aya", "Éa"), ("Samir", "Samuel")])
    def test_are_two_when_little_is_heard_or_another_thing(self, one: str, other: str) -> None:
        assert not is_same(ines(one), ines(other))
        assert not is_same(ines(other), ines(one))

    def test_are_two_under_one_name_only(self) -> None:
        assert not is_same(ines("Mohamed", "Morel"), ines("Muhammad", "Diallo"))

    @pytest.mark.parametrize("birth_date", [None, BORN])
    def test_are_needed_for_names_as_far(self, birth_date: date | None) -> None:
        assert not is_same(ines("Mohamed", birth_date=None), ines("Muhammad", birth_date=birth_date))
        assert not is_same(ines("Muhammad", birth_date=birth_date), ines("Mohamed", birth_date=None))


@pytest.mark.django_db(databases=["default", "keys"])
class TestTheKeyOfTheYear:
    def test_is_made_at_its_first_use_and_kept(self) -> None:
        assert index_keys() == []
        assert secrets_of_index() == {}
        key_id = current_index_key()
        assert index_keys() == [key_id] == [current_index_key()]
        assert DataKey.objects.get(key_id=key_id).kind == KeyKind.INDEX

    def test_is_the_last_one_made(self) -> None:
        former = create_data_key(KeyKind.INDEX)
        with time_machine.travel(timezone.now() + timedelta(days=365), tick=False):
            current = create_data_key(KeyKind.INDEX)
        assert index_keys() == [current, former]
        assert current_index_key() == current
        assert secrets_of_index() == {current: secret_of(current), former: secret_of(former)}

    def test_is_none_of_those_that_encrypt(self) -> None:
        create_data_key(KeyKind.CHILD)
        assert index_keys() == []

    def test_is_thirty_two_bytes_that_no_other_key_has(self) -> None:
        one, other = create_data_key(KeyKind.INDEX), create_data_key(KeyKind.INDEX)
        assert len(secret_of(one)) == 32
        assert secret_of(one) != secret_of(other)

    def test_is_passed_over_when_it_is_destroyed_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The end of a rotation, between the list of the keys and their reading."""
        former, current = create_data_key(KeyKind.INDEX), create_data_key(KeyKind.INDEX)
        secret = secret_of(current)

        def listed_just_before() -> list[UUID]:
            keys = index_keys()
            destroy_data_keys([former])
            return keys

        monkeypatch.setattr(index, "index_keys", listed_just_before)
        assert secrets_of_index() == {current: secret}

    def test_tells_nothing_once_destroyed(self) -> None:
        key_id = current_index_key()
        destroy_data_keys([key_id])
        assert secrets_of_index() == {}
        with pytest.raises(UnreadableKey):
            secret_of(key_id)
