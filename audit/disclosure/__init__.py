"""Disclosure control of published counts: pure Python, no Django, usable alone.

Complementary suppression with a witness for every goal (``protection.protect``), which ``python -m audit.disclosure``
runs for a statistician and ``pre_cases/statistics`` for the programme's files; see docs/disclosure.md. What it does not
do: group disclosure (a published 0, or a category that holds a whole group, says something of everybody in it), unless
the figure is stated as primary.
"""
