"""Deliveries leave at once, once each, and a bad endpoint harms nobody else."""

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications.adapters.addresses import Gate
from notifications.adapters.dispatcher import Dispatcher, Limits
from notifications.adapters.message import Message, Sender
from notifications.adapters.webhook import WebhookSender
from notifications.application.ports import Delivery
from notifications.application.tell import stop_offer, tell_of_offer
from notifications.domain.attempts import Answer, State, Verdict
from notifications.domain.notices import Owner
from shared.db import transaction
from tests.integration.notifications.conftest import OUTBOX, PostgresWorld
from tests.support.notifications import AUDIENCE, REFERENCE, an_occasion
from tests.support.sinks import Sink, a_sink, answering, in_turn


@pytest.fixture
def run(world: PostgresWorld) -> Iterator[Callable[..., Dispatcher]]:
    """Start dispatchers on the database that step when woken, each 20 ms at the latest."""
    stop = threading.Event()
    threads: list[tuple[threading.Thread, Dispatcher]] = []

    def start(
        senders: Mapping[str, Sender] | None = None, limits: Limits | None = None
    ) -> Dispatcher:
        own = senders or {"webhook": WebhookSender(Gate(demo=True), read_seconds=3.0)}
        dispatcher = Dispatcher(world.pool, OUTBOX, own, limits or Limits())

        def loop() -> None:
            while not stop.is_set():
                dispatcher.step()
                dispatcher.wake.wait(0.02)
                dispatcher.wake.clear()

        thread = threading.Thread(target=loop)
        thread.start()
        threads.append((thread, dispatcher))
        return dispatcher

    yield start
    stop.set()
    for thread, dispatcher in threads:
        thread.join()
        dispatcher.close()


def an_offer_to(
    world: PostgresWorld, partner: UUID, *, hours: float = 4, referral: UUID | None = None
) -> UUID:
    """Make an offer to the partner and return its referral."""
    occasion = an_occasion(referral_id=referral or uuid4())
    notice = AUDIENCE.offer(
        partner,
        offer_id=uuid4(),
        reference=REFERENCE,
        answer_by=datetime.now(UTC) + timedelta(hours=hours),
    )
    with world.store() as store:
        tell_of_offer(occasion, notice, store)
    return occasion.referral_id


def a_partner_at(world: PostgresWorld, sink: Sink) -> UUID:
    partner = uuid4()
    world.a_point(Owner.PARTNER, partner, "webhook", sink.url)
    return partner


