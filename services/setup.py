"""What makes a system ready: databases, tables, the site's files, the bus."""

import csv
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from joserfc.jwk import OKPKey
from psycopg.conninfo import make_conninfo

from intake.adapters.site_files import load_site_part as load_intake
from notifications.adapters.secrets_at_rest import Safe
from notifications.adapters.site_files import load_site_part as load_notifications
from routing.adapters.site_files import MEMBERS
from routing.adapters.site_files import load_site_part as load_routing
from services.access import grant_access
from services.databases import SERVICES, Database, all_databases, create_database, create_roles
from services.topics import all_topics
from shared.bus import open_bus
from shared.config import SetupSettings
from shared.db import Tx, open_pool, transaction
from shared.db.members import refuse_forbidden_combinations
from shared.db.migrate import upgrade
from shared.site import load_site

MIGRATIONS = {
    "intake": "intake.migrations",
    "intake_keys": "intake.migrations.keys",
    "routing": "routing.migrations",
    "notifications": "notifications.migrations",
}
Owners = Mapping[str, str]
"""The connection string of the owner of each database, by the database's name."""


def create_databases(settings: SetupSettings) -> None:
    """Make sure that the databases exist, with the roles whose passwords are given."""
    create_roles(settings.database, settings.role_passwords)
    for database in own_databases(settings):
        create_database(settings.database, database)


def own_databases(settings: SetupSettings) -> list[Database]:
    """Return the databases that this set-up cares for: those whose roles have passwords."""
    return [
        database
        for database in all_databases(SERVICES)
        if set(database.roles) <= set(settings.role_passwords)
    ]


def owners(settings: SetupSettings) -> Owners:
    """Return how the owner of each database of this set-up connects."""
    return {
        database.name: make_conninfo(
            settings.database,
            dbname=database.name,
            user=database.owner,
            password=settings.role_passwords[database.owner],
        )
        for database in own_databases(settings)
    }


def migrate(owners: Owners) -> None:
    """Bring the databases to the newest version.

    Raises:
        DatabaseIsNewer: one was used by a newer version of this software.

    """
    for name, dsn in owners.items():
        if name in MIGRATIONS:
            upgrade(dsn, MIGRATIONS[name])


def load(
    folder: Path, owners: Owners, *, issuer: str, agency: str, safe: Safe | None = None
) -> None:
    """Load the site's files into the services, each its own part: all of a part, or nothing.

    `safe` seals the secrets of webhooks; without one they are kept as they are, in a demo.

    Raises:
        Rejected: a file cannot be used; every fault is named.

    """
    refuse_forbidden_members(folder)
    parts: Mapping[str, Callable[[Tx], None]] = {
        "intake": lambda tx: load_intake(tx, folder, issuer=issuer, agency=agency),
        "routing": lambda tx: load_routing(tx, folder, issuer=issuer),
        "notifications": lambda tx: load_notifications(tx, folder, issuer=issuer, safe=safe),
    }
    for service, load_part in parts.items():
        if service in owners:
            with open_pool(owners[service], name="setup", size=1) as pool, transaction(pool) as tx:
                load_part(tx)


def refuse_forbidden_members(folder: Path) -> None:
    """Check the roles that each person of the members file holds, in whatever services.

    Each service knows its own members only; the file is the one place that has them all.

    Raises:
        Rejected: somebody would hold an oversight role beside one that meets people or referrals.

    """
    file = folder / MEMBERS
    if file.is_file():
        with file.open(encoding="utf-8-sig", newline="") as stream:
            refuse_forbidden_combinations(
                (row.get("subject", ""), row.get("role", "")) for row in csv.DictReader(stream)
            )


def create_bus(settings: SetupSettings) -> None:
    """Make sure that the topics exist, and that each service's user has its rights."""
    agencies = [agency.code for agency in load_site(settings.site).agencies]
    bus = open_bus(
        settings.bus, user=settings.bus_user, password=settings.bus_password, ca=settings.bus_ca
    )
    bus.create_topics(all_topics(agencies))
    if settings.bus_passwords:
        grant_access(settings, agencies)


def new_secrets(folder: Path) -> Iterator[str]:
    """Make the key files that do not exist yet; give the names of those made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ticket = OKPKey.generate_key("Ed25519", auto_kid=True)
    for name in ("agency.key", "contact.key"):
        if not (folder / name).exists():
            yield _write(folder / name, secrets.token_bytes(32))
    if not (folder / "ticket.jwk").exists():
        for name, private in (("ticket.jwk", True), ("ticket-public.jwk", False)):
            yield _write(folder / name, json.dumps(ticket.as_dict(private=private)).encode())


def _write(file: Path, content: bytes) -> str:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    return file.name
