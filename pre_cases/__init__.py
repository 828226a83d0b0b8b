"""The case files of the PRE: children, parcours, reviews, and the programme's figures."""
