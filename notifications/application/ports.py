"""What the verbs need of the database, inside the transaction of their caller."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from notifications.domain.attempts import State
from notifications.domain.notices import Notice, Recipient, Template


@dataclass(frozen=True, slots=True)
class Occasion:
    """The event that is told of: `trace` and `correlation_id` go along with every attempt."""

    event_id: UUID
    referral_id: UUID
    agency: str
    time: datetime
    trace: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one endpoint, as far as the rules need it."""

    delivery_id: UUID
    event_id: UUID
    endpoint_id: UUID
    referral_id: UUID
    offer_id: UUID | None
    channel: str
    template: Template
    state: State
    attempts: int
    not_after: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """The call for a delivery that is answered: `number` as the delivery counted when it began."""

    delivery_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Change:
    """The new state of a delivery and the code of what led to it."""

    state: State
    code: str
    next_attempt_at: datetime | None = None


class Store(Protocol):
    """The rows of notifications."""

    def open_thread(self, referral_id: UUID, agency: str) -> bool:
        """Lock the referral's row, made if need be; False when the referral is erased."""

    def endpoints(self, recipient: Recipient) -> Sequence[UUID]:
        """Return the recipient's open contact points."""

    def add(
        self, occasion: Occasion, notice: Notice, template: Template, endpoints: Sequence[UUID]
    ) -> None:
        """Add a waiting delivery for each endpoint that has none for this event."""

    def close_offer(self, offer_id: UUID, referral_id: UUID) -> None:
        """Remember that nothing more may be sent about the offer."""

    def is_closed(self, offer_id: UUID) -> bool:
        """Tell whether the offer was closed."""

    def stop(
        self, referral_id: UUID, templates: Iterable[Template], offer_id: UUID | None = None
    ) -> None:
        """Stop what is not delivered of the referral, or of one of its offers."""

    def forget(self, referral_id: UUID) -> None:
        """Remove the referral's deliveries but a pending call to stop, and never add another."""

    def lock(self, delivery_id: UUID) -> Delivery | None:
        """Lock the delivery's referral, then the delivery."""

    def change(self, delivery: Delivery, change: Change) -> None:
        """Write the delivery's new state."""

    def is_heard(self, delivery: Delivery) -> bool:
        """Tell whether another endpoint has the same message, or may still get it."""

    def disable(self, endpoint_id: UUID) -> None:
        """Send nothing more to the endpoint until the site's file is loaded again."""

    def publish_delivered(self, delivery: Delivery) -> None:
        """Tell the other services that the endpoint took the message."""

    def publish_exhausted(self, delivery: Delivery) -> None:
        """Tell the other services that somebody has to call."""


class OperatorStore(Protocol):
    """What an operator's page may change."""

    def lock(self, delivery_id: UUID) -> Delivery | None:
        """Lock the delivery."""

    def is_disabled(self, endpoint_id: UUID) -> bool:
        """Tell whether the endpoint has said that it is gone."""

    def revive(self, delivery_id: UUID, *, reason: str, asked_by: UUID) -> None:
        """Let the delivery's attempts begin anew, and keep who asked and why."""
