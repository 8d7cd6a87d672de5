"""What makes the databases of a system ready, on any PostgreSQL server."""

from collections.abc import Callable

from services.local.databases import Database, all_databases
from shared.db.migrate import upgrade

SERVICES = ("intake", "routing", "notifications")
MIGRATIONS = {
    "intake": "intake.migrations",
    "intake_keys": "intake.migrations.keys",
    "routing": "routing.migrations",
    "notifications": "notifications.migrations",
}
Connect = Callable[[Database], str]
"""Gives the connection string of a database's owner."""


def migrate(connect: Connect) -> None:
    """Bring every database to the newest version.

    Raises:
        DatabaseIsNewer: one was used by a newer version of this software.

    """
    for database in all_databases(SERVICES):
        if database.name in MIGRATIONS:
            upgrade(connect(database), MIGRATIONS[database.name])
