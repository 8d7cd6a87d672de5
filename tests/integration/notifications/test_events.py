"""Routing's events become deliveries, once and in order, through the real inbox and database."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications.adapters.events import CONSUMER, FINAL, IMMEDIATE, Events
from notifications.adapters.metrics import ENDED
from notifications.adapters.store import PostgresStore
from notifications.domain.attempts import State
from notifications.domain.notices import Owner, Template
from shared.bus import Record
from shared.contracts.event import Event, headers_of
from shared.db import transaction
from shared.worker import Inbox
from tests.integration.notifications.conftest import OUTBOX, PostgresWorld
from tests.support.notifications import AGENCY, AUDIENCE, HOST, MEMBER, PARTNER, REFERENCE

SOON = datetime.now(UTC) + timedelta(hours=4)
OFFER = UUID(int=77)


@pytest.fixture
def inbox(world: PostgresWorld) -> Inbox[PostgresStore]:
    events = Events(AUDIENCE, OUTBOX)
    return Inbox(CONSUMER, world.pool, events.handlers(), events.begin, IMMEDIATE, FINAL)


@pytest.fixture(autouse=True)
def points(world: PostgresWorld) -> dict[Owner, UUID]:
    owners = {
        Owner.PARTNER: PARTNER,
        Owner.MEMBER: MEMBER,
        Owner.AGENCY: AGENCY,
        Owner.HOST: HOST,
    }
    return {owner: world.a_point(owner, owner_id) for owner, owner_id in owners.items()}


class Referral:
    """A referral that routing tells of, event after event."""

    def __init__(self) -> None:
        self.referral_id = uuid4()
        self.sequence = 0

    def event(self, name: str, *, key: UUID | None = None, **data: Any) -> Record:
        self.sequence += 1
        event = Event(
            id=uuid4(),
            source="/routing/baton-rouge",
            type=f"routing.referral.{name}.v1",
            key=str(key or self.referral_id),
            time=datetime.now(UTC),
            sequence=self.sequence,
            correlation_id="c-1",
            traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
            data={},
        )
        body = {
            "referral_id": str(self.referral_id),
            "agency": "brva",
            "submitted_by": str(MEMBER),
            **data,
        }
        return Record(
            topic="routing.referral.brva",
            partition=0,
            offset=self.sequence,
            key=event.key,
            headers=headers_of(event),
            value=json.dumps(body).encode(),
            timestamp=event.time,
        )

    def offered(self, offer_id: UUID = OFFER) -> Record:
        return self.event(
            "offered",
            offer_id=str(offer_id),
            offer_reference=REFERENCE,
            partner_id=str(PARTNER),
            answer_by=SOON.isoformat(),
        )

    def cancelled(self, *, stop: bool, offer_id: UUID = OFFER) -> Record:
        return self.event(
            "cancelled",
            offer_id=str(offer_id),
            offer_reference=REFERENCE,
            partner_id=str(PARTNER),
            reason="release-revoked",
            stop=stop,
            confirm_by=SOON.isoformat() if stop else None,
        )

    def of_offer(self, name: str, **data: Any) -> Record:
        return self.event(name, offer_id=str(OFFER), partner_id=str(PARTNER), **data)


def found(world: PostgresWorld, referral: Referral) -> set[tuple[str, str, UUID]]:
    return {(row.template, row.state, row.endpoint_id) for row in world.rows(referral.referral_id)}


def position(world: PostgresWorld, referral: Referral) -> int:
    """Return the sequence that is expected next."""
    with transaction(world.pool) as tx:
        row = tx.execute(
            "select next_sequence from stream_position where key = %s",
            (str(referral.referral_id),),
        ).fetchone()
    assert row is not None
    return int(row["next_sequence"])


def test_an_offer_is_told_to_the_partner_until_it_must_be_answered(
    world: PostgresWorld, inbox: Inbox[PostgresStore], points: dict[Owner, UUID]
) -> None:
    referral = Referral()

    inbox.apply([referral.offered()])

    (row,) = world.rows(referral.referral_id)
    assert (row.endpoint_id, row.template) == (points[Owner.PARTNER], Template.OFFER_WAITING)
    assert (row.offer_id, row.not_after) == (OFFER, SOON)
    with transaction(world.pool) as tx:
        kept = tx.execute("select params from delivery").fetchone()
    assert kept == {"params": {"reference": REFERENCE, "answer_by": SOON.isoformat()}}


def test_a_redelivered_event_makes_one_delivery(
    world: PostgresWorld, inbox: Inbox[PostgresStore]
) -> None:
    referral = Referral()
    record = referral.offered()

    inbox.apply([record, record])
    inbox.apply([record])

    assert len(world.rows(referral.referral_id)) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "accepted",
            {"offer_reference": REFERENCE, "first_contact_by": SOON.isoformat()},
        ),
        ("declined", {"reason": None}),
        ("offer-expired", {}),
        ("contacted", {"kind": "contacted"}),
        ("service-started", {}),
        ("closed", {"outcome": None}),
    ],
)
def test_an_offer_that_is_answered_is_not_asked_for_again(
    world: PostgresWorld, inbox: Inbox[PostgresStore], name: str, data: dict[str, Any]
) -> None:
    referral = Referral()
    inbox.apply([referral.offered()])

    inbox.apply([referral.of_offer(name, **data)])

    assert {row.state for row in world.rows(referral.referral_id)} == {State.STOPPED}


def test_deliveries_that_are_stopped_are_counted_once_by_channel(
    world: PostgresWorld, inbox: Inbox[PostgresStore]
) -> None:
    referral = Referral()
    inbox.apply([referral.offered()])
    (row,) = world.rows(referral.referral_id)
    stopped = ENDED.labels("email", State.STOPPED)
    before = stopped._value.get()  # noqa: SLF001  (a counter has no other way)

    inbox.apply([referral.cancelled(stop=False)])
    inbox.apply([referral.cancelled(stop=False)])

    assert world.rows(referral.referral_id)[0].delivery_id == row.delivery_id
    assert stopped._value.get() == before + 1  # noqa: SLF001


def test_a_revoked_offer_stops_at_once_even_before_its_turn(
    world: PostgresWorld, inbox: Inbox[PostgresStore]
) -> None:
    """R-15: the revocation does not wait for what is missing before it."""
    referral = Referral()
    offered = referral.offered()
    missing, revoked = referral.event("unmatched", queue="x"), referral.cancelled(stop=False)
    inbox.apply([offered])

    inbox.apply([revoked])

    assert {row.state for row in world.rows(referral.referral_id)} == {State.STOPPED}
    inbox.apply([missing])
    assert position(world, referral) == 4


def test_an_offer_that_comes_after_its_own_revocation_is_not_told(
    world: PostgresWorld, inbox: Inbox[PostgresStore]
) -> None:
    referral = Referral()
    offered, revoked = referral.offered(), referral.cancelled(stop=False)

    inbox.apply([revoked])
    inbox.apply([offered])

    assert world.rows(referral.referral_id) == []
    assert position(world, referral) == 3


def test_a_partner_that_had_accepted_is_told_to_stop_once(
    world: PostgresWorld, inbox: Inbox[PostgresStore], points: dict[Owner, UUID]
) -> None:
    referral = Referral()
    offered = referral.offered()
    accepted = referral.of_offer(
        "accepted", offer_reference=REFERENCE, first_contact_by=SOON.isoformat()
    )
    cancelled = referral.cancelled(stop=True)

    inbox.apply([offered, cancelled])
    inbox.apply([accepted])

    assert found(world, referral) == {
        (Template.OFFER_WAITING, State.STOPPED, points[Owner.PARTNER]),
        (Template.OFFER_STOPPED, State.WAITING, points[Owner.PARTNER]),
    }


@pytest.mark.parametrize(
    ("queue", "told"),
    [
        ("waiting-for-place", {}),
        ("needs-new-release", {Owner.MEMBER: Template.NEEDS_NEW_RELEASE}),
        ("needs-person", {Owner.HOST: Template.NEEDS_ATTENTION}),
        ("a-code-of-tomorrow", {Owner.HOST: Template.NEEDS_ATTENTION}),
    ],
)
def test_who_acts_next_is_told(
    world: PostgresWorld,
    inbox: Inbox[PostgresStore],
    points: dict[Owner, UUID],
    queue: str,
    told: dict[Owner, Template],
) -> None:
    referral = Referral()

    inbox.apply([referral.event("unmatched", queue=queue)])

    assert found(world, referral) == {
        (template, State.WAITING, points[owner]) for owner, template in told.items()
    }


def test_an_ended_referral_is_told_to_its_advocate_alone(
    world: PostgresWorld, inbox: Inbox[PostgresStore], points: dict[Owner, UUID]
) -> None:
    referral = Referral()

    inbox.apply([referral.event("ended", reason="duplicate")])

    assert found(world, referral) == {
        (Template.NEEDS_ATTENTION, State.WAITING, points[Owner.MEMBER])
    }


def test_an_escalation_goes_to_the_advocate_and_the_host(
    world: PostgresWorld, inbox: Inbox[PostgresStore], points: dict[Owner, UUID]
) -> None:
    """Only the host sees the offer's reference: the advocate's referral has its own."""
    referral = Referral()
    escalated = referral.event(
        "escalated",
        reason="first-contact-overdue",
        offer_id=str(OFFER),
        offer_reference=REFERENCE,
    )

    inbox.apply([escalated])

    assert found(world, referral) == {
        (Template.NEEDS_ATTENTION, State.WAITING, points[owner])
        for owner in (Owner.MEMBER, Owner.HOST)
    }
    with transaction(world.pool) as tx:
        params = {
            row["endpoint_id"]: row["params"] for row in tx.execute("select * from delivery")
        }
    assert params == {points[Owner.MEMBER]: {}, points[Owner.HOST]: {"reference": REFERENCE}}


def test_erasing_leaves_nothing_of_the_referral_but_its_opaque_id(
    world: PostgresWorld, inbox: Inbox[PostgresStore]
) -> None:
    """R-24: deliveries and what was parked of the referral go."""
    referral = Referral()
    inbox.apply([referral.offered(), referral.cancelled(stop=False)])
    inbox.apply([referral.event("declined", offer_id="no-uuid")])

    inbox.apply([referral.event("erased")])
    inbox.apply([referral.offered(uuid4())])

    assert world.rows(referral.referral_id) == []
    with transaction(world.pool) as tx:
        parked = tx.execute("select payload, headers, closed_as from parked").fetchall()
        offers = tx.execute("select * from closed_offer").fetchall()
    assert parked == [{"payload": None, "headers": {}, "closed_as": "erased"}]
    assert offers == []


def test_a_partner_that_had_accepted_is_told_to_stop_though_all_is_erased(
    world: PostgresWorld, inbox: Inbox[PostgresStore], points: dict[Owner, UUID]
) -> None:
    """R-15, R-24: routing tells of both at once; the partner hears it, the rest is gone."""
    referral = Referral()
    inbox.apply([referral.offered()])

    inbox.apply([referral.cancelled(stop=True), referral.event("erased")])

    assert found(world, referral) == {
        (Template.OFFER_STOPPED, State.WAITING, points[Owner.PARTNER])
    }


def test_an_event_under_another_referrals_key_is_parked(
    world: PostgresWorld, inbox: Inbox[PostgresStore]
) -> None:
    inbox.apply([Referral().event("erased", key=uuid4())])

    with transaction(world.pool) as tx:
        assert tx.execute("select reason from parked").fetchall() == [{"reason": "key-mismatch"}]
