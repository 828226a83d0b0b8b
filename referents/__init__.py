"""The professionals who sign in: accounts, teams, dated memberships, and how a permission is checked."""
