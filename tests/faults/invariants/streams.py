"""Events: in the topics as they were told, at each consumer once and in order, none left over."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from services.databases import SERVICES
from tests.faults.evidence import Evidence, Row, verb

_READERS: Final = (
    ("intake", "routing"),
    ("routing", "intake"),
    ("routing", "notifications"),
    ("notifications", "routing"),
)

Place = tuple[str, str, str]
_OWN_LINES: Final = ("submitted", "release-revoked", "withdrawn")
_TO_PARTNER: Final = ("offer-waiting", "offer-stopped")


def routings_events_take_effect_once_and_in_order(found: Evidence) -> Iterator[str]:
    """Compare intake's timeline of each referral with what routing told, line by line."""
    applied: dict[str, list[str]] = defaultdict(list)
    for row in found.of("intake", "timeline"):
        what = "accepted" if row["what"] == "accepted-after-revocation" else row["what"]
        if what not in _OWN_LINES:
            applied[str(row["referral_id"])].append(what)
    told = {key: [verb(row) for row in rows] for key, rows in found.events("routing").items()}
    yield from _different(
        applied, told, [str(r["referral_id"]) for r in found.of("intake", "referral")]
    )


def notifications_events_take_effect_once_and_in_order(found: Evidence) -> Iterator[str]:
    """Compare routing's lines about deliveries with what notifications told, line by line."""
    applied: dict[str, list[str]] = defaultdict(list)
    for row in found.of("routing", "timeline"):
        if row["who"] == "notifications":
            applied[str(row["referral_id"])].append(f"{row['kind']} {row['code']}")
    told = {
        key: [_line(row) for row in rows if _leaves_a_line(row)]
        for key, rows in found.events("notifications").items()
    }
    yield from _different(
        applied, told, [str(r["referral_id"]) for r in found.of("routing", "referral")]
    )


def intakes_events_take_effect_once(found: Evidence) -> Iterator[str]:
    """Count routing's lines about what intake told; one that came early may have left none."""
    applied = Counter(
        (str(row["referral_id"]), row["kind"])
        for row in found.of("routing", "timeline")
        if row["who"] == "intake" and row["kind"] in _OWN_LINES
    )
    told = Counter(
        (row["key"], verb(row)) for row in found.of("intake", "outbox") if verb(row) in _OWN_LINES
    )
    for (key, what), number in told.items():
        least = number if what != "release-revoked" else 0
        if not least <= applied[key, what] <= number:
            yield f"{what} of {key} was told {number} times, applied {applied[key, what]} times"


def every_position_is_at_the_end(found: Evidence) -> Iterator[str]:
    """Look what each reader expects: the event after the last one that was told."""
    for source, consumer in _READERS:
        reached = {
            (row["source"], row["key"]): row["next_sequence"]
            for row in found.of(consumer, "position")
        }
        for key, rows in found.events(source).items():
            last = rows[-1]
            there = reached.get((last["source"], key))
            if last["topic"] != "routing.partner" and there != last["sequence"] + 1:
                yield f"{consumer} is at {there} of {source}'s {key}, told {last['sequence']}"


def the_topics_hold_what_was_told(found: Evidence) -> Iterator[str]:
    """Compare the outboxes with the topics; what else is there, we have put there."""
    in_topics = _in_topics(found)
    rows = [row for service in SERVICES for row in found.of(service, "outbox")]
    for row in rows:
        there = in_topics.pop(row["event_id"], set())
        places = {place[:3] for place in there}
        if len(there) != 1 or places != {(row["topic"], row["key"], str(row["sequence"]))}:
            yield f"event {row['event_id']} is {len(there)} times in its topic, as {places}"
    yield from (f"nobody wrote the event {event_id!r}" for event_id in in_topics)


def nothing_waits(found: Evidence) -> Iterator[str]:
    """Look into outboxes and for held records, and compare what is parked with the poison."""
    parked: Counter[Place] = Counter()
    for name in SERVICES:
        if unsent := sum(row["sent_at"] is None for row in found.of(name, "outbox")):
            yield f"{unsent} events in the outbox of {name}"
        if held := len(found.of(name, "held")):
            yield f"{held} records held at {name}"
        rows = found.of(name, "parked")
        parked.update((row["consumer"], row["key"], row["reason"]) for row in rows)
    wanted = Counter(
        (consumer, poison.record.key.decode(), poison.reason)
        for poison in found.poisons
        for consumer in poison.parked_by
    )
    yield from _unequal("parked", parked, wanted)


def only_what_is_too_large_is_not_sent(found: Evidence) -> Iterator[str]:
    """Compare the events that were given up with those that no broker takes."""
    given_up = Counter(
        (name, row["event_id"], row["failure"])
        for name in SERVICES
        for row in found.of(name, "unsendable")
    )
    wanted = Counter((name, event, "too-large") for event, name in found.oversize.items())
    yield from _unequal("given up", given_up, wanted)


def _unequal(what: str, there: Counter[Place], wanted: Counter[Place]) -> Iterator[str]:
    for place in there.keys() | wanted.keys():
        if there[place] != wanted[place]:
            yield f"{what} {there[place]} times instead of {wanted[place]}: {place}"


def _in_topics(found: Evidence) -> dict[str, set[tuple[str, str, str, bytes]]]:
    poison = {poison.record for poison in found.poisons}
    there: dict[str, set[tuple[str, str, str, bytes]]] = defaultdict(set)
    for record in found.records:
        if record not in poison:
            place = (record.topic, record.key.decode(), record.header("ce_sequence"), record.value)
            there[record.header("ce_id")].add(place)
    return there


def _line(row: Row) -> str:
    kind = "delivered" if verb(row) == "delivered" else "delivery-exhausted"
    return f"{kind} {row['data']['channel']}"


def _leaves_a_line(row: Row) -> bool:
    to_partner = row["data"]["template"] in _TO_PARTNER and row["data"]["offer_id"] is not None
    return verb(row) == "exhausted" or to_partner


def _different(
    applied: Mapping[str, list[str]], told: Mapping[str, list[str]], keys: list[str]
) -> Iterator[str]:
    for key in keys:
        if applied.get(key, []) != told.get(key, []):
            yield f"{key}: told {told.get(key, [])}, applied {applied.get(key, [])}"
