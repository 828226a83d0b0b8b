"""Addresses of the people's own pages, of the accounts and of the journal."""

from django.urls import path

from referents.views import access, accounts, journal, second_factor

urlpatterns = [
    path("charte/", access.charter_sign, name="charter_sign"),
    path("acces/", access.no_access, name="no_access"),
    path("second-facteur/", second_factor.second_factor, name="second_factor"),
    path("compte/securite/", second_factor.account_security, name="account_security"),
    path("compte/securite/deconnexion/", second_factor.sign_out_everywhere, name="sign_out_everywhere"),
    path("comptes/", accounts.account_list, name="account_list"),
    path("journal/", journal.journal_list, name="journal_list"),
]
