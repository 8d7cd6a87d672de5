"""Makes the databases of a demo ready: roles, tables, the sample site."""

from services.local.settings import AGENCY, Place
from services.setup import SERVICES, load, migrate
from shared.bus.postgres import create_schema


def prepare_databases(place: Place) -> None:
    """Make the databases and bring each to the newest version; the server runs."""
    server = place.postgres
    server.create_roles_and_databases(SERVICES)
    create_schema(server.dsn("bus", "bus_owner"))
    migrate(lambda name: _owner(place, name))


def load_sample(place: Place) -> None:
    """Load the sample site into the services."""
    load(place.folder.site, lambda name: _owner(place, name), place.issuer, AGENCY)


def _owner(place: Place, database: str) -> str:
    service = database.removesuffix("_keys")
    return place.postgres.dsn(database, f"{service}_owner")
