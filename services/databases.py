"""The databases and roles of the services, on any PostgreSQL server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

SERVICES = ("intake", "routing", "notifications")
BUS_OWNER = "bus_owner"
BUS_CLIENT = "bus_client"


@dataclass(frozen=True, slots=True)
class Database:
    """A database: its owner runs the migrations, its users are what processes sign in as."""

    name: str
    owner: str
    users: tuple[str, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """The owner and the users."""
        return (self.owner, *self.users)


def service_database(service: str) -> Database:
    """Return the database of a service: <service> with <service>_owner, _web and _worker."""
    return Database(service, f"{service}_owner", (f"{service}_web", f"{service}_worker"))


def all_databases(services: Sequence[str]) -> list[Database]:
    """Return the databases of these services, intake's keys and the bus among them."""
    found = [service_database(service) for service in services]
    found += [
        Database("intake_keys", database.owner, database.users)
        for database in found
        if database.name == "intake"
    ]
    return [*found, Database("bus", BUS_OWNER, (BUS_CLIENT,))]


def create_roles(admin: str, passwords: Mapping[str, str]) -> None:
    """Make sure that these roles exist and sign in with these passwords.

    `admin` is the connection string of a superuser.
    """
    with psycopg.connect(admin) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('warm-handoff-roles'))")
        for role, password in passwords.items():
            known = connection.execute("select from pg_roles where rolname = %s", [role])
            verb = "alter" if known.rowcount else "create"
            connection.execute(
                sql.SQL("{} role {} login password {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.Literal(password)
                )
            )


def create_database(admin: str, database: Database, *, template: str = "template1") -> None:
    """Make sure that the database exists and that nobody but its roles may connect.

    Creates in schema public are the owner's alone. The roles must exist.
    """
    name, owner = sql.Identifier(database.name), sql.Identifier(database.owner)
    users = sql.SQL(", ").join(map(sql.Identifier, database.users))
    with psycopg.connect(admin, autocommit=True) as connection:
        if not connection.execute(
            "select from pg_database where datname = %s", [database.name]
        ).rowcount:
            connection.execute(
                sql.SQL("create database {} owner {} template {}").format(
                    name, owner, sql.Identifier(template)
                )
            )
        connection.execute(sql.SQL("revoke all on database {} from public").format(name))
        connection.execute(sql.SQL("grant connect on database {} to {}").format(name, users))
    with psycopg.connect(admin, dbname=database.name) as connection:
        connection.execute(sql.SQL("alter schema public owner to {}").format(owner))
        connection.execute("revoke all on schema public from public")


def drop_database(admin: str, name: str) -> None:
    """Drop a database and whoever is connected to it."""
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )
