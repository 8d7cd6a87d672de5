"""Messages: each arrived at least once under one id, or was refused for good, or not wanted."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.faults.evidence import Evidence, Row
from tests.faults.receivers import GOOD

_ON_ITS_WAY_SECONDS: Final = 15.0
_LEAST_ATTEMPTS: Final = 3
_OVER: Final = ("delivered", "exhausted", "stopped")


def every_delivery_arrived(found: Evidence) -> Iterator[str]:
    """Look at the endpoint and in the mailbox for what counts as delivered."""
    answers, mails = _answers(found), _mails(found)
    for row in found.of("notifications", "delivery"):
        name = str(row["delivery_id"])
        arrived = answers[name][GOOD] if row["channel"] == "webhook" else name in mails
        if row["state"] == "delivered" and not arrived:
            yield f"delivery {name} by {row['channel']} did not arrive: {answers[name]}"
        if row["state"] not in _OVER:
            yield f"delivery {name} is {row['state']}"
        if row["state"] == "exhausted" and not _was_refused(row, answers[name]):
            yield f"delivery {name} was given up: {row['last_class']}, {row['attempts']} attempts"


def each_message_keeps_its_id(found: Evidence) -> Iterator[str]:
    """Compare all arrivals of one id: a delivery's own, at one endpoint, with one content."""
    known = {
        str(row["delivery_id"]): row["address"] for row in found.of("notifications", "delivery")
    }
    contents: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
    for call in found.calls:
        contents[call.webhook_id].add((call.path, call.body))
    for name, there in contents.items():
        if len(there) > 1:
            yield f"webhook {name} came with {len(there)} contents: {sorted(there)}"
        if not known.get(name, "").endswith(next(iter(there))[0]):
            yield f"webhook {name} came to another endpoint than its delivery's"


def every_offer_was_told(found: Evidence) -> Iterator[str]:
    """Look for a message about each offer, unless it was taken back before that."""
    told = {row["offer_id"] for row in found.of("notifications", "delivery")}
    closed = {row["offer_id"] for row in found.of("notifications", "closed")}
    for row in found.of("routing", "offer"):
        if row["offer_id"] not in told | closed:
            yield f"nobody was told of offer {row['reference']}"


def a_stopped_message_is_not_sent(found: Evidence) -> Iterator[str]:
    """Compare arrivals with the moment of the stop; what was on its way may still arrive."""
    stopped = {
        str(row["delivery_id"]): row["changed_at"].timestamp() + _ON_ITS_WAY_SECONDS
        for row in found.of("notifications", "delivery")
        if row["state"] == "stopped"
    }
    arrivals = [(call.webhook_id, call.at) for call in found.calls]
    arrivals += [(name, mail.at) for name, mail in _mails(found).items()]
    for name, at in arrivals:
        if at > stopped.get(name, at):
            yield f"message {name} arrived {at - stopped[name]:.0f} s too late"


def _answers(found: Evidence) -> Mapping[str, Counter[str]]:
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for call in found.calls:
        answers[call.webhook_id][call.answer] += 1
    return answers


def _mails(found: Evidence) -> Mapping[str, Any]:
    return {mail.message_id.strip("<>").split("@")[0]: mail for mail in found.mails}


def _was_refused(row: Row, answers: Counter[str]) -> bool:
    """Tell whether somebody refused for good: a mail server once, an endpoint three times."""
    if row["channel"] == "email":
        return bool(row["last_class"] == "recipient-refused")
    doubtful = answers["redirects"] + answers["refuses-signature"]
    return doubtful > 0 and row["attempts"] >= _LEAST_ATTEMPTS
