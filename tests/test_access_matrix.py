"""The policy, page by page and person by person: a URL that is not listed fails the suite.

``MATRIX`` states what each page answers about Inès, of team A, whom Amina coordinates and Benoît follows (see
``tests/cast.py``). The rest follows from it and is played too: for two more people (``ALSO``), about a child of the
same team whom Ibrahim follows, a child of another team, an erased child and nobody at all (``expected()``), on every
method. To add a page: its row here, and its argument in ``ARGUMENT`` when it is not a parcours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from partners.models import Organisation, School, Term
from pre_cases.models import (
    AccessRequest,
    Action,
    Appointment,
    Bilan,
    Child,
    DuplicateNotice,
    Entry,
    EpreParticipant,
    EpreSession,
    Erasure,
    ExceptionalAid,
    FollowUp,
    Need,
    Objective,
    Parcours,
    RetentionHold,
    Suspension,
    Task,
)
from pre_cases.services.calendar_feed import make_feed
from pre_cases.services.entry_template import add_template
from pre_cases.services.parcours import close_parcours
from referents import standing
from referents.models import Role, User
from referents.services.invitations import send_invitation
from referents.standing import Standing, standing_of
from tests import family_requests as families
from tests.cast import (
    Cast,
    make_agreement,
    make_child,
    make_document,
    make_enrolment,
    make_exceptional_access,
    make_hand_over,
    make_item,
    make_parcours,
    make_saisine,
    make_session,
    make_stand_in,
    make_user,
)
from tests.conftest import SecureClient
from tests.pre_cases.statistics.invented import released
from tests.situations import colleague_of, elsewhere, erase, to_be_erased
from tests.watch import Watch, put_away

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
INVITED = (OPEN, OPEN, HIDDEN, OPEN, *(HIDDEN,) * 4, *OUTSIDE)  # the members of the EPRE too, for some days
COORDINATION = (OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)
BOTH_KEEPERS = (OPEN, *(HIDDEN,) * 5, OPEN, HIDDEN, *OUTSIDE)  # the coordination of team A, and the DPO
KEEPERS = (OPEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)  # of the directory and the projects
PILOTAGE = (HIDDEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)
PROFESSIONALS = (OPEN, OPEN, OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)
REFERENTS = (HIDDEN, OPEN, OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)
OF_BENOIT = (HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE)  # what he wrote, or is asked
EVERYBODY = (OPEN,) * 8 + OUTSIDE
ADMINISTRATION = (HIDDEN,) * 7 + (OPEN, *OUTSIDE)
STAFFING = (OPEN, *(HIDDEN,) * 6, OPEN, *OUTSIDE)  # the people of team A: its coordination, and the administration
PEOPLE_READ = (OPEN, *(HIDDEN,) * 5, OPEN, OPEN, *OUTSIDE)
LISTS = (*(HIDDEN,) * 4, OPEN, HIDDEN, OPEN, OPEN, *OUTSIDE)  # the DPO reads them
LISTS_KEPT = (*(HIDDEN,) * 4, OPEN, HIDDEN, HIDDEN, OPEN, *OUTSIDE)
TERRITORY = (*(HIDDEN,) * 6, OPEN, OPEN, *OUTSIDE)

MATRIX: dict[str, tuple[str, ...]] = {
    "home": EVERYBODY,
    # a professional's day
    "pre_cases:my_day": REFERENTS,
    "pre_cases:entry_several": REFERENTS,  # within the person's own parcours
    "pre_cases:entry_template_list": REFERENTS,
    "pre_cases:entry_template_remove": OF_BENOIT,
    "pre_cases:entry_correct": OF_BENOIT,  # by who wrote it
    "pre_cases:follow_up_ask": COORDINATION,
    "pre_cases:follow_up_answer": OF_BENOIT,  # by who follows the parcours
    "pre_cases:my_questions": (EMPTY, OPEN, *(EMPTY,) * 6, *OUTSIDE),
    "pre_cases:my_appointments": (EMPTY, OPEN, *(EMPTY,) * 6, *OUTSIDE),
    "pre_cases:appointment_create": TEAM,
    "pre_cases:appointment_settle": TEAM,
    "pre_cases:appointment_move": TEAM,
    "pre_cases:day_settings": PROFESSIONALS,  # one's own
    "pre_cases:calendar_make": PROFESSIONALS,
    "pre_cases:calendar_revoke": PROFESSIONALS,
    "pre_cases:digest_choose": PROFESSIONALS,
    "pre_cases:calendar_feed": (OPEN,) * 10,  # for whoever holds the address, signed in or not
    # lists of the person's own
    "pre_cases:my_parcours": (EMPTY, OPEN, OPEN, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, *OUTSIDE),
    "pre_cases:parcours_search": EVERYBODY,  # within the person's own parcours
    "pre_cases:shared_parcours": (EMPTY, EMPTY, EMPTY, OPEN, EMPTY, EMPTY, EMPTY, EMPTY, *OUTSIDE),
    "pre_cases:my_tasks": (EMPTY, OPEN, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, *OUTSIDE),
    "pre_cases:my_groups": (HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN, *OUTSIDE),
    "pre_cases:stood_in_parcours": (EMPTY,) * 8 + OUTSIDE,  # nobody of the cast replaces anybody
    "pre_cases:colleague_list": (OPEN, OPEN, OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE),
    "pre_cases:my_accesses": EVERYBODY,  # the person's own
    # one parcours
    "pre_cases:parcours_detail": READERS,
    "pre_cases:parcours_card": TEAM,  # redirects those who may read to the parcours itself
    "pre_cases:parcours_print": READERS,
    "pre_cases:parcours_pdf": READERS,
    "pre_cases:bilan_pdf": TEAM,
    "pre_cases:parcours_readers": TEAM,
    "pre_cases:parcours_history": TEAM,
    "pre_cases:parcours_assign": COORDINATION,
    "pre_cases:parcours_enter": COORDINATION,
    "pre_cases:parcours_close": COORDINATION,
    "pre_cases:parcours_reopen": COORDINATION,
    "pre_cases:entry_create": TEAM,
    "pre_cases:draft_save": TEAM,
    "pre_cases:comment_create": TEAM,
    "pre_cases:task_create": TEAM,
    "pre_cases:task_complete": TEAM,
    "pre_cases:evaluation": TEAM,
    "pre_cases:need_change": TEAM,
    "pre_cases:suspension_create": TEAM,
    "pre_cases:suspension_end": TEAM,
    "pre_cases:objection_record": TEAM,
    "pre_cases:objection_settle": COORDINATION,
    "pre_cases:aid_request": TEAM,
    "pre_cases:aid_decide": COORDINATION,
    "pre_cases:aid_pay": TEAM,
    "pre_cases:concern_report": TEAM,  # what was noted is shown to its author and to the coordination only
    "pre_cases:objective_create": TEAM,
    "pre_cases:objective_result": TEAM,
    "pre_cases:action_create": TEAM,
    "pre_cases:action_change": TEAM,
    "pre_cases:action_end": TEAM,
    "pre_cases:review_create": TEAM,
    "pre_cases:bilan_write": TEAM,
    "pre_cases:enrolment_create": TEAM,
    "pre_cases:enrolment_end": TEAM,
    "pre_cases:share_create": TEAM,
    "pre_cases:share_revoke": TEAM,
    "pre_cases:access_answer": TEAM,
    "pre_cases:exceptional_list": (OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, *OUTSIDE),
    "pre_cases:exceptional_open": COORDINATION,  # any coordination, with the number of the parcours
    "pre_cases:exceptional_end": (OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, *OUTSIDE),
    "pre_cases:exceptional_review": (OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, *OUTSIDE),
    "pre_cases:caseload_hand_over": TEAM,  # the référent's own, or of the team that one coordinates
    "pre_cases:hand_over_accept": EVERYBODY,  # of what was proposed to the person, and of nothing else
    "pre_cases:hand_over_refuse": (HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE),
    "pre_cases:hand_over_cancel": TEAM,
    "pre_cases:stand_in_create": TEAM,
    "pre_cases:stand_in_end": TEAM,
    "pre_cases:protection": (HIDDEN,) * 6 + (OPEN, HIDDEN, *OUTSIDE),
    # families' requests about their data
    "pre_cases:request_create": TEAM,
    "pre_cases:request_detail": TEAM,
    "pre_cases:request_identity": COORDINATION,
    "pre_cases:request_extend": COORDINATION,
    "pre_cases:request_answer": COORDINATION,
    "pre_cases:team_requests": COORDINATION,
    "pre_cases:file_prepare": COORDINATION,
    "pre_cases:file_detail": COORDINATION,
    "pre_cases:file_submit": COORDINATION,
    "pre_cases:passage_decide": COORDINATION,
    "pre_cases:professional_name": COORDINATION,
    "pre_cases:file_review": (HIDDEN,) * 6 + (OPEN, HIDDEN, *OUTSIDE),  # numbers and reasons, never the content
    "pre_cases:file_download": COORDINATION,
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
    # the EPRE: sessions are a team's, situations a child's
    "pre_cases:session_list": PROFESSIONALS,
    "pre_cases:team_session_create": COORDINATION,
    "pre_cases:session_detail": TEAM,  # a référent sees the person's own situations
    "pre_cases:session_change": COORDINATION,
    "pre_cases:session_cancel": COORDINATION,
    "pre_cases:participant_invite": COORDINATION,
    "pre_cases:participant_remove": COORDINATION,
    "pre_cases:session_attendance": COORDINATION,
    "pre_cases:session_close": COORDINATION,
    "pre_cases:session_sheets": INVITED,
    "pre_cases:session_sheets_pdf": INVITED,
    "pre_cases:session_minutes": COORDINATION,
    "pre_cases:item_create": TEAM,
    "pre_cases:item_sheet": INVITED,
    "pre_cases:item_sheet_pdf": INVITED,
    "pre_cases:item_write": TEAM,
    "pre_cases:item_remove": TEAM,
    "pre_cases:item_move_up": COORDINATION,
    "pre_cases:item_decide": COORDINATION,
    "pre_cases:item_told": TEAM,
    "pre_cases:follow_up_complete": (HIDDEN, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, *OUTSIDE),
    # the end of a file: with names for the coordination, without for the DPO
    "pre_cases:retention_list": BOTH_KEEPERS,
    "pre_cases:retention_rules": BOTH_KEEPERS,
    "pre_cases:hold_create": COORDINATION,
    "pre_cases:hold_end": COORDINATION,
    "pre_cases:erasure_request": COORDINATION,
    "pre_cases:erasure_list": BOTH_KEEPERS,
    "pre_cases:erasure_detail": BOTH_KEEPERS,
    "pre_cases:erasure_decide": (HIDDEN,) * 6 + (OPEN, HIDDEN, *OUTSIDE),  # never for who asked
    "pre_cases:erasure_certificate": BOTH_KEEPERS,
    "pre_cases:erasure_certificate_json": BOTH_KEEPERS,
    # saisines
    "pre_cases:saisine_list": PROFESSIONALS,
    "pre_cases:saisine_search": PROFESSIONALS,
    "pre_cases:saisine_create": PROFESSIONALS,
    "pre_cases:saisine_detail": TEAM,
    "pre_cases:saisine_sheet_blank": PROFESSIONALS,
    "pre_cases:saisine_print": TEAM,
    "pre_cases:saisine_change": TEAM,
    "pre_cases:saisine_complete": TEAM,
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
    "pre_cases:team_questions": COORDINATION,
    "pre_cases:team_missing": COORDINATION,
    "pre_cases:team_search": COORDINATION,
    "pre_cases:team_fund": COORDINATION,
    "pre_cases:team_journal": COORDINATION,
    "pre_cases:notice_settle": COORDINATION,
    "pre_cases:team_statistics": COORDINATION,
    # figures
    "pre_cases:statistics": PILOTAGE,
    "pre_cases:export_create": PILOTAGE,
    "pre_cases:export_detail": PILOTAGE,
    "pre_cases:export_download": PILOTAGE,
    "pre_cases:export_reasons": PILOTAGE,
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
    "second_factor": EVERYBODY,
    "account_security": EVERYBODY,  # one's own account
    "sign_out_everywhere": EVERYBODY,
    "invitation_accept": (OPEN,) * 10,  # for whoever holds the link, signed in or not
    "account_list": PEOPLE_READ,
    "account_search": PEOPLE_READ,
    "account_detail": PEOPLE_READ,
    "account_invite": STAFFING,
    "invitation_send": STAFFING,
    "membership_grant": STAFFING,
    "membership_end": STAFFING,
    "account_change": ADMINISTRATION,
    "account_suspend": ADMINISTRATION,
    "account_reactivate": ADMINISTRATION,
    "second_factor_reset": ADMINISTRATION,
    "account_end": ADMINISTRATION,
    "administration": ADMINISTRATION,
    "sign_in_list": ADMINISTRATION,
    "journal_list": (HIDDEN,) * 6 + (OPEN, HIDDEN, *OUTSIDE),
    "journal_integrity": (HIDDEN,) * 6 + (OPEN, HIDDEN, *OUTSIDE),
    "journal_alerts": (HIDDEN,) * 6 + (OPEN, HIDDEN, *OUTSIDE),
    # reference data, in Django's administration
    "reference:index": LISTS,
    "reference:jsi18n": LISTS,
    "reference:app_list": LISTS,
    "reference:partners_term_changelist": LISTS,
    "reference:partners_term_change": LISTS,
    "reference:partners_term_add": LISTS_KEPT,
    "reference:referents_team_changelist": TERRITORY,
    "reference:referents_team_change": TERRITORY,
    "reference:referents_team_add": ADMINISTRATION,
    "reference:referents_arrondissement_changelist": TERRITORY,
    "reference:referents_arrondissement_change": TERRITORY,
    "reference:referents_arrondissement_add": ADMINISTRATION,
}
# Signing in and the password: django-allauth's own pages, without anything about a child.
SIGN_IN_PAGES = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    # one's own second factor: asked at the sign-in, or before a sensitive page, added, given up
    "mfa_authenticate",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_add_webauthn",
    "mfa_remove_webauthn",  # takes an id: somebody else's answers 404 (tests/referents/views/test_second_factor.py)
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    # to the identity provider and back; mounted only when one is configured
    "openid_connect_login",
    "openid_connect_callback",
}
# Two people whose cells follow from the others'.
ALSO = {"ibrahim": "Ibrahim, référent A d’une autre enfant", "karim": "Karim, suspendu"}
# What a référent of the team may open of a colleague's, or of the team's; elsewhere Ibrahim has Chloé's cell.
IBRAHIM = {
    "partners:project_detail": OPEN,
    "pre_cases:my_tasks": OPEN,
    "pre_cases:my_questions": OPEN,
    "pre_cases:my_appointments": OPEN,
    "pre_cases:parcours_card": OPEN,
    "pre_cases:session_detail": OPEN,
    "pre_cases:session_sheets": OPEN,
    "pre_cases:session_sheets_pdf": OPEN,
}
# About a session of a team: erasing a child leaves it.
ABOUT_A_SESSION = {
    name
    for name in MATRIX
    if name.startswith("pre_cases:session_") or name in ("pre_cases:participant_invite", "pre_cases:participant_remove")
}
# About a professional of a team, not about a child: erasing a child leaves them.
ABOUT_A_PERSON = {
    "pre_cases:entry_template_remove",
    "pre_cases:caseload_hand_over",
    "pre_cases:stand_in_create",
    "pre_cases:stand_in_end",
}
# A signed link, for whoever holds it; a list of applications, which takes no id.
# What is decided about an erasure outlives the child, by ids alone.
OUTLIVING = {
    "pre_cases:erasure_detail",
    "pre_cases:erasure_decide",
    "pre_cases:erasure_certificate",
    "pre_cases:erasure_certificate_json",
}
ABOUT_NOBODY = {"invitation_accept", "pre_cases:calendar_feed", "reference:app_list"}
OWN, SAME_TEAM, OTHER_TEAM, ERASED, NOTHING = "Inès", "même équipe", "autre équipe", "effacée", "inexistante"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
SAMPLE = 5 if connection.vendor == "postgresql" else 1  # the rules are the same there: one page in so many is played
POST_ONLY = {
    "pre_cases:draft_save",
    "pre_cases:task_complete",
    "pre_cases:entry_template_remove",
    "pre_cases:appointment_settle",
    "pre_cases:calendar_make",
    "pre_cases:calendar_revoke",
    "pre_cases:digest_choose",
    "pre_cases:export_create",
    "pre_cases:notice_settle",
    "pre_cases:exceptional_end",
    "pre_cases:hold_end",
    "pre_cases:hand_over_accept",
    "pre_cases:hand_over_cancel",
    "pre_cases:stand_in_end",
    "pre_cases:participant_remove",
    "pre_cases:session_close",
    "pre_cases:item_remove",
    "pre_cases:item_move_up",
    "pre_cases:follow_up_complete",
    "pre_cases:file_prepare",
    "pre_cases:file_download",
    "sign_out_everywhere",
    "invitation_send",
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


def _appointment(cast: Cast) -> Any:
    with acting_as(system_account()):
        return Appointment.objects.create(
            parcours=cast.ines_parcours,
            user=cast.benoit,
            on=timezone.localdate(),
            starts_at=time(9, 30),
            data_key_id=cast.ines.data_key_id,
        ).pk


def _entry(cast: Cast) -> Any:
    with acting_as(system_account()):
        return Entry.objects.create(
            parcours=cast.ines_parcours,
            author=cast.benoit,
            kind="phone",
            on=timezone.localdate(),
            text="Appel",
            data_key_id=cast.ines.data_key_id,
        ).pk


def _question(cast: Cast) -> Any:
    with acting_as(system_account()):
        return FollowUp.objects.create(
            entry_id=_entry(cast), asked_by=cast.amina, question="Et ensuite ?", data_key_id=cast.ines.data_key_id
        ).pk


def _template(cast: Cast) -> Any:
    return add_template(label="Relance", kind="phone", with_whom="school", text="Relance", by=cast.benoit).pk


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


def _with_bilan(cast: Cast) -> Any:
    with acting_as(system_account()):
        if not hasattr(cast.ines_parcours, "bilan"):
            Bilan.objects.create(
                parcours=cast.ines_parcours,
                author=cast.benoit,
                on=timezone.localdate(),
                text="x",
                exit_reason=Term.objects.get(pk="exit_reason:objectifs-atteints"),
                data_key_id=cast.ines.data_key_id,
            )
    return cast.ines_parcours.pk


def _need(cast: Cast) -> Any:
    with acting_as(system_account()):
        return Need.objects.create(
            parcours=cast.ines_parcours,
            author=cast.benoit,
            text="Un endroit calme pour lire",
            domain=Term.objects.get(pk="domain:educatif"),
            priority=Term.objects.get(pk="priority:decrochage"),
            noted_on=timezone.localdate(),
            data_key_id=cast.ines.data_key_id,
        ).pk


def _suspension(cast: Cast) -> Any:
    today = timezone.localdate()
    with acting_as(system_account()):
        return Suspension.objects.create(
            parcours=cast.ines_parcours,
            reason="x",
            starts_on=today,
            ends_on=today + timedelta(days=20),
            data_key_id=cast.ines.data_key_id,
        ).pk


def _aid(cast: Cast) -> Any:
    with acting_as(system_account()):
        return ExceptionalAid.objects.create(
            parcours=cast.ines_parcours,
            team=cast.team_a,
            purpose="Une paire de lunettes",
            requested=80,
            asked_by=cast.benoit,
            asked_on=timezone.localdate(),
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
    return released(cast.esther).pk


def _document(cast: Cast) -> Any:
    return make_document(cast.ines_parcours, cast.benoit).pk


def _notice(cast: Cast) -> Any:
    with acting_as(system_account()):
        return DuplicateNotice.objects.create(
            team=cast.team_a, other_team=cast.team_b, child=cast.ines, sought_by=cast.chloe
        ).pk


def _colleague(cast: Cast) -> User:
    return make_user("Malik", Role.REFERENT, cast.team_a)


def _caseload(cast: Cast) -> Any:
    return cast.benoit.memberships.get().pk


def _stand_in(cast: Cast) -> Any:
    return make_stand_in(cast.benoit, _colleague(cast)).pk


def _asked(cast: Cast) -> Any:
    with acting_as(system_account()):
        return AccessRequest.objects.create(
            parcours=cast.ines_parcours, asked_by=_colleague(cast), reason="x", data_key_id=cast.ines.data_key_id
        ).pk


def _exceptional(cast: Cast) -> Any:
    other = make_user("Lise", Role.COORDINATOR, cast.team_b)
    return make_exceptional_access(cast.ines_parcours, other).pk


def _hold(cast: Cast) -> Any:
    with acting_as(system_account()):
        return RetentionHold.objects.create(
            child=cast.ines,
            author=cast.amina,
            motive="dispute",
            reason="x",
            starts_on=timezone.localdate() - timedelta(days=1),
            ends_on=timezone.localdate() + timedelta(days=30),
            data_key_id=cast.ines.data_key_id,
        ).pk


def _erasure(cast: Cast, **values: Any) -> Any:
    """Asked for by a colleague of the coordination; once, since a single one may wait for each child."""
    waiting = Erasure.objects.pending().filter(subject_id=cast.ines.pk).first()
    asked = {"subject_id": cast.ines.pk, "team": cast.team_a, "motive": "family"}
    return (waiting or Erasure.objects.create(**asked, requested_by=_colleague(cast), **values)).pk


def _certified(cast: Cast) -> Any:
    decided = {"decided_by": cast.gaelle, "decided_at": timezone.now(), "state": "done"}
    asked = {"subject_id": cast.ines.pk, "team": cast.team_a, "motive": "family", "requested_by": cast.amina}
    return Erasure.objects.create(**asked, **decided, certificate="{}", certificate_pdf=b"%PDF").pk


def _offered(cast: Cast) -> Any:
    """A colleague's parcours, proposed to Benoît by that colleague."""
    colleague = _colleague(cast)
    parcours = make_parcours(cast.team_a, referent=colleague, child=make_child("Zoé"))
    return make_hand_over(parcours, colleague, cast.benoit).pk


