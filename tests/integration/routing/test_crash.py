"""A worker killed at any statement leaves nothing behind, and the next try does it once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, cast

import psycopg
import pytest

from routing.application import arrivals, partner
from routing.application.ports import Work
from routing.domain.model import Partner, Referral
from shared.db import Tx, now, transaction
from tests.integration.routing.conftest import Routing, staff_of
from tests.unit.routing.builders import a_partner, a_referral

Act = Callable[[Referral, Partner, Work], None]


class Killed(Exception):
    """The process ended here."""


class DyingConnection:
    """A connection whose process is killed at its n-th statement."""

    def __init__(self, tx: Tx, statements: int) -> None:
        self._tx = tx
        self._left = statements

    def execute(self, *statement: Any) -> psycopg.Cursor[dict[str, Any]]:
        self._left -= 1
        if self._left < 0:
            raise Killed
        return self._tx.execute(*statement)

    def pipeline(self) -> AbstractContextManager[psycopg.Pipeline]:
        return self._tx.pipeline()


def submit(referral: Referral, found: Partner, work: Work) -> None:
    arrivals.route_referral(referral, work)


def accept(referral: Referral, found: Partner, work: Work) -> None:
    current = work.store.lock(referral.referral_id).current
    assert current is not None
    partner.accept_offer(current.reference, staff_of(found), work)


def decline(referral: Referral, found: Partner, work: Work) -> None:
    current = work.store.lock(referral.referral_id).current
    assert current is not None
    partner.decline_offer(current.reference, "other", staff_of(found), work)


def withdraw(referral: Referral, found: Partner, work: Work) -> None:
    arrivals.on_withdrawn(referral.referral_id, work)


def erase(referral: Referral, found: Partner, work: Work) -> None:
    arrivals.on_erased(referral.referral_id, work)


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
def test_whatever_statement_is_the_last_the_effect_is_none_and_then_one(
    routing: Routing, act: Act, told: list[str]
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = a_referral(*routing.releases(first, second))
    if act is not submit:
        with routing.worker.change() as work:
            submit(referral, first, work)
    before = (routing.events(referral), routing.held(first), routing.held(second))

    survived = 0
    while _killed(routing, survived, lambda work: act(referral, first, work)):
        assert (routing.events(referral), routing.held(first), routing.held(second)) == before
        survived += 1

    assert survived > 4
    assert routing.events(referral) == told


def _killed(routing: Routing, statements: int, act: Callable[[Work], None]) -> bool:
    """Run with a process that lives for so many statements; tell whether it was killed."""
    try:
        with transaction(routing.pool) as tx:
            dying = cast("Tx", DyingConnection(tx, statements))
            with routing.worker.within(dying, now(tx)) as work:
                act(work)
    except Killed:
        return True
    return False
