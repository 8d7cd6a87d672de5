"""Who has to be told of what: one message to each endpoint for each event that asks for it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes
from typing import Final

from tests.faults.evidence import Evidence, Row, repeated, verb

_TO_PARTNER: Final = ("offer-waiting", "offer-stopped")
# By an event's kind: who is told, in which words. Who has no endpoint is stood in for by the host.
_TOLD: Final = {
    "offered": [("partner", "offer-waiting")],
    "stopped": [("partner", "offer-stopped")],
    "unmatched needs-new-release": [("advocate", "needs-new-release")],
    "unmatched needs-person": [("host", "needs-attention")],
    "escalated": [("advocate", "needs-attention"), ("host", "needs-attention")],
    "ended": [("advocate", "needs-attention")],
}

Points = Mapping[tuple[str, str], Sequence[str]]
"""Endpoints by the kind and the id of who has them; the site's host and agency have no id."""


def everybody_is_told_once(found: Evidence) -> Iterator[str]:
    """Compare the messages with what each event of routing leads to, endpoint by endpoint."""
    rows = found.of("notifications", "delivery")
    there = [(str(row["event_id"]), str(row["endpoint_id"]), row["template"]) for row in rows]
    wanted = set(_wanted(found))
    yield from (f"nobody was told: {message}" for message in wanted - set(there))
    yield from (f"nothing led to: {message}" for message in set(there) - wanted)
    yield from repeated(there)
    to_partners = [row for row in rows if row["template"] in _TO_PARTNER]
    yield from repeated(
        (row["offer_id"], row["endpoint_id"], row["template"]) for row in to_partners
    )
    names = {str(row["delivery_id"]) for row in to_partners}
    mails = {mail.message_id: mail for mail in found.mails}.values()
    yield from repeated(
        (mail.recipient, str(message_from_bytes(mail.content)["Subject"]))
        for mail in mails
        if mail.message_id.strip("<>").split("@")[0] in names
    )


def _wanted(found: Evidence) -> Iterator[tuple[str, str, str]]:
    points, arrivals = _points(found), _arrivals(found)
    for history in found.events("routing").values():
        for event in history:
            if verb(event) == "offered" and _came_too_late(event, history, arrivals):
                continue
            for reader, template in _TOLD.get(_kind(event), ()):
                endpoints = _endpoints(reader, event, points)
                words = template if endpoints else "needs-attention"
                for endpoint in endpoints or points["host", ""]:
                    yield event["event_id"], endpoint, words


def _points(found: Evidence) -> Points:
    points: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in found.of("notifications", "contact"):
        owner = "" if row["owner_kind"] in {"host", "agency"} else str(row["owner_id"])
        if row["active"] and row["disabled_at"] is None:
            points[row["owner_kind"], owner].append(str(row["endpoint_id"]))
    return points


def _kind(event: Row) -> str:
    """Return an event's verb, with what decides who is told of it."""
    if verb(event) == "unmatched":
        return f"unmatched {event['data']['queue']}"
    return "stopped" if event["data"].get("stop") else verb(event)


def _endpoints(reader: str, event: Row, points: Points) -> Sequence[str]:
    data = event["data"]
    if reader == "advocate":
        return points["agency-member", str(data["submitted_by"])] or points["agency", ""]
    return points[reader, str(data["partner_id"]) if reader == "partner" else ""]


def _arrivals(found: Evidence) -> Mapping[str, int]:
    """Return when each event came to its topic first, as a number."""
    arrivals: dict[str, int] = {}
    for number, record in enumerate(found.records):
        arrivals.setdefault(record.header("ce_id"), number)
    return arrivals


def _came_too_late(offered: Row, history: Sequence[Row], arrivals: Mapping[str, int]) -> bool:
    """Tell whether an offer was known to be taken back before it was its turn (R-15)."""
    before = [event for event in history if event["sequence"] <= offered["sequence"]]
    turn = max(arrivals.get(event["event_id"], 0) for event in before)
    return any(
        verb(event) == "cancelled"
        and event["data"]["offer_id"] == offered["data"]["offer_id"]
        and arrivals.get(event["event_id"], turn) < turn
        for event in history
    )
