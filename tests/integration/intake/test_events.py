"""What routing tells takes effect once, and only in this agency's intake."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from intake.adapters.events import CONSUMER, FINAL, IMMEDIATE, Events, topics
from intake.adapters.following import PostgresFollowing
from intake.application.follow import ACCEPTED_TOO_LATE
from intake.application.queries import referral_timeline
from intake.application.submit import submit_referral
from intake.application.take_back import revoke_release
from shared.bus import Record
from shared.contracts.catalogue import CATALOGUE, dump_data, topic_of
from shared.contracts.event import Event, headers_of
from shared.db import transaction
from shared.worker import Inbox
from tests.integration.intake.worlds import World
from tests.unit.intake.builders import ADVOCATE, NOW, SITE, a_request, a_submission

PARTNER = UUID("84d3ad05-6756-4e37-b9af-ee19df591ee8")
OFFER = uuid4()


def a_record(
    type_: str, key: UUID, sequence: int, data: Mapping[str, Any], source: str = f"/routing/{SITE}"
) -> Record:
    event = Event(
        id=uuid4(),
        source=source,
        type=type_,
        key=str(key),
        time=datetime.now(UTC),
        sequence=sequence,
        correlation_id="c",
        traceparent="",
        data={},
    )
    return Record(
        topic=topic_of(type_, "brva"),
        partition=0,
        offset=sequence,
        key=str(key),
        headers=headers_of(event),
        value=dump_data(type_, data),
        timestamp=event.time,
    )


def a_partner_record(sequence: int, **changes: Any) -> Record:
    example = CATALOGUE["routing.partner.published.v1"].example
    loaded = CATALOGUE["routing.partner.published.v1"].schema.load(
        {**example, "partner_id": str(PARTNER), "site": SITE, "recipient": True, "ties": []}
    )
    return a_record("routing.partner.published.v1", PARTNER, sequence, {**loaded, **changes})


def news(referral_id: UUID, what: str, sequence: int, **changes: Any) -> Record:
    data = {
        "referral_id": referral_id,
        "agency": "brva",
        "submitted_by": ADVOCATE,
        "offer_id": OFFER,
        "partner_id": PARTNER,
        "offer_reference": "WH-ABCD-23",
        "answer_by": NOW,
        "first_contact_by": NOW,
        "reason": None,
        **changes,
    }
    source = data.pop("source", f"/routing/{SITE}")
    return a_record(f"routing.referral.{what}.v1", referral_id, sequence, data, source)


def an_inbox(world: World) -> Inbox[PostgresFollowing]:
    events = Events(world.worker.rules)
    return Inbox(CONSUMER, world.worker_pool, events.handlers(), events.begin, IMMEDIATE, FINAL)


def sent(world: World) -> UUID:
    an_inbox(world).apply([a_partner_record(1)])
    with world.web.work() as work:
        return submit_referral(a_submission(a_request(PARTNER)), work=work).referral_id


def whats(world: World, referral_id: UUID) -> list[str]:
    with world.web.work() as work:
        return [note.what for note in referral_timeline(referral_id, work=work)[1]]


def parked(world: World) -> list[str]:
    with transaction(world.admin) as tx:
        return [row["reason"] for row in tx.execute("select reason from parked")]


def test_every_event_that_intake_reads_has_an_entry_point(world: World) -> None:
    read = {type_ for type_, found in CATALOGUE.items() if "intake" in found.readers}

    assert set(Events(world.worker.rules).handlers()) == read
    assert topics("brva") == ("routing.referral.brva", "routing.partner")


def test_what_is_settled_is_followed_with_the_clock_that_runs(world: World) -> None:
    referral_id = sent(world)
    told = [
        news(referral_id, "offered", 1),
        news(referral_id, "escalated", 2, reason="delivery-exhausted"),
        news(referral_id, "escalation-cleared", 3, status="offered", due=NOW + timedelta(hours=2)),
    ]

    an_inbox(world).apply(told)

    with world.web.work() as work:
        referral, _ = referral_timeline(referral_id, work=work)
    assert (referral.status, referral.due) == ("offered", NOW + timedelta(hours=2))
    assert parked(world) == []


def test_news_are_applied_once_and_in_order(world: World) -> None:
    referral_id = sent(world)
    offered, accepted = news(referral_id, "offered", 1), news(referral_id, "accepted", 2)

    an_inbox(world).apply([accepted, offered, accepted])
    an_inbox(world).apply([offered])

    assert whats(world, referral_id) == ["submitted", "offered", "accepted"]
    assert not parked(world)


def test_the_latest_public_record_of_a_partner_wins(world: World) -> None:
    inbox = an_inbox(world)

    inbox.apply([a_partner_record(9, name="Newest")])
    inbox.apply([a_partner_record(4, name="Older"), a_partner_record(9, name="Again")])

    with world.web.work() as work:
        assert [partner.name for partner in work.partners.all().values()] == ["Newest"]
    with transaction(world.admin) as tx:
        assert not tx.execute("select from held").rowcount


def test_a_withdrawn_partner_cannot_be_chosen(world: World) -> None:
    inbox = an_inbox(world)
    withdrawn = a_record("routing.partner.withdrawn.v1", PARTNER, 2, {"partner_id": PARTNER})

    inbox.apply([a_partner_record(1), withdrawn])

    with world.web.work() as work:
        assert not work.partners.all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"agency": "other"}, "wrong-agency"),
        ({"source": "/routing/oakland"}, "wrong-site"),
        ({"source": "/notifications/baton-rouge"}, "wrong-source"),
    ],
)
def test_news_from_elsewhere_are_parked(
    world: World, changes: dict[str, Any], reason: str
) -> None:
    referral_id = sent(world)

    an_inbox(world).apply([news(referral_id, "offered", 1, **changes)])

    assert parked(world) == [reason]
    assert whats(world, referral_id) == ["submitted"]


def test_news_of_an_unknown_referral_hold_back_nobody_else(world: World) -> None:
    referral_id = sent(world)

    an_inbox(world).apply([news(uuid4(), "offered", 1), news(referral_id, "offered", 1)])

    assert parked(world) == ["unknown-referral"]
    assert whats(world, referral_id) == ["submitted", "offered"]


def test_an_acceptance_that_arrives_after_a_revocation_is_told_only(world: World) -> None:
    """R-15: the last row of the revocation table."""
    referral_id = sent(world)
    with world.web.work() as work:
        release_id = work.referrals.get(referral_id).releases[0].release_id
        revoke_release(referral_id, release_id, by=ADVOCATE, work=work)

    an_inbox(world).apply(
        [news(referral_id, "offered", 1), news(referral_id, "accepted", 2)],
    )

    assert whats(world, referral_id)[-1] == ACCEPTED_TOO_LATE
    with transaction(world.admin) as tx:
        states = [row["state"] for row in tx.execute("select state from offer")]
    assert states == ["offered"]
