"""How routing meets the world: PostgreSQL, events, HTTP, HSDS files."""
