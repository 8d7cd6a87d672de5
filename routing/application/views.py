"""What pages and the API show: frozen rows, already limited to what their reader may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from routing.domain.matching import Check
from routing.domain.model import Facts


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One offer in a partner's inbox. `needs` and `urgency` are empty where not released.

    `state`: offered, accepted, declined, expired, cancelled, closed. `due` is the clock that
    runs now: answer, first contact, or confirming a stop; None when none does.
    """

    reference: str
    state: str
    status: str  # FHIR Task: requested, accepted, in-progress, rejected, cancelled ...
    needs: tuple[str, ...]
    urgency: str
    county: str
    offered_at: datetime
    answer_by: datetime
    first_contact_by: datetime | None
    contacted_at: datetime | None
    service_started_at: datetime | None
    ended_at: datetime | None
    must_stop: bool
    confirm_by: datetime | None
    due: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class OfferDetail:
    """One offer as its partner may see it.

    `facts` is None when the offer no longer gives a right to them (declined, expired, cancelled,
    closed); its fields are emptied where not released (never holds "substance-use" without that
    item). `report_back` limits what can be recorded: answer-detail, first-contact,
    service-started, outcome. `can` holds the verbs that are open now: accept, decline, contact,
    service-start, close, confirm-stop, disclosure.
    """

    item: InboxItem
    offer_id: UUID
    referral_id: UUID
    agency: str
    service_name: str
    facts: Facts | None
    items: tuple[str, ...]
    report_back: tuple[str, ...]
    release_expires_at: datetime
    contact_kind: str | None
    reason: str | None
    outcome: str | None
    can: frozenset[str]


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How many referrals a queue holds and since when the oldest waits."""

    queue: str
    count: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One referral in the coordinator's list. The need "substance-use" reads "health" (R-20)."""

    referral_id: UUID
    reference: str
    queue: str  # one of QUEUES, or accepted, closed, withdrawn
    state: str
    needs: tuple[str, ...]
    urgency: str
    received_at: datetime
    holder: str  # name of the partner that holds it, or ""
    offer_reference: str
    due: datetime | None
    overdue: bool
    last_event: str  # kind of the newest timeline entry
    last_event_at: datetime


@dataclass(frozen=True, slots=True)
class VerdictView:
    """One partner in a decision. `checks` are in the order of the rules.

    `excluded_by` is the first that failed, None when it fits; `rank` from 1 among those that fit.
    """

    partner_id: UUID
    partner_name: str
    service_name: str
    released: bool
    chosen: bool
    rank: int | None
    excluded_by: Check | None
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One decision, every partner of the directory in it, chosen first, then by rank."""

    decision_id: UUID
    decided_at: datetime
    rule_set: str
    directory_version: int
    queue: str  # where it left the referral: offered, or an unmatched queue
    verdicts: tuple[VerdictView, ...]


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """One release in the coordinator's page: no item of identity is ever in it."""

    partner_id: UUID
    partner_name: str
    rank: int
    expires_at: datetime
    live: bool
    can_offer: bool  # live, not barred, never offered before


@dataclass(frozen=True, slots=True)
class OfferView:
    """One offer in the coordinator's page; the name of a service for a protected need is ""."""

    offer_id: UUID
    reference: str
    partner_id: UUID
    partner_name: str
    service_name: str
    state: str
    offered_at: datetime
    answer_by: datetime
    first_contact_by: datetime | None
    contacted_at: datetime | None
    reason: str | None
    confirm_by: datetime | None
    stop_confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened. `who`: intake, partner, coordinator, clock, notifications, routing.

    `kind`: submitted, matched, release-signed, release-revoked, withdrawn, offered, accepted,
    declined, offer-expired, unmatched, escalated, escalation-cleared, cancelled, stop-confirmed,
    contacted, service-started, closed, delivered, delivery-exhausted. `code`: the coded reason.
    """

    at: datetime
    who: str
    organization: str
    kind: str
    offer_reference: str
    code: str


@dataclass(frozen=True, slots=True)
class EscalationView:
    """Something a person has to look at. `reason`: one of ESCALATIONS."""

    reason: str
    offer_reference: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class ReferralPage:
    """One referral for a coordinator: facts (protected need as "health"), never identity.

    `decisions` newest first. `can`: offer-to, cancel, clear-overdue.
    """

    row: QueueRow
    facts: Facts
    releases: tuple[ReleaseView, ...]
    offers: tuple[OfferView, ...]
    decisions: tuple[DecisionView, ...]
    escalations: tuple[EscalationView, ...]
    timeline: tuple[TimelineEntry, ...]
    can: frozenset[str]


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service in the coordinator's directory page. `paused`: a reason code, or ""."""

    service_id: UUID
    service_name: str
    partner_id: UUID
    partner_name: str
    needs: tuple[str, ...]
    capacity: int | None
    held: int
    paused: str
    paused_by_directory: bool  # only an import can end that


@dataclass(frozen=True, slots=True)
class PreviewedPartner:
    """One partner in a preview, best first, then those excluded by id."""

    partner_id: UUID
    fits: bool
    rank: int | None
    reasons: tuple[Check, ...]
    services: tuple[UUID, ...]
    expected_first_contact: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The answer to "who would fit?": computed, never stored, never logged."""

    directory_version: int
    rule_set: str
    partners: tuple[PreviewedPartner, ...]


Names = Mapping[UUID, str]
