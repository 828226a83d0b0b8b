"""The blind index: small numbers that many children share, made under a key; and who may be the same child."""

from collections import Counter
from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.encryption.keys import UnreadableKey, create_data_key, destroy_data_keys, secret_of
from audit.encryption.keystore.models import DataKey, KeyKind
from pre_cases.search.index import (
    TAG_BITS,
    Identity,
    Tags,
    current_index_key,
    index_keys,
    is_same,
    secrets_of_index,
    tags_of,
)

SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
BORN = date(2016, 5, 9)
SIZE = 2**TAG_BITS


def ines(first_name: str = "Inès", family_name: str = "Morel", birth_date: date | None = BORN) -> Identity:
    return Identity(first_name, family_name, birth_date)


def tags(identity: Identity, secret: bytes = SECRET) -> Tags:
    return tags_of(identity, secret)


def many(count: int, birth_date: date | None = BORN) -> list[Tags]:
    """The tags of so many children, every name different and taken as its own sound."""
    return [tags_of(ines(f"a{number}", f"b{number % 97}", birth_date), SECRET, str) for number in range(count)]


class TestTheTags:
    def test_are_twelve_bits(self) -> None:
        assert SIZE == 4096
        for one in many(500):
            assert 0 <= one.names < SIZE
            assert one.full is not None
            assert 0 <= one.full < SIZE

    def test_stay_the_same_from_a_release_to_the_next(self) -> None:
        """With others nothing written in the index would be found: change them with a rotation only."""
        assert tags(ines()) == Tags(names=3528, full=1685)
        assert tags(ines()) == tags(ines())

    def test_depend_on_the_key(self) -> None:
        assert tags(ines()) != tags(ines(), OTHER_SECRET)

    def test_depend_on_both_names_and_on_the_birth_date(self) -> None:
        assert tags(ines(first_name="Zoé")) != tags(ines())
        assert tags(ines(family_name="Diallo")) != tags(ines())
        sister = tags(ines(birth_date=BORN + timedelta(days=1)))
        assert sister.names == tags(ines()).names
        assert sister.full != tags(ines()).full

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
        assert tags(other) == tags(ines())

    def test_are_those_of_names_in_one_word(self) -> None:
        assert tags(ines(family_name="El Haddad")) == tags(ines(family_name="Elhaddad"))
        assert (
            tags(ines(family_name="N’Diaye")) == tags(ines(family_name="N'Diaye")) == tags(ines(family_name="Ndiaye"))
        )

    def test_without_a_birth_date_are_those_of_the_names_alone(self) -> None:
        assert tags(ines(birth_date=None)) == Tags(tags(ines()).names, None)

    def test_do_not_run_one_name_into_the_other(self) -> None:
        """« ab » and « c » are not « a » and « bc »."""
        assert tags_of(ines("ab", "c"), SECRET, str) != tags_of(ines("a", "bc"), SECRET, str)

    @pytest.mark.parametrize("name", ["", "😀", "-"])
    def test_are_made_for_a_name_without_letters(self, name: str) -> None:
        assert 0 <= tags(ines(name, name)).names < SIZE


class TestHowManyShareATag:
    @pytest.mark.parametrize("children", [SIZE, 20_000])
    @pytest.mark.parametrize("kind", ["names", "full"])
    def test_is_even(self, children: int, kind: str) -> None:
        """Pearson's chi-squared over the 4,096 tags: 4,095 expected, within four standard deviations."""
        counts = Counter(getattr(one, kind) for one in many(children))
        expected = children / SIZE
        distance = sum((counts[tag] - expected) ** 2 / expected for tag in range(SIZE))
        assert abs(distance - (SIZE - 1)) < 4 * (2 * (SIZE - 1)) ** 0.5

    def test_is_several_for_nearly_every_child_of_a_city(self) -> None:
        counts = Counter(one.full for one in many(20_000))
        alone = sum(count == 1 for count in counts.values())
        assert alone < 20_000 / 100

    def test_is_several_for_every_child_of_a_large_one(self) -> None:
        counts = Counter(one.names for one in many(60_000, birth_date=None))
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

    def test_tells_nothing_once_destroyed(self) -> None:
        key_id = current_index_key()
        destroy_data_keys([key_id])
        assert secrets_of_index() == {}
        with pytest.raises(UnreadableKey):
            secret_of(key_id)
