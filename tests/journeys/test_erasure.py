"""A file that has come to its term: prepared by the coordination, decided by the DPO, certified."""

import pytest

from pre_cases.models import Erasure
from tests.cast import Cast
from tests.erasures import announce, make_former
from tests.journeys.conftest import Visit

pytestmark = pytest.mark.browser


class TestErasure:
    def test_given_a_file_at_its_term_when_two_persons_decide_then_it_is_erased_and_certified(
        self, cast: Cast, visit: Visit
    ) -> None:
        child = make_former(cast.team_a).child
        announce(child)
        amina, gaelle = visit(cast.amina, narrow=True), visit(cast.gaelle, javascript=False)
        amina.open("/conservation/")
        amina.reads("Zoé Morel", "À effacer")
        amina.open("/conservation/durees/")
        amina.open(f"/enfants/{child.pk}/prolongation/")
        amina.open(f"/enfants/{child.pk}/effacement/")
        amina.reads("Ce qui partirait")
        amina.main.get_by_label("Terme de la conservation").check()
        amina.fill({"Motif": "Le terme est passé."})
        amina.press("Demander l’effacement")
        amina.reads("Une autre personne que vous doit décider.")

        gaelle.open("/conservation/")
        gaelle.reads_nowhere("Zoé", "Morel")
        gaelle.open("/effacements/")
        gaelle.follow("Décider")
        gaelle.reads_nowhere("Zoé", "Morel")
        gaelle.main.get_by_label("Approuver").check()
        gaelle.press("Enregistrer la décision")
        gaelle.reads("Télécharger le certificat (PDF)")
        assert Erasure.objects.get().state == "done"
        amina.open("/conservation/")
        amina.reads_nowhere("Zoé")
