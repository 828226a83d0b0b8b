"""The page of a saisine before the parcours: what is known, where the agreement stands, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from pre_cases.models import Agreement, Child, ChildAdult, Parcours, Saisine, SaisineStage
from pre_cases.services.saisine import is_followed
from referents.models import User


@dataclass(frozen=True)
class NextStep:
    """What the saisine waits for, as « Prochaine étape » says it; where it is done, empty when one may not."""

    label: str
    url: str = ""


@dataclass(frozen=True)
class Rights:
    """What the reader may do, from the scopes."""

    instructs: bool
    decides: bool
    changes: bool


ENDED = (SaisineStage.REDIRECTED, SaisineStage.NO_FOLLOW_UP, SaisineStage.ATTACHED)
BEFORE_SIGNATURE = (SaisineStage.RECEIVED, SaisineStage.TO_COMPLETE, SaisineStage.AGREEMENT_REFUSED)


def page_of(saisine: Saisine, reader: User) -> dict[str, Any]:
    """What the page of a saisine read with ``with_stage()`` shows to a person, in a constant number of queries."""
    rights = Rights(
        instructs=reader.has_perm("pre_cases.instruct_saisine", saisine),
        decides=reader.has_perm("pre_cases.decide_saisine", saisine),
        changes=reader.has_perm("pre_cases.change_saisine", saisine),
    )
    links = adults_around(saisine.child)
    agreements = list(saisine.agreements.order_by("-presented_on", "-id").prefetch_related("holders__adult"))
    load_keys_of(*(holder.adult for agreement in agreements for holder in agreement.holders.all()))
    agreement = next(iter(agreements), None)
    followed = is_followed(saisine.child_id) and saisine.stage is not SaisineStage.OPENED
    parcours = Parcours.objects.visible_to(reader).filter(child=saisine.child_id).order_by("-opened_on", "-id").first()
    return {
        "saisine": saisine,
        "child": saisine.child,
        "age": saisine.child.age(timezone.localdate()),
        "signs": saisine.signs.select_related("sign__parent").order_by("-is_main", "sign__position"),
        "links": links,
        "schooling": saisine.child.schoolings.select_related("school", "level").order_by("-starts_on").first(),
        "residence": saisine.child.residences.current().order_by("-starts_on").first(),
        "agreement": agreement,
        "former_agreements": agreements[1:],
        "entries": saisine.entries.select_related("author").order_by("-on", "-id"),
        "parcours": parcours,
        "is_followed": followed,
        "needs_holder": not any(link.holds_authority for link in links),
        "next_step": next_step(saisine, agreement, rights, followed=followed),
    } | _what_may_be_done(saisine, agreement, rights, reader, followed=followed)


def adults_around(child: Child) -> list[ChildAdult]:
    """The adults of today, the holders of authority first; their key is loaded."""
    links = list(child.adult_links.current().select_related("adult").order_by("-holds_authority", "starts_on", "id"))
    load_keys_of(*(link.adult for link in links))
    return links


def has_objection(agreement: Agreement | None) -> bool:
    return agreement is not None and any(holder.is_objecting for holder in agreement.holders.all())


def _what_may_be_done(
    saisine: Saisine, agreement: Agreement | None, rights: Rights, reader: User, *, followed: bool
) -> dict[str, bool]:
    stage = saisine.stage
    waits = stage not in (*ENDED, SaisineStage.OPENED)
    transmitted = waits and not saisine.is_draft
    instructs = rights.instructs and waits and not followed
    awaited = stage is SaisineStage.AGREEMENT_AWAITED
    signed = stage is SaisineStage.AGREEMENT_SIGNED
    may_answer = rights.decides or not has_objection(agreement)
    return {
        "may_take": rights.changes and saisine.assignee_id is None and not rights.decides,
        "may_assign": rights.changes and rights.decides and waits,
        "may_write": rights.instructs and waits,
        "may_rewrite": rights.changes and waits,
        "may_ask": rights.instructs and transmitted and not saisine.lacks_something,
        "may_change": rights.changes and waits and not followed,  # then it is changed from the parcours
        "may_present": instructs and stage in BEFORE_SIGNATURE,
        "may_record_oral": instructs and awaited,
        "may_sign": instructs and (awaited or signed) and may_answer,
        "may_refuse": instructs and (awaited or signed),
        "may_open": instructs and signed and not has_objection(agreement),
        "may_decide": rights.decides and transmitted,
        "may_tell": rights.decides and stage in ENDED,
    }


def next_step(saisine: Saisine, agreement: Agreement | None, rights: Rights, *, followed: bool) -> NextStep | None:
    """What comes next; None when the saisine has ended or become a parcours."""
    stage = saisine.stage
    if stage in ENDED or stage is SaisineStage.OPENED:
        return None
    if stage is SaisineStage.DRAFT:
        return NextStep("terminer le brouillon, puis le transmettre", _url("saisine_change", saisine, rights.changes))
    if followed:
        label = "rattacher la saisine au parcours en cours"
        return NextStep(label, _url("saisine_outcome", saisine, rights.decides))
    if saisine.assignee_id is None and not rights.instructs:
        return NextStep("dire qui suit la saisine")
    if stage in (SaisineStage.RECEIVED, SaisineStage.TO_COMPLETE):
        label = "présenter le formulaire d’accord à la famille"
        return NextStep(label, _url("agreement_present", saisine, rights.instructs))
    if stage is SaisineStage.AGREEMENT_REFUSED:
        label = "décider de la suite, ou présenter de nouveau le formulaire si la famille change d’avis"
        return NextStep(label, _url("saisine_outcome", saisine, rights.decides))
    assert agreement is not None  # noqa: S101 - the two stages left have one
    if stage is SaisineStage.AGREEMENT_AWAITED:
        oral = (
            "confirmer l’accord oral par une signature"
            if agreement.oral_on
            else "recueillir la signature de la famille"
        )
        return NextStep(oral, _url("agreement_sign", saisine, rights.instructs))
    if has_objection(agreement):
        label = "un titulaire s’est opposé par écrit : la coordination tranche, ou décide de la suite"
        return NextStep(label, _url("agreement_sign", saisine, rights.decides))
    if agreement.agreed_until_on is not None and agreement.agreed_until_on <= timezone.localdate():
        return NextStep(
            "l’accord a expiré : le faire signer de nouveau", _url("agreement_sign", saisine, rights.instructs)
        )
    return NextStep("ouvrir le parcours", _url("parcours_open", saisine, rights.instructs))


def _url(name: str, saisine: Saisine, may: bool) -> str:
    return reverse(f"pre_cases:{name}", args=[saisine.pk]) if may else ""
