"""The policy, page by page and person by person: a URL that is not listed fails the suite.

Each page is asked about Inès, of team A, whom Amina coordinates and Benoît follows (see ``tests/cast.py``).
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from partners.models import Organisation, School, Term
from pre_cases.models import Action, DuplicateNotice, Objective, StatisticsExport, Task
from pre_cases.services.parcours import close_parcours
from tests.cast import Cast, make_agreement, make_child, make_document, make_enrolment, make_parcours, make_saisine

OPEN = "ouvert"
SHARED = "lecture, partagé"
EMPTY = "ouvert, vide"  # the page answers, and the person's scope holds nothing
HIDDEN = "404"
NO_ACCESS = "explication"  # Yann's membership has ended
SIGN_IN = "connexion"

PEOPLE = ["amina", "benoit", "chloe", "david", "esther", "farid", "gaelle", "hugo", "yann", "anonyme"]
ROLES = [
    "Amina, coordination A",
    "Benoît, référent A",
    "Chloé, référente B",
    "David, EPRE A",
    "Esther, pilotage",
    "Farid, porteur",
    "Gaëlle, DPO",
    "Hugo, administration",
    "Yann, parti",
    "anonyme",
]
OUTSIDE = (NO_ACCESS, SIGN_IN)
TEAM = (OPEN, OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)  # who follows, who coordinates
READERS = (OPEN, OPEN, HIDDEN, SHARED, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)
COORDINATION = (OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)
KEEPERS = (OPEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)  # of the directory and the projects
PILOTAGE = (HIDDEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)
PROFESSIONALS = (OPEN, OPEN, OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)
EVERYBODY = (OPEN,) * 8 + OUTSIDE

MATRIX: dict[str, tuple[str, ...]] = {
    "home": EVERYBODY,
    # lists of the person's own
    "pre_cases:my_parcours": (EMPTY, OPEN, OPEN, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, *OUTSIDE),
    "pre_cases:parcours_search": EVERYBODY,  # within the person's own parcours
    "pre_cases:shared_parcours": (EMPTY, EMPTY, EMPTY, OPEN, EMPTY, EMPTY, EMPTY, EMPTY, *OUTSIDE),
    "pre_cases:my_tasks": (EMPTY, OPEN, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, *OUTSIDE),
    "pre_cases:my_groups": (HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN, *OUTSIDE),
    # one parcours
    "pre_cases:parcours_detail": READERS,
    "pre_cases:parcours_print": READERS,
    "pre_cases:parcours_assign": COORDINATION,
    "pre_cases:parcours_enter": COORDINATION,
    "pre_cases:parcours_close": COORDINATION,
    "pre_cases:parcours_reopen": COORDINATION,
    "pre_cases:entry_create": TEAM,
    "pre_cases:draft_save": TEAM,
    "pre_cases:comment_create": TEAM,
    "pre_cases:task_create": TEAM,
    "pre_cases:task_complete": TEAM,
    "pre_cases:objective_create": TEAM,
    "pre_cases:objective_result": TEAM,
    "pre_cases:action_create": TEAM,
    "pre_cases:action_end": TEAM,
    "pre_cases:review_create": TEAM,
    "pre_cases:bilan_write": TEAM,
    "pre_cases:enrolment_create": TEAM,
    "pre_cases:enrolment_end": TEAM,
    "pre_cases:share_create": TEAM,
    "pre_cases:share_revoke": TEAM,
    "pre_cases:agreement_withdraw": TEAM,
    "pre_cases:document_create": TEAM,
    "pre_cases:document_download": TEAM,  # a share does not cover documents
    "pre_cases:document_remove": TEAM,
    # the child
    "pre_cases:child_change": TEAM,
    "pre_cases:adult_create": TEAM,
    "pre_cases:residence_record": TEAM,
    "pre_cases:schooling_record": TEAM,
    "pre_cases:schooling_confirm": TEAM,
    "pre_cases:saisine_again": TEAM,
    "pre_cases:saisine_sibling": TEAM,
    # saisines
    "pre_cases:saisine_list": PROFESSIONALS,
    "pre_cases:saisine_search": PROFESSIONALS,
    "pre_cases:saisine_create": PROFESSIONALS,
    "pre_cases:saisine_detail": TEAM,
    "pre_cases:saisine_assign": TEAM,
    "pre_cases:saisine_outcome": COORDINATION,
    "pre_cases:saisine_entry": TEAM,
    "pre_cases:agreement_present": TEAM,
    "pre_cases:agreement_oral": TEAM,
    "pre_cases:agreement_sign": TEAM,
    "pre_cases:agreement_refuse": TEAM,
    "pre_cases:parcours_open": TEAM,
    # the coordination
    "pre_cases:team_list": COORDINATION,
    "pre_cases:team_board": COORDINATION,
    "pre_cases:team_parcours": COORDINATION,
    "pre_cases:team_search": COORDINATION,
    "pre_cases:notice_settle": COORDINATION,
    "pre_cases:team_statistics": COORDINATION,
    # figures
    "pre_cases:statistics": PILOTAGE,
    "pre_cases:export_create": PILOTAGE,
    "pre_cases:export_detail": PILOTAGE,
    "pre_cases:export_download": PILOTAGE,
    # schools, organisations, projects
    "partners:school_list": EVERYBODY,
    "partners:school_detail": EVERYBODY,
    "partners:organisation_list": EVERYBODY,
    "partners:organisation_detail": EVERYBODY,
    "partners:organisation_create": KEEPERS,
    "partners:organisation_change": KEEPERS,
    "partners:project_list": (OPEN, OPEN, OPEN, HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE),
    "partners:project_detail": (OPEN, OPEN, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE),
    "partners:project_create": KEEPERS,
    "pre_cases:project_change": KEEPERS,
    # people
    "charter_sign": (OPEN,) * 9 + (SIGN_IN,),
    "no_access": (OPEN,) * 9 + (SIGN_IN,),
    "account_list": (HIDDEN,) * 7 + (OPEN, *OUTSIDE),
    "journal_list": (HIDDEN,) * 6 + (OPEN, HIDDEN, *OUTSIDE),
}
# Signing in and the password: django-allauth's own pages, without anything about a child.
SIGN_IN_PAGES = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}
POST_ONLY = {
    "pre_cases:draft_save",
    "pre_cases:task_complete",
    "pre_cases:export_create",
    "pre_cases:notice_settle",
}
DOCUMENT = Path(settings.BASE_DIR) / "docs" / "access-matrix.md"


def names_of(patterns: list[Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found |= names_of(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else prefix)
        elif isinstance(pattern, URLPattern):
            found.add(f"{prefix}{pattern.name}")
    return found


# -- what each page is asked about --------------------------------------------------------------------------------


def _parcours(cast: Cast) -> Any:
    return cast.ines_parcours.pk


def _closed(cast: Cast) -> Any:
    parcours = make_parcours(cast.team_a, child=make_child("Zoé"), referent=cast.benoit)
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=parcours, on=timezone.localdate(), reason=lost, by=cast.amina)
    return parcours.pk


def _in_evaluation(cast: Cast) -> Any:
    return make_parcours(cast.team_a, child=make_child("Zoé"), referent=cast.benoit, entered_on=None).pk


def _task(cast: Cast) -> Any:
    with acting_as(system_account()):
        return Task.objects.create(
            parcours=cast.ines_parcours,
            assignee=cast.benoit,
            label="Appeler l’école",
            due_on=timezone.localdate(),
            data_key_id=cast.ines.data_key_id,
        ).pk


def _objective(cast: Cast) -> Any:
    with acting_as(system_account()):
        return Objective.objects.create(
            parcours=cast.ines_parcours,
            text="Retrouver le goût de lire",
            domain=Term.objects.get(pk="domain:educatif"),
            priority=Term.objects.get(pk="priority:decrochage"),
            set_on=timezone.localdate(),
            data_key_id=cast.ines.data_key_id,
        ).pk


def _action(cast: Cast) -> Any:
    with acting_as(system_account()):
        return Action.objects.create(
            objective_id=_objective(cast),
            label="Atelier de lecture",
            domain=Term.objects.get(pk="domain:educatif"),
            mode="collective",
            nature="pre",
            starts_on=timezone.localdate() - timedelta(days=3),
            data_key_id=cast.ines.data_key_id,
        ).pk


def _received(cast: Cast) -> Any:
    return make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit).pk


def _presented(cast: Cast) -> Any:
    saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
    make_agreement(saisine)
    return saisine.pk


def _signed(cast: Cast) -> Any:
    saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
    make_agreement(saisine, signed_on=timezone.localdate())
    return saisine.pk


def _export(cast: Cast) -> Any:
    return StatisticsExport.objects.create(
        requested_by=cast.esther, starts_on="2025-01-01", ends_on="2025-12-31", state="done", archive=b"PK"
    ).pk


def _document(cast: Cast) -> Any:
    return make_document(cast.ines_parcours, cast.benoit).pk


def _notice(cast: Cast) -> Any:
    with acting_as(system_account()):
        return DuplicateNotice.objects.create(
            team=cast.team_a, other_team=cast.team_b, child=cast.ines, sought_by=cast.chloe
        ).pk


def _school(cast: Cast) -> Any:
    return School.objects.get_or_create(uai="0750001D", defaults={"name": "École de la rue Neuve"})[0].uai


ARGUMENT: dict[str, Callable[[Cast], Any]] = {
    "pre_cases:parcours_reopen": _closed,
    "pre_cases:parcours_enter": _in_evaluation,
    "pre_cases:task_complete": _task,
    "pre_cases:objective_result": _objective,
    "pre_cases:action_create": _objective,
    "pre_cases:action_end": _action,
    "pre_cases:enrolment_end": lambda cast: make_enrolment(cast.ines_parcours, cast.project).pk,
    "pre_cases:share_revoke": lambda cast: cast.share.pk,
    "pre_cases:schooling_confirm": lambda cast: cast.ines.schoolings.get().pk,
    "pre_cases:saisine_detail": _received,
    "pre_cases:saisine_assign": _received,
    "pre_cases:saisine_outcome": _received,
    "pre_cases:saisine_entry": _received,
    "pre_cases:agreement_present": _received,
    "pre_cases:agreement_oral": _presented,
    "pre_cases:agreement_sign": _presented,
    "pre_cases:agreement_refuse": _presented,
    "pre_cases:parcours_open": _signed,
    "pre_cases:team_board": lambda cast: cast.team_a.code,
    "pre_cases:team_parcours": lambda cast: cast.team_a.code,
    "pre_cases:team_statistics": lambda cast: cast.team_a.code,
    "pre_cases:team_search": lambda cast: cast.team_a.code,
    "pre_cases:document_download": _document,
    "pre_cases:document_remove": _document,
    "pre_cases:notice_settle": _notice,
    "pre_cases:export_detail": _export,
    "pre_cases:export_download": _export,
    "pre_cases:project_change": lambda cast: cast.project.pk,
    "partners:school_detail": _school,
    "partners:organisation_detail": lambda cast: Organisation.objects.get().pk,
    "partners:organisation_change": lambda cast: Organisation.objects.get().pk,
    "partners:project_detail": lambda cast: cast.project.pk,
} | {
    f"pre_cases:{name}": (lambda cast: cast.ines.pk)
    for name in (
        "child_change",
        "adult_create",
        "residence_record",
        "schooling_record",
        "saisine_again",
        "saisine_sibling",
    )
}
WITHOUT_ARGUMENT = {
    name for name in MATRIX if "list" in name or name.endswith(("_tasks", "_groups", ":statistics"))
} | {
    "home",
    "charter_sign",
    "no_access",
    "pre_cases:my_parcours",
    "pre_cases:shared_parcours",
    "pre_cases:parcours_search",
    "pre_cases:saisine_search",
    "pre_cases:saisine_create",
    "pre_cases:export_create",
    "partners:organisation_create",
    "partners:project_create",
}


def address_of(name: str, cast: Cast) -> str:
    if name in WITHOUT_ARGUMENT:
        return reverse(name)
    return reverse(name, args=[ARGUMENT.get(name, _parcours)(cast)])


def nowhere(name: str) -> str | None:
    """The same page about something that does not exist."""
    if name in WITHOUT_ARGUMENT:
        return None
    for nothing in (uuid4(), 987654321, "nulle-part"):
        try:
            return reverse(name, args=[nothing])
        except Exception:  # noqa: BLE001 - another kind of id
            continue
    raise AssertionError(name)


def ask(client: Client, name: str, url: str) -> Any:
    return client.post(url) if name in POST_ONLY else client.get(url)


def seen(response: Any) -> str:
    """What an answer amounts to, in the words of the matrix."""
    location = response.headers.get("Location", "")
    if response.status_code == 404:
        return HIDDEN
    if location.startswith(reverse("account_login")):
        return SIGN_IN
    if location == reverse("no_access"):
        return NO_ACCESS
    assert response.status_code in (200, 302, 422), response.status_code
    return OPEN


class TestMatrix:
    def test_lists_every_url(self) -> None:
        assert names_of(get_resolver().url_patterns) == set(MATRIX) | SIGN_IN_PAGES

    @pytest.mark.parametrize("name", MATRIX)
    def test_holds_for_everybody(self, name: str, cast: Cast, signed_in: Any) -> None:
        url = address_of(name, cast)
        for person, expected in zip(PEOPLE, MATRIX[name], strict=True):
            client = Client() if person == "anonyme" else signed_in(getattr(cast, person))
            client.defaults["wsgi.url_scheme"] = "https"
            response = client.get(url, secure=True) if person == "anonyme" else ask(client, name, url)
            wanted = OPEN if expected in (OPEN, SHARED, EMPTY) else expected
            assert seen(response) == wanted, f"{person} on {name}: {response.status_code}"
            if expected == EMPTY:
                assert not response.context["page"].records

    @pytest.mark.parametrize("name", [name for name in MATRIX if HIDDEN in MATRIX[name]])
    def test_hides_on_every_method_what_is_out_of_reach(self, name: str, cast: Cast, signed_in: Any) -> None:
        """The answer is that of something that does not exist, to the byte, and nothing is written."""
        url = address_of(name, cast)
        changes = Event.objects.exclude(action__in=["refusal", "sign_in"]).count()
        for person, expected in zip(PEOPLE, MATRIX[name], strict=True):
            if expected != HIDDEN:
                continue
            client = signed_in(getattr(cast, person))
            for method in ("post", "get", "head"):
                foreign = getattr(client, method)(url)
                elsewhere = nowhere(name)
                nothing = getattr(client, method)(elsewhere) if elsewhere else foreign
                assert foreign.status_code == nothing.status_code, (person, method)
                assert foreign.status_code in (404, 405), (person, method, foreign.status_code)
                assert foreign.content == nothing.content
        assert Event.objects.exclude(action__in=["refusal", "sign_in"]).count() == changes

    def test_reading_for_a_time_gives_no_right_to_change(self, cast: Cast) -> None:
        assert cast.david.has_perm("pre_cases.view_parcours", cast.ines_parcours)
        assert not cast.david.has_perm("pre_cases.change_parcours", cast.ines_parcours)

    def test_is_written_down_for_people_who_do_not_read_code(self) -> None:
        """``docs/access-matrix.md`` says the same; to write it again: ``python -m tests.access_document``."""
        assert DOCUMENT.read_text() == as_document()


def as_document() -> str:
    """The matrix as a Markdown table."""
    head = "| page | " + " | ".join(ROLES) + " |\n|---|" + "---|" * len(ROLES)
    rows = "\n".join(f"| `{name}` | " + " | ".join(values) + " |" for name, values in MATRIX.items())
    return (
        "# Who may open what\n\n"
        "Written from `tests/test_access_matrix.py`, which asks each page as each person about Inès, of team A.\n"
        f"« {HIDDEN} »: the answer of something that does not exist, to the byte. « {EMPTY} »: the page answers and "
        f"holds nothing for that person. « {NO_ACCESS} »: no role is current, the page says so. "
        f"« {SHARED} »: reading only, until the share ends. The pages of django-allauth (signing in, password) are "
        "open to all and hold nothing about anybody.\n\n"
        f"{head}\n{rows}\n"
    )
