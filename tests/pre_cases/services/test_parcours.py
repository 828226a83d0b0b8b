"""The life of a parcours, in the right order only."""

from datetime import timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.history import acting_as
from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import NOTHING_DUE, Adult, Assignment, ChildAdult, Parcours, ParcoursStage
from pre_cases.services.assignment import AssignmentRefused, assign_referent
from pre_cases.services.draft import save_draft
from pre_cases.services.parcours import (
    ClosingRefused,
    EntryRefused,
    OpeningRefused,
    ReopeningRefused,
    close_parcours,
    decide_entry,
    open_parcours,
    reopen_parcours,
)
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.services.review import write_bilan
from pre_cases.services.timeline import add_entry
from pre_cases.stages import StageNotRead
from referents.models import Role
from tests.cast import Cast, make_agreement, make_child, make_enrolment, make_parcours, make_saisine, make_user

REACHED = "exit_reason:objectifs-atteints"
LOST = "exit_reason:contact-perdu"
NO_ENTRY = "exit_reason:sans-entree"


@pytest.fixture
def today():
    return timezone.localdate()


def reason(pk: str) -> Term:
    return Term.objects.get(pk=pk)


class TestOpenParcours:
    def test_refuses_before_the_agreement_is_presented(self, cast: Cast, today) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        with pytest.raises(OpeningRefused, match="Présentez d’abord"):
            open_parcours(saisine=saisine, on=today, by=cast.amina)

    def test_refuses_while_the_agreement_is_awaited(self, cast: Cast, today) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        make_agreement(saisine, oral_on=today)
        with pytest.raises(OpeningRefused, match="accord oral permet de préparer"):
            open_parcours(saisine=saisine, on=today, by=cast.amina)

    def test_refuses_before_the_signature_or_in_the_future(self, cast: Cast, today) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        make_agreement(saisine, signed_on=today - timedelta(days=3))
        with pytest.raises(OpeningRefused, match="avant la signature"):
            open_parcours(saisine=saisine, on=today - timedelta(days=4), by=cast.amina)
        with pytest.raises(OpeningRefused, match="futur"):
            open_parcours(saisine=saisine, on=today + timedelta(days=1), by=cast.amina)

    def test_refuses_when_a_holder_of_authority_objects(self, cast: Cast, today) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        agreement = make_agreement(saisine, signed_on=today)
        with acting_as(cast.amina):
            other = agreement.holders.get()
            other.signed_on, other.objected_on = None, today
            other.save()
        with pytest.raises(OpeningRefused, match="opposé par écrit"):
            open_parcours(saisine=saisine, on=today, by=cast.amina)

    def test_refuses_while_a_holder_has_neither_signed_nor_been_informed(self, cast: Cast, today) -> None:
        child = make_child("Zoé")
        saisine = make_saisine(child, cast.team_a)
        make_agreement(saisine, signed_on=today)
        with acting_as(cast.amina):
            father = Adult.objects.create(
                family=child.family, family_name="Morel", data_key_id=child.family.data_key_id
            )
            ChildAdult.objects.create(
                child=child,
                adult=father,
                relation="father",
                holds_authority=True,
                starts_on=today,
                data_key_id=child.data_key_id,
            )
        with pytest.raises(OpeningRefused, match="ni signé ni été informé"):
            open_parcours(saisine=saisine, on=today, by=cast.amina)

    def test_refuses_a_second_open_parcours_for_the_child(self, cast: Cast, today) -> None:
        saisine = make_saisine(cast.ines, cast.team_a)
        make_agreement(saisine, signed_on=today)
        with pytest.raises(OpeningRefused, match="déjà ouvert"):
            open_parcours(saisine=saisine, on=today, by=cast.amina)

    def test_is_backed_by_the_database(self, cast: Cast, today) -> None:
        saisine = make_saisine(cast.ines, cast.team_a)
        agreement = make_agreement(saisine, signed_on=today)
        with acting_as(cast.amina), pytest.raises(IntegrityError), transaction.atomic():
            Parcours.objects.create(
                child=cast.ines,
                team=cast.team_a,
                saisine=saisine,
                agreement=agreement,
                opened_on=today,
                data_key_id=cast.ines.data_key_id,
            )

    def test_takes_the_saisine_s_exchanges_along_and_assigns(self, cast: Cast, today) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        make_agreement(saisine, signed_on=today - timedelta(days=1))
        entry = add_entry(
            saisine=saisine,
            kind="phone",
            on=today - timedelta(days=2),
            with_whom="family",
            text="Appel",
            by=cast.benoit,
        )
        parcours = open_parcours(saisine=saisine, on=today, referent=cast.benoit, by=cast.amina)
        entry.refresh_from_db()
        assert entry.parcours_id == parcours.pk
        assert parcours.last_contact_on == entry.on
        assert parcours.due_on == today + timedelta(days=settings.EVALUATION_DAYS)
        assert list(Parcours.objects.followed_by(cast.benoit).filter(pk=parcours.pk)) == [parcours]

    def test_keeps_the_former_parcours_of_the_child(self, cast: Cast, today) -> None:
        former = cast.ines_parcours
        close_parcours(parcours=former, on=today - timedelta(days=1), reason=reason(LOST), by=cast.amina)
        saisine = make_saisine(cast.ines, cast.team_a)
        make_agreement(saisine, signed_on=today - timedelta(days=2))
        with pytest.raises(OpeningRefused, match="lendemain"):
            open_parcours(saisine=saisine, on=today - timedelta(days=1), by=cast.amina)
        assert open_parcours(saisine=saisine, on=today, by=cast.amina).previous == former


