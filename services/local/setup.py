"""Makes the databases of a demo ready: roles, tables, the sample site."""

from services.local.databases import Database
from services.local.settings import Place
from services.setup import SERVICES, migrate
from shared.bus.postgres import create_schema


def prepare_databases(place: Place) -> None:
    """Make the databases and bring each to the newest version; the server runs."""
    server = place.postgres
    server.create_roles_and_databases(SERVICES)
    create_schema(server.dsn("bus", "bus_owner"))
    migrate(lambda database: _owner(place, database))


def load_sample(place: Place) -> None:
    """Load the sample site into the services."""


def _owner(place: Place, database: Database) -> str:
    return place.postgres.dsn(database.name, database.owner)