def _proposed(cast: Cast) -> Any:
    """Benoît's own parcours, proposed to a colleague; once, since a single proposal may wait for an answer."""
    waiting = cast.ines_parcours.hand_overs.pending().first()
    return (waiting or make_hand_over(cast.ines_parcours, cast.benoit, _colleague(cast))).pk


def _request(cast: Cast) -> Any:
    return families.ask(cast.ines, cast.amina).pk


def _file(cast: Cast) -> Any:
    """Gathered, and to be read."""
    return families.gathered(families.ask(cast.ines, cast.amina), cast.amina).pk


def _submitted_file(cast: Cast) -> Any:
    return families.submitted(families.ask(cast.ines, cast.amina), cast.amina).pk


def _session(cast: Cast) -> Any:
    """The session of the team, once, to which David is invited."""
    session = EpreSession.objects.in_team(cast.team_a.pk).filter(place="Mairie").first()
    return (session or make_session(cast.team_a, cast.david, place="Mairie")).pk


def _participant(cast: Cast) -> Any:
    """Somebody without an account, whose leaving closes nothing to anybody; once."""
    who = {"session_id": _session(cast), "name": "Dr Hamel", "institution": "PMI"}
    with acting_as(system_account()):
        return EpreParticipant.objects.get_or_create(**who)[0].pk


