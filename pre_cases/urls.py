"""Addresses of the case files. One name, four places: view, URL, template, test class."""

from django.urls import path

from pre_cases.views import (
    agreement,
    board,
    document,
    family,
    parcours,
    partnership,
    review,
    saisine,
    statistics,
    support,
    timeline,
)

app_name = "pre_cases"

urlpatterns = [
    # the référent's and the reader's lists
    path("parcours/", parcours.my_parcours, name="my_parcours"),
    path("parcours/recherche/", parcours.parcours_search, name="parcours_search"),
    path("parcours/partages/", parcours.shared_parcours, name="shared_parcours"),
    # one parcours
    path("parcours/<uuid:pk>/", parcours.parcours_detail, name="parcours_detail"),
    path("parcours/<uuid:pk>/imprimer/", parcours.parcours_print, name="parcours_print"),
    path("parcours/<uuid:pk>/referent/", parcours.parcours_assign, name="parcours_assign"),
    path("parcours/<uuid:pk>/entree/", parcours.parcours_enter, name="parcours_enter"),
    path("parcours/<uuid:pk>/cloture/", parcours.parcours_close, name="parcours_close"),
    path("parcours/<uuid:pk>/reouverture/", parcours.parcours_reopen, name="parcours_reopen"),
    path("parcours/<uuid:pk>/echange/", timeline.entry_create, name="entry_create"),
    path("parcours/<uuid:pk>/brouillon/", timeline.draft_save, name="draft_save"),
    path("parcours/<uuid:pk>/commentaire/", timeline.comment_create, name="comment_create"),
    path("parcours/<uuid:pk>/tache/", timeline.task_create, name="task_create"),
    path("a-faire/", timeline.my_tasks, name="my_tasks"),
    path("taches/<uuid:pk>/faite/", timeline.task_complete, name="task_complete"),
    path("parcours/<uuid:pk>/objectif/", support.objective_create, name="objective_create"),
    path("objectifs/<uuid:pk>/resultat/", support.objective_result, name="objective_result"),
    path("objectifs/<uuid:pk>/action/", support.action_create, name="action_create"),
    path("actions/<uuid:pk>/fin/", support.action_end, name="action_end"),
    path("parcours/<uuid:pk>/point-d-etape/", review.review_create, name="review_create"),
    path("parcours/<uuid:pk>/bilan/", review.bilan_write, name="bilan_write"),
    path("parcours/<uuid:pk>/document/", document.document_create, name="document_create"),
    path("documents/<uuid:pk>/", document.document_download, name="document_download"),
    path("documents/<uuid:pk>/retrait/", document.document_remove, name="document_remove"),
    path("parcours/<uuid:pk>/inscription/", partnership.enrolment_create, name="enrolment_create"),
    path("inscriptions/<uuid:pk>/fin/", partnership.enrolment_end, name="enrolment_end"),
    path("parcours/<uuid:pk>/partage/", partnership.share_create, name="share_create"),
    path("partages/<uuid:pk>/retrait/", partnership.share_revoke, name="share_revoke"),
    path("groupes/", partnership.my_groups, name="my_groups"),
    path("projets/<int:pk>/modifier/", partnership.project_change, name="project_change"),
    # the child and the adults around
    path("enfants/<uuid:pk>/", family.child_change, name="child_change"),
    path("enfants/<uuid:pk>/adulte/", family.adult_create, name="adult_create"),
    path("enfants/<uuid:pk>/residence/", family.residence_record, name="residence_record"),
    path("enfants/<uuid:pk>/scolarite/", family.schooling_record, name="schooling_record"),
    path("scolarites/<uuid:pk>/confirmation/", family.schooling_confirm, name="schooling_confirm"),
    # saisines and agreements
    path("saisines/", saisine.saisine_list, name="saisine_list"),
    path("saisines/recherche/", saisine.saisine_search, name="saisine_search"),
    path("saisines/nouvelle/", saisine.saisine_create, name="saisine_create"),
    path("enfants/<uuid:pk>/saisine/", saisine.saisine_again, name="saisine_again"),
    path("enfants/<uuid:pk>/fratrie/", saisine.saisine_sibling, name="saisine_sibling"),
    path("saisines/<uuid:pk>/", saisine.saisine_detail, name="saisine_detail"),
    path("saisines/<uuid:pk>/suivi/", saisine.saisine_assign, name="saisine_assign"),
    path("saisines/<uuid:pk>/suite/", saisine.saisine_outcome, name="saisine_outcome"),
    path("saisines/<uuid:pk>/echange/", saisine.saisine_entry, name="saisine_entry"),
    path("saisines/<uuid:pk>/accord/", agreement.agreement_present, name="agreement_present"),
    path("saisines/<uuid:pk>/accord-oral/", agreement.agreement_oral, name="agreement_oral"),
    path("saisines/<uuid:pk>/signature/", agreement.agreement_sign, name="agreement_sign"),
    path("saisines/<uuid:pk>/refus/", agreement.agreement_refuse, name="agreement_refuse"),
    path("parcours/<uuid:pk>/retrait-accord/", agreement.agreement_withdraw, name="agreement_withdraw"),
    path("saisines/<uuid:pk>/ouverture/", agreement.parcours_open, name="parcours_open"),
    # the coordination
    path("equipes/", board.team_list, name="team_list"),
    path("equipes/<slug:code>/", board.team_board, name="team_board"),
    path("equipes/<slug:code>/parcours/", board.team_parcours, name="team_parcours"),
    path("equipes/<slug:code>/recherche/", board.team_search, name="team_search"),
    path("avis/<uuid:pk>/regle/", board.notice_settle, name="notice_settle"),
    path("equipes/<slug:code>/chiffres/", statistics.team_statistics, name="team_statistics"),
    # the programme's figures
    path("statistiques/", statistics.statistics, name="statistics"),
    path("statistiques/fichiers/", statistics.export_create, name="export_create"),
    path("statistiques/fichiers/<uuid:pk>/", statistics.export_detail, name="export_detail"),
    path("statistiques/fichiers/<uuid:pk>/telecharger/", statistics.export_download, name="export_download"),
]
