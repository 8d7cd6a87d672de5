"""A worker's view of the notifications database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest

from notifications.adapters.store import PostgresStore, delivery_of
from notifications.application.ports import Delivery, Store
from notifications.domain.notices import Owner
from shared.db import Pool, open_pool, transaction
from shared.db.outbox import Outbox
from tests.support.databases import TestDatabase
from tests.support.notifications import SECRET

OUTBOX = Outbox("/notifications/baton-rouge")


@dataclass(frozen=True, slots=True)
class PostgresWorld:
    """The database as the worker may use it, and as its owner prepares it."""

    pool: Pool
    owner: str
    worker: str

    @contextmanager
    def store(self) -> Iterator[Store]:
        with transaction(self.pool) as tx:
            store = PostgresStore(tx, OUTBOX)
            yield store
            store.flush()

    def a_point(
        self,
        owner: Owner,
        owner_id: UUID,
        channel: str = "email",
        address: str = "staff@example.org",
    ) -> UUID:
        endpoint = uuid4()
        self.execute(
            "insert into contact_point"
            " (endpoint_id, owner_kind, owner_id, channel, address, secret)"
            " values (%s, %s, %s, %s, %s, %s)",
            endpoint,
            owner,
            owner_id,
            channel,
            address,
            SECRET.encode() if channel == "webhook" else None,
        )
        return endpoint

    def lease(self, delivery_id: UUID, attempts: int = 1) -> None:
        self.execute(
            "update delivery set state = 'sending', attempts = %s,"
            " leased_until = now() + interval '90 seconds' where delivery_id = %s",
            attempts,
            delivery_id,
        )

    def rows(self, referral_id: UUID) -> list[Delivery]:
        with transaction(self.pool) as tx:
            return [
                delivery_of(row)
                for row in tx.execute(
                    "select d.delivery_id, d.event_id, d.endpoint_id, d.referral_id, d.offer_id,"
                    " c.channel, d.template, d.state, d.attempts, d.not_after"
                    " from delivery d join contact_point c using (endpoint_id)"
                    " where d.referral_id = %s order by d.created_at, d.delivery_id",
                    (referral_id,),
                )
            ]

    def published(self, referral_id: UUID) -> list[tuple[str, UUID]]:
        with transaction(self.pool) as tx:
            rows = tx.execute(
                "select type, sequence, convert_from(payload, 'UTF8')::jsonb as data from outbox"
                " where key = %s order by id",
                (str(referral_id),),
            ).fetchall()
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        return [(row["type"].split(".")[2], UUID(row["data"]["delivery_id"])) for row in rows]

    def execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.owner) as connection:
            connection.execute(statement, values)


@pytest.fixture
def world(notifications_db: TestDatabase) -> Iterator[PostgresWorld]:
    with open_pool(notifications_db.worker, name="test", size=8) as pool:
        yield PostgresWorld(pool, notifications_db.owner, notifications_db.worker)
