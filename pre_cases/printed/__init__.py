"""What is handed over on paper, as tagged PDF: a fiche de sollicitation, a family's parcours, a bilan."""
