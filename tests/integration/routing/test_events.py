"""From records on the bus to effects: once each, whatever order they come in."""

import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from routing.adapters.desk import Units
from routing.adapters.events import FINAL, IMMEDIATE, Events, RoutingUnit
from routing.application.clock import run_due
from routing.domain.model import Partner, Referral
from shared.bus import Record
from shared.contracts.catalogue import topic_of
from shared.contracts.event import Event, headers_of
from shared.db import Pool, open_pool, transaction
from shared.worker import Inbox
from tests.integration.routing.conftest import SITE, Routing, fails
from tests.support.databases import TestDatabase
from tests.unit.routing.builders import a_partner, a_referral


@dataclass
class Stream:
    """Routing's inbox, and the stream of one referral that an intake writes."""

    inbox: Inbox[RoutingUnit]
    pool: Pool
    referral_id: UUID = field(default_factory=uuid4)
    agency: str = "brva"
    sequence: int = 0

    def record(self, verb: str, *, sequence: int | None = None, **data: Any) -> Record:
        """Return the next record of the stream."""
        self.sequence = sequence or self.sequence + 1
        return self._record(f"intake.referral.{verb}.v1", f"/intake/{self.agency}", data)

    def delivery(self, verb: str, sequence: int, **data: Any) -> Record:
        """Return a record of notifications about the referral."""
        keep, self.sequence = self.sequence, sequence
        body = {"delivery_id": str(uuid4()), "endpoint_id": str(uuid4()), **data}
        record = self._record(f"notifications.delivery.{verb}.v1", "/notifications/x", body)
        self.sequence = keep
        return record

    def submitted(self, *partners: Partner, **changes: Any) -> Record:
        """Return the referral, released to these partners."""
        return self.record(
            "submitted",
            **{
                "reference": "WH-7K3F-92",
                "site": SITE.code,
                "agency": self.agency,
                "submitted_by": str(uuid4()),
                "facts": FACTS,
                "releases": [a_release(p, rank) for rank, p in enumerate(partners, 1)],
                "barred_partners": [],
                **changes,
            },
        )

    def arrive(self, *records: Record) -> None:
        """Deliver the records."""
        self.inbox.apply(records)

    def parked(self) -> list[str]:
        """Return why records were set aside."""
        with transaction(self.pool) as tx:
            return [row["reason"] for row in tx.execute("select reason from parked")]

    @property
    def referral(self) -> Referral:
        """Something with the referral's id."""
        return a_referral(referral_id=self.referral_id)

    def _record(self, type_: str, source: str, data: dict[str, Any]) -> Record:
        event = Event(
            id=uuid4(),
            source=source,
            type=type_,
            key=str(self.referral_id),
            time=datetime.now(UTC),
            sequence=self.sequence,
            correlation_id="c",
            traceparent="",
            data={},
        )
        return Record(
            topic=topic_of(type_, self.agency),
            partition=0,
            offset=0,
            key=event.key,
            headers=headers_of(event),
            value=json.dumps({"referral_id": event.key, **data}).encode(),
            timestamp=event.time,
        )


FACTS = {
    "needs": ["trauma-therapy"],
    "urgency": "routine",
    "age_band": "25-59",
    "languages": ["en"],
    "interpreter": False,
    "access_needs": [],
    "county": "22033",
    "preferences": [],
    "contact_route": "through-advocate",
}


def a_release(partner: Partner, rank: int = 1) -> dict[str, Any]:
    return {
        "release_id": str(uuid4()),
        "partner_id": str(partner.partner_id),
        "rank": rank,
        "expires_at": "2099-01-01T00:00:00+00:00",
        "items": ["needs", "facts"],
        "report_back": [],
    }


def revocation(stream: Stream, release: dict[str, Any], sequence: int | None = None) -> Record:
    keys = {name: release[name] for name in ("release_id", "partner_id")}
    return stream.record("release-revoked", sequence=sequence, **keys)


