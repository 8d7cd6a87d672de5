"""Makes the databases of a demo ready: roles, tables, the sample site."""

from services.databases import SERVICES, all_databases
from services.local.settings import AGENCY, Place
from services.setup import load, migrate
from shared.bus.postgres import create_schema


def prepare_databases(place: Place) -> None:
    """Make the databases and bring each to the newest version; the server runs."""
    server = place.postgres
    server.create_roles_and_databases(SERVICES)
    create_schema(server.dsn("bus", "bus_owner"))
    migrate(_owners(place))


def load_sample(place: Place) -> None:
    """Load the sample site into the services."""
    load(place.folder.site, _owners(place), issuer=place.issuer, agency=AGENCY)


def _owners(place: Place) -> dict[str, str]:
    databases = all_databases(SERVICES)
    return {found.name: place.postgres.dsn(found.name, found.owner) for found in databases}
