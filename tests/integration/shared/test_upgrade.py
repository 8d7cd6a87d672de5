"""A database that an earlier version made goes on with this one, with all that it holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from services.setup import MIGRATIONS
from shared.db.migrate import upgrade
from tests.support.catalog import schema_of
from tests.support.databases import SERVICES, Server, TestDatabase

_ROWS = Path(__file__).parent / "rows_at_0001"
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database(postgres: Server, service: str) -> Iterator[TestDatabase]:
    """Give a database at the first migration, with rows in it."""
    with postgres.empty(service) as database:
        upgrade(database.owner, MIGRATIONS[service], to="0001")
        with psycopg.connect(database.owner) as connection:
            for name in ("every_service", service):
                connection.execute((_ROWS / f"{name}.sql").read_bytes())
        yield database


def test_an_upgrade_keeps_every_row(database: TestDatabase, service: str) -> None:
    before = rows_of(database)

    upgrade(database.owner, MIGRATIONS[service])

    after = rows_of(database)
    assert {table for table, rows in before.items() if rows} >= {"repair", "parked", "outbox"}
    for table, rows in before.items():
        known = [{name: row[name] for name in rows[0]} for row in after[table]] if rows else []
        assert known == rows, table


def test_an_upgraded_database_is_like_a_new_one(
    postgres: Server, database: TestDatabase, service: str
) -> None:
    upgrade(database.owner, MIGRATIONS[service])

    with postgres.clone(service) as new:
        assert schema_of(database.admin) == schema_of(new.admin)


def test_what_a_database_has_already_of_0002_is_no_hindrance(
    postgres: Server, service: str
) -> None:
    """For a time the tables of 0002 were made under the number 0001."""
    with postgres.clone(service) as new, postgres.clone(service) as early:
        with psycopg.connect(early.owner) as connection:
            connection.execute((_ROWS / "every_service.sql").read_bytes())
            connection.execute("update alembic_version set version_num = '0001'")
        before = rows_of(early)

        upgrade(early.owner, MIGRATIONS[service])

        assert rows_of(early) == before
        assert schema_of(early.admin) == schema_of(new.admin)


def test_waiting_repairs_keep_their_order_and_new_ones_come_after(
    database: TestDatabase, service: str
) -> None:
    upgrade(database.owner, MIGRATIONS[service])

    with psycopg.connect(database.web) as web:
        web.execute(
            "insert into repair (action, consumer, reason, asked_by, asked_at)"
            " values ('resend', 'new', 'r', gen_random_uuid(), '2020-01-01')"
        )
        found = web.execute("select consumer, number from repair order by number").fetchall()
    assert found == [("first", 1), ("second", 2), ("third", 3), ("new", 4)]


@pytest.mark.parametrize("service", ["routing"], indirect=True)
def test_an_offer_made_before_knows_when_its_release_ends(
    database: TestDatabase, service: str
) -> None:
    upgrade(database.owner, MIGRATIONS[service])

    with psycopg.connect(database.worker) as worker:
        found = worker.execute(
            "select release_expires_at = expires_at from offer join release using (release_id)"
        ).fetchall()
    assert found == [(True,), (True,)]


@pytest.mark.parametrize("service", ["routing"], indirect=True)
def test_who_waited_for_a_place_before_has_a_clock(database: TestDatabase, service: str) -> None:
    """R-44."""
    with psycopg.connect(database.owner) as owner:
        owner.execute("update referral set state = 'waiting-for-place'")

    upgrade(database.owner, MIGRATIONS[service])

    with psycopg.connect(database.worker) as worker:
        found = worker.execute("select place_by <= now() from referral").fetchall()
    assert found == [(True,)]


def rows_of(database: TestDatabase) -> Rows:
    """Return the rows of every table."""
    with psycopg.connect(database.admin, row_factory=dict_row) as connection:
        tables = connection.execute(
            "select tablename from pg_tables"
            " where schemaname = 'public' and tablename <> 'alembic_version'"
        ).fetchall()
        return {
            table: connection.execute(
                sql.SQL("select * from {} t order by t").format(sql.Identifier(table))
            ).fetchall()
            for table in (row["tablename"] for row in tables)
        }
