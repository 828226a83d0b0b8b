"""Fixtures shared by the whole suite: the settings' environment, the cast, and an open key ring."""
