from pre_cases.models.document import ContentType, Document, DocumentKind
from pre_cases.models.duplicate import ChildTag, DuplicateNotice
from pre_cases.models.family import Adult, Child, ChildAdult, Family, LivesWith, Relation, Residence, Schooling
from pre_cases.models.parcours import (
    NOTHING_DUE,
    Action,
    ActionMode,
    ActionNature,
    Assignment,
    Objective,
    ObjectiveResult,
    Parcours,
    ParcoursStage,
)
from pre_cases.models.partnership import Enrolment, ParcoursShare
from pre_cases.models.release import StatisticsExport
from pre_cases.models.review import Bilan, Review
from pre_cases.models.saisine import (
    Agreement,
    AgreementHolder,
    InformedMeans,
    Saisine,
    SaisineOutcome,
    SaisineSign,
    SaisineStage,
)
from pre_cases.models.timeline import Comment, Draft, Entry, EntryKind, EntryWith, Task

__all__ = [
    "NOTHING_DUE",
    "Action",
    "ActionMode",
    "ActionNature",
    "Adult",
    "Agreement",
    "AgreementHolder",
    "Assignment",
    "Bilan",
    "Child",
    "ChildAdult",
    "ChildTag",
    "Comment",
    "ContentType",
    "Document",
    "DocumentKind",
    "Draft",
    "DuplicateNotice",
    "Enrolment",
    "Entry",
    "EntryKind",
    "EntryWith",
    "Family",
    "InformedMeans",
    "LivesWith",
    "Objective",
    "ObjectiveResult",
    "Parcours",
    "ParcoursShare",
    "ParcoursStage",
    "Relation",
    "Residence",
    "Review",
    "Saisine",
    "SaisineOutcome",
    "SaisineSign",
    "SaisineStage",
    "Schooling",
    "StatisticsExport",
    "Task",
]
