"""Each invariant speaks up when what it guards is broken, and only then."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.faults.evidence import Evidence
from tests.faults.invariants import deliveries, offers, promises, releases, streams
from tests.faults.load import Ledger
from tests.faults.looking import Look
from tests.faults.receivers import Call
from tests.faults.records import Kept

REFERRAL, OFFER, SERVICE, PARTNER, RELEASE, DELIVERY = map(
    UUID, map("{:032x}".format, range(1, 7))
)
KEY, REFERENCE = str(REFERRAL), "WH-7K3F-92"
NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
BODY = b'{"type":"referral.offered"}'
Break = Callable[[dict[tuple[str, str], list[dict[str, Any]]]], object]


def an_event(service: str, number: int, verb: str, **data: Any) -> dict[str, Any]:
    subject = "delivery" if service == "notifications" else "referral"
    return {
        "event_id": f"{service}-{number}",
        "topic": f"{service}.{subject}",
        "key": KEY,
        "sequence": number,
        "type": f"{service}.{subject}.{verb}.v1",
        "sent_at": NOW,
        "data": {"offer_id": str(OFFER), "partner_id": str(PARTNER), **data},
        "source": f"/{service}/x",
    }


def rows() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return one referral that went all the way."""
    delivered = {"template": "offer-waiting", "channel": "webhook"}
    verbs = ("offered", "accepted", "closed")
    line = {"referral_id": REFERRAL, "organization_id": PARTNER, "offer_reference": REFERENCE}
    positions = {"intake": ["routing"], "routing": ["intake", "notifications"]}
    positions["notifications"] = ["routing"]
    lengths = {"intake": 1, "routing": 3, "notifications": 1}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {
        ("intake", "referral"): [{"referral_id": REFERRAL, "status": "closed"}],
        ("intake", "release"): [{"release_id": RELEASE, "revoked_at": None}],
        ("intake", "timeline"): [{"referral_id": REFERRAL, "what": verb} for verb in verbs],
        ("intake", "outbox"): [an_event("intake", 1, "submitted")],
        ("routing", "referral"): [{"referral_id": REFERRAL, "state": "closed"}],
        ("routing", "release"): [{"release_id": RELEASE, "revoked_at": None}],
        ("routing", "offer"): [
            {
                "offer_id": OFFER,
                "reference": REFERENCE,
                "referral_id": REFERRAL,
                "partner_id": PARTNER,
                "service_id": SERVICE,
                "release_id": RELEASE,
                "state": "closed",
            }
        ],
        ("routing", "hold"): [{"service_id": SERVICE, "released_at": NOW}],
        ("routing", "slot"): [{"service_id": SERVICE, "held": 0, "capacity": 1}],
        ("routing", "timeline"): [
            line | {"who": "intake", "kind": "submitted", "code": ""},
            line | {"who": "routing", "kind": "offered", "code": ""},
            line | {"who": "notifications", "kind": "delivered", "code": "webhook"},
        ],
        ("routing", "outbox"): [an_event("routing", n, v) for n, v in enumerate(verbs, 1)],
        ("notifications", "delivery"): [
            {
                "delivery_id": DELIVERY,
                "offer_id": OFFER,
                "channel": "webhook",
                "address": "http://127.0.0.1:1/hooks/1",
                "state": "delivered",
                "changed_at": NOW,
                "attempts": 1,
                "last_class": "delivered",
            }
        ],
        ("notifications", "closed"): [],
        ("notifications", "outbox"): [an_event("notifications", 1, "delivered", **delivered)],
    }
    for service, sources in positions.items():
        found[service, "held"], found[service, "parked"] = [], []
        found[service, "position"] = [
            {"source": f"/{of}/x", "key": KEY, "next_sequence": lengths[of] + 1}
            for of in {"intake": ["routing"], "routing": ["intake", "notifications"]}.get(
                service, sources
            )
        ]
    return found


def evidence(found: dict[tuple[str, str], list[dict[str, Any]]], **changes: Any) -> Evidence:
    ledger = Ledger(submitted={REFERRAL: 0.0}, done={(REFERENCE, "acceptance"): 0.0})
    records = [
        Kept(
            row["topic"],
            KEY.encode(),
            (
                ("ce_id", row["event_id"].encode()),
                ("ce_sequence", str(row["sequence"]).encode()),
            ),
            b"{}",
        )
        for (_, table), rows_of in rows().items()
        if table == "outbox"
        for row in rows_of
    ]
    call = Call(NOW.timestamp(), str(DELIVERY), "/hooks/1", BODY, "good")
    whole: dict[str, Any] = {"records": records, "calls": [call], "mails": [], "looks": []}
    return Evidence(
        system=None,  # type: ignore[arg-type]  # only the search for the canary needs it
        ledger=changes.pop("ledger", ledger),
        poisons=[],
        rows=found,
        **(whole | changes),
    )


def _again(found: list[dict[str, Any]]) -> None:
    found.append(found[0])


