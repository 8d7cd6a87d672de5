"""Notifications, killed at any step: a message comes once or twice, under one id."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from uuid import uuid4

import pytest

from notifications.adapters.addresses import Gate
from notifications.adapters.dispatcher import Dispatcher
from notifications.adapters.events import CONSUMER, FINAL, IMMEDIATE, Events
from notifications.adapters.message import Message, Sender
from notifications.adapters.store import PostgresStore
from notifications.adapters.webhook import WebhookSender
from notifications.domain.attempts import Answer, State
from notifications.domain.notices import Owner
from shared.db import Pool, open_pool
from shared.worker import Inbox
from tests.integration.notifications.conftest import OUTBOX, PostgresWorld
from tests.integration.notifications.test_dispatcher import a_partner_at, an_offer_to
from tests.integration.notifications.test_events import Referral
from tests.support.databases import TestDatabase
from tests.support.dying import Process
from tests.support.notifications import AUDIENCE, PARTNER
from tests.support.sinks import a_sink


@dataclass
class DyingSender:
    """The webhooks' own sender; the process can die before the call and after it."""

    process: Process
    sender: Sender

    def send(self, message: Message) -> Answer:
        self.process.step()
        answer = self.sender.send(message)
        self.process.step()
        return answer

    def close(self) -> None:
        self.sender.close()


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def world(notifications_db: TestDatabase) -> Iterator[PostgresWorld]:
    with open_pool(notifications_db.worker, name="worker") as pool:
        yield PostgresWorld(pool, notifications_db.owner, notifications_db.worker)


def test_an_event_becomes_one_delivery_for_each_endpoint(
    world: PostgresWorld, process: Process
) -> None:
    endpoints = [world.a_point(Owner.PARTNER, PARTNER) for _ in range(2)]
    dying, alive = (_inbox(pool) for pool in (process.pool(world.pool), world.pool))

    for death in process.every_death():
        referral = Referral()
        records = [referral.offered(uuid4())]
        with death:
            dying.apply(records)
        alive.apply(records)

        found = [row.endpoint_id for row in world.rows(referral.referral_id)]
        assert sorted(found) == sorted(endpoints)


def test_a_webhook_is_called_under_one_id_until_the_call_is_recorded(
    world: PostgresWorld, process: Process
) -> None:
    """R-58."""
    with a_sink() as sink:
        partner = a_partner_at(world, sink)
        calls = []
        for death in process.every_death():
            referral_id = an_offer_to(world, partner)
            with death:
                _dispatch(process.pool(world.pool), process)
            world.execute("update delivery set leased_until = now() where state = 'sending'")
            _dispatch(world.pool, process)

            (row,) = world.rows(referral_id)
            ids = [got.headers["webhook-id"] for got in sink.received]
            calls.append(ids.count(str(row.delivery_id)))
            assert row.state is State.DELIVERED
            assert world.published(referral_id) == [("delivered", row.delivery_id)]

    assert set(calls) == {1, 2}


def _inbox(pool: Pool) -> Inbox[PostgresStore]:
    events = Events(AUDIENCE, OUTBOX)
    return Inbox(CONSUMER, pool, events.handlers(), events.begin, IMMEDIATE, FINAL)


def _dispatch(pool: Pool, process: Process) -> None:
    """Run a dispatcher for one step, and let the calls that it began end, or die."""
    sender = DyingSender(process, WebhookSender(Gate(demo=True)))
    with closing(Dispatcher(pool, OUTBOX, {"webhook": sender})) as dispatcher:
        dispatcher.step()
        dispatcher.wake.wait(1)
        dispatcher.step()
    process.step()
