"""What both processes of intake are built around."""

from intake.adapters.keys import PostgresKeys
from shared.config import IntakeKeys
from shared.crypto import FileKeyWrapper
from shared.db import open_pool

_CONNECTIONS = 4


def open_keys(settings: IntakeKeys, process: str) -> PostgresKeys:
    """Return the keys of people and drafts, opened by the agency's key."""
    pool = open_pool(
        settings.keys_database, name=f"{process}-keys", size=_CONNECTIONS, autocommit=True
    )
    return PostgresKeys(pool, FileKeyWrapper(settings.agency_key))
