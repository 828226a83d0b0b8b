"""A draft from the entry page to its transmission, and a complement that is asked for and given."""

from typing import Any

from django.utils import timezone

from pre_cases.models import Saisine, SaisineStage
from tests.cast import Cast, make_child, make_saisine
from tests.pre_cases.views.reach import url
from tests.pre_cases.views.test_saisine import typed


def stage(saisine: Saisine) -> SaisineStage:
    return Saisine.objects.with_stage().get(pk=saisine.pk).stage


def content(saisine: Saisine, **values: Any) -> dict[str, Any]:
    return {"received_on": saisine.received_on.isoformat(), "source": saisine.source_id} | values


class TestDraft:
    def test_is_kept_then_transmitted(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.post(url("saisine_create"), typed(team=cast.team_a.pk, unsent="1"))
        draft = Saisine.objects.get(author=cast.benoit)
        assert stage(draft) is SaisineStage.DRAFT
        page = client.get(url("saisine_detail", draft.pk)).content.decode()
        assert "terminer le brouillon" in page
        assert url("agreement_present", draft.pk) not in page
        said = content(draft, signs=["sign:absences"], child_words="« Bof. »", parents_words="« Il s’ennuie. »")
        client.post(url("saisine_change", draft.pk), said)
        assert stage(draft) is SaisineStage.DRAFT
        client.post(url("saisine_change", draft.pk), said | {"transmit": "1"})
        assert stage(draft) is SaisineStage.RECEIVED
        page = client.get(url("saisine_detail", draft.pk)).content.decode()
        assert "« Bof. »" in page
        assert "« Il s’ennuie. »" in page

    def test_shows_again_what_was_typed(self, cast: Cast, signed_in) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, submitted_on=None, situation="Seule le soir.")
        form = signed_in(cast.benoit).get(url("saisine_change", saisine.pk)).context["form"]
        assert form["situation"].value() == "Seule le soir."
        assert form["source"].value() == saisine.source_id


class TestCompletion:
    def test_is_asked_and_given_from_the_page(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        client.post(url("saisine_complete", saisine.pk), {"needed": "La classe."})
        assert stage(saisine) is SaisineStage.TO_COMPLETE
        assert "La classe." in client.get(url("saisine_detail", saisine.pk)).content.decode()
        client.post(url("saisine_change", saisine.pk), content(saisine, situation="CE1.", transmit="1"))
        assert stage(saisine) is SaisineStage.RECEIVED
        assert Saisine.objects.get(pk=saisine.pk).completed_on == timezone.localdate()

    def test_must_say_what_is_missing(self, cast: Cast, signed_in) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        page = signed_in(cast.benoit).post(url("saisine_complete", saisine.pk), {"needed": ""})
        assert page.status_code == 422
        assert "needed" in page.context["form"].errors