def _item(cast: Cast) -> Any:
    """Inès's situation, on the agenda of a session of its own; once, since a single one may wait."""
    waiting = cast.ines_parcours.epre_items.filter(decision="").first()
    return (waiting or make_item(make_session(cast.team_a, cast.david), cast.ines_parcours)).pk


def _removable(cast: Cast) -> Any:
    """The situation of another child whom Benoît follows: the one who takes it off asks first."""
    parcours = Parcours.objects.get(pk=_in_evaluation(cast))
    return make_item(make_session(cast.team_a), parcours).pk


def _follow_up(cast: Cast) -> Any:
    """Entrusted to David."""
    task = Task.objects.get(pk=_task(cast))
    with acting_as(system_account()):
        task.assignee = cast.david
        task.save()
    decided = {"decision": "advice", "decided_on": timezone.localdate(), "decided_by": cast.amina}
    entrusted = {"follow_up": "x", "follow_up_on": timezone.localdate(), "task": task}
    return make_item(make_session(cast.team_a, cast.david), cast.ines_parcours, **decided, **entrusted).pk


def _school(cast: Cast) -> Any:
    return School.objects.get_or_create(uai="0750001D", defaults={"name": "École de la rue Neuve"})[0].uai


def _benoit(cast: Cast) -> Any:
    return cast.benoit.pk


