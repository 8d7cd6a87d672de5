"""What makes a system ready: databases, tables, the site's files, the bus."""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from joserfc.jwk import OKPKey
from psycopg.conninfo import make_conninfo

from notifications.adapters.site_files import load_site_part as load_notifications
from services.access import grant_access
from services.local.databases import Database, all_databases, create_database, create_roles
from services.topics import all_topics
from shared.bus import open_bus
from shared.config import SetupSettings
from shared.db import open_pool, transaction
from shared.db.migrate import upgrade
from shared.site import load_site

SERVICES = ("intake", "routing", "notifications")
MIGRATIONS = {
    "intake": "intake.migrations",
    "intake_keys": "intake.migrations.keys",
    "routing": "routing.migrations",
    "notifications": "notifications.migrations",
}
Connect = Callable[[str], str]
"""Gives the connection string of the owner of a database, by the database's name."""
_DATABASES = {found.name: found for found in all_databases(SERVICES)}


def create_databases(settings: SetupSettings) -> None:
    """Make sure that the services' databases and roles exist, with the passwords given."""
    create_roles(settings.database, settings.role_passwords)
    for database in _used_databases(settings):
        create_database(settings.database, database)


def owners(settings: SetupSettings) -> Connect:
    """Return how the owners of the databases connect."""

    def connect(name: str) -> str:
        owner = _DATABASES[name].owner
        password = settings.role_passwords[owner]
        return make_conninfo(settings.database, dbname=name, user=owner, password=password)

    return connect


def migrate(connect: Connect) -> None:
    """Bring every database to the newest version.

    Raises:
        DatabaseIsNewer: one was used by a newer version of this software.

    """
    for name, package in MIGRATIONS.items():
        upgrade(connect(name), package)


def load(folder: Path, connect: Connect, issuer: str, agency: str) -> None:
    """Load the site's files into the services, each its own part.

    Raises:
        Rejected: a file cannot be used; every fault is named.

    """
    with open_pool(connect("notifications"), name="setup") as pool, transaction(pool) as tx:
        load_notifications(tx, folder, issuer=issuer)


def create_bus(settings: SetupSettings) -> None:
    """Make sure that the topics exist, and that each service's user has its rights."""
    agencies = [agency.code for agency in load_site(settings.site).agencies]
    bus = open_bus(
        settings.bus, user=settings.bus_user, password=settings.bus_password, ca=settings.bus_ca
    )
    bus.create_topics(all_topics(agencies))
    if settings.bus_user:
        grant_access(settings, agencies)


def new_secrets(folder: Path) -> Iterator[str]:
    """Make the key files that do not exist yet; give the names of those made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ticket = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "EdDSA"}, auto_kid=True)
    if not (folder / "agency.key").exists():
        yield _write(folder / "agency.key", secrets.token_bytes(32))
    if not (folder / "ticket.jwk").exists():
        for name, private in (("ticket.jwk", True), ("ticket-public.jwk", False)):
            yield _write(folder / name, json.dumps(ticket.as_dict(private=private)).encode())


def _write(file: Path, content: bytes) -> str:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    return file.name


def _used_databases(settings: SetupSettings) -> list[Database]:
    """Return the databases whose roles have passwords: the bus has none where Kafka is it."""
    return [d for d in _DATABASES.values() if set(d.roles) <= set(settings.role_passwords)]
