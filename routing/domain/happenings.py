"""What routing tells the other services about a referral; each one becomes an event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Offered:
    """A partner is asked."""

    offer_id: UUID
    offer_reference: str
    partner_id: UUID
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """The partner takes it."""

    offer_id: UUID
    offer_reference: str
    partner_id: UUID
    first_contact_by: datetime


@dataclass(frozen=True, slots=True)
class Declined:
    """The partner does not take it; the reason only where it may be reported back."""

    offer_id: UUID
    partner_id: UUID
    reason: str | None


@dataclass(frozen=True, slots=True)
class OfferExpired:
    """No answer in time."""

    offer_id: UUID
    partner_id: UUID


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Nobody to ask now; the queue says who acts next."""

    queue: str


@dataclass(frozen=True, slots=True)
class Escalated:
    """A person has to look at it."""

    reason: str
    offer_id: UUID | None
    offer_reference: str | None


@dataclass(frozen=True, slots=True)
class EscalationCleared:
    """What a person had to look at is over: where the referral stands now, and its clock."""

    status: str
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The offer is taken back; `stop` if the partner had accepted."""

    offer_id: UUID
    offer_reference: str
    partner_id: UUID
    reason: str
    stop: bool
    confirm_by: datetime | None


@dataclass(frozen=True, slots=True)
class Contacted:
    """The partner reports first contact."""

    offer_id: UUID
    partner_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class ServiceStarted:
    """The partner reports that service began."""

    offer_id: UUID
    partner_id: UUID


@dataclass(frozen=True, slots=True)
class Closed:
    """The partner is finished; the outcome only where it may be reported back."""

    offer_id: UUID
    partner_id: UUID
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The coordinator ended a referral that nobody holds."""

    reason: str


@dataclass(frozen=True, slots=True)
class Erased:
    """Routing forgot the referral (R-24)."""


Happening = (
    Offered
    | Accepted
    | Declined
    | OfferExpired
    | Unmatched
    | Escalated
    | EscalationCleared
    | Cancelled
    | Contacted
    | ServiceStarted
    | Closed
    | Ended
    | Erased
)
