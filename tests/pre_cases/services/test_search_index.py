"""What searches compare follows the names, and is written again every year under a new key, whatever stops it."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from audit.encryption.keys import UnreadableKey, destroy_data_keys, secret_of
from audit.encryption.keystore.models import DataKey, KeyKind, Tombstone
from audit.history import system_account
from audit.journal.models import Event
from pre_cases.models import Child, ChildTag
from pre_cases.search.index import current_index_key, index_keys, tag_of
from pre_cases.search.words import NameQuery, search_words
from pre_cases.services import search_index
from pre_cases.services.duplicates import look_for_child
from pre_cases.services.family import change_child
from pre_cases.services.search_index import complete_index, identity_of, index_child, rotate_index
from tests.audit.encryption.records import write_raw
from tests.cast import Cast, make_child, make_parcours


class Killed(BaseException):
    """The process is killed there."""


def forget_index(*children: Child) -> None:
    """As children recorded before there was an index."""
    ids = [child.pk for child in children]
    ChildTag.objects.filter(child__in=ids).delete()
    Child.objects.filter(pk__in=ids).update(search_words=None)


def kill_after(children: int) -> Callable[[int], None]:
    def say(done: int) -> None:
        if done >= children:
            raise Killed

    return say


def is_indexed(child: Child, key_id: UUID) -> bool:
    """Whether the row of the index of a child under a key is that of its present names."""
    rows = ChildTag.objects.filter(child=child, index_key_id=key_id)
    return list(rows.values_list("tag", flat=True)) == [tag_of(identity_of(child), secret_of(key_id))]


def is_known_to_another_team(cast: Cast, child: Child) -> bool:
    person, team = (cast.chloe, cast.team_b) if child == cast.ines else (cast.benoit, cast.team_a)
    return look_for_child(
        first_name=child.first_name,
        family_name=child.family_name,
        birth_date=child.birth_date,
        team=team,
        by=person,
    ).is_elsewhere


class TestIndexChild:
    def test_writes_the_words_and_the_tag_of_the_names(self, cast: Cast) -> None:
        child = Child.objects.get(pk=cast.ines.pk)
        assert child.search_words == search_words("Inès", "Morel")
        assert is_indexed(child, current_index_key())

    def test_follows_a_change_of_name(self, cast: Cast) -> None:
        changed = change_child(
            child=cast.ines, first_name="Zoé", family_name="Durand", birth_date=None, sex="girl", by=cast.benoit
        )
        child = Child.objects.get(pk=changed.pk)
        assert child.search_words == search_words("Zoé", "Durand")
        assert is_indexed(child, current_index_key())
        assert NameQuery("Inès Morel").rank(child.search_words) is None

    def test_leaves_nothing_under_a_former_key(self, cast: Cast) -> None:
        """A name changed while the index is being rotated: the former key no longer finds the former name."""
        with pytest.raises(Killed):
            rotate_index(by=system_account(), say=kill_after(1))
        index_child(cast.ines)
        assert [tag.index_key_id for tag in cast.ines.tags.all()] == [index_keys()[0]]
        assert is_indexed(cast.ines, index_keys()[0])

    def test_leaves_no_history_of_its_own(self, cast: Cast) -> None:
        versions = cast.ines.history.count()
        index_child(cast.ines)
        assert cast.ines.history.count() == versions

    def test_keeps_the_words_encrypted(self, cast: Cast) -> None:
        stored = Child.objects.filter(pk=cast.ines.pk).values_list("search_words", flat=True).get()
        for part in (b"ines", b"morel", b"MOREL"):
            assert part not in stored.data


class TestCompleteIndex:
    def test_writes_the_children_recorded_before(self, cast: Cast) -> None:
        forget_index(cast.ines, cast.tom)
        assert complete_index() == 2
        for child in Child.objects.all():
            assert child.search_words == search_words(child.first_name, child.family_name)
            assert is_indexed(child, current_index_key())

    def test_makes_the_first_key(self, cast: Cast) -> None:
        forget_index(cast.ines, cast.tom)
        DataKey.objects.filter(kind=KeyKind.INDEX).delete()
        assert complete_index() == 2
        assert len(index_keys()) == 1

    def test_writes_only_what_is_missing(self, cast: Cast) -> None:
        forget_index(cast.tom)
        kept = cast.ines.tags.get().pk
        assert complete_index() == 1
        assert complete_index() == 0
        assert cast.ines.tags.get().pk == kept

    def test_goes_on_after_a_kill(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(search_index, "BATCH", 1)
        children = [cast.ines, cast.tom, make_child("Zoé")]
        forget_index(*children)
        with pytest.raises(Killed):
            complete_index(say=kill_after(2))
        assert ChildTag.objects.count() == 2
        assert complete_index() == 1
        assert ChildTag.objects.count() == 3

    def test_tells_how_far_it_is(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(search_index, "BATCH", 1)
        forget_index(cast.ines, cast.tom)
        said: list[int] = []
        complete_index(say=said.append)
        assert said == [1, 2]

    def test_leaves_no_history_and_needs_no_author(self, cast: Cast) -> None:
        forget_index(cast.ines)
        versions = cast.ines.history.count()
        complete_index()
        assert cast.ines.history.count() == versions

    def test_makes_a_child_known_again(self, cast: Cast) -> None:
        forget_index(cast.ines)
        assert not is_known_to_another_team(cast, cast.ines)
        complete_index()
        assert is_known_to_another_team(cast, cast.ines)


class TestRotateIndex:
    def test_writes_everything_under_a_new_key_and_destroys_the_former(self, cast: Cast) -> None:
        former = current_index_key()
        assert rotate_index(by=system_account()) == 2
        newest = current_index_key()
        assert newest != former
        assert index_keys() == [newest]
        assert set(ChildTag.objects.values_list("index_key_id", flat=True)) == {newest}
        assert is_indexed(cast.ines, newest)
        assert is_indexed(cast.tom, newest)
        assert Tombstone.objects.get(key_id=former).kind == KeyKind.INDEX
        with pytest.raises(UnreadableKey):
            secret_of(former)

    def test_happens_again_the_next_year(self, cast: Cast) -> None:
        keys = {current_index_key()}
        for _ in range(2):
            assert rotate_index(by=system_account()) == 2
            keys.add(current_index_key())
        assert len(keys) == 3
        assert index_keys() == [current_index_key()]
        assert ChildTag.objects.count() == 2
        assert is_known_to_another_team(cast, cast.tom)

    def test_writes_the_words_again(self, cast: Cast) -> None:
        forget_index(cast.ines)
        rotate_index(by=system_account())
        assert Child.objects.get(pk=cast.ines.pk).search_words == search_words("Inès", "Morel")

    def test_leaves_its_event_in_the_journal(self, cast: Cast) -> None:
        rotate_index(by=cast.hugo)
        event = Event.objects.filter(kind="pre_cases.childtag", action="key_use").get()
        assert event.detail == {"what": "index_rotated", "children": 2}
        assert event.actor_id == cast.hugo.pk

    def test_of_nobody_makes_a_key(self, db: None) -> None:
        assert rotate_index(by=system_account()) == 0
        assert len(index_keys()) == 1

    def test_keeps_the_keys_that_encrypt(self, cast: Cast) -> None:
        others = DataKey.objects.exclude(kind=KeyKind.INDEX)
        before = set(others.values_list("key_id", flat=True))
        rotate_index(by=system_account())
        assert set(others.values_list("key_id", flat=True)) == before


class TestAChildThatDoesNotOpen:
    """Its key is destroyed: it is passed over, logged once, and the work ends."""

    @pytest.fixture(autouse=True)
    def lost(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Child:
        """Inès, the first of the batches of one."""
        monkeypatch.setattr(search_index, "BATCH", 1)
        destroy_data_keys([cast.ines.data_key_id])
        return cast.ines

    def logged(self, caplog: pytest.LogCaptureFixture, child: Child) -> int:
        assert not [name for name in ("Inès", "Morel", "Tom", "Diallo") if name in caplog.text]
        return caplog.text.count(f"child.first_name of record {child.pk} cannot be read")

    def test_is_passed_over_when_the_index_is_completed(
        self, cast: Cast, lost: Child, caplog: pytest.LogCaptureFixture
    ) -> None:
        forget_index(lost, cast.tom)
        said: list[int] = []
        assert complete_index(say=said.append) == 1
        assert said == [0, 1]
        assert is_indexed(cast.tom, current_index_key())
        assert not lost.tags.exists()
        assert self.logged(caplog, lost) == 1

    def test_is_passed_over_in_the_midst_of_a_batch(
        self, cast: Cast, lost: Child, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(search_index, "BATCH", 200)
        forget_index(lost, cast.tom)
        assert complete_index() == 1
        assert is_indexed(cast.tom, current_index_key())
        assert self.logged(caplog, lost) == 1

    def test_is_looked_at_again_the_next_time(self, lost: Child, caplog: pytest.LogCaptureFixture) -> None:
        forget_index(lost)
        assert [complete_index(), complete_index()] == [0, 0]
        assert self.logged(caplog, lost) == 2

    def test_is_passed_over_by_a_rotation(self, cast: Cast, lost: Child, caplog: pytest.LogCaptureFixture) -> None:
        former = current_index_key()
        assert rotate_index(by=system_account()) == 1
        newest = current_index_key()
        assert newest != former
        assert index_keys() == [newest]
        assert is_indexed(cast.tom, newest)
        assert not lost.tags.exists()
        assert self.logged(caplog, lost) == 1

    def test_altered_in_one_value_is_passed_over_too(self, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
        write_raw(cast.tom, "birth_date", b"x" * 48)
        assert rotate_index(by=system_account()) == 0
        assert f"child.birth_date of record {cast.tom.pk} cannot be read" in caplog.text


class TestARotationKilledHalfWay:
    @pytest.fixture(autouse=True)
    def killed(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        """Inès is written again, Tom is not yet."""
        monkeypatch.setattr(search_index, "BATCH", 1)
        with pytest.raises(Killed):
            rotate_index(by=system_account(), say=kill_after(1))

    def test_leaves_two_keys_that_both_answer(self, cast: Cast) -> None:
        newest, former = index_keys()
        assert set(ChildTag.objects.filter(index_key_id=newest).values_list("child", flat=True)) == {cast.ines.pk}
        assert ChildTag.objects.filter(index_key_id=former).count() == 2
        assert is_known_to_another_team(cast, cast.ines)
        assert is_known_to_another_team(cast, cast.tom)

    def test_knows_a_child_recorded_meanwhile(self, cast: Cast) -> None:
        zoe = make_child("Zoé", birth_date=date(2017, 3, 29))
        make_parcours(cast.team_b, child=zoe)
        assert is_indexed(zoe, index_keys()[0])
        assert is_known_to_another_team(cast, zoe)

    def test_is_gone_on_with_under_the_same_key(self, cast: Cast) -> None:
        newest, _ = index_keys()
        said: list[int] = []
        assert rotate_index(by=system_account(), say=said.append) == 2
        assert said == [1]  # Tom alone
        assert index_keys() == [newest]
        assert ChildTag.objects.count() == 2
        assert is_indexed(cast.ines, newest)
        assert is_indexed(cast.tom, newest)

    def test_may_be_killed_again(self, cast: Cast) -> None:
        newest, former = index_keys()
        with pytest.raises(Killed):
            rotate_index(by=system_account(), say=kill_after(1))
        assert index_keys() == [newest, former]
        rotate_index(by=system_account())
        assert index_keys() == [newest]

    def test_is_finished_when_it_was_killed_at_the_end(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every child is written and the former tags are gone, its key is not yet destroyed."""

        def killed(key_ids: list[UUID]) -> None:
            raise Killed

        newest, _ = index_keys()
        with monkeypatch.context() as patch:
            patch.setattr(search_index, "destroy_data_keys", killed)
            with pytest.raises(Killed):
                rotate_index(by=system_account())
        assert is_known_to_another_team(cast, cast.tom)
        assert rotate_index(by=system_account()) == 2
        assert index_keys() == [newest]
