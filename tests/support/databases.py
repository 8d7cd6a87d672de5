"""PostgreSQL for tests: one server a run, a migrated template a service, a clone a test."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
from psycopg.conninfo import make_conninfo

from services.databases import (
    Database,
    all_databases,
    create_database,
    create_roles,
    drop_database,
)
from services.local.postgres import LocalPostgres
from shared.bus.postgres import create_schema
from shared.db import Tx
from shared.db.migrate import upgrade
from shared.db.schema import WHOLE_BASE_SQL
from tests.support.places import a_place

SERVICES = ("intake", "routing", "notifications")
DATABASES: Mapping[str, Database] = {found.name: found for found in all_databases(SERVICES)}
_IMAGE = "postgres:18"
_PASSWORD = "password-of-tests"


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A database of one test, as connection strings: the superuser's and each role's."""

    __test__ = False

    name: str
    admin: str
    roles: Mapping[str, str]

    @property
    def owner(self) -> str:
        """The role that owns the tables."""
        return next(dsn for role, dsn in self.roles.items() if role.endswith("_owner"))

    @property
    def web(self) -> str:
        """The role of the web process."""
        return next(dsn for role, dsn in self.roles.items() if role.endswith("_web"))

    @property
    def worker(self) -> str:
        """The role of the worker process."""
        return next(dsn for role, dsn in self.roles.items() if role.endswith("_worker"))

    @property
    def client(self) -> str:
        """The role that uses the bus."""
        return next(dsn for role, dsn in self.roles.items() if role.endswith("_client"))


class Server:
    """A PostgreSQL server on which tests may create databases and roles."""

    def __init__(self, admin: str) -> None:
        """Use the server at `admin`, a superuser's connection string."""
        self._admin = admin
        self._run = f"{os.getpid()}_{secrets.token_hex(3)}"
        self._templates: dict[str, Database] = {}
        roles = sorted({role for database in DATABASES.values() for role in database.roles})
        create_roles(admin, dict.fromkeys(roles, _PASSWORD))

    @contextmanager
    def clone(self, name: str) -> Iterator[TestDatabase]:
        """Give a fresh copy of a service's migrated database, dropped afterwards."""
        template = self._template(name)
        with self._new(template, template.name) as database:
            yield database

    @contextmanager
    def empty(self, name: str) -> Iterator[TestDatabase]:
        """Give a service's database before its first migration, dropped afterwards."""
        with self._new(replace(DATABASES[name], name=f"t_{self._run}_{name}")) as database:
            yield database

    @contextmanager
    def _new(self, like: Database, template: str = "template1") -> Iterator[TestDatabase]:
        made = replace(like, name=f"{like.name}_{secrets.token_hex(4)}")
        create_database(self._admin, made, template=template)
        try:
            yield self._as_roles(made)
        finally:
            drop_database(self._admin, made.name)

    def drop_templates(self) -> None:
        """Drop what the run has left."""
        for database in self._templates.values():
            drop_database(self._admin, database.name)

    def _template(self, name: str) -> Database:
        if name not in self._templates:
            kind = DATABASES["intake" if name == "base" else name]
            database = replace(kind, name=f"t_{self._run}_{name}")
            create_database(self._admin, database)
            self._templates[name] = database
            _fill(name, self._as_roles(database))
        return self._templates[name]

    def _as_roles(self, database: Database) -> TestDatabase:
        admin = make_conninfo(self._admin, dbname=database.name)
        roles = {
            role: make_conninfo(admin, user=role, password=_PASSWORD) for role in database.roles
        }
        return TestDatabase(database.name, admin, roles)


def _fill(name: str, database: TestDatabase) -> None:
    if name == "base":
        with psycopg.connect(database.owner) as connection:
            connection.execute(WHOLE_BASE_SQL)
    elif name == "bus":
        create_schema(database.owner)
    elif name == "intake_keys":
        upgrade(database.owner, "intake.migrations.keys")
    else:
        upgrade(database.owner, f"{name}.migrations")


@contextmanager
def a_server() -> Iterator[Server]:
    """Give a server: the one of DATABASE_URL, else one in Docker, else an embedded one."""
    with _an_address() as admin:
        server = Server(admin)
        try:
            yield server
        finally:
            server.drop_templates()


@contextmanager
def _an_address() -> Iterator[str]:
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
    elif image_is_here(_IMAGE):
        from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415  (slow)

        with PostgresContainer(_IMAGE, driver=None) as container:
            yield container.get_connection_url()
    else:
        with an_embedded_server(durable=False) as local:
            yield local.dsn("postgres")


@contextmanager
def an_embedded_server(*, durable: bool) -> Iterator[LocalPostgres]:
    """Give an embedded server in a new folder, both gone afterwards."""
    local = LocalPostgres(a_place("pg"), durable=durable)
    command = [sys.executable, "-m", "tests.support.keeper", str(local.folder)]
    local.start()
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
        yield local


def image_is_here(image: str) -> bool:
    """Tell whether Docker answers and has what a container takes, so that no test fetches it."""
    program = shutil.which("docker")
    if program is None:
        return False
    from testcontainers.core.config import testcontainers_config as config  # noqa: PLC0415  (slow)

    needed = [image] if config.ryuk_disabled else [image, config.ryuk_image]
    command = [program, "image", "inspect", *needed]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def rows_read(tx: Tx, *tables: str) -> int:
    """Return how many rows of the tables this connection has read so far."""
    row = tx.execute(_ROWS_READ, (list(tables),)).fetchone()
    assert row is not None
    return int(row["rows"])


_ROWS_READ = """
select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as rows from pg_stat_xact_user_tables
where relname = any(%s)
"""