class TestAssignReferent:
    def test_releases_the_former_one_the_same_day(self, cast: Cast, today) -> None:
        other = make_user("Denis", Role.REFERENT, cast.team_a)
        assign_referent(parcours=cast.ines_parcours, referent=other, by=cast.amina)
        former, current = cast.ines_parcours.assignments.order_by("starts_on", "id")
        assert (former.ends_on, current.starts_on, current.ends_on) == (today, today, None)
        assert not Parcours.objects.followed_by(cast.benoit).filter(pk=cast.ines_parcours.pk).exists()
        assert Parcours.objects.followed_by(other).filter(pk=cast.ines_parcours.pk).exists()

    def test_refuses_somebody_of_another_team_or_no_longer_there(self, cast: Cast) -> None:
        for person in (cast.chloe, cast.yann, cast.david):
            with pytest.raises(AssignmentRefused, match="pas référente"):
                assign_referent(parcours=cast.ines_parcours, referent=person, by=cast.amina)

    def test_refuses_the_same_person_the_future_and_a_day_already_held(self, cast: Cast, today) -> None:
        with pytest.raises(AssignmentRefused, match="déjà référente"):
            assign_referent(parcours=cast.ines_parcours, referent=cast.benoit, by=cast.amina)
        other = make_user("Denis", Role.REFERENT, cast.team_a)
        with pytest.raises(AssignmentRefused, match="futur"):
            assign_referent(parcours=cast.ines_parcours, referent=other, on=today + timedelta(days=1), by=cast.amina)
        with pytest.raises(AssignmentRefused, match="n’était pas ouvert"):
            assign_referent(parcours=cast.ines_parcours, referent=other, on=today - timedelta(days=365), by=cast.amina)

    def test_leaves_one_current_referent_whatever_happens(self, cast: Cast, today) -> None:
        with acting_as(cast.amina), pytest.raises(IntegrityError), transaction.atomic():
            Assignment.objects.create(parcours=cast.ines_parcours, referent=cast.chloe, starts_on=today)


class TestDecideEntry:
    def test_ends_the_evaluation(self, cast: Cast, today) -> None:
        parcours = make_parcours(cast.team_a, entered_on=None, child=make_child("Zoé"))
        assert Parcours.objects.with_stage().get(pk=parcours.pk).stage is ParcoursStage.DIAGNOSIS
        decide_entry(parcours=parcours, on=today, by=cast.amina)
        entered = Parcours.objects.with_stage().get(pk=parcours.pk)
        assert entered.stage is ParcoursStage.RUNNING
        assert entered.due_on == today + relativedelta(months=settings.REVIEW_EVERY_MONTHS)

    def test_happens_once_and_not_before_the_opening(self, cast: Cast, today) -> None:
        parcours = make_parcours(cast.team_a, entered_on=None, child=make_child("Zoé"))
        with pytest.raises(EntryRefused, match="précéder l’ouverture"):
            decide_entry(parcours=parcours, on=parcours.opened_on - timedelta(days=1), by=cast.amina)
        decide_entry(parcours=parcours, on=today, by=cast.amina)
        with pytest.raises(EntryRefused, match="déjà décidée"):
            decide_entry(parcours=parcours, on=today, by=cast.amina)


