"""Routing killed at any statement leaves no effect or the whole one; the next try makes it one."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from routing.adapters.desk import Desk
from routing.application import arrivals, partner
from routing.application.ports import Work
from routing.domain.model import Partner, Referral
from shared.db import open_pool
from shared.errors import Conflict, NotFound
from tests.integration.routing.conftest import SITE, Routing, staff_of
from tests.support.databases import TestDatabase
from tests.support.dying import Process
from tests.unit.routing.builders import a_partner, a_referral

Act = Callable[[Referral, Partner, Work], None]


def submit(referral: Referral, found: Partner, work: Work) -> None:
    arrivals.route_referral(referral, work)


def accept(referral: Referral, found: Partner, work: Work) -> None:
    partner.accept_offer(_reference(referral, work), staff_of(found), work)


def decline(referral: Referral, found: Partner, work: Work) -> None:
    partner.decline_offer(_reference(referral, work), "other", staff_of(found), work)


def withdraw(referral: Referral, found: Partner, work: Work) -> None:
    arrivals.on_withdrawn(referral.referral_id, work)


def erase(referral: Referral, found: Partner, work: Work) -> None:
    arrivals.on_erased(referral.referral_id, work)


def _reference(referral: Referral, work: Work) -> str:
    """Return the reference of the first offer, which is the one that is acted upon."""
    return work.store.lock(referral.referral_id).offers[0].reference


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def desk(routing_db: TestDatabase, process: Process) -> Iterator[Desk]:
    """Give the desk of a process that can be killed."""
    with open_pool(routing_db.owner, name="dying", size=2) as pool:
        yield Desk(process.pool(pool), SITE)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (submit, ["offered"]),
        (accept, ["offered", "accepted"]),
        (decline, ["offered", "declined", "offered"]),
        (withdraw, ["offered", "cancelled"]),
        (erase, ["offered", "cancelled", "erased"]),
    ],
)
def test_whatever_step_is_the_last_the_effect_is_one(
    routing: Routing, process: Process, desk: Desk, act: Act, told: list[str]
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    before = ["offered"][: len(told) - 1]

    for death in process.every_death():
        referral = a_referral(*routing.releases(first, second))
        if before:
            with routing.worker.change() as work:
                submit(referral, first, work)
        with death, desk.change() as work:
            act(referral, first, work)
        assert routing.events(referral) in (before, told)
        with suppress(Conflict, NotFound), desk.change() as work:
            act(referral, first, work)

        assert routing.events(referral) == told
        assert _places(routing) == _held(routing)


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
