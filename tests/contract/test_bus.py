"""What both engines of the bus promise."""

import gc
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import psycopg
import pytest

from shared.bus import (
    LARGEST_VALUE,
    Behind,
    Bus,
    Message,
    Producer,
    Record,
    SendFailed,
    Subscription,
    TopicSpec,
    open_bus,
)
from shared.errors import TransientError
from tests.support.brokers import an_own_broker
from tests.support.databases import TestDatabase

NOWHERE = {"postgres": "host=/nowhere dbname=bus user=bus_client", "kafka": "kafka://127.0.0.1:1"}


@dataclass(frozen=True)
class Breakable:
    """A bus with what makes it fail and come back."""

    bus: Bus
    break_and_mend: Callable[[], None]


@pytest.fixture(params=["postgres", "kafka"])
def bus(request: pytest.FixtureRequest) -> Bus:
    if request.param == "postgres":
        database: TestDatabase = request.getfixturevalue("bus_db")
        return open_bus(database.client)
    return open_bus(request.getfixturevalue("kafka_url"))


@pytest.fixture(params=["postgres", "kafka"])
def breakable(request: pytest.FixtureRequest) -> Iterator[Breakable]:
    if request.param == "postgres":
        database: TestDatabase = request.getfixturevalue("bus_db")
        yield Breakable(open_bus(database.client), lambda: cut_connections(database))
        return
    with an_own_broker() as broker:

        def kill_and_start() -> None:
            broker.kill()
            broker.start()

        yield Breakable(open_bus(broker.url), kill_and_start)


@pytest.fixture
def closing() -> Iterator[Callable[[object], None]]:
    opened: list[Producer | Subscription] = []
    yield opened.append  # type: ignore[misc]
    for one in reversed(opened):
        one.close()


@pytest.fixture
def site(bus: Bus) -> str:
    """Name that no other test's topics and groups have, with one topic made."""
    name = f"t{uuid4().hex[:10]}"
    bus.create_topics({f"{name}.a": TopicSpec()})
    return name


def cut_connections(database: TestDatabase) -> None:
    with psycopg.connect(database.admin) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = %s and pid <> pg_backend_pid()",
            (database.name,),
        )


def messages(topic: str, count: int, *, keys: int = 1, first: int = 0) -> list[Message]:
    return [
        Message(topic, f"key-{n % keys}", {"number": str(n)}, str(n).encode())
        for n in range(first, first + count)
    ]


def take(subscription: Subscription, count: int, seconds: float = 30.0) -> list[Record]:
    """Return at least `count` records, or what has come in the time."""
    deadline = time.monotonic() + seconds
    found: list[Record] = []
    while len(found) < count and time.monotonic() < deadline:
        found += subscription.poll(0.5)
    return found


def lag_once_it_is(subscription: Subscription, count: int) -> dict[str, Behind]:
    """Return the lag once so many records are behind: a new group, or a commit, takes a moment."""
    found: dict[str, Behind] = {}

    def is_so() -> None:
        found.update(subscription.lag())
        if sum(behind.records for behind in found.values()) != count:
            raise TransientError(f"not {count} behind, but {found}")

    insist(is_so, 5.0)
    return found


def numbers(records: Sequence[Record]) -> list[int]:
    return [int(record.value or b"") for record in records]