class TestCloseParcours:
    def test_asks_for_the_bilan_first(self, cast: Cast, today) -> None:
        with pytest.raises(ClosingRefused, match="bilan"):
            close_parcours(parcours=cast.ines_parcours, on=today, reason=reason(REACHED), by=cast.amina)

    def test_needs_no_bilan_when_the_contact_is_lost(self, cast: Cast, today) -> None:
        close_parcours(parcours=cast.ines_parcours, on=today, reason=reason(LOST), by=cast.amina)
        assert Parcours.objects.with_stage().get(pk=cast.ines_parcours.pk).stage is ParcoursStage.CLOSED

    def test_ends_every_share_assignment_enrolment_and_draft(self, cast: Cast, today) -> None:
        parcours = cast.ines_parcours
        enrolment = make_enrolment(parcours, cast.project)
        save_draft(parcours=parcours, form="entry", content={"text": "à suivre"}, by=cast.benoit)
        write_bilan(parcours=parcours, on=today, text="Bilan", exit_reason=reason(REACHED), by=cast.benoit)
        close_parcours(parcours=parcours, on=today, reason=reason(REACHED), by=cast.amina)
        assert not Parcours.objects.visible_to(cast.david).filter(pk=parcours.pk).exists()
        assert not Parcours.objects.visible_to(cast.benoit).filter(pk=parcours.pk).exists()
        assert Parcours.objects.visible_to(cast.amina).filter(pk=parcours.pk).exists()
        enrolment.refresh_from_db()
        assert enrolment.ends_on == today
        assert parcours.shares.get().revoked_at is not None
        assert not parcours.drafts.exists()
        parcours.refresh_from_db()
        assert parcours.due_on == NOTHING_DUE

    def test_keeps_sans_entree_for_evaluations(self, cast: Cast, today) -> None:
        with pytest.raises(ClosingRefused, match="Sans entrée"):
            close_parcours(parcours=cast.ines_parcours, on=today, reason=reason(NO_ENTRY), by=cast.amina)
        waiting = make_parcours(cast.team_a, entered_on=None, child=make_child("Zoé"))
        with pytest.raises(ClosingRefused, match="Sans entrée"):
            close_parcours(parcours=waiting, on=today, reason=reason(LOST), by=cast.amina)
        close_parcours(parcours=waiting, on=today, reason=reason(NO_ENTRY), by=cast.amina)

    def test_refuses_the_future_and_a_day_before_the_entry(self, cast: Cast, today) -> None:
        with pytest.raises(ClosingRefused, match="futur"):
            close_parcours(
                parcours=cast.ines_parcours, on=today + timedelta(days=1), reason=reason(LOST), by=cast.amina
            )
        with pytest.raises(ClosingRefused, match="précéder"):
            close_parcours(
                parcours=cast.ines_parcours, on=today - timedelta(days=300), reason=reason(LOST), by=cast.amina
            )

    def test_leaves_a_parcours_that_no_longer_changes(self, cast: Cast, today) -> None:
        close_parcours(parcours=cast.ines_parcours, on=today, reason=reason(LOST), by=cast.amina)
        with pytest.raises(ParcoursIsClosed, match="clos"):
            close_parcours(parcours=cast.ines_parcours, on=today, reason=reason(LOST), by=cast.amina)
        with pytest.raises(ParcoursIsClosed):
            add_entry(parcours=cast.ines_parcours, kind="phone", on=today, with_whom="family", text="x", by=cast.amina)

    def test_leaves_its_event_in_the_journal(self, cast: Cast, today) -> None:
        close_parcours(parcours=cast.ines_parcours, on=today, reason=reason(LOST), by=cast.amina)
        event = Event.objects.get(action="close")
        assert (event.actor_id, event.subject_id) == (cast.amina.pk, cast.ines_parcours.pk)


class TestReopenParcours:
    def test_corrects_a_closing_of_less_than_sixty_days(self, cast: Cast, today) -> None:
        close_parcours(parcours=cast.ines_parcours, on=today, reason=reason(LOST), by=cast.amina)
        reopen_parcours(parcours=cast.ines_parcours, reason="erreur de date", by=cast.amina)
        parcours = Parcours.objects.get(pk=cast.ines_parcours.pk)
        assert parcours.closed_on is None
        assert "erreur de date" in parcours.comments.get().text
        assert not Parcours.objects.followed_by(cast.benoit).filter(pk=parcours.pk).exists()
        assign_referent(parcours=parcours, referent=cast.benoit, by=cast.amina)
        assert Parcours.objects.followed_by(cast.benoit).filter(pk=parcours.pk).exists()

    def test_refuses_an_open_one_and_an_old_closing(self, cast: Cast, today) -> None:
        with pytest.raises(ReopeningRefused, match="déjà ouvert"):
            reopen_parcours(parcours=cast.ines_parcours, reason="x", by=cast.amina)
        old = make_parcours(cast.team_a, child=make_child("Zoé"), opened_on=today - timedelta(days=400))
        close_parcours(parcours=old, on=today - timedelta(days=61), reason=reason(LOST), by=cast.amina)
        with pytest.raises(ReopeningRefused, match="plus de 60 jours"):
            reopen_parcours(parcours=old, reason="x", by=cast.amina)

    def test_refuses_when_another_parcours_came_after(self, cast: Cast, today) -> None:
        days = [today - timedelta(days=number) for number in (50, 30, 20, 10)]
        values = {"child": make_child("Zoé"), "exit_reason": reason(LOST)}
        first = make_parcours(cast.team_a, opened_on=days[0], closed_on=days[1], **values)
        make_parcours(cast.team_a, opened_on=days[2], closed_on=days[3], **values)
        with pytest.raises(ReopeningRefused, match="un autre parcours depuis"):
            reopen_parcours(parcours=first, reason="erreur", by=cast.amina)


class TestParcoursStage:
    def test_is_read_through_with_stage_only(self, cast: Cast) -> None:
        with pytest.raises(StageNotRead):
            _ = cast.ines_parcours.stage

    def test_becomes_review_due_with_time_and_runs_again_after_a_review(self, cast: Cast, today) -> None:
        day = cast.ines_parcours.entered_on + relativedelta(months=settings.REVIEW_EVERY_MONTHS)
        stage = Parcours.objects.with_stage(day).get(pk=cast.ines_parcours.pk).stage
        assert stage is ParcoursStage.REVIEW_DUE
        before = Parcours.objects.with_stage(day - timedelta(days=1)).get(pk=cast.ines_parcours.pk).stage
        assert before is ParcoursStage.RUNNING
