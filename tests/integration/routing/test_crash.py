"""Routing killed at any statement leaves no effect or the whole one; the next try makes it one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from routing.adapters.desk import Desk, Units
from routing.adapters.events import FINAL, IMMEDIATE, Events
from routing.application import arrivals, clock, coordinator, deliveries, partner
from routing.application.ports import Staff, Work
from routing.domain.model import Offer, Partner, Referral, Release
from shared.bus import Record
from shared.db import open_pool
from shared.errors import Conflict, NotFound
from shared.worker import Inbox
from tests.integration.routing.conftest import SITE, Routing, staff_of
from tests.integration.routing.test_events import Stream, a_release, revocation
from tests.support.databases import TestDatabase
from tests.support.dying import Process
from tests.unit.routing.builders import a_partner, a_referral

COORDINATOR = Staff(uuid4(), SITE.host.organization_id)


@dataclass(frozen=True)
class Scene:
    """A referral released to the first two of three partners, and a release to the third."""

    referral: Referral
    partners: Sequence[Partner]
    more: Release

    @property
    def key(self) -> UUID:
        """The referral's id."""
        return self.referral.referral_id

    def offer(self, work: Work) -> Offer:
        """Return the first offer, which is the one that is acted upon."""
        return work.store.lock(self.key).offers[0]


Act = Callable[[Scene, Work], None]


def submit(scene: Scene, work: Work) -> None:
    arrivals.route_referral(scene.referral, work)


def accept(scene: Scene, work: Work) -> None:
    partner.accept_offer(scene.offer(work).reference, staff_of(scene.partners[0]), work)


def decline(scene: Scene, work: Work) -> None:
    partner.decline_offer(scene.offer(work).reference, "other", staff_of(scene.partners[0]), work)


def confirm(scene: Scene, work: Work) -> None:
    partner.confirm_stop(scene.offer(work).reference, staff_of(scene.partners[0]), work)


def contact(scene: Scene, work: Work) -> None:
    reference, staff = scene.offer(work).reference, staff_of(scene.partners[0])
    partner.record_contact(reference, "contacted", staff, work)


def start(scene: Scene, work: Work) -> None:
    partner.record_service_started(scene.offer(work).reference, staff_of(scene.partners[0]), work)


def close(scene: Scene, work: Work) -> None:
    reference, staff = scene.offer(work).reference, staff_of(scene.partners[0])
    partner.close_referral(reference, "service-completed", staff, work)


def revoke(scene: Scene, work: Work) -> None:
    release = scene.referral.releases[0]
    arrivals.on_release_revoked(scene.key, release.release_id, release.partner_id, work)


def sign(scene: Scene, work: Work) -> None:
    arrivals.on_release_signed(scene.key, scene.more, work)


def withdraw(scene: Scene, work: Work) -> None:
    arrivals.on_withdrawn(scene.key, work)


def erase(scene: Scene, work: Work) -> None:
    arrivals.on_erased(scene.key, work)


def time_passes(scene: Scene, work: Work) -> None:
    offer, past = scene.offer(work), work.now - timedelta(seconds=1)
    by = past if offer.state == "accepted" else None
    work.store.put_offer(scene.key, replace(offer, answer_by=past, first_contact_by=by))


def look_at_clocks(scene: Scene, work: Work) -> None:
    if work.store.due_referrals(work.now, 1, only=scene.key):
        clock.check_clocks(scene.key, work)


def message_lost(scene: Scene, work: Work) -> None:
    offer_id = scene.offer(work).offer_id
    deliveries.on_delivery_exhausted(scene.key, offer_id, "offer-waiting", "email", work)


def message_came(scene: Scene, work: Work) -> None:
    deliveries.on_delivered(
        scene.key, scene.offer(work).offer_id, "offer-waiting", "webhook", work
    )


def offer_elsewhere(scene: Scene, work: Work) -> None:
    second = scene.partners[1].partner_id
    coordinator.offer_to(scene.key, second, "no-answer", COORDINATOR, work)


def leave_to_a_person(scene: Scene, work: Work) -> None:
    reference = scene.offer(work).reference
    coordinator.cancel(scene.key, reference, "safety", COORDINATOR, work)


def end_as_duplicate(scene: Scene, work: Work) -> None:
    reference = scene.offer(work).reference
    coordinator.cancel(scene.key, reference, "duplicate", COORDINATOR, work)


