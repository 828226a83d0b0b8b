"""Presented, perhaps oral, signed or refused, withdrawn: each step in its order, and what each opens or ends."""

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from audit.journal.models import Event
from pre_cases.models import (
    Adult,
    Agreement,
    Assignment,
    ChildAdult,
    InformedMeans,
    Parcours,
    ParcoursShare,
    Relation,
    Saisine,
    SaisineStage,
)
from pre_cases.services.agreement import (
    AgreementRefused,
    HolderAnswer,
    present_agreement,
    record_oral_agreement,
    refuse_agreement,
    sign_agreement,
    withdraw_agreement,
)
from pre_cases.services.family import NewAdult, add_adult
from pre_cases.services.parcours import OpeningRefused, open_parcours
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.services.timeline import SaisineIsOver
from tests.cast import Cast, make_agreement, make_child, make_enrolment, make_parcours, make_saisine


@pytest.fixture
def today() -> date:
    return timezone.localdate()


@pytest.fixture
def saisine(cast: Cast) -> Saisine:
    return make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)


@pytest.fixture
def agreement(saisine: Saisine) -> Agreement:
    return make_agreement(saisine)


@pytest.fixture
def mother(saisine: Saisine) -> Adult:
    return saisine.child.adult_links.get().adult


@pytest.fixture
def father(cast: Cast, saisine: Saisine) -> Adult:
    facts = NewAdult(family_name="Petit", relation=Relation.FATHER, holds_authority=True)
    return add_adult(child=saisine.child, adult=facts, on=saisine.received_on, by=cast.benoit).adult


def stage_of(saisine: Saisine) -> SaisineStage:
    return Saisine.objects.with_stage().get(pk=saisine.pk).stage


def present(cast: Cast, saisine: Saisine, on: date) -> Agreement:
    return present_agreement(
        saisine=saisine, on=on, form_version="2026-1", covers_school=True, covers_partners=False, by=cast.benoit
    )


class TestPresentAgreement:
    def test_makes_the_agreement_awaited(self, cast: Cast, saisine: Saisine, today: date) -> None:
        agreement = present(cast, saisine, today)
        assert (agreement.presented_on, agreement.covers_partners, agreement.signed_on) == (today, False, None)
        assert agreement.data_key_id == saisine.data_key_id
        assert stage_of(saisine) is SaisineStage.AGREEMENT_AWAITED
        assert Event.objects.filter(kind="pre_cases.agreement", record_ids=[str(agreement.pk)]).exists()

    def test_refuses_the_future_and_a_day_before_the_saisine(self, cast: Cast, saisine: Saisine, today: date) -> None:
        with pytest.raises(AgreementRefused, match="futur"):
            present(cast, saisine, today + timedelta(days=1))
        with pytest.raises(AgreementRefused, match="reçue que le") as refusal:
            present(cast, saisine, saisine.received_on - timedelta(days=1))
        assert refusal.value.field == "on"

    def test_happens_once_until_a_refusal(self, cast: Cast, saisine: Saisine, today: date) -> None:
        first = present(cast, saisine, today)
        with pytest.raises(AgreementRefused, match="déjà présenté"):
            present(cast, saisine, today)
        refuse_agreement(agreement=first, on=today, by=cast.benoit)
        assert stage_of(saisine) is SaisineStage.AGREEMENT_REFUSED
        with pytest.raises(AgreementRefused, match="refus précédent"):
            present(cast, saisine, today - timedelta(days=1))
        present(cast, saisine, today)
        assert stage_of(saisine) is SaisineStage.AGREEMENT_AWAITED

    def test_refuses_a_child_already_followed(self, cast: Cast, today: date) -> None:
        with pytest.raises(AgreementRefused, match="rattachez"):
            present(cast, make_saisine(cast.ines, cast.team_a), today)

    def test_refuses_a_saisine_that_is_over(self, cast: Cast, today: date) -> None:
        with pytest.raises(SaisineIsOver):
            present(cast, cast.ines_parcours.saisine, today)
        ended = make_saisine(
            make_child("Léo"), cast.team_a, outcome="no_follow_up", outcome_on=today, outcome_by=cast.amina
        )
        with pytest.raises(SaisineIsOver):
            present(cast, ended, today)


