"""Finding a child by name, in one's own scope, and finding out that a child is already known elsewhere."""
