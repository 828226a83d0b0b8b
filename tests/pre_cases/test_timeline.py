"""The one timeline of a parcours: everything, the latest first, at a cost that does not grow."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.history import acting_as
from partners.models import Term
from pre_cases.models import Parcours
from pre_cases.services.access import revoke_share
from pre_cases.services.parcours import close_parcours
from pre_cases.services.review import record_review, write_bilan
from pre_cases.services.support import add_action, add_objective, end_action, record_result
from pre_cases.services.timeline import add_comment, add_entry
from pre_cases.timeline import SHOWN_AT_FIRST, Moment, timeline_of
from tests.cast import Cast, make_enrolment

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


def moments(cast: Cast) -> list[Moment]:
    return timeline_of(Parcours.objects.with_page().get(pk=cast.ines_parcours.pk), everything=True).moments


def note(cast: Cast, **values) -> None:
    values = {"kind": "phone", "on": timezone.localdate(), "with_whom": "family", "text": "Appel"} | values
    add_entry(parcours=cast.ines_parcours, by=cast.benoit, **values)


def supported(cast: Cast) -> None:
    """An objective reached and its action ended, an enrolment ended, a share taken back, a review and a bilan."""
    today = timezone.localdate()
    domain = Term.objects.get(pk="domain:educatif")
    objective = add_objective(
        parcours=cast.ines_parcours,
        text="Lire seule",
        domain=domain,
        priority=Term.objects.get(pk="priority:decrochage"),
        set_on=today - 40 * DAY,
        by=cast.benoit,
    )
    values = {"objective": objective, "domain": domain, "mode": "individual", "nature": "pre", "by": cast.benoit}
    action = add_action(label="Étude", starts_on=today - 30 * DAY, **values)
    add_action(label="Plus tard", **values)
    end_action(action=action, on=today - 12 * DAY, by=cast.benoit)
    record_result(objective=objective, result="reached", on=today - 10 * DAY, by=cast.benoit)
    make_enrolment(cast.ines_parcours, cast.project, starts_on=today - 25 * DAY, ends_on=today - 20 * DAY)
    record_review(
        parcours=cast.ines_parcours,
        on=today - 5 * DAY,
        family_present=True,
        child_present=True,
        text="Elle lit.",
        next_steps="Continuer",
        by=cast.benoit,
    )
    write_bilan(
        parcours=cast.ines_parcours,
        on=today - 2 * DAY,
        text="Bilan",
        exit_reason=Term.objects.get(pk="exit_reason:objectifs-atteints"),
        by=cast.benoit,
    )
    revoke_share(share=cast.share, by=cast.benoit)


class TestTimelineOf:
    def test_begins_with_the_latest(self, cast: Cast, today) -> None:
        for days in (3, 9, 1):
            note(cast, on=today - days * DAY, text=f"il y a {days} jours")
        days = [moment.on for moment in moments(cast)]
        assert days == sorted(days, reverse=True)
        texts = [moment.text for moment in moments(cast) if moment.kind == "entry-phone"]
        assert texts == ["il y a 1 jours", "il y a 3 jours", "il y a 9 jours"]

    def test_shows_the_last_written_first_within_a_day(self, cast: Cast) -> None:
        for text in ("matin", "midi", "soir"):
            note(cast, text=text)
        assert [m.text for m in moments(cast) if m.kind == "entry-phone"] == ["soir", "midi", "matin"]

    def test_says_who_wrote_with_whom_and_how(self, cast: Cast, today) -> None:
        note(cast, kind="home_visit", with_whom="child", text="Le cahier est à jour.")
        assert moments(cast).count(
            Moment(
                today, "entry-home_visit", "Visite à domicile", "Le cahier est à jour.", "Benoît Test", "avec l’enfant"
            )
        )

    def test_shows_an_attempt_without_words(self, cast: Cast) -> None:
        note(cast, kind="attempt", text="")
        (attempt,) = [m for m in moments(cast) if m.kind == "entry-attempt"]
        assert attempt.text == ""

    def test_tells_the_milestones_of_the_parcours(self, cast: Cast, today) -> None:
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=cast.ines_parcours, on=today, reason=lost, by=cast.amina)
        parcours = cast.ines_parcours
        assert [(m.on, m.label) for m in moments(cast) if m.kind == "milestone"] == [
            (today, "Clôture"),
            (parcours.entered_on, "Entrée en parcours"),  # the same day: the later step first
            (parcours.opened_on, "Ouverture du parcours"),
            (parcours.agreement.signed_on, "Accord de la famille signé"),
            (parcours.saisine.received_on, "Saisine"),
        ]

    def test_tells_that_the_family_withdrew(self, cast: Cast, today) -> None:
        with acting_as(cast.amina):
            agreement = cast.ines_parcours.agreement
            agreement.withdrawn_on = today
            agreement.save()
        assert (today, "Accord de la famille retiré") in [(m.on, m.label) for m in moments(cast)]

    def test_tells_the_support_and_its_ends_on_their_last_day(self, cast: Cast, today) -> None:
        supported(cast)
        told = [(m.on, m.kind, m.label, m.text) for m in moments(cast) if m.kind != "milestone"]
        reason = f"David Test : {cast.share.reason}"
        assert told == [
            (today, "share", "Partage", reason),
            (today, "share", "Fin du partage", "David Test"),
            (today - 2 * DAY, "bilan", "Bilan de fin de parcours", "Bilan"),
            (today - 5 * DAY, "review", "Point d’étape", "Elle lit.\nSuite prévue : Continuer"),
            (today - 10 * DAY, "objective", "Objectif atteint", "Lire seule"),
            (today - 12 * DAY, "action", "Fin d’action", "Étude"),
            (today - 21 * DAY, "enrolment", "Fin d’inscription", "Aide aux devoirs"),
            (today - 25 * DAY, "enrolment", "Inscription", "Aide aux devoirs"),
            (today - 30 * DAY, "action", "Début d’action", "Étude"),
            (today - 40 * DAY, "objective", "Objectif fixé", "Lire seule"),
            (cast.ines_parcours.opened_on, "assignment", "Référent", "Benoît Test"),
        ]

    @pytest.mark.parametrize(
        ("family", "child", "detail"),
        [
            (True, True, "avec la famille et l’enfant"),
            (True, False, "avec la famille"),
            (False, True, "avec l’enfant"),
            (False, False, "sans la famille"),
        ],
    )
    def test_says_who_came_to_a_review(self, cast: Cast, today, family: bool, child: bool, detail: str) -> None:
        record_review(
            parcours=cast.ines_parcours,
            on=today,
            family_present=family,
            child_present=child,
            text="Fait",
            by=cast.benoit,
        )
        assert [m.detail for m in moments(cast) if m.kind == "review"] == [detail]

    def test_puts_a_comment_on_the_day_of_paris(self, cast: Cast, today) -> None:
        add_comment(parcours=cast.ines_parcours, text="Penser au bilan.", by=cast.amina)
        (comment,) = [m for m in moments(cast) if m.kind == "comment"]
        assert (comment.on, comment.text, comment.author) == (today, "Penser au bilan.", "Amina Test")

    def test_holds_nothing_of_another_parcours(self, cast: Cast) -> None:
        add_entry(
            parcours=cast.tom_parcours,
            kind="phone",
            on=timezone.localdate(),
            with_whom="family",
            text="Ailleurs",
            by=cast.chloe,
        )
        assert "Ailleurs" not in [moment.text for moment in moments(cast)]


class TestHidden:
    def test_counts_the_older_lines_beyond_thirty(self, cast: Cast) -> None:
        already = len(moments(cast))
        for _ in range(SHOWN_AT_FIRST - already):
            note(cast)
        parcours = Parcours.objects.with_page().get(pk=cast.ines_parcours.pk)
        assert timeline_of(parcours).hidden == 0
        note(cast, text="La trente et unième")
        timeline = timeline_of(parcours)
        assert (len(timeline.moments), timeline.hidden) == (SHOWN_AT_FIRST, 1)
        assert timeline.moments[0].text == "La trente et unième"
        whole = timeline_of(parcours, everything=True)
        assert (len(whole.moments), whole.hidden) == (SHOWN_AT_FIRST + 1, 0)
        assert whole.moments[-1].label == "Saisine"

    def test_costs_the_same_with_one_exchange_or_ten(self, cast: Cast) -> None:
        def cost() -> int:
            parcours = Parcours.objects.with_page().get(pk=cast.ines_parcours.pk)
            with CaptureQueriesContext(connection) as queries:
                timeline_of(parcours)
            return len(queries)

        note(cast)
        one = cost()
        for _ in range(9):
            note(cast)
        assert cost() == one