ARGUMENT: dict[str, Callable[[Cast], Any]] = (
    {
        "pre_cases:parcours_reopen": _closed,
        "pre_cases:parcours_enter": _in_evaluation,
        "pre_cases:task_complete": _task,
        "pre_cases:entry_template_remove": _template,
        "pre_cases:entry_correct": _entry,
        "pre_cases:follow_up_ask": _entry,
        "pre_cases:follow_up_answer": _question,
        "pre_cases:appointment_settle": _appointment,
        "pre_cases:appointment_move": _appointment,
        "pre_cases:calendar_feed": lambda cast: make_feed(by=_colleague(cast)),
        "pre_cases:team_questions": lambda cast: cast.team_a.code,
        "pre_cases:team_missing": lambda cast: cast.team_a.code,
        "pre_cases:objective_result": _objective,
        "pre_cases:action_create": _objective,
        "pre_cases:action_end": _action,
        "pre_cases:action_change": _action,
        "pre_cases:bilan_pdf": _with_bilan,
        "pre_cases:need_change": _need,
        "pre_cases:suspension_end": _suspension,
        "pre_cases:aid_decide": _aid,
        "pre_cases:aid_pay": _aid,
        "pre_cases:saisine_print": _received,
        "pre_cases:saisine_change": _received,
        "pre_cases:saisine_complete": _received,
        "pre_cases:team_fund": lambda cast: cast.team_a.code,
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
        "pre_cases:team_journal": lambda cast: cast.team_a.code,
        "pre_cases:access_answer": _asked,
        "pre_cases:exceptional_end": _exceptional,
        "pre_cases:exceptional_review": _exceptional,
        "pre_cases:caseload_hand_over": _caseload,
        "pre_cases:stand_in_create": _caseload,
        "pre_cases:stand_in_end": _stand_in,
        "pre_cases:hand_over_refuse": _offered,
        "pre_cases:hand_over_cancel": _proposed,
        "pre_cases:document_download": _document,
        "pre_cases:document_remove": _document,
        "pre_cases:notice_settle": _notice,
        "pre_cases:team_requests": lambda cast: cast.team_a.code,
        "pre_cases:file_review": _submitted_file,
        "pre_cases:export_detail": _export,
        "pre_cases:export_download": _export,
        "pre_cases:export_reasons": _export,
        "pre_cases:hold_end": _hold,
        "pre_cases:erasure_detail": _erasure,
        "pre_cases:erasure_decide": _erasure,
        "pre_cases:erasure_certificate": _certified,
        "pre_cases:erasure_certificate_json": _certified,
        "pre_cases:project_change": lambda cast: cast.project.pk,
        "partners:school_detail": _school,
        "partners:organisation_detail": lambda cast: Organisation.objects.get().pk,
        "partners:organisation_change": lambda cast: Organisation.objects.get().pk,
        "partners:project_detail": lambda cast: cast.project.pk,
        "invitation_accept": lambda cast: send_invitation(user=make_user("Nora"), by=cast.hugo).token,
        "membership_end": lambda cast: cast.benoit.memberships.get().pk,
        "reference:app_list": lambda cast: "partners",
        "reference:partners_term_change": lambda cast: quote("level:ce2"),
        "reference:referents_team_change": lambda cast: cast.team_a.pk,
        "reference:referents_arrondissement_change": lambda cast: 18,
    }
    | dict.fromkeys(ABOUT_A_SESSION - {"pre_cases:session_list"}, _session)
    | {"pre_cases:participant_remove": _participant, "pre_cases:team_session_create": lambda cast: cast.team_a.code}
    | dict.fromkeys([name for name in MATRIX if name.startswith("pre_cases:item_")], _item)
    | {
        "pre_cases:item_create": _in_evaluation,
        "pre_cases:item_remove": _removable,
        "pre_cases:follow_up_complete": _follow_up,
    }
    | dict.fromkeys([f"pre_cases:request_{name}" for name in ("detail", "identity", "extend", "answer")], _request)
    | {"pre_cases:file_prepare": _request}
    | dict.fromkeys(
        [f"pre_cases:{name}" for name in ("passage_decide", "professional_name", "file_submit", "file_detail")], _file
    )
    | {"pre_cases:file_download": _file}
    | dict.fromkeys(
        [
            "account_detail",
            "account_change",
            "account_suspend",
            "account_reactivate",
            "second_factor_reset",
            "account_end",
            "invitation_send",
            "membership_grant",
        ],
        _benoit,
    )
    | {
        f"pre_cases:{name}": (lambda cast: cast.ines.pk)
        for name in (
            "child_change",
            "request_create",
            "adult_create",
            "residence_record",
            "schooling_record",
            "saisine_again",
            "saisine_sibling",
            "hold_create",
            "erasure_request",
        )
    }
)
WITHOUT_ARGUMENT = {
    name
    for name in MATRIX
    if ("list" in name and name != "reference:app_list")
    or name.endswith(("_tasks", "_groups", ":statistics", ":index", ":jsi18n", "_add"))
} | {
    "home",
    "account_search",
    "account_invite",
    "administration",
    "journal_alerts",
    "journal_integrity",
    "charter_sign",
    "no_access",
    "second_factor",
    "account_security",
    "sign_out_everywhere",
    "pre_cases:my_day",
    "pre_cases:entry_several",
    "pre_cases:my_questions",
    "pre_cases:my_appointments",
    "pre_cases:day_settings",
    "pre_cases:calendar_make",
    "pre_cases:calendar_revoke",
    "pre_cases:digest_choose",
    "pre_cases:my_parcours",
    "pre_cases:shared_parcours",
    "pre_cases:my_accesses",
    "pre_cases:stood_in_parcours",
    "pre_cases:exceptional_open",
    "pre_cases:hand_over_accept",
    "pre_cases:protection",
    "pre_cases:retention_rules",
    "pre_cases:parcours_search",
    "pre_cases:saisine_search",
    "pre_cases:saisine_create",
    "pre_cases:saisine_sheet_blank",
    "pre_cases:export_create",
    "partners:organisation_create",
    "partners:project_create",
}


