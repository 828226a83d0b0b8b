"""The changes that people make to the case files; each is atomic, traced, and says why it refuses."""
