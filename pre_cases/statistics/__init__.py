"""The programme's figures on any interval: numbers, never records. One code, two exits: a coordinator's exact
figures of an own team, and the protected figures of the programme (``audit.disclosure``).

The definitions stand in ``docs/figures.md``; each table repeats its own in one French sentence.
"""
