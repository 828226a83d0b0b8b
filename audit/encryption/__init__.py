"""What is written about families, unreadable without its key: envelope, fields, keys and the key providers."""
