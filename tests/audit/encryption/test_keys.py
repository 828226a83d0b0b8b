import contextvars
import threading
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from audit.encryption import keys
from audit.encryption.keys import (
    KeyNotLoaded,
    UnreadableKey,
    ciphers_of,
    create_data_key,
    create_data_keys,
    destroy_data_keys,
    key_ring,
    load_keys,
    load_keys_of,
    secret_of,
)
from audit.encryption.keystore.models import DataKey, KeyKind, Tombstone
from audit.encryption.keystore.rows import canary_sings, unwrapped, wrapped_row
from audit.encryption.register import noted_destructions
from pre_cases.models import Child
from tests.cast import Cast, make_child

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


class Interrupted(Exception):
    pass


class TestKeyRing:
    def test_is_empty_at_the_end(self, no_ring: None):
        with key_ring():
            key_id = create_data_key("child")
            ring = keys._ring.get()
            assert ciphers_of(key_id)
        assert ring == {}
        with pytest.raises(KeyNotLoaded, match="No key ring"):
            ciphers_of(key_id)

    def test_is_empty_after_an_error(self, no_ring: None):
        rings = []

        @key_ring()
        def fail() -> None:
            create_data_key("child")
            rings.append(keys._ring.get())
            raise Interrupted

        with pytest.raises(Interrupted):
            fail()
        assert rings == [{}]

    def test_nested_is_the_outer_one(self):
        key_id = create_data_key("child")
        with key_ring():
            assert ciphers_of(key_id)
            other = create_data_key("child")
        assert ciphers_of(other)

    def test_as_a_decorator_opens_one_for_each_call(self, no_ring: None):
        @key_ring()
        def task() -> int:
            create_data_key("team")
            return len(keys._ring.get())

        assert [task(), task()] == [1, 1]
        assert keys._ring.get() is None

    def test_belongs_to_one_thread(self):
        seen: list[object] = []
        thread = threading.Thread(target=contextvars.Context().run, args=(lambda: seen.append(keys._ring.get()),))
        thread.start()
        thread.join()
        assert seen == [None]


class TestLoadKeys:
    def test_asks_once_for_all(self, new_ring, django_assert_num_queries):
        ids = create_data_keys("child", 25)
        with new_ring():
            with django_assert_num_queries(1, using="keys"):
                load_keys([*ids, None, ids[0]])
            with django_assert_num_queries(0, using="keys"):
                load_keys(ids)
            with django_assert_num_queries(0, using="keys"):
                load_keys([])
            assert all(ciphers_of(key_id) for key_id in ids)

    def test_asks_for_the_missing_ones_only(self, new_ring, django_assert_num_queries):
        first, second = create_data_keys("child", 2)
        with new_ring():
            load_keys([first])
            with django_assert_num_queries(1, using="keys") as queries:
                load_keys([first, second])
            assert first.hex not in queries[0]["sql"].replace("-", "")

    def test_remembers_a_destroyed_key(self, new_ring, django_assert_num_queries):
        gone = uuid4()
        with new_ring():
            load_keys([gone])
            with django_assert_num_queries(0, using="keys"):
                load_keys([gone])
            assert not ciphers_of(gone)

    def test_gives_every_version_of_a_key(self, new_ring):
        key_id = create_data_key("child")
        wrapped_row(key_id, 2, KeyKind.CHILD, b"k" * 32).save()
        with new_ring():
            load_keys([key_id])
            assert set(ciphers_of(key_id)) == {1, 2}

    def test_takes_a_key_altered_or_moved_for_one_that_is_gone_and_logs_it(self, new_ring, caplog):
        """It stops no other: a page or a search of many children is not lost for one."""
        first, second, third = create_data_keys("child", 3)
        stolen = DataKey.objects.get(key_id=second).wrapped
        DataKey.objects.filter(key_id=first).update(wrapped=stolen)
        with new_ring():
            load_keys([first, second, third])
            assert [set(ciphers_of(key_id)) for key_id in (first, second, third)] == [set(), {1}, {1}]
        assert str(first) in caplog.text

    def test_leaves_a_version_out_of_service_aside(self, new_ring):
        key_id = create_data_keys("child", 1)[0]
        DataKey.objects.filter(key_id=key_id).update(retired_at=timezone.now())
        with new_ring():
            load_keys([key_id])
            assert not ciphers_of(key_id)

    def test_needs_a_ring(self, no_ring: None):
        with pytest.raises(KeyNotLoaded, match="No key ring"):
            load_keys([uuid4()])


class TestLoadKeysOf:
    def test_follows_what_is_already_in_memory(self, cast: Cast, new_ring, django_assert_num_queries):
        child = make_child()
        child = Child.objects.select_related("family").prefetch_related("family__adults", "residences").get(pk=child.pk)
        with new_ring():
            with django_assert_num_queries(0), django_assert_num_queries(1, using="keys"):
                load_keys_of(child)
            with django_assert_num_queries(0, using="keys"):
                assert child.first_name == "Inès"
                assert [adult.first_name for adult in child.family.adults.all()] == ["Nadia"]

    def test_asks_nothing_for_what_is_not_in_memory(self, cast: Cast, new_ring, django_assert_num_queries):
        child = Child.objects.get(pk=make_child().pk)
        with new_ring(), django_assert_num_queries(0):
            load_keys_of(child)
            with pytest.raises(KeyNotLoaded):
                ciphers_of(child.family_id)

    def test_takes_records_without_keys(self, cast: Cast, django_assert_num_queries):
        with django_assert_num_queries(0, using="keys"):
            load_keys_of(cast.amina)
            load_keys_of()


