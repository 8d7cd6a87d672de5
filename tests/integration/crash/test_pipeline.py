"""The relay and the consume loop, killed at any step: every event takes effect once, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest

from shared.bus import (
    Behind,
    Message,
    Producer,
    Record,
    SendFailed,
    Subscription,
    TopicSpec,
    open_bus,
)
from shared.db import Pool, open_pool, transaction
from shared.db.outbox import Outbox
from shared.worker import Consumer, Inbox, Relay
from tests.support.databases import TestDatabase
from tests.support.dying import Process
from tests.support.units import begin
from tests.support.worker import EFFECTS, TYPE, note

AGENCY = "brva"
TOPIC = f"intake.referral.{AGENCY}"
LAST = 3


@dataclass
class DyingProducer:
    """The bus's own producer; the process can die before it sends and after it was told."""

    process: Process
    producer: Producer

    def send(self, messages: Sequence[Message]) -> list[SendFailed | None]:
        self.process.step()
        outcomes = self.producer.send(messages)
        self.process.step()
        return outcomes

    def close(self) -> None:
        self.producer.close()


@dataclass
class DyingSubscription:
    """The bus's own subscription; the process can die between the database's commit and its."""

    process: Process
    subscription: Subscription

    def poll(self, timeout: float) -> list[Record]:
        return self.subscription.poll(timeout)

    def commit(self, records: Sequence[Record]) -> None:
        self.process.step()
        self.subscription.commit(records)
        self.process.step()

    def lag(self) -> dict[str, Behind]:
        return dict(self.subscription.lag())

    def close(self) -> None:
        self.subscription.close()


@pytest.fixture
def pool(base_db: TestDatabase) -> Iterator[Pool]:
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(EFFECTS)
    with open_pool(base_db.owner, name="worker") as pool:
        yield pool


def test_every_event_takes_effect_once_and_in_order(
    pool: Pool, base_db: TestDatabase, bus_db: TestDatabase
) -> None:
    bus, process = open_bus(bus_db.client), Process()
    bus.create_topics({TOPIC: TopicSpec()})

    def work() -> None:
        relay = Relay(base_db.owner, DyingProducer(process, bus.producer("relay")))
        subscription = DyingSubscription(process, bus.subscribe("routing", [TOPIC]))
        consumer = Consumer(
            Inbox("routing", process.pool(pool), {TYPE: note}, begin), subscription, lambda: None
        )
        try:
            relay.step()
            consumer.step()
        finally:
            relay.close()
            consumer.close()

    for death in process.every_death():
        key = _publish(pool)
        with death:
            work()
        work()

        assert _effects(pool, key) == list(range(1, LAST + 1))


def _publish(pool: Pool) -> UUID:
    key = uuid4()
    with transaction(pool) as tx:
        for sequence in range(1, LAST + 1):
            Outbox(f"/intake/{AGENCY}").add(
                tx,
                type=TYPE,
                agency=AGENCY,
                key=key,
                sequence=sequence,
                data={"referral_id": key},
            )
    return key


def _effects(pool: Pool, key: UUID) -> list[int]:
    with transaction(pool) as tx:
        rows = tx.execute("select sequence from effect where key = %s order by n", (str(key),))
        return [row["sequence"] for row in rows]
