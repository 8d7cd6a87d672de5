"""Messages: each arrived at least once under one id, or was refused for good, or not wanted."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tests.faults.evidence import Evidence, Row, verb
from tests.faults.receivers import GOOD, Mail

_ON_ITS_WAY_SECONDS: Final = 15.0
_LEAST_ATTEMPTS: Final = 3
_OVER: Final = ("delivered", "exhausted", "stopped")
_REDIRECTED: Final = "status-302"
_ANSWERS: Final = ("accepted", "declined", "offer-expired", "cancelled", "closed")
_MADE_NEEDLESS_BY: Final = {
    "offer-waiting": _ANSWERS,
    "needs-new-release": ("offered", "closed"),
    "needs-attention": ("closed",),
}


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


def what_did_not_arrive_was_refused_or_needless(found: Evidence) -> Iterator[str]:
    """Look at the receivers for refusals, and at what was told since for why it was stopped."""
    answers, histories = _answers(found), found.events("routing")
    given_up: Counter[str] = Counter()
    for row in found.of("notifications", "delivery"):
        name = str(row["delivery_id"])
        if row["state"] == "exhausted":
            given_up[row["address"]] += 1
            if not _was_refused(row, answers[name]):
                yield f"{name} was given up: {row['last_class']}, {row['attempts']} attempts"
        if row["state"] == "stopped" and not _was_answered(row, histories):
            yield f"{name} was stopped, and nothing that was told explains it"
    yield from (
        f"{number} mails to {address} were given up, {found.refused.get(address, 0)} refused"
        for address, number in given_up.items()
        if "@" in address and number > found.refused.get(address, 0)
    )


def each_message_keeps_its_id(found: Evidence) -> Iterator[str]:
    """Compare all arrivals of one id: a delivery's own, at one endpoint, with one content."""
    known = {
        str(row["delivery_id"]): row["address"] for row in found.of("notifications", "delivery")
    }
    contents: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
    for call in found.calls:
        contents[call.webhook_id].add((call.path, call.body))
    for mail in found.mails:
        contents[_id_of(mail)].add((mail.recipient, mail.content))
    for name, there in contents.items():
        if len(there) > 1:
            yield f"message {name} came with {len(there)} contents: {sorted(there)}"
        if not known.get(name, "").endswith(next(iter(there))[0]):
            yield f"message {name} came to another endpoint than its delivery's"


def every_call_is_signed(found: Evidence) -> Iterator[str]:
    """Look for webhooks whose signature their receiver could not verify."""
    yield from (
        f"webhook {call.webhook_id} was not signed" for call in found.calls if not call.signed
    )


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


def _mails(found: Evidence) -> Mapping[str, Mail]:
    return {_id_of(mail): mail for mail in found.mails}


def _id_of(mail: Mail) -> str:
    return mail.message_id.strip("<>").split("@")[0]


def _was_refused(row: Row, answers: Counter[str]) -> bool:
    """Tell whether somebody refused for good: a mail server once, an endpoint three times."""
    if row["channel"] == "email":
        return bool(row["last_class"] == "recipient-refused")
    last = row["last_class"] == _REDIRECTED and answers["redirects"] > 0
    return last and row["attempts"] >= _LEAST_ATTEMPTS


def _was_answered(row: Row, histories: Mapping[str, Sequence[Row]]) -> bool:
    """Tell whether what was told after a message's own event makes the message needless."""
    history = histories.get(str(row["referral_id"]), [])
    own = next((e["sequence"] for e in history if e["event_id"] == str(row["event_id"])), None)
    return own is not None and any(
        verb(later) in _MADE_NEEDLESS_BY.get(row["template"], ())
        and (
            row["template"] != "offer-waiting"
            or verb(later) == "closed"
            or later["data"].get("offer_id") == str(row["offer_id"])
        )
        for later in history
        if later["sequence"] > own
    )
