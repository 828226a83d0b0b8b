import threading

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import models

from audit.checks import check_history
from audit.history import (
    SYSTEM_EMAIL,
    MissingActor,
    acting_as,
    bulk_create_with_history,
    bulk_update_with_history,
    current_actor,
    system_account,
)
from referents.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def amina() -> User:
    with acting_as(system_account()):
        return User.objects.create_user("amina@example.org", first_name="Amina")


class TestActingAs:
    def test_gives_back_the_former_actor(self, amina: User):
        account = system_account()
        with acting_as(account):
            with acting_as(amina):
                assert current_actor() == amina
            assert current_actor() == account
        with pytest.raises(MissingActor):
            current_actor()

    def test_ends_with_an_error(self, amina: User):
        with pytest.raises(LookupError), acting_as(amina):
            raise LookupError
        with pytest.raises(MissingActor):
            current_actor()

    def test_refuses_nobody(self):
        for nobody in (None, AnonymousUser()):
            with pytest.raises(MissingActor), acting_as(nobody):
                pass

    def test_does_not_reach_another_thread(self, amina: User):
        seen: list[object] = []

        def look() -> None:
            try:
                seen.append(current_actor())
            except MissingActor as error:
                seen.append(error)

        with acting_as(amina):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
        assert isinstance(seen[0], MissingActor)


class TestHistory:
    def test_signs_each_version(self, amina: User):
        with acting_as(amina):
            amina.employer = "Caisse des écoles"
            amina.save()
        versions = list(amina.history.values_list("history_type", "history_user", "employer"))
        assert versions == [("~", amina.pk, "Caisse des écoles"), ("+", system_account().pk, "")]

    @pytest.mark.django_db(transaction=True)
    def test_writes_nothing_without_an_actor(self, amina: User):
        with pytest.raises(MissingActor):
            User.objects.create_user("benoit@example.org")
        amina.employer = "x"
        with pytest.raises(MissingActor):
            amina.save()
        with pytest.raises(MissingActor):
            amina.delete()
        assert not User.objects.filter(email="benoit@example.org").exists()
        assert User.objects.get(pk=amina.pk).employer == ""
        assert amina.history.count() == 1

    def test_lets_an_untracked_column_alone(self, amina: User):
        amina.set_password("une phrase assez longue")
        amina.save(update_fields=["password", "last_login"])
        assert amina.history.count() == 1
        assert User.objects.get(pk=amina.pk).has_usable_password()

    def test_tracks_a_save_that_touches_one_tracked_column(self, amina: User):
        with pytest.raises(MissingActor):
            amina.save(update_fields=["password", "employer"])

    def test_keeps_the_author_after_both_are_deleted(self, amina: User):
        account, author = system_account(), amina.pk
        with acting_as(amina):
            benoit = User.objects.create_user("benoit@example.org")
        history = User.history.filter(id=benoit.pk)
        with acting_as(account):
            benoit.delete()
            amina.delete()
        assert list(history.values_list("history_type", "history_user")) == [("-", account.pk), ("+", author)]

    def test_is_read_by_record_and_date(self):
        model = User.history.model
        assert [index.fields for index in model._meta.indexes] == [["id", "history_date"]]
        assert not [field.name for field in model._meta.fields if field.db_index and not field.primary_key]
        assert isinstance(model._meta.pk, models.BigAutoField)
        assert model._meta.get_field("history_user").db_constraint is False

    def test_adds_nothing_to_the_account(self):
        names = {relation.get_accessor_name() for relation in User._meta.related_objects}
        assert not [name for name in names if "histor" in name]


class TestSystemAccount:
    def test_is_its_own_author_the_first_time(self):
        account = system_account()
        assert account.history.get().history_user == account

    def test_cannot_sign_in(self):
        account = system_account()
        assert account.email == SYSTEM_EMAIL
        assert not account.is_active
        assert not account.has_usable_password()

    def test_is_the_same_every_time(self, django_assert_num_queries):
        first = system_account()
        with django_assert_num_queries(1):
            assert system_account() == first

    def test_survives_another_process_that_makes_it_first(self, monkeypatch: pytest.MonkeyPatch):
        first = system_account()
        monkeypatch.setattr(models.QuerySet, "first", lambda queryset: None)
        assert system_account() == first


class TestBulkCreateWithHistory:
    def test_signs_every_row(self, amina: User):
        with acting_as(amina):
            made = bulk_create_with_history(
                [User(email=f"{number}@example.org") for number in range(3)], User, reason="import"
            )
        rows = User.history.filter(id__in=[user.pk for user in made])
        assert (
            list(rows.values_list("history_user", "history_type", "history_change_reason"))
            == [(amina.pk, "+", "import")] * 3
        )

    def test_needs_an_actor(self):
        with pytest.raises(MissingActor):
            bulk_create_with_history([User(email="x@example.org")], User)
        assert not User.objects.exists()


class TestBulkUpdateWithHistory:
    def test_signs_every_row(self, amina: User):
        amina.employer = "Ville de Paris"
        with acting_as(amina):
            assert bulk_update_with_history([amina], User, ["employer"]) == 1
        newest = amina.history.values_list("history_type", "history_user", "employer").first()
        assert newest == ("~", amina.pk, "Ville de Paris")

    def test_needs_an_actor(self, amina: User):
        amina.employer = "x"
        with pytest.raises(MissingActor):
            bulk_update_with_history([amina], User, ["employer"])
        assert User.objects.get(pk=amina.pk).employer == ""


class TestCheckHistory:
    def test_is_silent_as_it_stands(self):
        assert check_history() == []

    def test_reports_a_model_tracked_without_an_author(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(User.history.model, "is_made_by_history", False)
        assert [(problem.id, problem.obj) for problem in check_history()] == [("audit.E003", User)]

    def test_reports_settings_that_would_silence_it(self, settings):
        settings.SIMPLE_HISTORY_ENABLED = False
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "simple_history.middleware.HistoryRequestMiddleware"]
        assert [problem.id for problem in check_history()] == ["audit.E004", "audit.E005"]