def argument(name: str, about: Any) -> Any:
    """What a page is asked about: of the cast, or of another child's situation, which looks like it."""
    return ARGUMENT.get(name, _parcours)(about)


def address_of(name: str, cast: Cast) -> str:
    return reverse(name, args=[] if name in WITHOUT_ARGUMENT else [argument(name, cast)])


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
    """By the method that the page answers to."""
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


@dataclass
class City:
    """The cast, the other children, and who is signed in; what each page is asked about, for each of them."""

    cast: Cast
    clients: dict[str, Client]
    arguments: dict[str, dict[str, Any]]  # by child, then by page
    watch: Watch
    nowhere: dict[str, Any] = field(default_factory=dict)


def faults(city: City, name: str, person: str, wanted: str, url: str | None, methods: tuple[str, ...]) -> list[str]:
    """The methods on which the page does not answer as it should; where it is open, only those that change nothing."""
    found, client = [], city.clients[person]
    for method in methods:
        if wanted not in (HIDDEN, *OUTSIDE) and method == ("get" if name in POST_ONLY else "post"):
            continue
        city.watch.forget()
        response = getattr(client, method)(url)
        put_away(response)
        if response.status_code == 405:
            kept = method not in ("get", "post") or (name in POST_ONLY) == (method == "get")
        elif wanted == HIDDEN:
            kept = is_nowhere(city, method, response) and not city.watch.writes
            kept = kept and all(event.action == "refusal" for event in city.watch.events)
        else:
            kept = seen(response) == (OPEN if wanted in (OPEN, SHARED, EMPTY) else wanted)
        if not kept:
            found.append(f"{person} on {method} {name}: {response.status_code}, not {wanted}")
    return found


