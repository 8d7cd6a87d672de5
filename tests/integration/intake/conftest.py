"""Intake's own fixtures: one database a module, emptied for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.db import transaction
from tests.integration.intake.worlds import World, a_world
from tests.support.databases import Server

_TABLES = """
select string_agg(quote_ident(tablename), ', ') as names from pg_tables
where schemaname = 'public' and tablename <> 'alembic_version'
"""


@pytest.fixture(scope="module")
def shared_world(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give intake on a real database, with what earlier tests left."""
    folder: Path = tmp_path_factory.mktemp("agency")
    with (
        postgres.clone("intake") as database,
        postgres.clone("intake_keys") as keys,
        a_world(database, keys, folder) as world,
    ):
        yield world


@pytest.fixture
def world(shared_world: World) -> World:
    """Give intake on a real, empty database."""
    for pool in (shared_world.admin, shared_world.keys_admin):
        with transaction(pool) as tx:
            row = tx.execute(_TABLES).fetchone()
            assert row is not None
            tx.execute(f"truncate {row['names']} cascade")
    return shared_world
