"""What belongs to one record is found from the foreign keys, and leaves together: rows, history, files."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from audit import erasure
from audit.encryption.files.store import path_of
from audit.erasure import Plan, erase_rows, plan_for
from audit.history import acting_as, system_account
from partners.models import Project, School, Term
from pre_cases.models import (
    Agreement,
    AgreementHolder,
    Assignment,
    Child,
    Document,
    Enrolment,
    Entry,
    Family,
    Parcours,
    Saisine,
    SaisineSign,
    Schooling,
)
from referents.models import Membership, Team, User
from tests.cast import Cast, make_child, make_enrolment, make_parcours, make_saisine
from tests.whole_file import difference, end, everything, make_whole_file, naming


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.SEALED_FILES_DIR = tmp_path / "files"
    return tmp_path


@pytest.fixture
def full(cast: Cast) -> Cast:
    """Inès has rows in every model that leads to her."""
    make_whole_file(cast.ines_parcours, cast.benoit)
    end(cast.ines_parcours)
    return cast


def held(plan: Plan) -> dict[type[models.Model], int]:
    return {model: len(ids) for model, ids in plan.rows.items() if ids}


class TestPlanFor:
    def test_holds_what_names_the_record_and_what_names_that(self, cast: Cast) -> None:
        plan = plan_for(cast.ines_parcours.saisine)
        assert plan.rows[Saisine] == {cast.ines_parcours.saisine_id}
        assert plan.rows[Agreement] == {cast.ines_parcours.agreement_id}
        assert plan.rows[AgreementHolder] == {cast.ines_parcours.agreement.holders.get().pk}
        assert plan.rows[Parcours] == {cast.ines_parcours.pk}
        assert plan.rows[Assignment] == {cast.ines_parcours.assignments.get().pk}

    def test_holds_nothing_that_the_record_names(self, cast: Cast) -> None:
        plan = plan_for(cast.ines_parcours)
        for model in (Child, Family, Saisine, Agreement, Schooling, Team, User, Membership, Term, School, Project):
            assert model not in plan.rows

    def test_leaves_what_a_record_of_another_shares_with_it(self, cast: Cast) -> None:
        """Two children in one project: the place of the one leaves, the project and the other place do not."""
        own = make_enrolment(cast.ines_parcours, cast.project)
        make_enrolment(cast.tom_parcours, cast.project)
        assert plan_for(cast.ines).rows[Enrolment] == {own.pk}

    def test_holds_several_records_and_their_keys(self, cast: Cast) -> None:
        plan = plan_for(cast.ines, cast.tom)
        assert plan.rows[Child] == {cast.ines.pk, cast.tom.pk}
        assert plan.rows[Parcours] == {cast.ines_parcours.pk, cast.tom_parcours.pk}
        assert plan.data_keys == {cast.ines.data_key_id, cast.tom.data_key_id}

    def test_of_nothing_holds_nothing(self, db: None) -> None:
        plan = plan_for()
        assert (plan.rows, plan.data_keys, plan.files, plan.counts()) == ({}, set(), set(), {})

    def test_follows_a_record_named_by_another_of_its_kind(self, cast: Cast) -> None:
        """The parcours that came after names the former one."""
        end(cast.ines_parcours)
        later = make_parcours(cast.team_a, child=cast.ines, previous=cast.ines_parcours)
        last = make_parcours(
            cast.team_a,
            child=cast.ines,
            previous=later,
            closed_on=timezone.localdate(),
            exit_reason=cast.ines_parcours.exit_reason,
        )
        assert plan_for(cast.ines_parcours).rows[Parcours] == {cast.ines_parcours.pk, later.pk, last.pk}
        assert plan_for(last).rows[Parcours] == {last.pk}

    def test_ends_when_two_records_name_each_other(self, cast: Cast) -> None:
        end(cast.ines_parcours)
        later = make_parcours(cast.team_a, child=cast.ines, previous=cast.ines_parcours)
        Parcours.objects.filter(pk=cast.ines_parcours.pk).update(previous=later)
        plan = plan_for(later)
        assert plan.rows[Parcours] == {cast.ines_parcours.pk, later.pk}
        assert erase_rows(plan) == sum(held(plan).values())

    def test_meets_a_row_by_two_ways_once(self, cast: Cast) -> None:
        """An exchange names both the saisine and the parcours that it became."""
        with acting_as(system_account()):
            entry = Entry.objects.create(
                parcours=cast.ines_parcours,
                saisine=cast.ines_parcours.saisine,
                author=cast.benoit,
                kind="phone",
                on=timezone.localdate(),
                data_key_id=cast.ines.data_key_id,
            )
        assert plan_for(cast.ines).rows[Entry] == {entry.pk}

    def test_holds_no_history_of_its_own(self, full: Cast) -> None:
        """History follows the rows that it is the history of."""
        assert not any(hasattr(model, "instance_type") for model in plan_for(full.ines).rows)

    def test_is_the_same_however_the_ids_are_asked_for(self, full: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = plan_for(full.ines)
        monkeypatch.setattr(erasure, "CHUNK", 1)
        assert plan_for(full.ines) == whole

    def test_counts_the_rows_by_their_french_names(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        make_saisine(zoe, cast.team_a)
        make_saisine(zoe, cast.team_b)
        assert plan_for(zoe).counts() == {
            "enfants": 1,
            "saisines": 2,
            "adultes autour de l’enfant": 1,
            "repères de doublons": 1,
        }

    def test_knows_the_files(self, full: Cast) -> None:
        assert plan_for(full.ines).files == {Document.objects.get().pk}
        assert plan_for(full.tom).files == set()


class TestEraseRows:
    def test_deletes_the_rows_and_their_history(self, full: Cast) -> None:
        plan = plan_for(full.ines)
        assert erase_rows(plan) == sum(held(plan).values())
        for model, ids in plan.rows.items():
            assert not model._base_manager.filter(pk__in=ids).exists(), model
            if hasattr(model, "history"):
                assert not model.history.filter(id__in=ids).exists(), model

    def test_deletes_nothing_else_and_writes_nothing(self, full: Cast) -> None:
        plan = plan_for(full.ines)
        before = everything()
        erase_rows(plan)
        after = everything()
        lost = difference(before, after)
        assert naming(lost, {pk for ids in plan.rows.values() for pk in ids}) == lost
        assert difference(after, before) == {}

    def test_needs_nobody_to_sign(self, cast: Cast) -> None:
        """A deletion leaves no version of its own: nobody would answer for it there."""
        erase_rows(plan_for(make_child("Zoé")))

    def test_can_be_repeated(self, full: Cast) -> None:
        plan = plan_for(full.ines)
        erase_rows(plan)
        assert erase_rows(plan) == 0
        assert erase_rows(Plan()) == 0

    def test_deletes_a_chain_of_records_of_one_kind(self, cast: Cast) -> None:
        end(cast.ines_parcours)
        chain = [cast.ines_parcours]
        for years in range(3):
            chain.append(
                make_parcours(
                    cast.team_a,
                    child=cast.ines,
                    previous=chain[-1],
                    opened_on=timezone.localdate() - timedelta(days=300 * (years + 2)),
                    closed_on=timezone.localdate() - timedelta(days=100),
                    exit_reason=cast.ines_parcours.exit_reason,
                )
            )
        erase_rows(plan_for(cast.ines))
        assert not Parcours.objects.filter(pk__in=[parcours.pk for parcours in chain]).exists()

    def test_deletes_as_much_in_small_queries(self, full: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        plan = plan_for(full.ines)
        monkeypatch.setattr(erasure, "CHUNK", 1)
        assert erase_rows(plan) == sum(held(plan).values())
        assert not Child.objects.filter(pk=full.ines.pk).exists()

    @pytest.mark.parametrize("queries", [0, 1, 10, 30])
    def test_deletes_all_or_nothing(self, full: Cast, monkeypatch: pytest.MonkeyPatch, queries: int) -> None:
        done = count()
        delete = models.QuerySet._raw_delete

        def broken(rows: models.QuerySet[Any], using: str) -> int:
            if next(done) == queries:
                raise RuntimeError("broken")
            return delete(rows, using)

        plan, before = plan_for(full.ines), everything()
        monkeypatch.setattr(models.QuerySet, "_raw_delete", broken)
        with pytest.raises(RuntimeError, match="broken"):
            erase_rows(plan)
        assert everything() == before

    def test_deletes_the_files_once_the_rows_are_gone_for_good(
        self, full: Cast, django_capture_on_commit_callbacks: Callable
    ) -> None:
        plan = plan_for(full.ines)
        (file,) = (path_of(record_id) for record_id in plan.files)
        with django_capture_on_commit_callbacks() as waiting:
            erase_rows(plan)
        assert file.exists()
        for callback in waiting * 2:  # the second time, somebody else has already deleted it
            callback()
        assert not file.exists()


class TestTheOrder:
    def deleted(self, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> list[type[models.Model]]:
        """The models whose rows are deleted, in that order."""
        order: list[type[models.Model]] = []
        delete = models.QuerySet._raw_delete

        def noted(rows: models.QuerySet[Any], using: str) -> int:
            order.append(rows.model)
            return delete(rows, using)

        monkeypatch.setattr(models.QuerySet, "_raw_delete", noted)
        erase_rows(plan)
        return order

    def test_deletes_what_names_before_what_is_named(self, full: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        order = [m for m in self.deleted(plan_for(full.ines), monkeypatch) if not hasattr(m, "instance_type")]
        assert order[-1] is Child
        for model in order:
            for key in model._meta.concrete_fields:
                if key.related_model in order and key.related_model is not model:
                    assert order.index(model) < order.index(key.related_model), key

    def test_deletes_history_before_its_rows(self, full: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        order = self.deleted(plan_for(full.ines), monkeypatch)
        assert order.index(SaisineSign.history.model) < order.index(SaisineSign)

    def test_refuses_models_that_name_each_other_in_a_circle(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        circle = {Saisine: [(Agreement, "saisine_id")], Agreement: [(Saisine, "agreement_id")]}
        plan = Plan(rows={Saisine: {cast.ines_parcours.saisine_id}, Agreement: {cast.ines_parcours.agreement_id}})
        monkeypatch.setattr(erasure, "_naming", lambda model: circle[model])
        with pytest.raises(RuntimeError, match="circle"):
            erase_rows(plan)
        assert Saisine.objects.filter(pk=cast.ines_parcours.saisine_id).exists()