class TestRecordOralAgreement:
    def test_is_written_down_and_opens_nothing(
        self, cast: Cast, saisine: Saisine, agreement: Agreement, mother: Adult, today: date
    ) -> None:
        record_oral_agreement(agreement=agreement, on=today, given_by=mother, by=cast.benoit)
        agreement.refresh_from_db()
        assert (agreement.oral_on, agreement.oral_given_by, agreement.oral_received_by) == (today, mother, cast.benoit)
        assert stage_of(saisine) is SaisineStage.AGREEMENT_AWAITED
        with pytest.raises(OpeningRefused, match="accord oral"):
            open_parcours(saisine=saisine, on=today, by=cast.benoit)

    def test_comes_from_a_holder_of_authority(
        self, cast: Cast, saisine: Saisine, agreement: Agreement, today: date
    ) -> None:
        facts = NewAdult(family_name="Petit", relation=Relation.STEP_PARENT)
        other = add_adult(child=saisine.child, adult=facts, on=today, by=cast.benoit).adult
        with pytest.raises(AgreementRefused, match="titulaire") as refusal:
            record_oral_agreement(agreement=agreement, on=today, given_by=other, by=cast.benoit)
        assert refusal.value.field == "given_by"

    def test_refuses_the_future_and_a_day_before_the_presentation(
        self, cast: Cast, agreement: Agreement, mother: Adult, today: date
    ) -> None:
        for day in (today + timedelta(days=1), agreement.presented_on - timedelta(days=1)):
            with pytest.raises(AgreementRefused) as refusal:
                record_oral_agreement(agreement=agreement, on=day, given_by=mother, by=cast.benoit)
            assert refusal.value.field == "on"

    def test_comes_before_the_signature(self, cast: Cast, saisine: Saisine, mother: Adult, today: date) -> None:
        signed = make_agreement(saisine, signed_on=today)
        with pytest.raises(AgreementRefused, match="déjà signé"):
            record_oral_agreement(agreement=signed, on=today, given_by=mother, by=cast.benoit)


