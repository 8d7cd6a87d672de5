"""Offers and places: each made once, one at a time, never more than there are."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from tests.faults.evidence import Evidence, is_live, repeated, verb

_ENDS: Final = ("declined", "offer-expired", "cancelled", "closed")


def each_offer_is_made_once(found: Evidence) -> Iterator[str]:
    """Look for a partner asked twice: by a row, by an event, by a message to an endpoint."""
    offers = found.of("routing", "offer")
    yield from repeated((row["referral_id"], row["partner_id"]) for row in offers)
    offered = [row for row in found.of("routing", "outbox") if verb(row) == "offered"]
    yield from repeated(row["data"]["offer_id"] for row in offered)
    yield from repeated((row["key"], row["data"]["partner_id"]) for row in offered)
    asked = {
        (call.path, call.body, call.webhook_id)
        for call in found.calls
        if b"referral.offered" in call.body
    }
    yield from repeated((path, body) for path, body, _ in asked)


def no_two_partners_hold_a_referral(found: Evidence) -> Iterator[str]:
    """Follow the offers of each referral: one ends before the next is made.

    Events tell in which order: their sequence is taken under the referral's lock, while the times
    of two transactions say only when each began.
    """
    for key, history in found.events("routing").items():
        live: set[str] = set()
        for row in history:
            if verb(row) == "offered":
                live.add(row["data"]["offer_id"])
            elif verb(row) in _ENDS:
                live.discard(row["data"]["offer_id"])
            if len(live) > 1:
                yield f"referral {key} was held twice at event {row['sequence']}"


def no_place_leaks_or_is_given_twice(found: Evidence) -> Iterator[str]:
    """Compare each counter with the open holds, the live offers, and the places there are."""
    live = Counter(row["service_id"] for row in found.of("routing", "offer") if is_live(row))
    is_open = Counter(
        row["service_id"] for row in found.of("routing", "hold") if row["released_at"] is None
    )
    most = _most_at_once(found)
    for slot in found.of("routing", "slot"):
        name, held, capacity = slot["service_id"], slot["held"], slot["capacity"]
        if not held == is_open[name] == live[name]:
            yield f"{name}: counter {held}, open holds {is_open[name]}, live offers {live[name]}"
        if capacity is not None and most[name] > capacity:
            yield f"{name}: {most[name]} of {capacity} places were held"


def nobody_waits_beside_a_free_place(found: Evidence) -> Iterator[str]:
    """Look again at what stood in the way of a referral that waits for a place."""
    full = {
        str(slot["service_id"])
        for slot in found.of("routing", "slot")
        if slot["capacity"] is not None and slot["held"] >= slot["capacity"]
    }
    live = {
        (row["referral_id"], str(row["partner_id"]))
        for row in found.of("routing", "release")
        if row["revoked_at"] is None
    }
    last = {row["referral_id"]: row["verdicts"] for row in found.of("routing", "decision")}
    for row in found.of("routing", "referral"):
        name = row["referral_id"]
        waits_for = [
            verdict["service_id"]
            for verdict in last.get(name, ())
            if (name, verdict["partner_id"]) in live and _failed(verdict) == {"place"}
        ]
        if row["state"] == "waiting-for-place" and not (waits_for and full.issuperset(waits_for)):
            yield f"{name} waits for a place at {waits_for}, full: {full.intersection(waits_for)}"


def _failed(verdict: Mapping[str, Any]) -> set[str]:
    return {check["rule"] for check in verdict["checks"] if not check["passed"]}


def _most_at_once(found: Evidence) -> Counter[UUID]:
    """Return how many offers of each service lived at once, in the order of their events.

    An event of an end is written before its place is free, one of an offer after its place is
    taken: so what is counted is never more than what was.
    """
    service = {str(row["offer_id"]): row["service_id"] for row in found.of("routing", "offer")}
    now: Counter[UUID] = Counter()
    most: Counter[UUID] = Counter()
    for row in found.of("routing", "outbox"):
        name = service.get(row["data"].get("offer_id") or "")
        if name is not None:
            now[name] += (verb(row) == "offered") - (verb(row) in _ENDS)
            most[name] = max(most[name], now[name])
    return most
