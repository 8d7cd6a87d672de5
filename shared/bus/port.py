"""What every engine of the bus does."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LARGEST_VALUE = 900_000
"""Bytes: below what a Kafka broker takes as it comes (1 MiB with headers and framing)."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to send. Messages of one key keep their order."""

    topic: str
    key: str
    headers: Mapping[str, str]
    value: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """Something received, and where it stands in its topic."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Mapping[str, str]
    value: bytes | None
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Behind:
    """What a group has yet to commit of a topic: how many records, and when the oldest came.

    That is None where nothing waits, or where the bus has not told it.
    """

    records: int
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic is made.

    `partitions` cannot change later: it decides where a key goes. A compacted topic keeps the
    last record of each key for ever, another one every record for `retention`.
    """

    partitions: int = 3
    compacted: bool = False
    retention: timedelta = timedelta(days=7)


class SendFailed(Exception):
    """One message was refused; when `permanent`, it will be refused again."""

    def __init__(self, code: str, *, permanent: bool) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent


class Producer(Protocol):
    """Sends. One thread uses it."""

    def send(self, messages: Sequence[Message]) -> list[SendFailed | None]:
        """Send in order and wait; the answer for each is None once it is safely stored.

        Raises:
            TransientError: the bus is away; some of the messages may have been stored.

        """

    def close(self) -> None:
        """Let go of the connection."""


class Subscription(Protocol):
    """Receives for a group. One thread uses it, except for `lag`."""

    def poll(self, timeout: float) -> list[Record]:
        """Return what has come since the last poll, as soon as there is something.

        Waits `timeout` seconds at the most. What was not committed comes again to whoever opens
        the group's subscription next, and to this one after it has lost the bus.

        Raises:
            TransientError: the bus is away.

        """

    def commit(self, records: Sequence[Record]) -> None:
        """Never bring these records, nor any before them, to this group again.

        A commit that fails is logged, not raised: the records may then come twice.
        """

    def lag(self) -> Mapping[str, Behind]:
        """Return what of each topic the group has yet to commit.

        Raises:
            TransientError: the bus is away.

        """

    def close(self) -> None:
        """Leave the group, so that another subscription takes over at once."""


class Bus(Protocol):
    """An engine."""

    def producer(self, client: str) -> Producer:
        """Return a producer; it connects when it first sends."""

    def subscribe(
        self, group: str, topics: Sequence[str], patterns: Sequence[str] = ()
    ) -> Subscription:
        """Return a subscription of a group; it connects when it is first polled.

        A pattern is a regular expression of whole topic names. A topic made later is found within
        seconds. A group that is new to a topic begins with its oldest record.
        """

    def create_topics(self, topics: Mapping[str, TopicSpec]) -> None:
        """Make the topics that do not exist yet; those that do are left as they are.

        Raises:
            TransientError: the bus is away.

        """

    def unread(self) -> int:
        """Return how many records some group has not committed, or nobody reads at all.

        Raises:
            TransientError: the bus is away.

        """


def one_pattern(topics: Iterable[str], patterns: Iterable[str]) -> str:
    """Return one regular expression for whole names of these topics and patterns."""
    parts = [*(re.escape(topic) for topic in topics), *patterns]
    return "^(?:" + "|".join(f"(?:{part})" for part in parts) + ")$"
