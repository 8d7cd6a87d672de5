"""PostgreSQL keeps the promises of the store, with the grants of the worker's role."""

from tests.support.notifications import StorePromises


class TestPostgresStore(StorePromises):
    """The fixture `world` is the real database."""
