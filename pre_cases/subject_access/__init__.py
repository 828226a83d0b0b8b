"""Everything held about one child, in plain words, for the family that asks for it (GDPR, article 15)."""
