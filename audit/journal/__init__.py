"""Who saw or changed what, and when: ids, never values; appended, never altered."""
