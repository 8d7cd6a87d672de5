"""A leased delivery as the senders see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from notifications.domain.attempts import Answer
from notifications.domain.notices import Owner, Template


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one endpoint: the reference and a time are all that it may say.

    `attempt` counts from 1; `leased_at` is its moment by the database's clock: this process's may
    be wrong, and receivers refuse what was signed by a wrong one.
    """

    delivery_id: UUID
    endpoint_id: UUID
    owner: Owner
    channel: str
    address: str
    secret: bytes | None
    template: Template
    reference: str | None
    answer_by: datetime | None
    agency: str
    said_at: datetime
    attempt: int
    leased_at: datetime
    trace: str
    correlation_id: str


class Sender(Protocol):
    """One channel. An attempt never raises: whatever happens is an answer."""

    def send(self, message: Message) -> Answer:
        """Try once, within the channel's time limits."""

    def close(self) -> None:
        """Let go of kept connections."""
