"""Which records: the chainable adjectives, and the scopes that say who may reach them."""