def until(reached: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def only(world: PostgresWorld, referral: UUID) -> Delivery:
    (row,) = world.rows(referral)
    return row


def details(world: PostgresWorld, referral: UUID) -> dict[str, Any]:
    with transaction(world.pool) as tx:
        found = tx.execute("select * from delivery where referral_id = %s", (referral,)).fetchone()
    assert found is not None
    return found


def is_in(world: PostgresWorld, referral: UUID, *states: State) -> Callable[[], bool]:
    return lambda: all(row.state in states for row in world.rows(referral))


def test_a_delivery_leaves_as_soon_as_it_is_woken_for(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    with a_sink() as sink:
        partner = a_partner_at(world, sink)
        dispatcher = run()
        referral = an_offer_to(world, partner)
        dispatcher.wake.set()
        until(is_in(world, referral, State.DELIVERED))

    row = only(world, referral)
    assert (row.attempts, len(sink.received)) == (1, 1)
    assert sink.received[0].headers["webhook-id"] == str(row.delivery_id)
    assert world.published(referral) == [("delivered", row.delivery_id)]


def test_a_dead_partner_delays_nobody_and_gets_a_few_calls_at_a_time(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    with a_sink(lambda _: time.sleep(1.5)) as dead, a_sink() as alive:
        hanging, quick = a_partner_at(world, dead), a_partner_at(world, alive)
        for _ in range(12):
            an_offer_to(world, hanging)
        referrals = [an_offer_to(world, quick) for _ in range(12)]
        began = time.monotonic()
        run(limits=Limits(calls_per_channel=4, calls_per_endpoint=2))
        for referral in referrals:
            until(is_in(world, referral, State.DELIVERED))

        assert time.monotonic() - began < 1.4
        assert dead.calls_most == 2


def test_a_dead_mail_server_delays_no_webhook(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    mail = Hanging()
    for _ in range(9):
        reader = uuid4()
        world.a_point(Owner.PARTNER, reader)
        an_offer_to(world, reader)
    with a_sink() as sink:
        senders = {"email": mail, "webhook": WebhookSender(Gate(demo=True))}
        run(senders=senders, limits=Limits(calls_per_channel=4))
        until(lambda: mail.calls == 4)

        referral = an_offer_to(world, a_partner_at(world, sink))

        until(is_in(world, referral, State.DELIVERED))
        assert mail.calls == 4
        mail.over.set()


def test_two_workers_send_a_delivery_once(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    with a_sink() as sink:
        partners = [a_partner_at(world, sink) for _ in range(5)]
        referrals = [an_offer_to(world, partner) for partner in partners * 6]
        run()
        run()
        for referral in referrals:
            until(is_in(world, referral, State.DELIVERED))

        ids = [got.headers["webhook-id"] for got in sink.received]
    assert len(ids) == len(set(ids)) == 30


def test_a_failure_is_tried_again_after_the_standard_wait(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    with a_sink(in_turn(answering(500), answering(204))) as sink:
        referral = an_offer_to(world, a_partner_at(world, sink))
        run()
        until(is_in(world, referral, State.FAILED))
        waiting = details(world, referral)
        assert waiting["last_class"] == "status-500"
        wait = waiting["next_attempt_at"] - waiting["changed_at"]
        assert timedelta(seconds=5) <= wait <= timedelta(seconds=6)

        world.execute("update delivery set next_attempt_at = now()")
        until(is_in(world, referral, State.DELIVERED))

    assert len({got.headers["webhook-id"] for got in sink.received}) == 1
    assert only(world, referral).attempts == 2


def test_what_runs_out_of_time_is_told_while_a_person_can_still_call(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    """The third wait, 30 minutes, would end after the answer is due: given up now."""
    with a_sink(answering(503)) as sink:
        referral = an_offer_to(world, a_partner_at(world, sink), hours=0.3)
        world.execute("update delivery set attempts = 2")
        run()
        until(is_in(world, referral, State.EXHAUSTED))

    row = only(world, referral)
    assert world.published(referral) == [("exhausted", row.delivery_id)]


def test_nothing_is_sent_after_its_end(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    """R-16."""
    with a_sink() as sink:
        referral = an_offer_to(world, a_partner_at(world, sink), hours=-0.01)
        run()
        until(is_in(world, referral, State.EXHAUSTED))

    assert sink.received == []
    given_up = details(world, referral)
    assert given_up["last_class"] == "too-late"
    with transaction(world.pool) as tx:
        told = tx.execute("select headers from outbox where key = %s", (str(referral),)).fetchone()
    assert told is not None
    assert told["headers"]["traceparent"] == given_up["trace"]


def test_an_endpoint_that_is_gone_is_closed_and_what_waits_for_it_is_given_up(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    with a_sink(answering(410)) as sink:
        partner = a_partner_at(world, sink)
        referrals = [an_offer_to(world, partner) for _ in range(4)]
        run(limits=Limits(calls_per_endpoint=1))
        for referral in referrals:
            until(is_in(world, referral, State.EXHAUSTED))

    assert len(sink.received) == 1
    assert {name for referral in referrals for name, _ in world.published(referral)} == {
        "exhausted"
    }


def test_a_stopped_delivery_is_not_called(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    """R-15: pending sends stop when the release is revoked."""
    with a_sink() as sink:
        referral = an_offer_to(world, a_partner_at(world, sink))
        offer = only(world, referral).offer_id
        assert offer is not None
        with world.store() as store:
            stop_offer(an_occasion(referral_id=referral), offer, store)
        run()
        time.sleep(0.3)

    assert sink.received == []


def test_a_revocation_during_a_call_ends_its_repetition(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    def revoke(request: Any) -> None:
        offer = only(world, referral).offer_id
        assert offer is not None
        with world.store() as store:
            stop_offer(an_occasion(referral_id=referral), offer, store)
        answering(500)(request)

    with a_sink(revoke) as sink:
        referral = an_offer_to(world, a_partner_at(world, sink))
        run()
        until(is_in(world, referral, State.STOPPED))
        time.sleep(0.2)

    assert only(world, referral).state is State.STOPPED
    assert len(sink.received) == 1


def test_an_unforeseen_failure_of_a_sender_is_an_answer_too(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    partner = uuid4()
    world.a_point(Owner.PARTNER, partner)
    referral = an_offer_to(world, partner)
    run(senders={"email": Broken()})

    until(is_in(world, referral, State.FAILED))

    assert details(world, referral)["last_class"] == "sender-failed"


def test_a_worker_killed_between_call_and_record_sends_the_same_id_again(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    """The receiver tells the two apart by nothing: same webhook id, so one effect."""
    killed = threading.Event()

    def kill_first(request: Any) -> None:
        if not killed.is_set():
            process.kill()
            process.wait()
            killed.set()
        answering()(request)

    with a_sink(kill_first) as sink:
        referral = an_offer_to(world, a_partner_at(world, sink))
        process = subprocess.Popen([sys.executable, "-c", _WORKER, world.worker])
        until(killed.is_set, seconds=20)
        assert only(world, referral).state is State.SENDING

        run()
        until(is_in(world, referral, State.DELIVERED))

    ids = {got.headers["webhook-id"] for got in sink.received}
    assert (len(sink.received), len(ids)) == (2, 1)
    assert world.published(referral) == [("delivered", only(world, referral).delivery_id)]


def test_the_event_keeps_our_trace_and_the_partner_gets_that_of_the_delivery(
    world: PostgresWorld, run: Callable[..., Dispatcher]
) -> None:
    with a_sink() as sink:
        referral = an_offer_to(world, a_partner_at(world, sink))
        run()
        until(is_in(world, referral, State.DELIVERED))

    with transaction(world.pool) as tx:
        event = tx.execute("select headers, trace from outbox, delivery").fetchone()
    assert event is not None
    assert event["headers"]["traceparent"] == event["trace"]
    outside = sink.received[0].headers["traceparent"].split("-")[1]
    assert outside == only(world, referral).delivery_id.hex != event["trace"].split("-")[1]
    assert event["headers"]["ce_correlationid"] == "c-1"


class Broken:
    """A sender with a bug."""

    def send(self, message: Message) -> Answer:
        return replace(Answer("", Verdict.PERMANENT), code=message.nothing)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Hold nothing."""


class Hanging:
    """A sender whose server says nothing until it is over."""

    def __init__(self) -> None:
        self.over, self.calls = threading.Event(), 0

    def send(self, message: Message) -> Answer:
        self.calls += 1
        self.over.wait(20)
        return Answer("timeout", Verdict.TEMPORARY)

    def close(self) -> None:
        """Hold nothing."""


_WORKER = textwrap.dedent("""
    import sys, time
    from notifications.adapters.addresses import Gate
    from notifications.adapters.dispatcher import Dispatcher, Limits
    from notifications.adapters.webhook import WebhookSender
    from shared.db import open_pool
    from shared.db.outbox import Outbox

    pool = open_pool(sys.argv[1], name="killed")
    senders = {"webhook": WebhookSender(Gate(demo=True))}
    limits = Limits(lease_seconds=2.0)
    dispatcher = Dispatcher(pool, Outbox("/notifications/baton-rouge"), senders, limits)
    while True:
        dispatcher.step()
        time.sleep(0.02)
""")