def is_nowhere(city: City, method: str, response: Any) -> bool:
    """To the byte the answer of an address that does not exist, headers included, but for the number of the request."""
    if method not in city.nowhere:
        city.nowhere[method] = getattr(city.clients["hugo"], method)("/nulle/part/")
    nothing = city.nowhere[method]
    headers, expected_headers = dict(response.headers), dict(nothing.headers)
    headers.pop("X-Request-ID"), expected_headers.pop("X-Request-ID")
    return (response.status_code, response.content, headers) == (404, nothing.content, expected_headers)


def cell(name: str, person: str) -> str:
    """What the page answers to this person about Inès."""
    if person == "karim":  # an inactive account has no session
        return MATRIX[name][PEOPLE.index("anonyme")]
    if person == "ibrahim":
        return IBRAHIM.get(name, MATRIX[name][PEOPLE.index("chloe")])
    return MATRIX[name][PEOPLE.index(person)]


def expected(name: str, person: str, about: str) -> str:
    """What it answers about somebody else: what comes from a team stays in it, what comes from a child, with it."""
    own = cell(name, person)
    if about == OWN or own in OUTSIDE:
        return own
    if about == NOTHING or (about == ERASED and name not in OUTLIVING):
        return HIDDEN
    if about == ERASED:
        return own
    if about == SAME_TEAM:
        if name == "pre_cases:parcours_card":  # of every colleague
            return OPEN if person in ("amina", "benoit", "ibrahim") else HIDDEN
        followed = {"benoit": HIDDEN, "david": HIDDEN, "ibrahim": cell(name, "benoit")}
        return followed.get(person, own) if is_about_a_child(name) or name in ABOUT_A_PERSON else own
    return HIDDEN if person in ("amina", "benoit", "david", "ibrahim") else own


