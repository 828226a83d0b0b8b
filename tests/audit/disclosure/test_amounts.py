"""Amounts: a cell that one organisation dominates, and what the others could work out of it."""

from collections.abc import Mapping

from audit.disclosure.amounts import protect_contributors
from audit.disclosure.audit import audit, interval
from audit.disclosure.instance import Instance, Primary
from audit.disclosure.layout import Layout, Variable
from audit.disclosure.protection import protect

GRANTS = {
    ("culture", "Atelier"): 9_000,
    ("culture", "Balise"): 500,
    ("sport", "Atelier"): 4_000,
    ("sport", "Cabestan"): 5_000,
    ("sport", "Dérive"): 3_500,
    ("health", "Balise"): 6_000,
    ("health", "Cabestan"): 5_500,
    ("lecture", "Dérive"): 7_000,
    ("lecture", "Atelier"): 6_000,
}


def instance(grants: Mapping[tuple[str, str], int]) -> Instance:
    layout = Layout(
        variables=(
            Variable("domain", tuple(dict.fromkeys(domain for domain, _ in grants))),
            Variable("organisation", tuple(sorted({name for _, name in grants}))),
        ),
        tables={"granted": ("domain",)},
        threshold=1,
        insiders="organisation",
    )
    return protect_contributors(layout.instance(grants))


class TestProtectContributors:
    def test_a_dominated_cell_is_primary_and_the_others_are_not(self) -> None:
        stated = instance(GRANTS)
        # 9,000 is 85 % of 10,589: beyond that culture is no longer dominated
        assert stated.primary == (Primary(0, 8_411, 10_589),)

    def test_a_cell_of_one_organisation_is_primary(self) -> None:
        (primary,) = (
            instance({("culture", "Atelier"): 850, ("sport", "Balise"): 500, ("sport", "Cabestan"): 600}).primary or ()
        )
        assert (primary.lo, primary.hi) == (700, 1_000)

    def test_nobody_can_enclose_it(self) -> None:
        stated = instance(GRANTS)
        protection = protect(stated, seed=1)
        assert 0 in protection.suppressed
        assert audit(stated, protection.suppressed)[1] == []
        for attacker in stated.attackers:
            least, most = interval(stated, protection.suppressed, 0, attacker.id)
            assert least <= max(8_411, 9_000 if attacker.id == "Atelier" else 500 if attacker.id == "Balise" else 0)
            assert most is None or most >= 10_589

    def test_hiding_it_alone_is_not_enough(self) -> None:
        assert audit(instance(GRANTS), [0])[1] != []

    def test_nothing_granted_is_nothing_to_protect(self) -> None:
        assert instance({("culture", "Atelier"): 0}).primary == ()
