"""Intake on a real database: its web and its worker, each in its own role."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from intake.adapters.following import PostgresFollowing, following
from intake.adapters.keys import PostgresKeys
from intake.adapters.units import Units
from shared.crypto import FileKeyWrapper
from shared.db import Pool, open_pool, transaction
from tests.support.databases import TestDatabase
from tests.unit.intake.builders import RULES


@dataclass(frozen=True, slots=True)
class World:
    """`web` and `worker` open units of work; `admin` and `keys_admin` see everything."""

    web: Units
    worker: Units
    admin: Pool
    keys_admin: Pool
    worker_pool: Pool
    worker_keys: PostgresKeys
    web_pool: Pool

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with transaction(self.admin) as tx:
            return tx.execute(f"select from {table}").rowcount

    @contextmanager
    def following(self) -> Iterator[PostgresFollowing]:
        """Give a unit of work of what routing tells, as the worker opens one."""
        with transaction(self.worker_pool) as tx:
            work = following(tx)
            yield work
            work.flush()


@contextmanager
def a_world(database: TestDatabase, keys: TestDatabase, folder: Path) -> Iterator[World]:
    """Give a world of an agency with a new key."""
    file = folder / "agency.key"
    file.write_bytes(bytes(range(32)))
    wrapper = FileKeyWrapper(file)
    with (
        open_pool(database.web, name="web", size=8) as web,
        open_pool(database.worker, name="worker") as worker,
        open_pool(keys.web, name="keys-web", size=8) as keys_web,
        open_pool(keys.worker, name="keys-worker") as keys_worker,
        open_pool(database.admin, name="admin") as admin,
        open_pool(keys.admin, name="keys-admin") as keys_admin,
    ):
        worker_keys = PostgresKeys(keys_worker, wrapper)
        yield World(
            web=Units(web, PostgresKeys(keys_web, wrapper), RULES),
            worker=Units(worker, worker_keys, RULES),
            admin=admin,
            keys_admin=keys_admin,
            worker_pool=worker,
            worker_keys=worker_keys,
            web_pool=web,
        )
