"""Routing's events as verbs of intake."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from intake.adapters import documents
from intake.adapters.following import PostgresFollowing, following
from intake.application.follow import follow, forget_partner, learn_partner
from intake.domain.referrals import News
from intake.domain.rules import Rules
from shared.contracts.event import Event, ids_of
from shared.db import Tx
from shared.errors import InvalidEvent, NotFound

CONSUMER: Final = "intake"
IMMEDIATE: Final[frozenset[str]] = frozenset()
FINAL: Final = frozenset({"routing.partner.published.v1", "routing.partner.withdrawn.v1"})
"""Whole public records: the highest sequence wins and what came before it does not matter."""

_DUE: Final = ("answer_by", "first_contact_by", "confirm_by", "due")
_DETAIL: Final = ("reason", "queue", "kind", "outcome", "status")
_FOLLOWED: Final = (
    "offered",
    "accepted",
    "declined",
    "offer-expired",
    "unmatched",
    "escalated",
    "escalation-cleared",
    "cancelled",
    "contacted",
    "service-started",
    "closed",
    "ended",
)


def topics(agency: str) -> tuple[str, ...]:
    """Return the topics that an agency's intake reads: its own referrals' and the partners'."""
    return (f"routing.referral.{agency}", "routing.partner")


@dataclass(frozen=True, slots=True)
class Events:
    """The entry points of routing's events, in the unit of work of the consume loop."""

    rules: Rules

    def begin(self, tx: Tx, events: Sequence[Event]) -> PostgresFollowing:
        """Open the unit of work for these events."""
        about = [event for event in events if event.type.startswith("routing.referral.")]
        return following(tx, ids_of(about))

    def handlers(self) -> Mapping[str, Callable[[Event, PostgresFollowing], None]]:
        """Return the entry point of each type that intake reads."""
        followed = {f"routing.referral.{verb}.v1": self.on_referral_news for verb in _FOLLOWED}
        return {
            **followed,
            "routing.partner.published.v1": self.on_partner_published,
            "routing.partner.withdrawn.v1": self.on_partner_withdrawn,
        }

    def on_referral_news(self, event: Event, work: PostgresFollowing) -> None:
        """Store what became of a referral of this agency.

        Raises:
            InvalidEvent: another agency's, or of a referral that is not here.

        """
        if event.data["agency"] != self.rules.agency:
            raise InvalidEvent("wrong-agency")
        if str(event.data["referral_id"]) != event.key:
            raise InvalidEvent("key-mismatch")
        self._check_site(event)
        try:
            follow(_news(event), work=work)
        except NotFound as missing:
            raise InvalidEvent("unknown-referral") from missing

    def on_partner_published(self, event: Event, work: PostgresFollowing) -> None:
        """Store a partner's public record."""
        _check_key(event)
        learn_partner(documents.partner(event.data), event.sequence, work=work)

    def on_partner_withdrawn(self, event: Event, work: PostgresFollowing) -> None:
        """Remove a partner's public record."""
        _check_key(event)
        forget_partner(event.data["partner_id"], event.sequence, work=work)

    def _check_site(self, event: Event) -> None:
        if event.source != f"/routing/{self.rules.site}":
            raise InvalidEvent("wrong-site")


def _check_key(event: Event) -> None:
    if str(event.data["partner_id"]) != event.key:
        raise InvalidEvent("key-mismatch")


def _news(event: Event) -> News:
    data = event.data
    return News(
        referral_id=data["referral_id"],
        what=event.type.split(".")[2],
        at=event.time,
        offer_id=data.get("offer_id"),
        partner_id=data.get("partner_id"),
        offer_reference=data.get("offer_reference") or "",
        detail=next((data[name] for name in _DETAIL if data.get(name)), ""),
        due=next((data[name] for name in _DUE if data.get(name)), None),
    )