@pytest.fixture
def stream(routing: Routing, routing_db: TestDatabase) -> Iterator[Stream]:
    with open_pool(routing_db.worker, name="inbox") as pool:
        events = Events(Units(SITE))
        inbox = Inbox("routing", pool, events.handlers(), events.begin, IMMEDIATE, FINAL)
        yield Stream(inbox, pool)


def test_a_submitted_referral_is_offered_once_however_often_it_comes(
    routing: Routing, stream: Stream
) -> None:
    found = a_partner()
    routing.has_partners(found)
    record = stream.submitted(found)

    stream.arrive(record, record)
    stream.arrive(record)

    assert routing.events(stream.referral) == ["offered"]
    assert routing.held(found) == [1]


def test_a_revocation_that_comes_before_the_referral_takes_effect_with_it(
    routing: Routing, stream: Stream
) -> None:
    """R-15: at once, gap or not."""
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    releases = [a_release(first), a_release(second, 2)]
    submitted = stream.submitted(releases=releases)
    revoked = revocation(stream, releases[0])

    stream.arrive(revoked)
    stream.arrive(submitted)

    assert routing.offered_to(stream.referral) == second.partner_id
    assert routing.events(stream.referral) == ["offered"]
    assert stream.parked() == []


def test_a_withdrawal_that_comes_before_the_referral_lets_nobody_be_asked(
    routing: Routing, stream: Stream
) -> None:
    found = a_partner()
    routing.has_partners(found)
    submitted, withdrawn = stream.submitted(found), stream.record("withdrawn")

    stream.arrive(withdrawn)
    stream.arrive(submitted)

    assert routing.events(stream.referral) == []
    assert routing.state(stream.referral).state == "withdrawn"
    assert routing.held(found) == [0]


def test_a_revocation_that_overtakes_others_takes_effect_at_once(
    routing: Routing, stream: Stream
) -> None:
    first, second, third = a_partner(), a_partner(), a_partner()
    routing.has_partners(first, second, third)
    releases = [a_release(first), a_release(second, 2)]
    stream.arrive(stream.submitted(releases=releases))
    missing = stream.record("release-signed", release=a_release(third, 3))
    revoked = revocation(stream, releases[0])

    stream.arrive(revoked)
    assert routing.offered_to(stream.referral) == second.partner_id

    stream.arrive(missing)
    assert routing.events(stream.referral) == ["offered", "cancelled", "offered"]
    assert len(routing.state(stream.referral).releases) == 3


def test_a_release_revoked_before_its_signing_came_is_never_used(
    routing: Routing, stream: Stream
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    release = a_release(second, 2)
    stream.arrive(stream.submitted(first))
    signed = stream.record("release-signed", release=release)
    revoked = revocation(stream, release)

    stream.arrive(revoked)
    stream.arrive(signed)

    (kept,) = [
        r for r in routing.state(stream.referral).releases if r.partner_id == second.partner_id
    ]
    assert kept.revoked_at is not None


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_repetition_ends_the_same(
    routing: Routing, stream: Stream, seed: int
) -> None:
    first, second, third = a_partner(), a_partner(), a_partner()
    routing.has_partners(first, second, third)
    releases = [a_release(first), a_release(second, 2)]
    records = [
        stream.submitted(releases=releases),
        revocation(stream, releases[0]),
        stream.record("release-signed", release=a_release(third, 3)),
        revocation(stream, releases[1]),
    ]
    mixed = _mixed(records, seed)

    for record in mixed:
        stream.arrive(record)

    assert routing.offered_to(stream.referral) == third.partner_id
    assert (routing.held(first), routing.held(second), routing.held(third)) == ([0], [0], [1])
    assert stream.parked() == []


def _mixed(records: Sequence[Record], seed: int) -> list[Record]:
    dice = random.Random(seed)
    mixed = [*records, *dice.choices(records, k=3)]
    dice.shuffle(mixed)
    return mixed


def test_an_erased_referral_is_gone_and_late_events_of_it_change_nothing(
    routing: Routing, stream: Stream
) -> None:
    """R-24."""
    found = a_partner()
    routing.has_partners(found)
    submitted = stream.submitted(found)
    stream.arrive(submitted)
    withdrawn, erased = stream.record("withdrawn"), stream.record("erased")

    stream.arrive(erased)
    stream.arrive(withdrawn, submitted, erased)

    assert routing.events(stream.referral) == ["offered", "cancelled", "erased"]
    assert routing.held(found) == [0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"site": "oakland"}, "other-site"),
        ({"agency": "another"}, "wrong-agency"),
        ({"facts": {}}, "wrong-shape"),
        ({"releases": []}, "wrong-shape"),
    ],
)
def test_a_referral_that_is_not_ours_or_not_whole_is_set_aside(
    routing: Routing, stream: Stream, change: dict[str, Any], reason: str
) -> None:
    routing.has_partners(a_partner())

    stream.arrive(stream.submitted(a_partner(), **change))

    assert stream.parked() == [reason]
    assert routing.events(stream.referral) == []