def clear_overdue(scene: Scene, work: Work) -> None:
    coordinator.clear_overdue(scene.key, "advocate-confirmed-contact", COORDINATOR, work)


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def desk(routing_db: TestDatabase, process: Process) -> Iterator[Desk]:
    """Give the desk of a process that can be killed."""
    with open_pool(routing_db.owner, name="dying", size=2) as pool:
        yield Desk(process.pool(pool), SITE)


@pytest.mark.parametrize(
    ("acts", "told"),
    [
        ([submit], ["offered"]),
        ([submit, accept], ["accepted"]),
        ([submit, decline], ["declined", "offered"]),
        ([submit, accept, contact], ["contacted"]),
        ([submit, accept, start], ["service-started"]),
        ([submit, accept, close], ["closed"]),
        ([submit, revoke], ["cancelled", "offered"]),
        ([submit, accept, revoke], ["cancelled", "escalated", "unmatched"]),
        ([submit, accept, revoke, confirm], ["escalation-cleared"]),
        ([submit, leave_to_a_person, sign], ["offered"]),
        ([submit, withdraw], ["cancelled"]),
        ([submit, erase], ["cancelled", "erased"]),
        ([submit, time_passes, look_at_clocks], ["offer-expired", "offered"]),
        ([submit, accept, time_passes, look_at_clocks], ["escalated"]),
        ([submit, accept, time_passes, look_at_clocks, clear_overdue], ["escalation-cleared"]),
        ([submit, message_lost], ["escalated"]),
        ([submit, message_lost, message_came], ["escalation-cleared"]),
        ([submit, offer_elsewhere], ["cancelled", "offered"]),
        ([submit, end_as_duplicate], ["cancelled", "ended"]),
    ],
)
def test_whatever_step_is_the_last_the_effect_is_one(
    routing: Routing, process: Process, desk: Desk, acts: list[Act], told: list[str]
) -> None:
    *before, act = acts
    partners = [a_partner() for _ in range(3)]
    routing.has_partners(*partners)

    for death in process.every_death():
        *released, more = routing.releases(*partners)
        scene = Scene(a_referral(*released), partners, more)
        for earlier in before:
            with routing.worker.change() as work:
                earlier(scene, work)
        history = routing.events(scene.referral)
        with death, desk.change() as work:
            act(scene, work)
        assert routing.events(scene.referral) in (history, history + told)
        with suppress(Conflict, NotFound), desk.change() as work:
            act(scene, work)

        assert routing.events(scene.referral) == history + told
        assert _places(routing) == _held(routing)


@pytest.mark.parametrize(
    ("verbs", "told"),
    [
        (["submitted"], ["offered"]),
        (["submitted", "release-revoked"], ["offered", "cancelled", "unmatched"]),
        (
            ["submitted", "release-revoked", "release-signed"],
            ["offered", "cancelled", "unmatched", "offered"],
        ),
        (["submitted", "withdrawn"], ["offered", "cancelled"]),
        (["submitted", "erased"], ["offered", "cancelled", "erased"]),
    ],
)
def test_an_event_takes_effect_once_wherever_its_batch_is_cut_off(
    routing: Routing, routing_db: TestDatabase, process: Process, verbs: list[str], told: list[str]
) -> None:
    """With the position of its stream, or not at all: what is given again changes nothing."""
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    events = Events(Units(SITE))

    with open_pool(routing_db.worker, name="inbox", size=2) as pool:
        alive, dying = (
            Inbox("routing", each, events.handlers(), events.begin, IMMEDIATE, FINAL)
            for each in (pool, process.pool(pool))
        )
        for death in process.every_death():
            stream = Stream(alive, pool)
            release, more = a_release(first), a_release(second, 2)
            *earlier, record = [_record(stream, verb, release, more) for verb in verbs]
            stream.arrive(*earlier)
            with death:
                dying.apply([record])
            for _ in range(2):
                stream.arrive(record)

            assert routing.events(stream.referral) == told
            assert stream.parked() == []
            assert _places(routing) == _held(routing)


def _record(stream: Stream, verb: str, release: dict[str, Any], more: dict[str, Any]) -> Record:
    match verb:
        case "submitted":
            return stream.submitted(releases=[release])
        case "release-revoked":
            return revocation(stream, release)
        case "release-signed":
            return stream.record(verb, release=more)
        case _:
            return stream.record(verb)


def _places(routing: Routing) -> int:
    """Return how many places the counters say are held."""
    return _number(routing, "select sum(held) as number from service_slot")


def _held(routing: Routing) -> int:
    """Return how many places offers hold."""
    return _number(routing, "select count(*) as number from slot_hold where released_at is null")


def _number(routing: Routing, statement: str) -> int:
    with routing.pool.connection() as tx:
        row = tx.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row["number"])
