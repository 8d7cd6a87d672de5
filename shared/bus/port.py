"""What a bus does, whichever engine it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: records of one key keep their order."""

    topic: str
    key: str
    headers: Mapping[str, str]
    value: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """What is read."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Mapping[str, str]
    value: bytes | None
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic is kept."""

    partitions: int = 1
    compacted: bool = False


class SendFailed(Exception):
    """One message was not acknowledged; a permanent failure will not go away by itself."""

    def __init__(self, code: str, *, permanent: bool) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent


class Producer(Protocol):
    """Sends messages and waits until they are stored."""

    def send(self, messages: Sequence[Message]) -> list[SendFailed | None]:
        """Return for each message, in order, None or why it was not acknowledged.

        Raises:
            TransientError: the bus is away.

        """

    def close(self) -> None:
        """Let go of the connection."""


class Subscription(Protocol):
    """Reads topics as one member of a group."""

    def poll(self, timeout: float) -> list[Record]:
        """Return what waits, at once; nothing after `timeout` seconds.

        Raises:
            TransientError: the bus is away.

        """

    def commit(self, records: Sequence[Record]) -> None:
        """Never bring these, and what came before them, to this group again."""

    def lag(self) -> Mapping[str, int]:
        """Return for each topic how many records this member has not read yet."""

    def close(self) -> None:
        """Leave the group."""


class Bus(Protocol):
    """A place where events wait for their readers."""

    def producer(self, client: str) -> Producer:
        """Return a new producer."""

    def subscribe(
        self, group: str, topics: Sequence[str], patterns: Sequence[str] = ()
    ) -> Subscription:
        """Return a new member of the group; `patterns` are regular expressions of topics."""

    def create_topics(self, topics: Mapping[str, TopicSpec]) -> None:
        """Make sure that the topics exist."""

    def unread(self) -> int:
        """Return how many records some known group has not read yet."""
