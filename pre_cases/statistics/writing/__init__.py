"""The files of a report: tidy CSV, one workbook, one archive. The same report gives the same bytes."""
