"""Mechanism: journal, history, encryption and disclosure control. Knows nothing of the case files."""