class TestSignAgreement:
    def test_holds_for_the_months_of_the_setting(
        self, cast: Cast, saisine: Saisine, agreement: Agreement, mother: Adult, today: date
    ) -> None:
        sign_agreement(
            agreement=agreement, on=today, holders=[HolderAnswer(adult=mother, signed_on=today)], by=cast.benoit
        )
        agreement.refresh_from_db()
        assert agreement.agreed_until_on == today + relativedelta(months=settings.AGREEMENT_MONTHS)
        assert agreement.holders.get().signed_on == today
        assert stage_of(saisine) is SaisineStage.AGREEMENT_SIGNED
        assert open_parcours(saisine=saisine, on=today, by=cast.benoit, referent=cast.benoit)

    def test_never_takes_the_day_of_the_oral_agreement(
        self, cast: Cast, agreement: Agreement, mother: Adult, today: date
    ) -> None:
        record_oral_agreement(agreement=agreement, on=agreement.presented_on, given_by=mother, by=cast.benoit)
        sign_agreement(
            agreement=agreement, on=today, holders=[HolderAnswer(adult=mother, signed_on=today)], by=cast.benoit
        )
        agreement.refresh_from_db()
        assert (agreement.oral_on, agreement.signed_on) == (agreement.presented_on, today)

    def test_asks_for_the_other_holder(
        self, cast: Cast, agreement: Agreement, mother: Adult, father: Adult, today: date
    ) -> None:
        signed = HolderAnswer(adult=mother, signed_on=today)
        for holders in ([signed], [signed, HolderAnswer(adult=father)]):
            with pytest.raises(AgreementRefused, match="chaque titulaire"):
                sign_agreement(agreement=agreement, on=today, holders=holders, by=cast.benoit)
        assert Agreement.objects.get(pk=agreement.pk).signed_on is None

    @pytest.mark.parametrize(
        "answer",
        [
            {"informed_on": timezone.localdate(), "informed_means": InformedMeans.PHONE},
            {"not_informed_reason": "Adresse inconnue."},
        ],
    )
    def test_is_enough_when_the_other_holder_was_informed_or_could_not_be(
        self, cast: Cast, saisine: Saisine, agreement: Agreement, mother: Adult, father: Adult, today: date, answer
    ) -> None:
        holders = [HolderAnswer(adult=mother, signed_on=today), HolderAnswer(adult=father, **answer)]
        sign_agreement(agreement=agreement, on=today, holders=holders, by=cast.benoit)
        assert open_parcours(saisine=saisine, on=today, by=cast.benoit)

    def test_asks_by_which_means_a_holder_was_informed(
        self, cast: Cast, agreement: Agreement, mother: Adult, father: Adult, today: date
    ) -> None:
        holders = [HolderAnswer(adult=mother, signed_on=today), HolderAnswer(adult=father, informed_on=today)]
        with pytest.raises(AgreementRefused, match="quel moyen"):
            sign_agreement(agreement=agreement, on=today, holders=holders, by=cast.benoit)

    def test_needs_one_signature(
        self, cast: Cast, agreement: Agreement, mother: Adult, father: Adult, today: date
    ) -> None:
        informed = {"informed_on": today, "informed_means": InformedMeans.MAIL}
        holders = [HolderAnswer(adult=mother, **informed), HolderAnswer(adult=father, **informed)]
        with pytest.raises(AgreementRefused, match="Au moins un titulaire"):
            sign_agreement(agreement=agreement, on=today, holders=holders, by=cast.benoit)

    def test_carries_the_day_of_the_first_signature(
        self, cast: Cast, agreement: Agreement, mother: Adult, father: Adult, today: date
    ) -> None:
        holders = [
            HolderAnswer(adult=mother, signed_on=today),
            HolderAnswer(adult=father, signed_on=today - timedelta(days=3)),
        ]
        with pytest.raises(AgreementRefused, match="première signature"):
            sign_agreement(agreement=agreement, on=today, holders=holders, by=cast.benoit)
        assert sign_agreement(agreement=agreement, on=today - timedelta(days=3), holders=holders, by=cast.benoit)

    def test_is_suspended_by_an_objection_until_it_is_settled(
        self, cast: Cast, saisine: Saisine, agreement: Agreement, mother: Adult, father: Adult, today: date
    ) -> None:
        signed = HolderAnswer(adult=mother, signed_on=today)
        objected = HolderAnswer(adult=father, objected_on=today)
        sign_agreement(agreement=agreement, on=today, holders=[signed, objected], by=cast.benoit)
        with pytest.raises(OpeningRefused, match="opposé par écrit"):
            open_parcours(saisine=saisine, on=today, by=cast.amina)
        settled = HolderAnswer(adult=father, signed_on=today)
        sign_agreement(agreement=agreement, on=today, holders=[signed, settled], by=cast.amina)
        holder = agreement.holders.get(adult=father)
        assert holder.objected_on is None
        assert [row.objected_on for row in holder.history.order_by("history_id")] == [today, None]
        assert open_parcours(saisine=saisine, on=today, by=cast.amina)

    def test_refuses_a_holder_nobody_knows(self, cast: Cast, agreement: Agreement, mother: Adult, today: date) -> None:
        stranger = cast.tom.adult_links.get().adult
        holders = [HolderAnswer(adult=mother, signed_on=today), HolderAnswer(adult=stranger, signed_on=today)]
        with pytest.raises(AgreementRefused, match="entre-temps"):
            sign_agreement(agreement=agreement, on=today, holders=holders, by=cast.benoit)

    def test_asks_for_a_holder_when_none_is_known(
        self, cast: Cast, agreement: Agreement, saisine: Saisine, today: date
    ) -> None:
        ChildAdult.objects.filter(child=saisine.child).update(holds_authority=False)
        with pytest.raises(AgreementRefused, match="ajoutez-le"):
            sign_agreement(agreement=agreement, on=today, holders=[], by=cast.benoit)

    def test_refuses_the_future_and_a_day_before_the_presentation(
        self, cast: Cast, agreement: Agreement, mother: Adult, today: date
    ) -> None:
        for day in (today + timedelta(days=1), agreement.presented_on - timedelta(days=1)):
            with pytest.raises(AgreementRefused):
                sign_agreement(
                    agreement=agreement, on=day, holders=[HolderAnswer(adult=mother, signed_on=day)], by=cast.benoit
                )

    def test_refuses_a_signature_that_has_expired(self, cast: Cast, today: date) -> None:
        long_ago = today - relativedelta(months=settings.AGREEMENT_MONTHS)
        saisine = make_saisine(make_child("Léo"), cast.team_a, received_on=long_ago)
        agreement = make_agreement(saisine)
        mother = saisine.child.adult_links.get().adult
        with pytest.raises(AgreementRefused, match="de nouveau"):
            sign_agreement(
                agreement=agreement,
                on=long_ago,
                holders=[HolderAnswer(adult=mother, signed_on=long_ago)],
                by=cast.benoit,
            )

    def test_refuses_an_agreement_that_was_refused(
        self, cast: Cast, agreement: Agreement, mother: Adult, today: date
    ) -> None:
        refuse_agreement(agreement=agreement, on=today, by=cast.benoit)
        with pytest.raises(AgreementRefused, match="présentez de nouveau"):
            sign_agreement(
                agreement=agreement, on=today, holders=[HolderAnswer(adult=mother, signed_on=today)], by=cast.amina
            )

    def test_changes_nothing_once_the_parcours_is_open(self, cast: Cast, today: date) -> None:
        mother = cast.ines.adult_links.get().adult
        with pytest.raises(SaisineIsOver, match="parcours est ouvert"):
            sign_agreement(
                agreement=cast.ines_parcours.agreement,
                on=today,
                holders=[HolderAnswer(adult=mother, signed_on=today)],
                by=cast.benoit,
            )


