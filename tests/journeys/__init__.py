"""Journeys in a real browser; a package, so that what its fixtures change ends with it."""
