"""The child, the adults around, where the child lives and goes to school: each change is a dated fact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import School, Sex, Term
from partners.models.project import school_year_of
from pre_cases.models import Adult, Child, ChildAdult, LivesWith, Relation, Residence, Schooling
from pre_cases.models.family import age_in_years
from pre_cases.services.preconditions import not_in_future, require_not_frozen
from pre_cases.services.search_index import index_child
from referents.days import long_day
from referents.models import User

OLDEST = 21  # completed years; nobody older is followed
USUAL_AGES = range(2, 18)


class ChildRefused(Refused):
    """What is said of the child cannot be true."""


class AdultRefused(Refused):
    """What is said of an adult is incomplete, or does not fit what is known."""


class ResidenceRefused(Refused):
    """The residence does not follow the ones already known."""


class SchoolingRefused(Refused):
    """The class does not follow the ones already known."""


@dataclass(frozen=True)
class NewAdult:
    """What is typed about an adult, and about the place of that adult around one child."""

    family_name: str
    relation: Relation
    first_name: str = ""
    holds_authority: bool = False
    lives_with: LivesWith = LivesWith.MAIN
    phone: str = ""
    email: str = ""
    address: str = ""
    address_is_confidential: bool = False
    may_be_contacted: bool = True
    may_receive_documents: bool = True
    reason: str = ""


@dataclass(frozen=True)
class KnownAdult:
    """An adult already known through a sibling, and what that adult is to this child."""

    adult: Adult
    relation: Relation
    holds_authority: bool = False
    lives_with: LivesWith = LivesWith.MAIN


IDENTITY = ("first_name", "family_name", "phone", "email", "address", "address_is_confidential")
PLACE = ("relation", "holds_authority", "lives_with", "may_be_contacted", "may_receive_documents", "reason")


def require_possible_birth(birth_date: date | None, on: date) -> None:
    """Refuse a birth after the day, or more than 21 years before it; an unknown one is accepted."""
    if birth_date is None:
        return
    if birth_date > on:
        raise ChildRefused(f"La date de naissance vient après le {long_day(on)} : vérifiez-la.", field="birth_date")
    if age_in_years(birth_date, on) > OLDEST:
        raise ChildRefused(f"L’enfant aurait plus de {OLDEST} ans : vérifiez la date de naissance.", field="birth_date")


def is_unusual_age(birth_date: date | None, on: date) -> bool:
    """True outside 2 to 17 completed years: accepted, but worth a second look."""
    return birth_date is not None and age_in_years(birth_date, on) not in USUAL_AGES


def _locked(child: Child) -> Child:
    """The child as it stands once nobody else can change it, the keys of the child and of the adults loaded."""
    current = Child.objects.select_for_update(of=("self",)).select_related("family").get(pk=child.pk)
    require_not_frozen(current.pk)
    load_keys([current.data_key_id, current.family.data_key_id])
    return current


@service
def change_child(
    *, child: Child, first_name: str, family_name: str, birth_date: date | None, sex: Sex | str, by: User
) -> Child:
    """Correct the names, the date of birth or the sex of a child."""
    require_possible_birth(birth_date, timezone.localdate())
    current = _locked(child)
    current.first_name, current.family_name = first_name, family_name
    current.birth_date, current.sex = birth_date, sex
    current.save()
    index_child(current)
    record_change(current, "change")
    return current


@service
def add_adult(*, child: Child, adult: NewAdult, on: date, by: User) -> ChildAdult:
    """Add an adult around a child, from a day on."""
    not_in_future(on, AdultRefused, field="on")
    return create_adult(_locked(child), adult, on)


def create_adult(child: Child, facts: NewAdult, on: date) -> ChildAdult:
    """The rows of an adult, inside the transaction of a service; the family's key is loaded."""
    _require_reason(facts)
    adult = Adult.objects.create(
        family=child.family,
        data_key_id=child.family.data_key_id,
        **{name: getattr(facts, name) for name in IDENTITY},
    )
    record_change(adult, "create")
    return _create_link(child, adult, facts, on)


def link_known_adult(child: Child, known: KnownAdult, on: date) -> ChildAdult:
    """Say what an adult of the family is to this child too, inside the transaction of a service."""
    if known.adult.family_id != child.family_id:
        raise AdultRefused("Cet adulte n’est pas de cette fratrie.")
    facts = NewAdult(
        family_name="", relation=known.relation, holds_authority=known.holds_authority, lives_with=known.lives_with
    )
    return _create_link(child, known.adult, facts, on)


def _create_link(child: Child, adult: Adult, facts: NewAdult, on: date) -> ChildAdult:
    link = ChildAdult.objects.create(
        child=child,
        adult=adult,
        starts_on=on,
        data_key_id=child.data_key_id,
        **{name: getattr(facts, name) for name in PLACE},
    )
    record_change(link, "create")
    return link


def _require_reason(facts: NewAdult) -> None:
    withheld = not (facts.may_be_contacted and facts.may_receive_documents)
    if withheld and not facts.reason.strip():
        raise AdultRefused(
            "Dites pourquoi cet adulte ne doit pas être contacté ou recevoir de documents.", field="reason"
        )


