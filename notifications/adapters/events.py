"""Routing's events as verbs of notifications."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from notifications.adapters.store import PostgresStore
from notifications.application.ports import Occasion
from notifications.application.tell import (
    forget,
    stop_offer,
    stop_referral,
    tell,
    tell_of_offer,
)
from notifications.domain.notices import Audience, Notice
from shared.contracts.event import Event, ids_of
from shared.db import Tx
from shared.db.outbox import Outbox
from shared.errors import InvalidEvent
from shared.log import get_logger

CONSUMER: Final = "notifications"
IMMEDIATE: Final = frozenset({"routing.referral.cancelled.v1"})
"""A cancelled offer is never spoken of again: it takes effect at once, gap or not (R-15)."""
FINAL: Final = frozenset({"routing.referral.erased.v1"})

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Events:
    """The entry points of routing's events, in the unit of work of the consume loop."""

    audience: Audience
    outbox: Outbox

    def begin(self, tx: Tx, events: Sequence[Event]) -> PostgresStore:
        """Open the unit of work for these events."""
        store = PostgresStore(tx, self.outbox)
        agencies = {event.key: str(event.data.get("agency", "")) for event in events}
        named = {key: agencies.get(str(key), "") for key in ids_of(events)}
        if named:
            store.open_threads(named)
        return store

    def handlers(self) -> Mapping[str, Callable[[Event, PostgresStore], None]]:
        """Return the entry point of each type that notifications reads."""
        return {
            "routing.referral.offered.v1": self.on_offered,
            "routing.referral.accepted.v1": self.on_answered,
            "routing.referral.declined.v1": self.on_answered,
            "routing.referral.offer-expired.v1": self.on_answered,
            "routing.referral.cancelled.v1": self.on_cancelled,
            "routing.referral.unmatched.v1": self.on_unmatched,
            "routing.referral.escalated.v1": self.on_escalated,
            "routing.referral.contacted.v1": self.on_answered,
            "routing.referral.service-started.v1": self.on_answered,
            "routing.referral.closed.v1": self.on_closed,
            "routing.referral.ended.v1": self.on_ended,
            "routing.referral.erased.v1": self.on_erased,
        }

    def on_offered(self, event: Event, store: PostgresStore) -> None:
        """Tell the partner that an offer waits for its answer."""
        notice = self.audience.offer(
            event.data["partner_id"],
            offer_id=event.data["offer_id"],
            reference=event.data["offer_reference"],
            answer_by=event.data["answer_by"],
        )
        _warn_unheard(event, told=tell_of_offer(_occasion(event), notice, store))

    def on_answered(self, event: Event, store: PostgresStore) -> None:
        """Stop asking: the offer is open no more."""
        stop_offer(_occasion(event), event.data["offer_id"], store)

    def on_cancelled(self, event: Event, store: PostgresStore) -> None:
        """Stop asking; a partner that had accepted is told to stop."""
        stop_offer(_occasion(event), event.data["offer_id"], store)
        if event.data["stop"]:
            self._tell(
                event,
                store,
                self.audience.stop(
                    event.data["partner_id"],
                    offer_id=event.data["offer_id"],
                    reference=event.data["offer_reference"],
                    confirm_by=event.data["confirm_by"],
                ),
            )

    def on_unmatched(self, event: Event, store: PostgresStore) -> None:
        """Tell whoever acts next; a referral that waits for a place waits by itself."""
        queue = event.data["queue"]
        if queue == "needs-new-release":
            member = event.data["submitted_by"]
            self._tell(event, store, self.audience.new_release(event.data["agency"], member))
        elif queue != "waiting-for-place":
            self._tell(event, store, self.audience.host())

    def on_escalated(self, event: Event, store: PostgresStore) -> None:
        """Tell the advocate and the host that a person has to look."""
        notices = self.audience.attention(
            event.data["agency"],
            event.data["submitted_by"],
            offer_id=event.data["offer_id"],
            reference=event.data["offer_reference"],
        )
        self._tell(event, store, *notices)

    def on_ended(self, event: Event, store: PostgresStore) -> None:
        """Tell the advocate, who alone can tell the person."""
        notice, *_host = self.audience.attention(
            event.data["agency"], event.data["submitted_by"], offer_id=None, reference=None
        )
        self._tell(event, store, notice)

    def on_closed(self, event: Event, store: PostgresStore) -> None:
        """Stop all that waits to be said: the referral is finished."""
        stop_referral(_occasion(event), event.data["offer_id"], store)

    def on_erased(self, event: Event, store: PostgresStore) -> None:
        """Forget the referral."""
        forget(_occasion(event), store)

    def _tell(self, event: Event, store: PostgresStore, *notices: Notice) -> None:
        occasion = _occasion(event)
        told = [tell(occasion, notice, store) for notice in notices]
        _warn_unheard(event, told=any(told))


def _occasion(event: Event) -> Occasion:
    """Return the event as an occasion.

    Raises:
        InvalidEvent: its key is not its referral, or its source not that of the agency's topic.

    """
    if str(event.data["referral_id"]) != event.key:
        raise InvalidEvent("key-mismatch")
    return Occasion(
        event_id=event.id,
        referral_id=event.data["referral_id"],
        agency=event.data["agency"],
        time=event.time,
        trace=event.traceparent,
        correlation_id=event.correlation_id,
    )


def _warn_unheard(event: Event, *, told: bool) -> None:
    if not told:
        _log.error("nobody-to-tell", event_id=str(event.id), type=event.type)
