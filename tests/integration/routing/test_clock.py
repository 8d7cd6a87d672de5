"""The clock, while others change what it found, and when something cannot be handled."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count

import psycopg
import structlog

from routing.adapters.desk import Desk
from routing.adapters.loops import clock_step
from routing.application import arrivals, coordinator
from routing.application.clock import BATCH, retry_waiting
from routing.application.ports import Work
from shared.db import open_pool
from tests.integration.routing.conftest import SITE, Routing, fails, staff_of
from tests.support.databases import TestDatabase
from tests.unit.routing.builders import a_partner, a_service

_PATIENCE = 30.0


@contextmanager
def the_clock_between_looking_and_locking(
    routing: Routing, database: TestDatabase
) -> Iterator[Desk]:
    """Hold the clock where it has seen a waiting referral; give a desk that may change it."""
    with psycopg.connect(database.admin, autocommit=True) as admin:
        admin.execute(
            "create function held() returns bool language plpgsql volatile as $$ begin"
            " perform pg_advisory_xact_lock_shared(7); return true; end $$"
        )
        admin.execute("alter table service_slot enable row level security")
        admin.execute("create policy seen on service_slot for select using (held())")
        admin.execute("create policy changed on service_slot for update using (true)")
        failures: list[Exception] = []
        opened = count(1)

        def works() -> AbstractContextManager[Work]:
            if next(opened) == 2:  # it has found the referral, and looks again
                holder.execute("select pg_advisory_lock(7)")
            return routing.worker.change()

        def run() -> None:
            try:
                retry_waiting(works, fails)
            except Exception as failure:  # noqa: BLE001  (told to the test)
                failures.append(failure)

        clock = threading.Thread(target=run)
        with psycopg.connect(database.admin) as holder:
            clock.start()
            _wait_for_lock(admin)
            with open_pool(database.owner, name="others") as pool:
                yield Desk(pool, SITE)
        clock.join(_PATIENCE)
        assert not clock.is_alive()
        assert failures == []


def _wait_for_lock(admin: psycopg.Connection) -> None:
    waits = "select 1 from pg_locks where locktype = 'advisory' and not granted"
    moment = threading.Event()
    while admin.execute(waits).fetchone() is None:
        moment.wait(0.01)


def test_who_withdrew_meanwhile_is_offered_to_nobody(
    routing: Routing, routing_db: TestDatabase
) -> None:
    """R-15."""
    full = a_partner(None, a_service(capacity=1, always_open=True))
    routing.has_partners(full)
    first, second = routing.receives(full), routing.receives(full)
    with routing.worker.change() as work:
        arrivals.on_withdrawn(first.referral_id, work)

    with (
        the_clock_between_looking_and_locking(routing, routing_db) as others,
        others.change() as work,
    ):
        arrivals.on_withdrawn(second.referral_id, work)

    assert routing.state(second).state == "withdrawn"
    assert routing.offered_to(second) is None


def test_whom_a_coordinator_offered_meanwhile_is_offered_once(
    routing: Routing, routing_db: TestDatabase
) -> None:
    partners = [a_partner(None, a_service(capacity=0, always_open=True)) for _ in range(2)]
    routing.has_partners(*partners)
    waiting = routing.receives(*partners)
    routing.runs("update service_slot set capacity = 5, changed_at = clock_timestamp()")

    chosen, staff = partners[1].partner_id, staff_of(partners[0])
    with (
        the_clock_between_looking_and_locking(routing, routing_db) as others,
        others.change() as work,
    ):
        coordinator.offer_to(waiting.referral_id, chosen, "no-answer", staff, work)

    assert routing.offered_to(waiting) == chosen
    assert routing.events(waiting).count("offered") == 1


def test_one_that_cannot_be_handled_is_told_and_the_others_have_their_turn(
    routing: Routing,
) -> None:
    found = a_partner(None, a_service(capacity=None, always_open=True))
    routing.has_partners(found)
    bad, good = sorted((routing.receives(found) for _ in range(2)), key=lambda r: r.referral_id)
    routing.runs("update offer set answer_by = now() - interval '1 minute'")
    routing.runs(
        "update referral set facts = facts - 'urgency' where referral_id = %s", bad.referral_id
    )

    with structlog.testing.capture_logs() as logs:
        clock_step(routing.worker)()

    assert "offer-expired" in routing.events(good)
    assert [(line["event"], line["referral_id"]) for line in logs] == [
        ("clock-failed", str(bad.referral_id))
    ]


def test_many_that_cannot_be_handled_hold_up_nobody(routing: Routing) -> None:
    found = a_partner(None, a_service(capacity=None, always_open=True))
    routing.has_partners(found)
    *bad, good = sorted(
        (routing.receives(found) for _ in range(BATCH + 1)), key=lambda r: r.referral_id
    )
    routing.runs("update offer set answer_by = now() - interval '1 minute'")
    routing.runs(
        "update referral set facts = facts - 'urgency' where referral_id = any(%s)",
        [each.referral_id for each in bad],
    )
    step = clock_step(routing.worker)

    with structlog.testing.capture_logs() as logs:
        more = [step(), step()]

    assert more == [True, False], "it rests between its rounds"
    assert "offer-expired" in routing.events(good)
    assert len(logs) == BATCH
    with structlog.testing.capture_logs() as again:
        step()
    assert len(again) == BATCH, "the next round tries them again"


def test_a_database_that_is_away_is_waited_for(routing: Routing, routing_db: TestDatabase) -> None:
    step = clock_step(routing.worker)
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
    with (
        psycopg.connect(routing_db.admin, autocommit=True) as admin,
        psycopg.connect(routing_db.admin) as holder,
        structlog.testing.capture_logs() as logs,
    ):
        holder.execute("lock table offer in access exclusive mode")
        stopped = threading.Event()

        def cutting() -> None:
            while not stopped.wait(0.05):
                admin.execute(cut)

        cutter = threading.Thread(target=cutting)
        cutter.start()
        found = step()
        stopped.set()
        cutter.join()

    assert found is False
    assert [line["event"] for line in logs] == ["clock-waits"]


def test_a_service_that_is_paused_while_an_offer_waits_for_its_place_gets_none(
    routing: Routing, routing_db: TestDatabase
) -> None:
    found = a_partner(None, a_service(capacity=5, always_open=True))
    routing.has_partners(found)
    taken = []
    with psycopg.connect(routing_db.admin, autocommit=True) as admin:
        with routing.web.change() as work:
            coordinator.pause_service(
                found.services[0].service_id, "staffing", staff_of(found), work
            )
            offering = threading.Thread(target=lambda: taken.append(routing.receives(found)))
            offering.start()
            moment = threading.Event()
            waits = "select 1 from pg_locks where not granted"
            while admin.execute(waits).fetchone() is None:
                moment.wait(0.01)
        offering.join(_PATIENCE)

    assert routing.queue(taken[0]) == "waiting-for-place"
    assert routing.offered_to(taken[0]) is None
