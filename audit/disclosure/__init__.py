"""Disclosure control of published counts: pure Python, no Django, usable alone.

Two things live here. The engine (``protection.protect``): complementary suppression with a witness for every goal,
which ``python -m audit.disclosure`` runs for a statistician; see docs/disclosure.md. And the rule of the application's
own files (``cells``, ``suppression``), in force there until the engine replaces it. A count ``n`` of persons is *small*
when ``0 < n < threshold``. For each table, if one of its counts is small, at the top geography or at a lower one, every
cell except the total of the top geography is suppressed, and so is that total if it is itself small. Tables whose
subjects are not persons (establishments, projects, teams) are exempt. A derived cell (a share, a mean, a median)
follows the count it was computed from, and leaves no mark where that count is suppressed: it exists only where somebody
was counted. Declared *relations* extend the rule to the counts that a reader obtains by
adding and subtracting figures of several tables: a small one suppresses the table that the relation names.

What it guarantees:

* no published count of persons is small, and no mark tells a small cell from one that it took along;
* within one table whose categories are apart nothing can be subtracted: either every cell is published, and none is
  small, or nothing is published but the total of the top geography; categories that overlap need declared relations;
* no declared relation between published counts gives a small count.

What it does not guarantee, and what only complementary suppression with witnesses will:

* differences between tables that no relation declares (another classification of the same children, two
  periods that overlap, two extractions of one period before and after a correction);
* what a team learns by subtracting its own children, whom it knows exactly, from the figures of its area;
* group disclosure: a published 0, or a category that holds a whole group, says something of everybody in it;
* amounts dominated by one contributor.
"""