class TestRefuseAgreement:
    def test_ends_the_agreement_with_the_words_of_the_family(
        self, cast: Cast, saisine: Saisine, agreement: Agreement, today: date
    ) -> None:
        refuse_agreement(agreement=agreement, on=today, reason="Pas maintenant.", by=cast.benoit)
        agreement.refresh_from_db()
        assert (agreement.refused_on, agreement.reason) == (today, "Pas maintenant.")
        assert stage_of(saisine) is SaisineStage.AGREEMENT_REFUSED
        with pytest.raises(OpeningRefused, match="refusé ou retiré"):
            open_parcours(saisine=saisine, on=today, by=cast.amina)

    def test_takes_a_signature_back_before_the_opening(self, cast: Cast, saisine: Saisine, today: date) -> None:
        agreement = make_agreement(saisine, signed_on=today - timedelta(days=2))
        with pytest.raises(AgreementRefused, match="a signé le"):
            refuse_agreement(agreement=agreement, on=today - timedelta(days=3), by=cast.benoit)
        refuse_agreement(agreement=agreement, on=today, by=cast.benoit)
        agreement.refresh_from_db()
        assert (agreement.refused_on, agreement.withdrawn_on) == (None, today)
        assert stage_of(saisine) is SaisineStage.AGREEMENT_REFUSED

    def test_refuses_the_future_and_a_day_before_the_presentation(
        self, cast: Cast, agreement: Agreement, today: date
    ) -> None:
        for day in (today + timedelta(days=1), agreement.presented_on - timedelta(days=1)):
            with pytest.raises(AgreementRefused):
                refuse_agreement(agreement=agreement, on=day, by=cast.benoit)

    def test_happens_once(self, cast: Cast, agreement: Agreement, today: date) -> None:
        refuse_agreement(agreement=agreement, on=today, by=cast.benoit)
        with pytest.raises(AgreementRefused):
            refuse_agreement(agreement=agreement, on=today, by=cast.amina)


class TestWithdrawAgreement:
    def test_closes_the_parcours_the_same_day_with_everything_it_gave(self, cast: Cast, today: date) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project)
        withdraw_agreement(parcours=cast.ines_parcours, on=today, reason="Choix de la famille.", by=cast.benoit)
        parcours = Parcours.objects.select_related("agreement").get(pk=cast.ines_parcours.pk)
        assert (parcours.closed_on, parcours.exit_reason_id) == (today, "exit_reason:souhait-famille")
        assert (parcours.agreement.withdrawn_on, parcours.agreement.reason) == (today, "Choix de la famille.")
        assert not ParcoursShare.objects.in_force().filter(content_object=parcours).exists()
        assert not Assignment.objects.current().filter(parcours=parcours).exists()
        enrolment.refresh_from_db()
        assert enrolment.ends_on == today
        assert not Parcours.objects.visible_to(cast.david).exists()

    def test_ends_an_evaluation_as_no_entry(self, cast: Cast, today: date) -> None:
        parcours = make_parcours(cast.team_a, child=make_child("Zoé"), entered_on=None)
        assert (
            withdraw_agreement(parcours=parcours, on=today, by=cast.benoit).exit_reason_id == "exit_reason:sans-entree"
        )

    def test_refuses_the_future_and_a_day_before_the_entry(self, cast: Cast, today: date) -> None:
        for day in (today + timedelta(days=1), cast.ines_parcours.entered_on - timedelta(days=1)):
            with pytest.raises(AgreementRefused) as refusal:
                withdraw_agreement(parcours=cast.ines_parcours, on=day, by=cast.benoit)
            assert refusal.value.field == "on"
        assert Agreement.objects.get(pk=cast.ines_parcours.agreement_id).withdrawn_on is None

    def test_happens_once(self, cast: Cast, today: date) -> None:
        withdraw_agreement(parcours=cast.ines_parcours, on=today, by=cast.benoit)
        with pytest.raises(ParcoursIsClosed):
            withdraw_agreement(parcours=cast.ines_parcours, on=today, by=cast.amina)
