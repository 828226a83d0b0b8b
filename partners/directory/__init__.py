"""The national school directory as a file: its editions, its mangled values, its lines. Writes nothing."""
