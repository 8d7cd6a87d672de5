"""What the system said yes to is there: once, everywhere, and where its history leads."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from tests.faults.evidence import Evidence, Row, is_live, verb

_EVENT_OF: Final = {
    "acceptance": "accepted",
    "decline": "declined",
    "contact": "contacted",
    "closure": "closed",
}
_AT_INTAKE: Final = {"declined": "to-match", "offer-expired": "to-match", "ended": "closed"}
_UNMATCHED: Final = ("waiting-for-place", "needs-new-release", "needs-person")
# Where a referral may stay: somebody acts next, or nobody has to.
_HELD: Final = ("offered", "accepted")
_RESTS: Final = (*_UNMATCHED, *_HELD, "closed", "withdrawn")
_RESTS_AT_INTAKE: Final = (*_RESTS, "contacted", "service-started", "escalated", "overdue")


def nothing_is_lost(found: Evidence) -> Iterator[str]:
    """Look for every referral, withdrawal and revocation that was answered with yes."""
    for where, column in (("intake", "status"), ("routing", "state")):
        states = {row["referral_id"]: row[column] for row in found.of(where, "referral")}
        for referral_id in found.ledger.submitted.keys() - states.keys():
            yield f"referral {referral_id} is not at {where}"
        for referral_id in found.ledger.withdrawn:
            if states.get(referral_id) != "withdrawn":
                yield f"{referral_id}, withdrawn, is {states.get(referral_id)} at {where}"
        revoked = {row["release_id"] for row in found.of(where, "release") if row["revoked_at"]}
        for release_id in found.ledger.revoked.keys() - revoked:
            yield f"release {release_id} is not revoked at {where}"


def intake_accepts_while_events_cannot_leave(found: Evidence) -> Iterator[str]:
    """Look for submissions during each outage: answered in it, none at its second try."""
    sent = found.ledger.submitted.values()
    for outage in found.outages:
        during = [one for one in sent if outage.begun <= one.begun < outage.ended]
        if not any(one.ended < outage.ended for one in during):
            yield f"{outage.name}: nothing was taken in, {len(during)} sent"
        for one in during:
            if one.failed_at is not None and one.failed_at < outage.ended:
                yield f"{outage.name}: one was refused {one.failed_at - outage.begun:.1f} s later"


def nothing_is_there_twice(found: Evidence) -> Iterator[str]:
    """Count the referrals: as many as were submitted, however often each was sent."""
    for where in ("intake", "routing"):
        number = len(found.of(where, "referral"))
        if number != len(found.ledger.submitted):
            yield f"{number} referrals at {where}, {len(found.ledger.submitted)} submitted"


def every_answer_took_effect_once(found: Evidence) -> Iterator[str]:
    """Look for the one event of every step that a partner was told yes to."""
    told = Counter(
        (row["data"]["offer_id"], verb(row))
        for row in found.of("routing", "outbox")
        if row["data"].get("offer_id") and verb(row) != "escalated"
    )
    offers = {row["reference"]: str(row["offer_id"]) for row in found.of("routing", "offer")}
    for reference, step in found.ledger.done:
        if not told[offers[reference], _EVENT_OF[step]]:
            yield f"{step} of {reference} was answered with yes and never told"
    yield from (
        f"offer {offer} was {what} {n} times" for (offer, what), n in told.items() if n > 1
    )


def every_state_is_explained(found: Evidence) -> Iterator[str]:
    """Follow each history to its end: there routing and intake have the referral."""
    for where, column, wanted in (
        ("routing", "state", _ends(found, _state_after)),
        ("intake", "status", _ends(found, _status_after)),
    ):
        for row in found.of(where, "referral"):
            name, state = row["referral_id"], row[column]
            if state != wanted[name]:
                yield f"{where} has {name} as {state}, its history: {wanted[name]}"


def every_referral_rests_where_somebody_acts(found: Evidence) -> Iterator[str]:
    """Look for referrals that were left on their way."""
    for where, column, rests in (
        ("routing", "state", _RESTS),
        ("intake", "status", _RESTS_AT_INTAKE),
    ):
        for row in found.of(where, "referral"):
            if row[column] not in rests:
                yield f"{where} left {row['referral_id']} {row[column]}"


def every_referral_is_where_its_offer_is(found: Evidence) -> Iterator[str]:
    """Compare referrals with the offers that live, and with what was told of them last."""
    live = {
        row["referral_id"]: row["state"] for row in found.of("routing", "offer") if is_live(row)
    }
    told = found.events("routing")
    for row in found.of("routing", "referral"):
        name, state = row["referral_id"], row["state"]
        offer, last = live.get(name), _state_after(told.get(str(name), []))
        if offer != (state if state in _HELD else None):
            yield f"referral {name} is {state}, its offer {offer}"
        if state == "withdrawn" and last in _HELD:
            yield f"{name} was withdrawn, and nobody told that it is not {last} any more"


def _ends(found: Evidence, after: Callable[[Sequence[Row]], str]) -> Mapping[UUID, str]:
    """Return where each referral's history leads; a withdrawal is the end of all."""
    told = found.events("routing")
    withdrawn = {row["key"] for row in found.of("intake", "outbox") if verb(row) == "withdrawn"}
    return {
        row["referral_id"]: "withdrawn" if key in withdrawn else after(told.get(key, []))
        for row in (*found.of("routing", "referral"), *found.of("intake", "referral"))
        if (key := str(row["referral_id"]))
    }


def _state_after(history: Sequence[Row]) -> str:
    state = "to-match"
    for row in history:
        if verb(row) in {"offered", "accepted", "closed"}:
            state = verb(row)
        elif verb(row) == "unmatched":
            state = row["data"]["queue"]
        elif verb(row) in {"declined", "cancelled", "offer-expired"}:
            state = f"after {verb(row)}"  # never the end: the next partner, or a queue, follows
    return state


def _status_after(history: Sequence[Row]) -> str:
    status = "submitted"
    for row in history:
        if status != "closed":
            status = _status(row)
    return status


def _status(row: Row) -> str:
    if verb(row) == "unmatched":
        return str(row["data"]["queue"])
    if verb(row) == "escalation-cleared":
        return str(row["data"]["status"])
    if verb(row) == "escalated":
        late = row["data"]["reason"] == "first-contact-overdue"
        return "overdue" if late else "escalated"
    return _AT_INTAKE.get(verb(row), verb(row))