class TestCreateDataKeys:
    def test_makes_random_keys_wrapped_and_loaded(self):
        ids = create_data_keys("family", 3)
        rows = DataKey.objects.filter(key_id__in=ids)
        assert {(row.kind, row.version, row.kek_version, len(row.wrapped)) for row in rows} == {("family", 1, 1, 60)}
        assert len({bytes(row.wrapped)[12:] for row in rows}) == len(set(ids)) == 3
        assert all(set(ciphers_of(key_id)) == {1} for key_id in ids)

    def test_gives_each_key_its_canary(self):
        create_data_keys("child", 2)
        one, other = DataKey.objects.all()
        assert canary_sings(one, unwrapped(one))
        assert canary_sings(other, unwrapped(other))
        assert not canary_sings(one, unwrapped(other))

    def test_refuses_another_kind(self):
        with pytest.raises(ValueError):
            create_data_keys("person", 1)

    def test_needs_a_ring_before_making_anything(self, no_ring: None):
        with pytest.raises(KeyNotLoaded):
            create_data_key("child")
        assert not DataKey.objects.exists()


class TestDestroyDataKeys:
    def test_leaves_a_tombstone_and_no_key(self):
        gone, kept = create_data_keys("family", 2)
        assert destroy_data_keys([gone, gone]) == 1
        assert DataKey.objects.get().key_id == kept
        grave = Tombstone.objects.get()
        assert (grave.key_id, grave.kind) == (gone, "family")

    def test_destroys_every_version(self):
        key_id = create_data_key("child")
        wrapped_row(key_id, 2, KeyKind.CHILD, b"k" * 32).save()
        assert destroy_data_keys([key_id]) == 1
        assert not DataKey.objects.exists()
        assert Tombstone.objects.count() == 1

    def test_takes_effect_at_once_in_an_open_ring(self, new_ring):
        key_id = create_data_key("child")
        assert ciphers_of(key_id)
        destroy_data_keys([key_id])
        assert not ciphers_of(key_id)
        with new_ring():
            load_keys([key_id])
            assert not ciphers_of(key_id)

    def test_can_be_repeated(self):
        key_id = create_data_key("child")
        destroy_data_keys([key_id])
        first = Tombstone.objects.get().destroyed_at
        assert destroy_data_keys([key_id]) == 0
        assert Tombstone.objects.get().destroyed_at == first

    def test_is_not_stopped_by_a_tombstone_that_is_already_there(self):
        key_id = create_data_key("child")
        Tombstone.objects.create(key_id=key_id, kind="child")
        assert destroy_data_keys([key_id]) == 1
        assert not DataKey.objects.exists()

    def test_leaves_a_tombstone_of_a_key_that_is_not_there(self):
        """An older keystore, put back later, may hold it."""
        gone = uuid4()
        assert destroy_data_keys([gone]) == destroy_data_keys([]) == 0
        assert Tombstone.objects.get().key_id == gone

    def test_is_noted_in_the_register_before_anything_is_destroyed(self, monkeypatch: pytest.MonkeyPatch):
        key_id = create_data_keys("child", 1)[0]
        monkeypatch.setattr(Tombstone.objects, "bulk_create", None)  # killed just after
        with pytest.raises(TypeError):
            destroy_data_keys([key_id])
        assert DataKey.objects.filter(key_id=key_id).exists()
        assert noted_destructions() == {key_id}

    def test_goes_through_more_keys_than_one_query_takes(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(keys, "MAX_IDS_PER_QUERY", 3)
        made = create_data_keys("child", 8)
        assert destroy_data_keys(made[:7]) == 7
        assert DataKey.objects.get().key_id == made[7]
        assert Tombstone.objects.count() == 7

    def test_needs_no_ring(self, no_ring: None):
        assert destroy_data_keys([uuid4()]) == 0


class TestSecretOf:
    def test_is_that_of_the_newest_version(self):
        key_id = create_data_key("index")
        assert secret_of(key_id) == unwrapped(DataKey.objects.get())
        wrapped_row(key_id, 2, KeyKind.INDEX, b"k" * 32).save()
        assert secret_of(key_id) == b"k" * 32

    def test_refuses_a_key_that_is_not_there(self):
        with pytest.raises(UnreadableKey):
            secret_of(uuid4())


@pytest.mark.django_db(databases=["default", "keys"], transaction=True)
class TestDestroyDataKeysInATransaction:
    def test_is_done_although_the_data_are_rolled_back(self):
        key_id = create_data_key("child")

        @transaction.atomic
        def fail() -> None:
            destroy_data_keys([key_id])
            raise Interrupted

        with pytest.raises(Interrupted):
            fail()
        assert not DataKey.objects.exists()
        assert Tombstone.objects.get().key_id == key_id

    def test_is_refused_inside_a_transaction_on_the_keystore(self):
        key_id = create_data_key("child")
        with pytest.raises(RuntimeError), transaction.atomic(using="keys"):
            destroy_data_keys([key_id])
        assert DataKey.objects.exists()
        assert not Tombstone.objects.exists()


@pytest.mark.django_db(databases=["default", "keys"], transaction=True)
class TestCreateDataKeyInATransaction:
    def test_is_committed_although_the_data_are_rolled_back(self):
        made = []

        @transaction.atomic
        def fail() -> None:
            made.append(create_data_key("child"))
            raise Interrupted

        with pytest.raises(Interrupted):
            fail()
        assert DataKey.objects.filter(key_id__in=made).count() == 1

    def test_is_refused_inside_a_transaction_on_the_keystore(self):
        with pytest.raises(RuntimeError), transaction.atomic(using="keys"):
            create_data_key("child")
        assert not DataKey.objects.exists()
