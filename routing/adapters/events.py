"""From events to verbs: what routing reads, and what it does about each type."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from routing.adapters.ahead import About, read_ahead
from routing.adapters.desk import Units
from routing.adapters.store import PostgresStore
from routing.application import arrivals, deliveries
from routing.application.ports import Work
from routing.domain.model import Facts, Referral, Release
from shared.contracts.event import Event, ids_of
from shared.db import Tx
from shared.errors import InvalidEvent

IMMEDIATE: Final = frozenset(
    {"intake.referral.release-revoked.v1", "intake.referral.withdrawn.v1"}
)
"""Facts that only grow: applied at once, gap or not, and again at their turn."""

FINAL: Final = frozenset({"intake.referral.erased.v1"})
"""What ends a referral's stream."""


@dataclass(frozen=True, slots=True)
class RoutingUnit:
    """The unit of work that the events of a batch share."""

    store: PostgresStore
    work: Work

    def flush(self) -> None:
        """Write what the store keeps."""
        self.store.flush()


@dataclass(frozen=True, slots=True)
class Events:
    """The entry points of what routing reads, in the unit of work of the consume loop."""

    units: Units

    def begin(self, tx: Tx, events: Sequence[Event]) -> RoutingUnit:
        """Open the unit of work for these events: their referrals and places are locked."""
        of_intake = [event for event in events if event.type.startswith("intake.")]
        about = About(ids_of(events), ids_of(of_intake), _released_to(of_intake))
        ahead = read_ahead(tx, self.units.site.code, about)
        store, work = self.units.open(tx, ahead.now)
        store.start_with(ahead, about)
        return RoutingUnit(store, work)

    def handlers(self) -> Mapping[str, Callable[[Event, RoutingUnit], None]]:
        """Return the entry point of each type that routing reads."""
        verbs = {
            "intake.referral.submitted.v1": _submitted,
            "intake.referral.release-signed.v1": _release_signed,
            "intake.referral.release-revoked.v1": _release_revoked,
            "intake.referral.withdrawn.v1": _withdrawn,
            "intake.referral.erased.v1": _erased,
            "notifications.delivery.delivered.v1": _delivered,
            "notifications.delivery.exhausted.v1": _exhausted,
        }
        return {type_: _handler(verb) for type_, verb in verbs.items()}


def _handler(verb: Callable[[Event, Work], None]) -> Callable[[Event, RoutingUnit], None]:
    def handle(event: Event, unit: RoutingUnit) -> None:
        from_intake = event.type.startswith("intake.")
        unit.store.agency = event.agency if from_intake else None
        verb(event, unit.work)

    return handle


def _released_to(events: Iterable[Event]) -> set[UUID]:
    """Return the partners of new releases, as far as events that nobody checked yet tell."""
    told = [release for event in events for release in _releases_in(event.data)]
    found = set()
    for release in told:
        with suppress(ValueError, TypeError, AttributeError):
            found.add(UUID(release.get("partner_id")))
    return found


def _releases_in(data: Mapping[str, Any]) -> Sequence[Any]:
    releases = data.get("releases", [data.get("release")])
    return releases if isinstance(releases, list) else ()


def _submitted(event: Event, work: Work) -> None:
    data = event.data
    _require_own(event, work)
    referral = Referral(
        referral_id=data["referral_id"],
        reference=data["reference"],
        site=data["site"],
        agency=data["agency"],
        submitted_by=data["submitted_by"],
        facts=facts_of(data["facts"]),
        barred=frozenset(data["barred_partners"]),
        state="to-match",
        received_at=work.now,
        releases=tuple(_release_of(release) for release in data["releases"]),
    )
    arrivals.route_referral(referral, work)


def _release_signed(event: Event, work: Work) -> None:
    referral_id = _key(event)
    arrivals.on_release_signed(referral_id, _release_of(event.data["release"]), work)


def _release_revoked(event: Event, work: Work) -> None:
    data = event.data
    arrivals.on_release_revoked(_key(event), data["release_id"], data["partner_id"], work)


def _withdrawn(event: Event, work: Work) -> None:
    arrivals.on_withdrawn(_key(event), work)


def _erased(event: Event, work: Work) -> None:
    arrivals.on_erased(_key(event), work)


def _delivered(event: Event, work: Work) -> None:
    data = event.data
    deliveries.on_delivered(_key(event), data["offer_id"], data["template"], data["channel"], work)


def _exhausted(event: Event, work: Work) -> None:
    data = event.data
    deliveries.on_delivery_exhausted(
        _key(event), data["offer_id"], data["template"], data["channel"], work
    )


def facts_of(data: Mapping[str, Any]) -> Facts:
    """Return facts from the loaded fields of an event or a request."""
    return Facts(
        needs=tuple(data["needs"]),
        urgency=data["urgency"],
        age_band=data["age_band"],
        languages=tuple(data["languages"]),
        interpreter=data["interpreter"],
        access_needs=tuple(data["access_needs"]),
        county=data["county"],
        preferences=tuple(data["preferences"]),
        contact_route=data["contact_route"],
    )


def _release_of(data: Mapping[str, Any]) -> Release:
    return Release(
        release_id=data["release_id"],
        partner_id=data["partner_id"],
        rank=data["rank"],
        expires_at=data["expires_at"],
        items=tuple(data["items"]),
        report_back=tuple(data["report_back"]),
    )


def _key(event: Event) -> UUID:
    """Return the referral's id; body and key must name the same one."""
    referral_id: UUID = event.data["referral_id"]
    if str(referral_id) != event.key:
        raise InvalidEvent("key-mismatch")
    return referral_id


def _require_own(event: Event, work: Work) -> None:
    _key(event)
    if event.data["agency"] != event.agency:
        raise InvalidEvent("wrong-agency")
    if event.data["site"] != work.rules.site:
        raise InvalidEvent("other-site")
