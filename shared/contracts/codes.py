"""The codes that facts, reasons and states are made of; people read their labels, never these."""

from typing import Final

NEEDS: Final[tuple[str, ...]] = (
    "crisis-counseling",
    "trauma-therapy",
    "peer-support",
    "compensation-help",
    "legal-advocacy",
    "bereavement",
    "medical",
    "housing-safety",
    "immigration-help",
    "interpretation",
    "restorative-dialogue",
    "substance-use",
)
PROTECTED_NEEDS: Final = frozenset({"substance-use"})
"""Needs whose mere name is protected (42 CFR part 2): own release item, "health" on a console."""

URGENCIES: Final[tuple[str, ...]] = ("emergency", "urgent", "routine")
AGE_BANDS: Final[tuple[str, ...]] = ("0-12", "13-17", "18-24", "25-59", "60-plus")
ADULT_AGE_BANDS: Final[tuple[str, ...]] = ("18-24", "25-59", "60-plus")
ROLES: Final[tuple[str, ...]] = (
    "directly-injured",
    "bereaved",
    "witness",
    "household-member",
    "community-member",
    "officer",
)
ACCESS_NEEDS: Final[tuple[str, ...]] = (
    "step-free",
    "asl",
    "relay-call",
    "large-print",
    "screen-reader",
    "reading-help",
    "plain-language",
)
PREFERENCES: Final[tuple[str, ...]] = ("remote", "in-person", "evening-hours", "community-based")
CONTACT_ROUTES: Final[tuple[str, ...]] = ("through-advocate", "person-calls", "partner-contacts")
CHANNELS: Final[tuple[str, ...]] = ("call", "text", "email", "post", "in-person")

ADVOCATE_TYPES: Final[tuple[str, ...]] = ("community", "system", "clinical", "legal", "peer")
CONFIDENTIALITY: Final[tuple[str, ...]] = ("privileged", "confidential", "discoverable")
TIE_KINDS: Final[tuple[str, ...]] = ("run-by", "funded-by", "co-located", "employs")

RELEASE_ITEMS: Final[tuple[str, ...]] = ("needs", "facts", "name", "contact", "substance-use")
REPORT_BACK_ITEMS: Final[tuple[str, ...]] = (
    "answer-detail",
    "first-contact",
    "service-started",
    "outcome",
)

DECLINE_REASONS: Final[tuple[str, ...]] = (
    "no-capacity",
    "waitlist",
    "not-eligible",
    "conflict",
    "language",
    "unsafe",
    "cannot-reach",
    "other",
)
COORDINATOR_REASONS: Final[tuple[str, ...]] = (
    "partner-asked",
    "duplicate",
    "wrong-service",
    "safety",
    "no-answer",
    "advocate-asked",
)
CANCEL_REASONS: Final[tuple[str, ...]] = (
    "release-revoked",
    "release-expired",
    "withdrawn",
    *COORDINATOR_REASONS,
)
CLEAR_OVERDUE_REASONS: Final[tuple[str, ...]] = (
    "advocate-confirmed-contact",
    "partner-confirmed-contact",
)
PAUSE_REASONS: Final[tuple[str, ...]] = (
    "staffing",
    "closed",
    "quality",
    "safety",
    "partner-asked",
)
OUTCOMES: Final[tuple[str, ...]] = (
    "service-completed",
    "ongoing-support",
    "person-declined-service",
    "could-not-reach",
    "referred-elsewhere",
)
CONTACT_KINDS: Final[tuple[str, ...]] = ("contacted", "introduced-live")

QUEUES: Final[tuple[str, ...]] = (
    "to-match",
    "waiting-for-place",
    "offered",
    "overdue",
    "needs-new-release",
    "needs-person",
)
UNMATCHED_QUEUES: Final[tuple[str, ...]] = (
    "waiting-for-place",
    "needs-new-release",
    "needs-person",
)
ESCALATIONS: Final[tuple[str, ...]] = (
    "first-contact-overdue",
    "contact-not-reported",
    "delivery-exhausted",
    "revoked-after-acceptance",
    "stop-not-confirmed",
    "no-place",
    "unknown-code",
)
TEMPLATES: Final[tuple[str, ...]] = (
    "offer-waiting",
    "offer-stopped",
    "needs-new-release",
    "needs-attention",
)
DELIVERY_CHANNELS: Final[tuple[str, ...]] = ("email", "webhook")
OPS_REASONS: Final[tuple[str, ...]] = (
    "cause-mended",
    "duplicate-record",
    "test-record",
    "obsolete",
    "lost-in-retention",
)