def is_about_a_child(name: str) -> bool:
    """Neither a list, nor the page of a team, of a session or of a professional, nor what the pilotage opens too."""
    of_children = name.startswith("pre_cases:") and name not in WITHOUT_ARGUMENT | ABOUT_A_PERSON | ABOUT_A_SESSION
    return of_children and ":team_" not in name and cell(name, "esther") != OPEN


@pytest.fixture
def city(cast: Cast, signed_in: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    """What each person holds is read once, not at each of the thousands of requests."""
    read: dict[int, Standing] = {}
    monkeypatch.setattr(
        standing, "standing_of", lambda user: read.get(user.pk) or read.setdefault(user.pk, standing_of(user))
    )
    colleague, stranger, erased = colleague_of(cast), elsewhere(cast), to_be_erased(cast)
    karim = make_user("Karim", Role.REFERENT, cast.team_a)
    clients = {person: signed_in(getattr(cast, person)) for person in PEOPLE if person != "anonyme"}
    clients |= {"anonyme": SecureClient(), "ibrahim": signed_in(colleague.benoit), "karim": signed_in(karim)}
    with acting_as(system_account()):
        karim.is_active = False
        karim.save()
    names = [name for name in MATRIX if name not in WITHOUT_ARGUMENT]
    asked = {
        about: {name: argument(name, who) for name in names}
        for about, who in ((OWN, cast), (SAME_TEAM, colleague), (OTHER_TEAM, stranger))
    }
    asked[SAME_TEAM] = {name: pk for name, pk in asked[SAME_TEAM].items() if pk != asked[OWN][name]}
    asked[OTHER_TEAM] = {name: pk for name, pk in asked[OTHER_TEAM].items() if pk != asked[OWN][name]}
    before = set(Child.objects.exclude(pk=erased.ines.pk).values_list("pk", flat=True))
    asked[ERASED] = {name: argument(name, erased) for name in names if is_about_a_child(name)}
    for child in Child.objects.exclude(pk__in=before):
        erase(child)
    with Watch() as watch:
        yield City(cast, clients, asked, watch)


class TestMatrix:
    def test_lists_every_url(self) -> None:
        assert names_of(get_resolver().url_patterns) == set(MATRIX) | SIGN_IN_PAGES

    def test_holds_about_ines(self, city: City) -> None:
        """Every page, every person, every method."""
        told: list[str] = []
        for name in [*MATRIX][::SAMPLE]:
            url = reverse(name, args=[city.arguments[OWN][name]] if name in city.arguments[OWN] else [])
            for person, client in city.clients.items():
                told += faults(city, name, person, cell(name, person), url, METHODS)
                if cell(name, person) == EMPTY and client.get(url).context["page"].records:
                    told.append(f"{person} on {name}: not empty")
        assert told == []

    def test_holds_about_everybody_else(self, city: City) -> None:
        """The child of a colleague, of another team, erased, or who does not exist; the other methods on those are
        played by ``test_substitution.py``.
        """
        told: list[str] = []
        for about in (SAME_TEAM, OTHER_TEAM, ERASED, NOTHING):
            for name in [*city.arguments.get(about, city.arguments[OWN])][::SAMPLE]:
                if name in ABOUT_NOBODY:
                    continue
                url = nowhere(name) if about == NOTHING else reverse(name, args=[city.arguments[about][name]])
                for person in (person for person in city.clients if cell(name, person) not in OUTSIDE):
                    wanted = expected(name, person, about)
                    methods = ("get", "post") if wanted == HIDDEN and about == SAME_TEAM else ("get",)
                    told += faults(city, name, person, wanted, url, methods)
        assert told == []

    def test_reading_for_a_time_gives_no_right_to_change(self, cast: Cast) -> None:
        assert cast.david.has_perm("pre_cases.view_parcours", cast.ines_parcours)
        assert not cast.david.has_perm("pre_cases.change_parcours", cast.ines_parcours)

    def test_is_written_down_for_people_who_do_not_read_code(self) -> None:
        """``docs/access-matrix.md`` says the same; to write it again: ``python -m tests.access_document``."""
        assert DOCUMENT.read_text() == as_document()


def as_document() -> str:
    """The matrix as two Markdown tables: about Inès, and about the others."""
    people = dict(zip(PEOPLE, ROLES, strict=True)) | ALSO
    order = [*people]
    rows = [[f"`{name}`", *(cell(name, person) for person in order)] for name in MATRIX]
    others = [
        [f"`{name}`", *(", ".join(who_opens(name, about, people)) or "personne" for about in (SAME_TEAM, OTHER_TEAM))]
        for name in MATRIX
        if is_about_a_child(name)
    ]
    return (
        "# Who may open what\n\n"
        "Written from `tests/test_access_matrix.py`, which asks each page as each person about Inès, of team A.\n"
        f"« {HIDDEN} »: the answer of something that does not exist, to the byte. « {EMPTY} »: the page answers and "
        f"holds nothing for that person. « {NO_ACCESS} »: no role is current, the page says so. "
        f"« {SHARED} »: reading only, until the share ends. The pages of django-allauth (signing in, password) are "
        "open to all and hold nothing about anybody.\n\n"
        f"{table(['page', *(people[person] for person in order)], rows)}\n"
        "## About another child\n\n"
        "Who opens the pages about a child of team A whom Ibrahim follows, and about a child of a team where none of "
        "these people holds a role. About an erased child, or one who does not exist, nobody opens anything: the "
        "answer is the same 404.\n\n"
        f"{table(['page', 'même équipe, suivie par Ibrahim', 'autre équipe'], others)}"
    )


def who_opens(name: str, about: str, people: dict[str, str]) -> list[str]:
    shown = (OPEN, SHARED, EMPTY)
    return [label.partition(",")[0] for person, label in people.items() if expected(name, person, about) in shown]


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n".replace("| --- ", "|---") for line in lines).replace("|--- |", "|---|")
