"""What of each model goes into the file, and what does not with the reason why: nothing is forgotten in silence."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import models

from pre_cases.models import (
    AccessRequest,
    Action,
    Adult,
    Agreement,
    AgreementHolder,
    Appointment,
    Assignment,
    Bilan,
    Child,
    ChildAdult,
    ChildTag,
    Comment,
    ConcernReported,
    Document,
    Draft,
    DuplicateNotice,
    Enrolment,
    Entry,
    EpreItem,
    ErasureReason,
    ExceptionalAccess,
    ExceptionalAid,
    Family,
    FamilyRequest,
    FileDecision,
    FollowUp,
    HandOver,
    Need,
    Objective,
    Parcours,
    ParcoursShare,
    RequestEffect,
    Residence,
    RetentionHold,
    RetentionNotice,
    Review,
    Saisine,
    SaisineSign,
    Schooling,
    SubjectFile,
    Suspension,
    Task,
)

FAMILY, TEAM, PRESCRIBER = "la famille", "les professionnels de l’équipe", "le prescripteur, puis l’équipe"
SCHOOL, MARELLE = "l’école et la famille", "Marelle, d’après ce qu’a fait l’équipe"


@dataclass(frozen=True)
class Section:
    """One model in the file, and where its data come from; with ``setting``, only where the installation says so."""

    model: type[models.Model]
    source: str
    setting: str = ""

    @property
    def is_told(self) -> bool:
        return not self.setting or bool(getattr(settings, self.setting))

    @property
    def title(self) -> str:
        title = str(self.model._meta.verbose_name_plural)
        return title[:1].upper() + title[1:]


SECTIONS = [
    Section(Child, FAMILY),
    Section(ChildAdult, FAMILY),
    Section(Residence, FAMILY),
    Section(Schooling, SCHOOL),
    Section(Saisine, PRESCRIBER),
    Section(SaisineSign, PRESCRIBER),
    Section(Agreement, FAMILY),
    Section(AgreementHolder, FAMILY),
    Section(Parcours, TEAM),
    Section(Assignment, TEAM),
    Section(Entry, TEAM),
    Section(FollowUp, TEAM),
    Section(Comment, TEAM),
    Section(Need, TEAM),
    Section(Objective, TEAM),
    Section(Action, TEAM),
    Section(Task, TEAM),
    Section(Appointment, TEAM),
    Section(Review, TEAM),
    Section(Bilan, TEAM),
    Section(EpreItem, TEAM),
    Section(Document, "la famille, l’école ou les partenaires"),
    Section(Suspension, TEAM),
    Section(ExceptionalAid, TEAM),
    Section(ConcernReported, TEAM, setting="CONCERNS_IN_SUBJECT_FILE"),
    Section(Enrolment, TEAM),
    Section(ParcoursShare, TEAM),
    Section(AccessRequest, TEAM),
    Section(ExceptionalAccess, TEAM),
    Section(HandOver, TEAM),
    Section(Draft, TEAM),
    Section(DuplicateNotice, MARELLE),
    Section(RetentionNotice, MARELLE),
    Section(RetentionHold, TEAM),
    Section(ErasureReason, TEAM),
    Section(FamilyRequest, FAMILY),
    Section(RequestEffect, TEAM),
]

LEFT_OUT: dict[type[models.Model], str] = {
    Adult: "Dit avec chaque lien entre l’enfant et un adulte ; les coordonnées ne vont qu’à la personne concernée.",
    Family: "Ne fait que réunir une fratrie : n’a pas de donnée.",
    ChildTag: "Nombre calculé, commun à beaucoup d’enfants, qui sert à éviter les doublons et ne dit rien de l’enfant.",
    SubjectFile: "C’est ce fichier lui-même.",
    FileDecision: "Dit ce qui est masqué dans ce fichier pour protéger d’autres personnes.",
}

# by name, in whatever model: what says nothing of the child
HIDDEN_FIELDS: dict[str, str] = {
    "id": "Numéro technique.",
    "data_key_id": "Numéro technique.",
    "search_words": "Calculé d’après le prénom et le nom.",
    "digest": "Empreinte technique d’un fichier.",
    "permission": "Même droit pour tous : lire.",
    "membership": "Numéro technique ; la fonction est dite.",
    "end_told_at": "Date d’un courriel à un professionnel.",
    "alerted_at": "Date d’un courriel à des professionnels.",
    "record_id": "Numéro technique.",
    "record_kind": "Nom technique ; l’effet est dit.",
    "erasure": "Numéro technique ; la demande est dite.",
    "form": "Nom technique d’un formulaire.",
    "task": "Numéro technique ; la tâche est dite.",
    "follow_up_by": "Numéro technique ; la suite à donner est dite.",
    "group_id": "Numéro technique, commun au même échange noté pour plusieurs enfants.",
    "share": "Numéro technique ; le partage est dit.",
}


def models_about_children() -> set[type[models.Model]]:
    """Every model with a path of foreign keys to a child, or sealed under a child's or a family's key."""
    candidates = {model for model in apps.get_models() if model._meta.managed and not hasattr(model, "instance_type")}
    found: set[type[models.Model]] = {Child, Family, Adult}
    while more := {m for m in candidates - found if any(f.related_model in found for f in m._meta.concrete_fields)}:
        found |= more
    return found
