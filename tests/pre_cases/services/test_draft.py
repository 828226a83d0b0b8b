"""Drafts: one for each form, on a parcours or one's own, and none that is forgotten."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.encryption.keys import load_keys_of, own_key_ring
from audit.encryption.keystore.models import DataKey
from partners.models import Term
from pre_cases.models import Draft
from pre_cases.querysets.timeline import OWN_DRAFT_DAYS
from pre_cases.services.draft import discard_draft, save_draft
from pre_cases.services.parcours import close_parcours
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.tasks import sweep_own_drafts
from tests.cast import Cast


def close(cast: Cast) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)


class TestSaveDraft:
    def test_keeps_the_last_one_of_each_person_and_form(self, cast: Cast) -> None:
        for person, form, text in (
            (cast.benoit, "entry", "un"),
            (cast.benoit, "entry", "deux"),
            (cast.benoit, "review", "trois"),
            (cast.amina, "entry", "quatre"),
        ):
            save_draft(parcours=cast.ines_parcours, form=form, content={"text": text}, by=person)
        kept = {(draft.user_id, draft.form): draft.content["text"] for draft in Draft.objects.all()}
        assert kept == {
            (cast.benoit.pk, "entry"): "deux",
            (cast.benoit.pk, "review"): "trois",
            (cast.amina.pk, "entry"): "quatre",
        }

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            save_draft(parcours=cast.ines_parcours, form="entry", content={}, by=cast.benoit)


class TestDiscardDraft:
    def test_throws_away_the_person_s_own_draft_of_that_form(self, cast: Cast) -> None:
        save_draft(parcours=cast.ines_parcours, form="entry", content={"text": "x"}, by=cast.benoit)
        save_draft(parcours=cast.ines_parcours, form="review", content={"text": "y"}, by=cast.benoit)
        save_draft(parcours=cast.ines_parcours, form="entry", content={"text": "z"}, by=cast.amina)
        assert discard_draft(parcours=cast.ines_parcours, form="entry", by=cast.benoit) == 1
        assert sorted(Draft.objects.values_list("user_id", "form")) == sorted(
            [(cast.benoit.pk, "review"), (cast.amina.pk, "entry")]
        )

    def test_counts_none_when_there_is_none(self, cast: Cast) -> None:
        assert discard_draft(parcours=cast.ines_parcours, form="entry", by=cast.benoit) == 0


class TestOwnDraft:
    """One that belongs to no parcours: a child not recorded yet, several children at once."""

    def test_is_sealed_under_a_key_of_its_own(self, cast: Cast) -> None:
        draft = save_draft(parcours=None, form="saisine", content={"situation": "À reprendre"}, by=cast.benoit)
        assert DataKey.objects.get(key_id=draft.data_key_id).kind == "team"
        again = save_draft(parcours=None, form="saisine", content={"situation": "Repris"}, by=cast.benoit)
        assert (again.pk, again.data_key_id) == (draft.pk, draft.data_key_id)
        assert Draft.objects.get().content == {"situation": "Repris"}

    def test_is_saved_again_by_another_request(self, cast: Cast) -> None:
        for text in ("Un", "Deux"):
            with own_key_ring():
                save_draft(parcours=None, form="saisine", content={"situation": text}, by=cast.benoit)
        load_keys_of(Draft.objects.get())
        assert Draft.objects.get().content == {"situation": "Deux"}

    def test_is_apart_from_those_of_a_parcours_and_of_others(self, cast: Cast) -> None:
        save_draft(parcours=None, form="entry", content={"text": "à moi"}, by=cast.benoit)
        save_draft(parcours=cast.ines_parcours, form="entry", content={"text": "d’Inès"}, by=cast.benoit)
        save_draft(parcours=None, form="entry", content={"text": "à elle"}, by=cast.amina)
        assert discard_draft(parcours=None, form="entry", by=cast.benoit) == 1
        assert {draft.content["text"] for draft in Draft.objects.all()} == {"d’Inès", "à elle"}

    def test_does_not_outlive_a_fortnight(self, cast: Cast) -> None:
        save_draft(parcours=None, form="saisine", content={"situation": "x"}, by=cast.benoit)
        save_draft(parcours=cast.ines_parcours, form="entry", content={"text": "x"}, by=cast.benoit)
        sweep_own_drafts()
        assert Draft.objects.count() == 2
        with time_machine.travel(timezone.now() + timedelta(days=OWN_DRAFT_DAYS, minutes=1)):
            sweep_own_drafts()
        assert [draft.parcours_id for draft in Draft.objects.all()] == [cast.ines_parcours.pk]
