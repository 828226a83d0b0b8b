from partners.models.nomenclature import Nomenclature, Term
from partners.models.organisation import Organisation, OrganisationKind
from partners.models.project import (
    AgeBand,
    Project,
    ProjectHeadcount,
    ProjectLead,
    ProjectTeam,
    Sex,
    TimeSlot,
    school_year_of,
)
from partners.models.school import School, SchoolNature, SchoolPriorityStatus, SchoolTeam

__all__ = [
    "AgeBand",
    "Nomenclature",
    "Organisation",
    "OrganisationKind",
    "Project",
    "ProjectHeadcount",
    "ProjectLead",
    "ProjectTeam",
    "School",
    "SchoolNature",
    "SchoolPriorityStatus",
    "SchoolTeam",
    "Sex",
    "Term",
    "TimeSlot",
    "school_year_of",
]
