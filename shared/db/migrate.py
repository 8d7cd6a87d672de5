"""Schema migrations by Alembic: plain SQL, forward only."""

from importlib.resources import as_file, files
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool


class DatabaseIsNewer(Exception):
    """The database was migrated by a newer version of this software."""


def upgrade(dsn: str, package: str, *, to: str = "head") -> None:
    """Bring the database to the newest migration of `package` ("intake.migrations"), or `to` one.

    The migrations lie in the package's folder `versions`. One that was released never changes:
    databases that have it would not get the change.

    Raises:
        DatabaseIsNewer: its revision is none that this version knows.

    """
    with as_file(files(package)) as folder:
        config = _config(folder)
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool
        )
        with engine.begin() as connection:
            current = _current(dsn)
            if current and current not in _revisions(config):
                raise DatabaseIsNewer(f"the database of {package} is at {current}")
            config.attributes["connection"] = connection
            command.upgrade(config, to)


def _config(folder: Path) -> Config:
    config = Config()
    with as_file(files("shared.db") / "alembic_env") as environment:
        config.set_main_option("script_location", str(environment))
    config.set_main_option("version_locations", str(folder / "versions"))
    config.set_main_option("path_separator", "newline")
    return config


def _revisions(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _current(dsn: str) -> str | None:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select to_regclass('alembic_version') is not null").fetchone()
        if not row or not row[0]:
            return None
        found = connection.execute("select version_num from alembic_version").fetchone()
        return str(found[0]) if found else None
