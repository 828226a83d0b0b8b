"""Addresses of the people's own pages, of the accounts and of the journal."""

from django.urls import path

from referents.views import access, accounts, journal

urlpatterns = [
    path("charte/", access.charter_sign, name="charter_sign"),
    path("acces/", access.no_access, name="no_access"),
    path("comptes/", accounts.account_list, name="account_list"),
    path("journal/", journal.journal_list, name="journal_list"),
]