def insist(action: Callable[[], object], seconds: float = 60.0) -> None:
    """Repeat what the bus's absence stops, as the relay does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            action()
        except TransientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def test_a_record_is_what_was_sent(bus: Bus, site: str, closing: Callable[[object], None]) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [f"{site}.a"])
    closing(producer)
    closing(reader)
    headers = {"ce_type": "a.b.c.v1", "ce_source": "/intake/brva", "text": "Đặng"}

    outcomes = producer.send([Message(f"{site}.a", "key", headers, b"\x00\xff{}")])
    (record,) = take(reader, 1)

    assert outcomes == [None]
    assert (record.topic, record.key, record.value) == (f"{site}.a", "key", b"\x00\xff{}")
    assert dict(record.headers) == headers
    assert abs(record.timestamp - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_records_of_a_key_keep_their_order_in_a_big_batch(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [f"{site}.a"])
    closing(producer)
    closing(reader)

    outcomes = producer.send(messages(f"{site}.a", 5_000, keys=7))
    records = take(reader, 5_000)

    assert outcomes == [None] * 5_000
    assert sorted(numbers(records)) == list(range(5_000))
    for key in range(7):
        of_key = [record for record in records if record.key == f"key-{key}"]
        assert numbers(of_key) == list(range(key, 5_000, 7))


def test_a_waiting_reader_gets_a_record_at_once(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [f"{site}.a"])
    closing(producer)
    closing(reader)
    producer.send(messages(f"{site}.a", 1))
    take(reader, 1)
    sent_at: list[float] = []

    def send_later() -> None:
        time.sleep(0.6)
        sent_at.append(time.monotonic())
        producer.send(messages(f"{site}.a", 1))

    sender = threading.Thread(target=send_later)
    sender.start()
    records = reader.poll(20.0)
    waited = time.monotonic() - sent_at[0]
    sender.join()

    assert len(records) == 1
    assert waited < 0.5


def test_a_poll_without_records_ends_in_time(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    reader = bus.subscribe(site, [f"{site}.a"])
    closing(reader)
    reader.poll(1.0)
    start = time.monotonic()

    assert reader.poll(0.5) == []
    assert 0.3 < time.monotonic() - start < 2.0


def test_what_was_not_committed_comes_again_and_the_rest_does_not(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer = bus.producer("p")
    closing(producer)
    producer.send(messages(f"{site}.a", 3))
    first = bus.subscribe(site, [f"{site}.a"])
    taken = take(first, 3)
    first.commit(taken[:2])
    first.close()

    second = bus.subscribe(site, [f"{site}.a"])
    closing(second)

    assert numbers(taken) == [0, 1, 2]
    assert numbers(take(second, 1)) == [2]


def test_a_poll_goes_on_without_a_commit(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [f"{site}.a"])
    closing(producer)
    closing(reader)
    producer.send(messages(f"{site}.a", 1))
    take(reader, 1)

    producer.send(messages(f"{site}.a", 1, first=1))

    assert numbers(take(reader, 1)) == [1]


def test_every_group_gets_every_record(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer = bus.producer("p")
    closing(producer)
    producer.send(messages(f"{site}.a", 3))
    found = {}

    for group in (f"{site}-1", f"{site}-2"):
        reader = bus.subscribe(group, [f"{site}.a"])
        closing(reader)
        found[group] = take(reader, 3)
        reader.commit(found[group])

    assert [numbers(records) for records in found.values()] == [[0, 1, 2], [0, 1, 2]]


def test_two_subscriptions_of_a_group_share_the_records(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer = bus.producer("p")
    closing(producer)
    readers = [bus.subscribe(site, [f"{site}.a"]) for _ in range(2)]
    for reader in readers:
        closing(reader)
    for _ in range(10):
        for reader in readers:
            reader.poll(0.2)

    producer.send(messages(f"{site}.a", 100, keys=20))
    found: list[Record] = []
    for _ in range(10):
        for reader in readers:
            found += reader.poll(0.1)

    assert sorted(numbers(found)) == list(range(100))


def test_a_closed_subscription_is_taken_over_at_once(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer = bus.producer("p")
    closing(producer)
    first, second = (bus.subscribe(site, [f"{site}.a"]) for _ in range(2))
    closing(second)
    producer.send(messages(f"{site}.a", 1))
    first.commit(take(first, 1))
    first.close()
    producer.send(messages(f"{site}.a", 1, first=1))
    start = time.monotonic()

    assert numbers(take(second, 1)) == [1]
    assert time.monotonic() - start < 5.0


def test_a_pattern_finds_its_topics_and_the_one_made_later(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    foreign = [f"x{site}.a", f"{site}.ab"]
    bus.create_topics({name: TopicSpec() for name in [*foreign, f"{site}.other"]})
    producer = bus.producer("p")
    reader = bus.subscribe(site, [f"{site}.other"], [re.escape(site) + r"\.[a-c]"])
    closing(producer)
    closing(reader)
    for topic in (*foreign, f"{site}.a", f"{site}.other"):
        producer.send(messages(topic, 1))
    early = take(reader, 2)

    bus.create_topics({f"{site}.b": TopicSpec()})
    producer.send(messages(f"{site}.b", 1))
    start = time.monotonic()
    late = take(reader, 1)

    assert {record.topic for record in early} == {f"{site}.a", f"{site}.other"}
    assert [record.topic for record in late] == [f"{site}.b"]
    assert time.monotonic() - start < 6.0


def test_lag_counts_what_the_group_has_not_committed(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [], [re.escape(site) + r"\..*"])
    closing(producer)
    closing(reader)
    producer.send(messages(f"{site}.a", 3))
    before = lag_once_it_is(reader, 3)
    taken = take(reader, 3)
    uncommitted = dict(reader.lag())
    reader.commit(taken[:2])
    rest = lag_once_it_is(reader, 1)
    reader.commit(taken)

    oldest = min(record.timestamp for record in taken)
    assert before == uncommitted == {f"{site}.a": Behind(3, oldest)}
    assert rest == {f"{site}.a": Behind(1, taken[2].timestamp)}
    assert lag_once_it_is(reader, 0) == {f"{site}.a": Behind(0, None)}


@pytest.mark.parametrize("bus", ["kafka"], indirect=True)
def test_a_lag_whose_oldest_record_does_not_come_in_time_is_as_old_as_it_was(
    bus: Bus,
    site: str,
    closing: Callable[[object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [f"{site}.a"])
    closing(producer)
    closing(reader)
    producer.send(messages(f"{site}.a", 3))
    before = reader.lag()[f"{site}.a"]
    producer.send(messages(f"{site}.a", 2))
    monkeypatch.setattr("shared.bus.kafka._PEEK_SECONDS", 0.0)

    assert before.oldest is not None
    assert reader.lag() == {f"{site}.a": Behind(5, before.oldest)}


def test_unread_counts_what_some_group_has_not_committed_or_nobody_reads(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    others = bus.unread()
    producer = bus.producer("p")
    closing(producer)
    producer.send(messages(f"{site}.a", 3))
    nobody = bus.unread() - others
    quick, slow = (bus.subscribe(f"{site}-{name}", [f"{site}.a"]) for name in ("quick", "slow"))
    for reader, count in ((quick, 3), (slow, 1)):
        closing(reader)
        reader.commit(take(reader, 3)[:count])

    some = bus.unread() - others
    slow.close()
    again = bus.subscribe(f"{site}-slow", [f"{site}.a"])
    closing(again)
    again.commit(take(again, 2))

    assert (nobody, some, bus.unread() - others) == (3, 2, 0)


def test_an_older_commit_takes_nothing_back(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [f"{site}.a"])
    closing(producer)
    closing(reader)
    producer.send(messages(f"{site}.a", 3))
    taken = take(reader, 3)

    reader.commit([taken[2], taken[0]])

    assert dict(reader.lag()) == {f"{site}.a": Behind(0, None)}


def test_a_message_that_is_too_large_is_refused_for_ever_and_alone(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [f"{site}.a"])
    closing(producer)
    closing(reader)
    small = Message(f"{site}.a", "key", {}, b"1")
    largest = Message(f"{site}.a", "key", {}, bytes(LARGEST_VALUE))
    larger = Message(f"{site}.a", "key", {}, bytes(LARGEST_VALUE + 1))

    before, refused, fits, after = producer.send([small, larger, largest, small])

    assert (before, fits, after) == (None, None, None)
    assert isinstance(refused, SendFailed)
    assert (refused.code, refused.permanent) == ("too-large", True)
    assert [len(record.value or b"") for record in take(reader, 3)] == [1, LARGEST_VALUE, 1]


def test_a_message_to_a_topic_that_is_not_there_waits_for_it_and_holds_up_nobody(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer = bus.producer("p")
    closing(producer)
    early = Message(f"{site}.late", "key", {}, b"1")
    start = time.monotonic()

    refused, sent = producer.send([early, *messages(f"{site}.a", 1)])
    took = time.monotonic() - start
    bus.create_topics({f"{site}.late": TopicSpec()})

    assert isinstance(refused, SendFailed)
    assert (refused.code, refused.permanent) == ("unknown-topic", False)
    assert sent is None
    assert took < 3.0
    assert producer.send([early]) == [None]


def test_making_a_topic_again_leaves_its_records(
    bus: Bus, site: str, closing: Callable[[object], None]
) -> None:
    producer, reader = bus.producer("p"), bus.subscribe(site, [f"{site}.a"])
    closing(producer)
    closing(reader)
    producer.send(messages(f"{site}.a", 2))

    bus.create_topics({f"{site}.a": TopicSpec(partitions=1), f"{site}.b": TopicSpec()})

    assert numbers(take(reader, 2)) == [0, 1]


@pytest.mark.parametrize("engine", ["postgres", "kafka"])
def test_a_bus_that_is_away_is_told_from_one_that_refuses(engine: str) -> None:
    bus = open_bus(NOWHERE[engine])
    producer, reader = bus.producer("p"), bus.subscribe("group", ["a"])

    with pytest.raises(TransientError):
        producer.send(messages("a", 1))
    with pytest.raises(TransientError):
        reader.poll(0.1)
    with pytest.raises(TransientError):
        reader.lag()
    with pytest.raises(TransientError):
        bus.create_topics({"a": TopicSpec()})
    with pytest.raises(TransientError):
        bus.unread()
    reader.commit([])
    producer.close()
    reader.close()


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # kafka-python, broker gone
def test_nothing_is_lost_or_turned_round_when_the_bus_breaks_in_the_middle(
    breakable: Breakable,
) -> None:
    breakable.bus.create_topics({"a": TopicSpec()})
    traffic = Traffic(breakable.bus)

    with traffic.sending():
        traffic.read_until(lambda: len(traffic.found) >= 100)
        breakable.break_and_mend()
        goal = len(traffic.sent) + 100
        traffic.read_until(lambda: len(set(numbers(traffic.found))) >= goal)
    traffic.read_until(lambda: len(set(numbers(traffic.found))) >= len(traffic.sent))
    traffic.close()

    assert sorted(set(numbers(traffic.found))) == traffic.sent
    for key in range(5):
        once = list(
            dict.fromkeys(numbers([r for r in traffic.found if r.key == f"key-{key}"])),
        )
        assert once == sorted(once)


class Traffic:
    """A relay that sends without end and a reader, both of which insist."""

    def __init__(self, bus: Bus) -> None:
        self.sent: list[int] = []
        self.found: list[Record] = []
        self._producer = bus.producer("p")
        self._reader = bus.subscribe("group", ["a"])
        self._stop = threading.Event()

    @contextmanager
    def sending(self) -> Iterator[None]:
        sender = threading.Thread(target=self._send_all)
        sender.start()
        try:
            yield
        finally:
            self._stop.set()
            sender.join()

    def read_until(self, enough: Callable[[], bool]) -> None:
        while not enough():
            insist(self._read)

    def close(self) -> None:
        self._producer.close()
        self._reader.close()
        gc.collect()  # the sockets that kafka-python leaves open: in this test, not in the next

    def _send_all(self) -> None:
        while not self._stop.is_set():
            batch = messages("a", 10, keys=5, first=len(self.sent))
            insist(partial(self._producer.send, batch))
            self.sent.extend(range(len(self.sent), len(self.sent) + 10))

    def _read(self) -> None:
        records = self._reader.poll(0.5)
        self.found.extend(records)
        self._reader.commit(records)
