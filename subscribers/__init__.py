"""Who reads, about what, and with what consent. Knows nothing of papers."""