def test_one_agency_cannot_touch_the_referral_of_another(routing: Routing, stream: Stream) -> None:
    found = a_partner()
    routing.has_partners(found)
    stream.arrive(stream.submitted(found))
    stranger = Stream(stream.inbox, stream.pool, stream.referral_id, agency="another")

    stranger.arrive(stranger.record("withdrawn"))
    stranger.arrive(stranger.record("erased"))

    assert routing.offered_to(stream.referral) == found.partner_id


def test_a_code_from_a_newer_intake_is_a_case_for_a_person_not_a_record_to_park(
    routing: Routing, stream: Stream
) -> None:
    found = a_partner()
    routing.has_partners(found)

    stream.arrive(stream.submitted(found, facts={**FACTS, "urgency": "tomorrow"}))

    assert stream.parked() == []
    assert routing.queue(stream.referral) == "needs-person"


def test_a_message_that_reached_nobody_is_put_before_a_person_once(
    routing: Routing, stream: Stream
) -> None:
    found = a_partner()
    routing.has_partners(found)
    stream.arrive(stream.submitted(found))
    offer = routing.state(stream.referral).current
    assert offer is not None
    about = {"offer_id": str(offer.offer_id), "template": "offer-waiting"}

    stream.arrive(stream.delivery("exhausted", 1, channel="email", **about))
    stream.arrive(stream.delivery("exhausted", 2, channel="webhook", **about))

    assert routing.queue(stream.referral) == "needs-person"
    assert routing.events(stream.referral) == ["offered", "escalated"]

    stream.arrive(stream.delivery("delivered", 3, channel="email", **about))
    assert routing.queue(stream.referral) == "offered"
    assert routing.events(stream.referral) == ["offered", "escalated", "escalation-cleared"]
    told = routing.told(stream.referral, "escalation-cleared")
    assert told == {"status": "offered", "due": offer.answer_by.isoformat()}


def test_another_message_that_reached_nobody_is_put_before_a_person_again(
    routing: Routing, stream: Stream
) -> None:
    """The offer could not be told, then was accepted; now the partner cannot be told to stop."""
    found = a_partner()
    routing.has_partners(found)
    stream.arrive(stream.submitted(found))
    offer = routing.state(stream.referral).current
    assert offer is not None
    about = {"offer_id": str(offer.offer_id), "channel": "email"}
    stream.arrive(stream.delivery("exhausted", 1, template="offer-waiting", **about))
    routing.accepts(stream.referral, found)
    stream.arrive(stream.record("withdrawn"))

    stream.arrive(stream.delivery("exhausted", 2, template="offer-stopped", **about))

    assert "delivery-exhausted" in routing.open_escalations(stream.referral)
    told = [verb for verb in routing.events(stream.referral) if verb == "escalated"]
    assert len(told) == 3


