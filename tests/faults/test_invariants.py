"""Each invariant speaks up when what it guards is broken, and only then."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.faults.checks import INVARIANTS
from tests.faults.evidence import Evidence
from tests.faults.invariants import (
    canary,
    deliveries,
    offers,
    promises,
    releases,
    streams,
    telling,
)
from tests.faults.load import NAME, Ledger, Sent
from tests.faults.looking import Look
from tests.faults.receivers import Call, Mail
from tests.faults.records import Kept
from tests.faults.run import Outage
from tests.support.databases import TestDatabase

REFERRAL, OFFER, SERVICE, PARTNER, RELEASE, DELIVERY, ENDPOINT, HOST, ADVOCATE = map(
    UUID, map("{:032x}".format, range(1, 10))
)
KEY, REFERENCE = str(REFERRAL), "WH-7K3F-92"
NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
BODY = b'{"type":"referral.offered"}'
Break = Callable[[dict[tuple[str, str], list[dict[str, Any]]]], object]


def _quoted(text: str) -> bytes:
    mail = EmailMessage()
    mail.set_content(text, cte="quoted-printable")
    mail.set_payload("".join(f"={byte:02X}" for byte in text.encode()))
    return mail.as_bytes()


def an_event(service: str, number: int, verb: str, **data: Any) -> dict[str, Any]:
    subject = "delivery" if service == "notifications" else "referral"
    return {
        "event_id": f"{service}-{number}",
        "topic": f"{service}.{subject}",
        "key": KEY,
        "sequence": number,
        "type": f"{service}.{subject}.{verb}.v1",
        "sent_at": NOW,
        "data": {
            "offer_id": str(OFFER),
            "partner_id": str(PARTNER),
            "submitted_by": str(ADVOCATE),
            **data,
        },
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
        ("intake", "disclosure"): [{"release_id": RELEASE, "at": NOW}],
        ("intake", "outbox"): [an_event("intake", 1, "submitted")],
        ("routing", "referral"): [{"referral_id": REFERRAL, "state": "closed"}],
        ("routing", "release"): [
            {
                "release_id": RELEASE,
                "referral_id": REFERRAL,
                "partner_id": PARTNER,
                "revoked_at": None,
            }
        ],
        ("routing", "decision"): [
            {
                "referral_id": REFERRAL,
                "verdicts": [
                    {
                        "partner_id": str(PARTNER),
                        "service_id": str(SERVICE),
                        "checks": [{"rule": "place", "passed": False}],
                    }
                ],
            }
        ],
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
                "event_id": "routing-1",
                "endpoint_id": ENDPOINT,
                "referral_id": REFERRAL,
                "template": "offer-waiting",
                "offer_id": OFFER,
                "channel": "webhook",
                "address": "http://127.0.0.1:1/hooks/1",
                "state": "delivered",
                "changed_at": NOW,
                "attempts": 1,
                "last_class": "delivered",
            }
        ],
        ("notifications", "contact"): [
            {
                "endpoint_id": endpoint,
                "owner_kind": kind,
                "owner_id": owner,
                "active": True,
                "disabled_at": None,
            }
            for endpoint, kind, owner in (
                (ENDPOINT, "partner", PARTNER),
                (HOST, "host", HOST),
                (ADVOCATE, "agency-member", ADVOCATE),
            )
        ],
        ("notifications", "outbox"): [an_event("notifications", 1, "delivered", **delivered)],
    }
    for service, sources in positions.items():
        found[service, "held"], found[service, "parked"] = [], []
        found[service, "unsendable"] = []
        found[service, "position"] = [
            {"source": f"/{of}/x", "key": KEY, "next_sequence": lengths[of] + 1}
            for of in {"intake": ["routing"], "routing": ["intake", "notifications"]}.get(
                service, sources
            )
        ]
    return found


def evidence(found: dict[tuple[str, str], list[dict[str, Any]]], **changes: Any) -> Evidence:
    ledger = Ledger(submitted={REFERRAL: Sent(1.0, 2.0)}, done={(REFERENCE, "acceptance"): 0.0})
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
    whole: dict[str, Any] = {
        "ledger": ledger,
        "outages": [Outage("broker away", 0.5, 3.0)],
        "poisons": [],
        "oversize": {},
        "rows": found,
        "records": records,
        "calls": [call],
        "mails": [],
        "refused": {},
        "logs": [],
        "databases": {},
        "looks": [],
    }
    return Evidence(**(whole | changes))


def _again(found: list[dict[str, Any]]) -> None:
    found.append(found[0])


def _another_offer(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    found["routing", "outbox"].insert(1, an_event("routing", 2, "offered", offer_id="another"))


def _stop_long_ago(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    long_ago = NOW - timedelta(minutes=1)
    found["notifications", "delivery"][0].update(state="stopped", changed_at=long_ago)


def _line_first(
    found: dict[tuple[str, str], list[dict[str, Any]]], kind: str, partner: UUID | None
) -> None:
    line = {"referral_id": REFERRAL, "organization_id": partner, "offer_reference": ""}
    found["routing", "timeline"].insert(1, line | {"who": "intake", "kind": kind, "code": ""})


def _revoke_first(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    _line_first(found, "release-revoked", PARTNER)


def _stop_before_any_answer(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    found["notifications", "delivery"][0].update(state="stopped")
    del found["routing", "outbox"][1:]


def _stop_by_another_answer(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    found["notifications", "delivery"][0].update(state="stopped")
    found["routing", "outbox"][1:] = [an_event("routing", 2, "declined", offer_id="another")]


def _silence_by_a_cancellation(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    found["notifications", "delivery"].clear()
    found["routing", "outbox"][1] = an_event("routing", 2, "cancelled", stop=False)


def _never_matched(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    found["routing", "outbox"].clear()
    found["routing", "referral"][0].update(state="to-match")


def _wait_for_a_place(found: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    found["routing", "referral"][0].update(state="waiting-for-place")


@pytest.mark.parametrize("proof", INVARIANTS)
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
        "a referral was never matched",
        promises.every_referral_rests_where_somebody_acts,
        _never_matched,
    ),
    (
        "a status is left on its way",
        promises.every_referral_rests_where_somebody_acts,
        lambda r: r["intake", "referral"][0].update(status="submitted"),
    ),
    (
        "a referral is held and has no offer",
        promises.every_referral_is_where_its_offer_is,
        lambda r: r["routing", "referral"][0].update(state="accepted"),
    ),
    (
        "a withdrawn referral's offer was not cancelled",
        promises.every_referral_is_where_its_offer_is,
        lambda r: (
            r["routing", "referral"][0].update(state="withdrawn"),
            r["routing", "outbox"].pop(),
        ),
    ),
    (
        "a referral waits beside a free place",
        offers.nobody_waits_beside_a_free_place,
        _wait_for_a_place,
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
        "an event is given up",
        streams.only_what_is_too_large_is_not_sent,
        lambda r: r["intake", "unsendable"].append({"event_id": "e", "failure": "not-allowed"}),
    ),
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
        "a message waits",
        deliveries.every_delivery_arrived,
        lambda r: r["notifications", "delivery"][0].update(state="waiting"),
    ),
    (
        "a message is given up",
        deliveries.what_did_not_arrive_was_refused_or_needless,
        lambda r: r["notifications", "delivery"][0].update(state="exhausted"),
    ),
    (
        "a webhook is nobody's",
        deliveries.each_message_keeps_its_id,
        lambda r: r["notifications", "delivery"].clear(),
    ),
    (
        "a message is stopped without a reason",
        deliveries.what_did_not_arrive_was_refused_or_needless,
        _stop_before_any_answer,
    ),
    (
        "an answer to another offer stops a message",
        deliveries.what_did_not_arrive_was_refused_or_needless,
        _stop_by_another_answer,
    ),
    (
        "an offer is not told",
        telling.everybody_is_told_once,
        lambda r: r["notifications", "delivery"].clear(),
    ),
    (
        "an offer is told twice",
        telling.everybody_is_told_once,
        lambda r: r["notifications", "delivery"].append(
            r["notifications", "delivery"][0] | {"event_id": "another"}
        ),
    ),
    (
        "an offer is told to another endpoint",
        telling.everybody_is_told_once,
        lambda r: r["notifications", "delivery"][0].update(endpoint_id=HOST),
    ),
    (
        "nobody is told that a release is needed",
        telling.everybody_is_told_once,
        lambda r: r["routing", "outbox"].append(
            an_event("routing", 4, "unmatched", queue="needs-new-release")
        ),
    ),
    (
        "the host is not told that a person has to look",
        telling.everybody_is_told_once,
        lambda r: r["routing", "outbox"].append(an_event("routing", 4, "escalated")),
    ),
    (
        "a partner that accepted is not told to stop",
        telling.everybody_is_told_once,
        lambda r: r["routing", "outbox"].append(an_event("routing", 4, "cancelled", stop=True)),
    ),
    (
        "a cancellation that came in its turn silences the offer",
        telling.everybody_is_told_once,
        _silence_by_a_cancellation,
    ),
    ("a message comes after its stop", deliveries.a_stopped_message_is_not_sent, _stop_long_ago),
    (
        "an offer is made after the withdrawal",
        releases.a_revoked_release_lets_nothing_through,
        lambda r: _line_first(r, "withdrawn", None),
    ),
    (
        "an offer on a release that was revoked early has ended",
        releases.what_was_revoked_early_is_never_offered,
        lambda r: r["routing", "release"][0].update(revoked_at=NOW),
    ),
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


AT_ONCE = Sent(1.0, 2.0)
CALL = Call(NOW.timestamp(), str(DELIVERY), "/hooks/1", BODY, "good")
OUTSIDE: list[tuple[str, Callable[[Evidence], Iterator[str]], dict[str, Any]]] = [
    (
        "nothing is sent while the broker is away",
        promises.intake_accepts_while_events_cannot_leave,
        {"outages": [Outage("broker away", 3.0, 4.0)]},
    ),
    (
        "what is sent is taken in only afterwards",
        promises.intake_accepts_while_events_cannot_leave,
        {"ledger": Ledger(submitted={REFERRAL: Sent(1.0, 9.0)})},
    ),
    (
        "a first try is refused",
        promises.intake_accepts_while_events_cannot_leave,
        {"ledger": Ledger(submitted={REFERRAL: AT_ONCE, OFFER: Sent(1.0, 2.0, failed_at=1.5)})},
    ),
    (
        "an event too large was sent",
        streams.only_what_is_too_large_is_not_sent,
        {"oversize": {"large": "intake"}},
    ),
    (
        "a webhook is not signed",
        deliveries.every_call_is_signed,
        {"calls": [replace(CALL, signed=False)]},
    ),
    (
        "a mail is nobody's",
        deliveries.each_message_keeps_its_id,
        {"mails": [Mail(1.0, "<other@example.org>", "somebody@example.org", b"")]},
    ),
    (
        "a look after the revocation",
        releases.identity_is_read_only_while_it_may_be,
        {
            "ledger": replace(Ledger(), revoked={RELEASE: 10.0**12}),
            "looks": [Look(REFERENCE, RELEASE, 10.0**12 + 1, saw=True)],
        },
    ),
    (
        "a disclosure after the revocation",
        releases.identity_is_read_only_while_it_may_be,
        {"ledger": replace(Ledger(), revoked={RELEASE: NOW.timestamp() - 1})},
    ),
    (
        "a name in a record",
        canary.nothing_identifying_is_in_clear,
        {"records": [Kept("topic", b"", (), NAME.encode())]},
    ),
    (
        "a name in a header, in hexadecimal",
        canary.nothing_identifying_is_in_clear,
        {"records": [Kept("topic", b"", (("name", NAME.encode().hex().encode()),), b"")]},
    ),
    (
        "a name in a webhook",
        canary.nothing_identifying_is_in_clear,
        {"calls": [replace(CALL, body=f'{{"for": "{NAME}"}}'.encode())]},
    ),
    *(
        (
            f"a name in base64, {before}",
            canary.nothing_identifying_is_in_clear,
            {"calls": [replace(CALL, body=b64encode(f"{before}{NAME}, please".encode()))]},
        )
        for before in ("", "1", "12")
    ),
    (
        "a name in a mail, quoted",
        canary.nothing_identifying_is_in_clear,
        {"mails": [Mail(1.0, "<m@x>", "a@x", _quoted(NAME))]},
    ),
]


@pytest.mark.parametrize(
    ("proof", "changes"), [pytest.param(*case, id=name) for name, *case in OUTSIDE]
)
def test_an_invariant_tells_what_the_outside_shows(
    proof: Callable[[Evidence], Iterator[str]], changes: dict[str, Any]
) -> None:
    assert list(proof(evidence(rows(), **changes)))


def test_every_invariant_was_seen_to_speak_up() -> None:
    assert {proof for _, proof, _ in (*BROKEN, *OUTSIDE)} == {*INVARIANTS}


def test_a_name_in_a_log_or_a_table_is_told(tmp_path: Path, base_db: TestDatabase) -> None:
    log = tmp_path / "web.log"
    log.write_text(f"took in {NAME}\n")
    with psycopg.connect(base_db.owner) as connection:
        connection.execute("create table kept as select %s::bytea as what", (NAME.encode(),))

    told = list(
        canary.nothing_identifying_is_in_clear(
            evidence(rows(), logs=[log], databases={"base": base_db.owner})
        )
    )

    assert {text.rpartition(" ")[2] for text in told} == {"web.log", "public.kept"}


def test_a_look_before_the_revocation_is_in_order() -> None:
    ledger = replace(Ledger(), revoked={RELEASE: NOW.timestamp() + 1})
    looks = [Look(REFERENCE, RELEASE, NOW.timestamp(), saw=True)]
    found = evidence(rows(), ledger=ledger, looks=looks)

    assert list(releases.identity_is_read_only_while_it_may_be(found)) == []


def test_an_offer_that_was_taken_back_before_its_turn_is_told_to_nobody() -> None:
    """R-15: the cancellation comes first and takes effect at once, gap or not."""
    found = rows()
    _silence_by_a_cancellation(found)
    early = evidence(found)
    early = replace(early, records=sorted(early.records, key=_cancellation_first))

    assert list(telling.everybody_is_told_once(early)) == []


def _cancellation_first(record: Kept) -> bool:
    return record.header("ce_id") != "routing-2"