@service
def change_adult(*, link: ChildAdult, adult: NewAdult, on: date, by: User) -> ChildAdult:
    """Correct who an adult is; what they are to the child changes from a day on, and the former link is kept.

    A change dated of the day the link began corrects it instead.
    """
    not_in_future(on, AdultRefused, field="on")
    _require_reason(adult)
    child = _locked(link.child)
    current = ChildAdult.objects.select_for_update(of=("self",)).select_related("adult").get(pk=link.pk)
    if current.ends_on is not None:
        raise AdultRefused("Ce lien a changé entre-temps : relisez-le avant de le modifier.")
    if on < current.starts_on:
        raise AdultRefused(f"Ce lien n’est connu que depuis le {long_day(current.starts_on)}.", field="on")
    _assign(current.adult, adult, IDENTITY)
    if all((getattr(current, name) or "") == (getattr(adult, name) or "") for name in PLACE):
        return current
    if on == current.starts_on:
        _assign(current, adult, PLACE)
        return current
    current.ends_on = on
    current.save()
    record_change(current, "change")
    return _create_link(child, current.adult, adult, on)


def _assign(record: Adult | ChildAdult, facts: NewAdult, names: tuple[str, ...]) -> None:
    """Save the facts that differ; nothing is written when none does."""
    changed = [name for name in names if (getattr(record, name) or "") != (getattr(facts, name) or "")]
    if changed:
        for name in changed:
            setattr(record, name, getattr(facts, name))
        record.save()
        record_change(record, "change")


@service
def record_residence(
    *,
    child: Child,
    address: str,
    starts_on: date,
    by: User,
    determined_on: date | None = None,
    qpv_code: str = "",
) -> Residence:
    """Say where the child lives from a day on, and what was found about the priority neighbourhood.

    ``determined_on`` with an empty ``qpv_code``: looked up, and outside. The same first day corrects the last one.
    """
    not_in_future(starts_on, ResidenceRefused, field="starts_on")
    if determined_on is not None:
        not_in_future(determined_on, ResidenceRefused, field="determined_on")
    if qpv_code and determined_on is None:
        raise ResidenceRefused("Dites à quelle date le quartier prioritaire a été vérifié.", field="determined_on")
    current = _locked(child)
    latest = current.residences.order_by("-starts_on", "-id").first()
    if latest is not None and starts_on < latest.starts_on:
        raise ResidenceRefused(
            f"Une résidence est déjà connue depuis le {long_day(latest.starts_on)}.", field="starts_on"
        )
    if latest is not None and latest.starts_on == starts_on:
        residence, action = latest, "change"
    else:
        residence, action = Residence(child=current, starts_on=starts_on, data_key_id=current.data_key_id), "create"
        if latest is not None and (latest.ends_on is None or latest.ends_on > starts_on):
            latest.ends_on = starts_on
            latest.save()
            record_change(latest, "change")
    residence.address, residence.qpv_code, residence.determined_on = address, qpv_code, determined_on
    residence.qpv_generation = "" if determined_on is None else Residence.generation_on(determined_on)
    residence.save()
    record_change(residence, action)
    return residence


@service
def record_schooling(
    *,
    child: Child,
    level: Term,
    starts_on: date,
    by: User,
    school: School | None = None,
    in_ulis: bool = False,
    in_upe2a: bool = False,
) -> Schooling:
    """Record a class, confirmed, from a day to the end of its school year; the same first day corrects it."""
    not_in_future(starts_on, SchoolingRefused, field="starts_on")
    current = _locked(child)
    end = date(school_year_of(starts_on) + 1, 9, 1)
    rows = list(current.schoolings.select_for_update().overlapping(starts_on, end))
    if any(row.starts_on > starts_on for row in rows):
        later = min(row.starts_on for row in rows if row.starts_on > starts_on)
        raise SchoolingRefused(f"Une autre classe est déjà connue depuis le {long_day(later)}.", field="starts_on")
    same = next((row for row in rows if row.starts_on == starts_on), None)
    for row in rows:
        if row is not same:
            row.ends_on = starts_on
            row.save()
            record_change(row, "change")
    schooling = same or Schooling(child=current, starts_on=starts_on)
    return write_schooling(schooling, school, level, timezone.localdate(), in_ulis=in_ulis, in_upe2a=in_upe2a)


def write_schooling(
    schooling: Schooling,
    school: School | None,
    level: Term,
    confirmed_on: date,
    *,
    in_ulis: bool = False,
    in_upe2a: bool = False,
) -> Schooling:
    """Fill and save a class of the school year in which it begins, inside the transaction of a service."""
    action = "create" if schooling._state.adding else "change"
    schooling.school, schooling.level, schooling.confirmed_on = school, level, confirmed_on
    schooling.in_ulis, schooling.in_upe2a = in_ulis, in_upe2a
    schooling.school_year = school_year_of(schooling.starts_on)
    schooling.ends_on = date(schooling.school_year + 1, 9, 1)
    schooling.save()
    record_change(schooling, action)
    return schooling


@service
def confirm_schooling(*, schooling: Schooling, by: User) -> Schooling:
    """Say, today, that a presumed class is the right one."""
    current = Schooling.objects.select_for_update(of=("self",)).get(pk=schooling.pk)
    if current.confirmed_on is not None:
        raise SchoolingRefused("Cette classe est déjà confirmée.")
    current.confirmed_on = timezone.localdate()
    current.save()
    record_change(current, "change")
    return current
