"""Events that reach their readers before those that they follow, on the real topics.

The relay's place is taken, as another one's would be: what is told meanwhile stays in the outbox.
Of each key all but the first of it, a hundred at most, is then produced, the last one first. Only
when every reader holds that back may the relay go on, which sends all of it in order.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from shared.contracts.catalogue import CATALOGUE
from shared.worker.relay import LOCK
from tests.faults.records import Kept


@dataclass(frozen=True, slots=True)
class Early:
    """An event before its turn. `place` is its source, key and sequence."""

    record: Kept
    place: tuple[str, str, int]
    readers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Relayless:
    """A service whose outbox nobody sends; `last` is the last row that anybody can have sent."""

    connection: psycopg.Connection[dict[str, Any]]
    last: int

    def followers(self) -> list[Early]:
        """Return what was told meanwhile and follows something that was, too; the last first."""
        rows = self.connection.execute(_FOLLOWERS, (self.last,)).fetchall()
        return [_early(row) for row in rows]


@contextmanager
def relayless(dsn: str) -> Iterator[Relayless]:
    """Take the place of a service's relay for the block."""
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
        while not _one(connection, "select pg_try_advisory_lock(%s) as found", LOCK):
            connection.execute(_CUT_THE_ACTIVE_ONE, (LOCK,))
        last = _one(connection, "select coalesce(max(id), 0) as found from outbox")
        yield Relayless(connection, last)


def number_held(dsn: str, early: Sequence[Early]) -> int:
    """Return how many of the events a reader holds back until their turn."""
    sources, keys, sequences = zip(*(each.place for each in early), strict=True)
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        row = connection.execute(_HELD, (list(sources), list(keys), list(sequences))).fetchone()
    assert row is not None
    return int(row["found"])


def _one(connection: psycopg.Connection[dict[str, Any]], statement: str, *given: object) -> Any:
    row = connection.execute(statement, given).fetchone()
    assert row is not None
    return row["found"]


def _early(row: dict[str, Any]) -> Early:
    headers = tuple((name, value.encode()) for name, value in row["headers"].items())
    record = Kept(row["topic"], row["key"].encode(), headers, bytes(row["payload"]))
    place = (row["headers"]["ce_source"], row["key"], row["sequence"])
    return Early(record, place, CATALOGUE[row["type"]].readers)


_CUT_THE_ACTIVE_ONE = """
select pg_terminate_backend(pid, 5000) from pg_locks
where locktype = 'advisory' and objid = %s and granted
  and database = (select oid from pg_database where datname = current_database())
"""
_FOLLOWERS = """
select topic, key, sequence, type, headers, payload from (
  select *, row_number() over (partition by key order by sequence) as turn from outbox
  where id > %s and topic <> 'routing.partner') as meanwhile
where turn > 1 order by id desc limit 100
"""
_HELD = """
select count(*) as found from held
join unnest(%s::text[], %s::text[], %s::bigint[]) as e (source, key, sequence)
  using (source, key, sequence)
"""