def _another_offer(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    found["routing", "outbox"].insert(1, an_event("routing", 2, "offered", offer_id="another"))


def _stop_long_ago(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    long_ago = NOW - timedelta(minutes=1)
    found["notifications", "delivery"][0].update(state="stopped", changed_at=long_ago)


def _revoke_first(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    line = {"referral_id": REFERRAL, "organization_id": PARTNER, "offer_reference": ""}
    revoked = line | {"who": "intake", "kind": "release-revoked", "code": ""}
    found["routing", "timeline"].insert(1, revoked)


PROOFS: list[Callable[[Evidence], Iterator[str]]] = [
    promises.nothing_is_lost,
    promises.nothing_is_there_twice,
    promises.every_answer_took_effect_once,
    promises.every_state_is_explained,
    offers.each_offer_is_made_once,
    offers.no_two_partners_hold_a_referral,
    offers.no_place_leaks_or_is_given_twice,
    streams.intakes_events_take_effect_once,
    streams.routings_events_take_effect_once_and_in_order,
    streams.notifications_events_take_effect_once_and_in_order,
    streams.every_position_is_at_the_end,
    streams.the_topics_hold_what_was_told,
    streams.nothing_waits,
    deliveries.every_delivery_arrived,
    deliveries.each_message_keeps_its_id,
    deliveries.every_offer_was_told,
    deliveries.a_stopped_message_is_not_sent,
    releases.a_revoked_release_lets_nothing_through,
    releases.identity_is_read_only_while_it_may_be,
]


@pytest.mark.parametrize("proof", PROOFS)
def test_a_whole_system_satisfies_every_invariant(
    proof: Callable[[Evidence], Iterator[str]],
) -> None:
    assert list(proof(evidence(rows()))) == []


BROKEN: list[tuple[str, Callable[[Evidence], Iterator[str]], Break]] = [
    ("a referral is lost", promises.nothing_is_lost, lambda r: r["routing", "referral"].clear()),
    (
        "a referral is there twice",
        promises.nothing_is_there_twice,
        lambda r: _again(r["intake", "referral"]),
    ),
    (
        "an answer is forgotten",
        promises.every_answer_took_effect_once,
        lambda r: r["routing", "outbox"].pop(1),
    ),
    (
        "an answer is told twice",
        promises.every_answer_took_effect_once,
        lambda r: _again(r["routing", "outbox"]),
    ),
    (
        "the last event is missing",
        promises.every_state_is_explained,
        lambda r: r["routing", "outbox"].pop(),
    ),
    (
        "intake has another status",
        promises.every_state_is_explained,
        lambda r: r["intake", "referral"][0].update(status="x"),
    ),
    (
        "a partner is asked twice",
        offers.each_offer_is_made_once,
        lambda r: _again(r["routing", "offer"]),
    ),
    ("two partners hold it", offers.no_two_partners_hold_a_referral, _another_offer),
    (
        "a counter is off",
        offers.no_place_leaks_or_is_given_twice,
        lambda r: r["routing", "slot"][0].update(held=1),
    ),
    (
        "a place is given twice",
        offers.no_place_leaks_or_is_given_twice,
        lambda r: r["routing", "slot"][0].update(capacity=0),
    ),
    (
        "a submission takes effect twice",
        streams.intakes_events_take_effect_once,
        lambda r: _again(r["routing", "timeline"]),
    ),
    (
        "a submission takes no effect",
        streams.intakes_events_take_effect_once,
        lambda r: r["routing", "timeline"].pop(0),
    ),
    (
        "events are applied out of order",
        streams.routings_events_take_effect_once_and_in_order,
        lambda r: r["intake", "timeline"].reverse(),
    ),
    (
        "an event is applied twice",
        streams.routings_events_take_effect_once_and_in_order,
        lambda r: _again(r["intake", "timeline"]),
    ),
    (
        "a delivery is noted twice",
        streams.notifications_events_take_effect_once_and_in_order,
        lambda r: r["routing", "timeline"].append(r["routing", "timeline"][-1]),
    ),
    (
        "a position is behind",
        streams.every_position_is_at_the_end,
        lambda r: r["notifications", "position"].clear(),
    ),
    (
        "an event is nobody's",
        streams.the_topics_hold_what_was_told,
        lambda r: r["routing", "outbox"].pop(),
    ),
    ("an event was never sent", streams.the_topics_hold_what_was_told, _another_offer),
    (
        "an event is unsent",
        streams.nothing_waits,
        lambda r: r["intake", "outbox"][0].update(sent_at=None),
    ),
    ("a record is held", streams.nothing_waits, lambda r: r["routing", "held"].append({})),
    (
        "a record is parked",
        streams.nothing_waits,
        lambda r: r["routing", "parked"].append({"consumer": "", "key": "", "reason": ""}),
    ),
    (
        "a mail did not come",
        deliveries.every_delivery_arrived,
        lambda r: r["notifications", "delivery"][0].update(channel="email"),
    ),
    (
        "a message is given up",
        deliveries.every_delivery_arrived,
        lambda r: r["notifications", "delivery"][0].update(state="exhausted"),
    ),
    (
        "a webhook is nobody's",
        deliveries.each_message_keeps_its_id,
        lambda r: r["notifications", "delivery"].clear(),
    ),
    (
        "an offer is not told",
        deliveries.every_offer_was_told,
        lambda r: r["notifications", "delivery"].clear(),
    ),
    ("a message comes after its stop", deliveries.a_stopped_message_is_not_sent, _stop_long_ago),
    (
        "an offer is made after the revocation",
        releases.a_revoked_release_lets_nothing_through,
        _revoke_first,
    ),
]


@pytest.mark.parametrize(
    ("proof", "break_it"), [pytest.param(*case, id=name) for name, *case in BROKEN]
)
def test_an_invariant_tells_what_is_broken(
    proof: Callable[[Evidence], Iterator[str]], break_it: Break
) -> None:
    found = rows()
    break_it(found)

    assert list(proof(evidence(found)))


def test_a_look_after_the_revocation_is_told() -> None:
    ledger = replace(Ledger(), revoked={RELEASE: 10.0})
    looks = [Look(REFERENCE, RELEASE, asked_at, saw=True) for asked_at in (9.0, 11.0)]

    told = list(
        releases.identity_is_read_only_while_it_may_be(
            evidence(rows(), ledger=ledger, looks=looks)
        )
    )

    assert len(told) == 1
