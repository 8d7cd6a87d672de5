"""How intake meets the world: store, API, events, pages."""