def test_one_way_that_works_is_enough(routing: Routing, stream: Stream) -> None:
    found = a_partner()
    routing.has_partners(found)
    stream.arrive(stream.submitted(found))
    offer = routing.state(stream.referral).current
    assert offer is not None
    about = {"offer_id": str(offer.offer_id), "template": "offer-waiting"}

    stream.arrive(stream.delivery("delivered", 1, channel="email", **about))
    stream.arrive(stream.delivery("exhausted", 2, channel="webhook", **about))

    assert routing.queue(stream.referral) == "offered"
    assert routing.events(stream.referral) == ["offered"]


def test_a_message_to_staff_that_was_given_up_never_makes_another_message(
    routing: Routing, stream: Stream
) -> None:
    found = a_partner()
    routing.has_partners(found)
    stream.arrive(stream.submitted(found))
    offer = routing.state(stream.referral).current
    assert offer is not None

    stream.arrive(
        stream.delivery(
            "exhausted",
            1,
            channel="email",
            offer_id=str(offer.offer_id),
            template="needs-attention",
        ),
        stream.delivery(
            "exhausted", 2, channel="email", offer_id=None, template="needs-new-release"
        ),
    )

    assert routing.queue(stream.referral) == "needs-person"
    assert routing.events(stream.referral) == ["offered"]


def test_an_accepted_offer_is_no_longer_about_a_lost_message(
    routing: Routing, stream: Stream
) -> None:
    found = a_partner()
    routing.has_partners(found)
    stream.arrive(stream.submitted(found))
    offer = routing.state(stream.referral).current
    assert offer is not None
    about = {"offer_id": str(offer.offer_id), "template": "offer-waiting"}
    stream.arrive(stream.delivery("exhausted", 1, channel="email", **about))

    routing.accepts(stream.referral, found)

    assert routing.queue(stream.referral) == "accepted"


def test_a_batch_waits_for_no_referral_while_it_holds_places(
    routing: Routing, stream: Stream
) -> None:
    """Else it and a partner that answers wait for each other: the answer needs the places."""
    found = a_partner()
    routing.has_partners(found)
    answered = routing.receives(found)
    batch = [stream.submitted(found)]
    stream.referral_id, stream.sequence = answered.referral_id, 0
    batch.append(stream.record("withdrawn"))
    arrival = threading.Thread(target=stream.arrive, args=batch)

    with routing.web.change() as work:
        work.store.lock(answered.referral_id)
        arrival.start()
        wait_for_a_lock(routing)
        work.store.lock_places([found.services[0].service_id])
    arrival.join(30)

    assert routing.state(answered).state == "withdrawn"
    assert routing.held(found) == [1]


def wait_for_a_lock(routing: Routing) -> None:
    """Return once somebody waits for a row that another transaction has locked."""
    waiting = "select from pg_locks where not granted"
    for _ in range(200):
        with transaction(routing.pool) as tx:
            if tx.execute(waiting).rowcount:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_the_clock_leaves_alone_what_a_partner_is_answering(
    routing: Routing, stream: Stream
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    stream.arrive(stream.submitted(first, second))
    routing.runs("update offer set answer_by = now() - interval '1 second'")

    with routing.web.change() as work:
        work.store.lock(stream.referral_id)
        run_due(routing.worker.change, fails)
        assert routing.events(stream.referral) == ["offered"]
    run_due(routing.worker.change, fails)

    assert routing.events(stream.referral) == ["offered", "offer-expired", "offered"]


def test_before_the_directory_is_there_referrals_wait(routing: Routing, stream: Stream) -> None:
    found = a_partner()
    record = stream.submitted(found)

    with pytest.raises(Exception, match="not been imported"):
        stream.arrive(record)
    routing.has_partners(found)
    stream.arrive(record)

    assert routing.offered_to(stream.referral) == found.partner_id
    assert stream.parked() == []
