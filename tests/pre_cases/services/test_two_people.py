"""Two people at the same instant: one wins, the other is told, and nothing is there twice."""

from pathlib import Path

import pytest
from django.utils import timezone

from audit.encryption.keys import load_keys
from partners.models import Term
from pre_cases.models import Assignment, Parcours
from pre_cases.services.assignment import assign_referent
from pre_cases.services.parcours import close_parcours, decide_entry, open_parcours
from pre_cases.services.review import record_review
from referents.models import Role
from tests.at_once import at_once
from tests.cast import Cast, make_agreement, make_child, make_parcours, make_saisine, make_user

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


def with_keys(record, change):
    """The change with the data key that the person's own request would have loaded."""

    def run():
        load_keys([record.data_key_id])
        return change()

    return run


class TestTwoPeople:
    def test_close_one_parcours_once(self, tmp_path: Path) -> None:
        cast = Cast()
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        other = make_user("Alix", Role.COORDINATOR, cast.team_a)

        def close(by):
            return lambda: close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=by)

        outcomes, closed = at_once(
            tmp_path,
            [with_keys(cast.ines_parcours, close(person)) for person in (cast.amina, other)],
            lambda: Parcours.history.filter(id=cast.ines_parcours.pk, closed_on__isnull=False).count(),
        )
        assert outcomes[0] == "Le parcours est clos : il ne se modifie plus. La coordination peut le rouvrir."
        assert outcomes[1] == "Parcours"
        assert closed == 1

    def test_assign_one_referent(self, tmp_path: Path) -> None:
        cast = Cast()
        rivals = [make_user(name, Role.REFERENT, cast.team_a) for name in ("Denis", "Elsa")]
        parcours = make_parcours(cast.team_a, child=make_child("Zoé"))

        def assign(referent):
            return lambda: assign_referent(parcours=parcours, referent=referent, seen=0, by=cast.amina)

        outcomes, current = at_once(
            tmp_path,
            [assign(referent) for referent in rivals],
            lambda: Assignment.objects.filter(parcours=parcours, ends_on__isnull=True).count(),
        )
        assert current == 1
        assert outcomes == ["Assignment", "Un autre référent vient d’être choisi pour ce parcours : regardez lequel."]

    def test_open_one_parcours_from_one_saisine(self, tmp_path: Path) -> None:
        cast = Cast()
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        make_agreement(saisine, signed_on=timezone.localdate())
        outcomes, opened = at_once(
            tmp_path,
            [
                with_keys(saisine, lambda by=by: open_parcours(saisine=saisine, on=timezone.localdate(), by=by))
                for by in (cast.amina, cast.benoit)
            ],
            lambda: Parcours.objects.filter(child=saisine.child_id).count(),
        )
        assert outcomes == ["Le parcours de cette saisine est déjà ouvert.", "Parcours"]
        assert opened == 1

    def test_open_one_parcours_from_two_saisines(self, tmp_path: Path) -> None:
        """Each saisine is locked by its own opening: the child is what they have in common."""
        cast = Cast()
        child = make_child("Zoé")
        saisines = [make_saisine(child, team) for team in (cast.team_a, cast.team_b)]
        for saisine in saisines:
            make_agreement(saisine, signed_on=timezone.localdate())
        outcomes, opened = at_once(
            tmp_path,
            [
                with_keys(saisine, lambda s=saisine: open_parcours(saisine=s, on=timezone.localdate(), by=cast.amina))
                for saisine in saisines
            ],
            lambda: Parcours.objects.filter(child=child).count(),
        )
        assert outcomes == ["Parcours", "Un parcours est déjà ouvert pour cet enfant : rattachez-y la saisine."]
        assert opened == 1

    def test_decide_one_entry(self, tmp_path: Path) -> None:
        cast = Cast()
        parcours = make_parcours(cast.team_a, child=make_child("Zoé"), entered_on=None)
        outcomes, _ = at_once(
            tmp_path,
            [lambda: decide_entry(parcours=parcours, on=timezone.localdate(), by=cast.amina)] * 2,
            lambda: 0,
        )
        assert outcomes == ["L’entrée en parcours est déjà décidée.", "Parcours"]

    def test_record_one_review_a_day(self, tmp_path: Path) -> None:
        cast = Cast()

        def review():
            return record_review(
                parcours=cast.ines_parcours,
                on=timezone.localdate(),
                family_present=True,
                child_present=True,
                text="Des progrès",
                by=cast.benoit,
            )

        outcomes, reviews = at_once(
            tmp_path, [with_keys(cast.ines_parcours, review)] * 2, lambda: cast.ines_parcours.reviews.count()
        )
        assert outcomes == ["Review", "Un point d’étape est déjà enregistré ce jour-là."]
        assert reviews == 1
