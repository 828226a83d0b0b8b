"""Changes to accounts, memberships and charters."""
