"""Addresses of the people's own pages, of the accounts, of the administration and of the journal."""

from django.urls import path

from referents.views import (
    access,
    accounts,
    administration,
    closing,
    invitations,
    journal,
    memberships,
    second_factor,
)

urlpatterns = [
    path("charte/", access.charter_sign, name="charter_sign"),
    path("acces/", access.no_access, name="no_access"),
    path("second-facteur/", second_factor.second_factor, name="second_factor"),
    path("compte/securite/", second_factor.account_security, name="account_security"),
    path("compte/securite/deconnexion/", second_factor.sign_out_everywhere, name="sign_out_everywhere"),
    path("invitation/<str:token>/", invitations.invitation_accept, name="invitation_accept"),
    path("comptes/", accounts.account_list, name="account_list"),
    path("comptes/recherche/", accounts.account_search, name="account_search"),
    path("comptes/inviter/", accounts.account_invite, name="account_invite"),
    path("comptes/<int:pk>/", accounts.account_detail, name="account_detail"),
    path("comptes/<int:pk>/modifier/", accounts.account_change, name="account_change"),
    path("comptes/<int:pk>/suspendre/", closing.account_suspend, name="account_suspend"),
    path("comptes/<int:pk>/reactiver/", closing.account_reactivate, name="account_reactivate"),
    path("comptes/<int:pk>/terminer/", closing.account_end, name="account_end"),
    path("comptes/<int:pk>/second-facteur/", closing.second_factor_reset, name="second_factor_reset"),
    path("comptes/<int:pk>/inviter/", invitations.invitation_send, name="invitation_send"),
    path("comptes/<int:pk>/role/", memberships.membership_grant, name="membership_grant"),
    path("comptes/roles/<int:pk>/fin/", memberships.membership_end, name="membership_end"),
    path("administration/", administration.administration, name="administration"),
    path("administration/connexions/", administration.sign_in_list, name="sign_in_list"),
    path("journal/", journal.journal_list, name="journal_list"),
    path("journal/integrite/", journal.journal_integrity, name="journal_integrity"),
    path("journal/alertes/", journal.journal_alerts, name="journal_alerts"),
]
