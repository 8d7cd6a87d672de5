"""Places: never below zero, never above the limit, given back once."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import psycopg
import pytest

from routing.application import arrivals, coordinator
from routing.application import partner as partners
from routing.application.clock import retry_waiting, run_due
from routing.domain.model import Partner, Referral
from shared.errors import Conflict
from tests.integration.routing.conftest import Routing, fails, staff_of, together
from tests.unit.routing.builders import a_partner, a_service, some_facts


def with_places(capacity: int | None) -> Partner:
    return a_partner(None, a_service(capacity=capacity))


def test_who_finds_no_place_waits_and_is_tried_when_one_is_free(routing: Routing) -> None:
    found = with_places(1)
    routing.has_partners(found)
    first = routing.receives(found)
    second = routing.receives(found)
    assert routing.queue(second) == "waiting-for-place"

    retry_waiting(routing.worker.change, fails)
    assert routing.events(second) == ["unmatched"]
    decline(routing, first, found)
    retry_waiting(routing.worker.change, fails)

    assert routing.offered_to(second) == found.partner_id
    assert routing.events(second) == ["unmatched", "offered"]
    assert routing.held(found) == [1]


def test_a_full_first_choice_is_not_waited_for_while_another_partner_has_a_place(
    routing: Routing,
) -> None:
    full, free = with_places(0), with_places(None)
    routing.has_partners(full, free)

    referral = routing.receives(full, free)

    assert routing.offered_to(referral) == free.partner_id


def test_many_at_once_never_take_more_than_there_is(routing: Routing) -> None:
    found = with_places(3)
    routing.has_partners(found)

    together(*[partial(routing.receives, found) for _ in range(8)])

    assert routing.held(found) == [3]
    with routing.web.read() as (queries, now):
        counts = {c.queue: c.count for c in queries.queue_counts(now)}
    assert (counts["offered"], counts["waiting-for-place"]) == (3, 5)


def test_many_that_swap_places_at_once_never_block_each_other(routing: Routing) -> None:
    """Places are locked in one order, so no deadlock is left for PostgreSQL to break."""
    one, two = with_places(10), with_places(10)
    routing.has_partners(one, two)
    there = [routing.receives(one, two) for _ in range(4)]
    back = [routing.receives(two, one) for _ in range(4)]

    together(
        *[partial(decline, routing, referral, one) for referral in there],
        *[partial(decline, routing, referral, two) for referral in back],
    )

    assert routing.held(one) == [4]
    assert routing.held(two) == [4]


def test_a_paused_service_is_offered_nothing_until_it_is_resumed(routing: Routing) -> None:
    found = with_places(None)
    routing.has_partners(found)
    service_id = found.services[0].service_id
    with routing.web.change() as work:
        coordinator.pause_service(service_id, "staffing", staff_of(found), work)

    referral = routing.receives(found)
    assert routing.queue(referral) == "waiting-for-place"
    with routing.web.change() as work:
        coordinator.resume_service(service_id, staff_of(found), work)
    retry_waiting(routing.worker.change, fails)

    assert routing.offered_to(referral) == found.partner_id


def test_waiting_ends_with_the_last_release_and_a_new_one_is_asked_for(routing: Routing) -> None:
    """R-16, R-46: never a silent end."""
    full, other = with_places(0), with_places(0)
    routing.has_partners(full, other)
    referral = routing.receives(full, other)
    routing.runs("update referral set received_at = received_at - interval '1 hour'")
    routing.runs("update service_slot set changed_at = changed_at - interval '1 day'")

    routing.release_ends(referral, full, "-1 s")
    retry_waiting(routing.worker.change, fails)
    assert routing.queue(referral) == "waiting-for-place"
    assert routing.events(referral) == ["unmatched"]

    routing.runs("update referral set tried_at = tried_at - interval '1 hour'")
    routing.release_ends(referral, other, "-1 s")
    retry_waiting(routing.worker.change, fails)

    assert routing.queue(referral) == "needs-new-release"
    assert routing.events(referral) == ["unmatched", "unmatched"]


def test_an_emergency_that_finds_no_place_goes_to_a_person_at_once(routing: Routing) -> None:
    """R-44: and it is offered by itself all the same when a place is free first."""
    found = a_partner(None, a_service(capacity=1, always_open=True, urgency_max="emergency"))
    routing.has_partners(found)
    first = routing.receives(found)

    referral = routing.receives(found, facts=some_facts(urgency="emergency"))

    assert routing.queue(referral) == "needs-person"
    decline(routing, first, found)
    retry_waiting(routing.worker.change, fails)
    assert routing.offered_to(referral) == found.partner_id


def test_waiting_too_long_is_put_before_a_person_once_until_it_is_offered(
    routing: Routing,
) -> None:
    """R-44."""
    found = with_places(1)
    routing.has_partners(found)
    first = routing.receives(found)
    referral = routing.receives(found, facts=some_facts(urgency="urgent"))
    run_due(routing.worker.change, fails)
    assert routing.queue(referral) == "waiting-for-place"
    routing.runs("update referral set place_by = now() - interval '1 second'")

    run_due(routing.worker.change, fails)
    run_due(routing.worker.change, fails)

    assert routing.queue(referral) == "needs-person"
    assert routing.open_escalations(referral) == {"no-place"}
    assert routing.events(referral) == ["unmatched", "escalated"]

    decline(routing, first, found)
    retry_waiting(routing.worker.change, fails)
    assert routing.queue(referral) == "offered"
    assert routing.events(referral) == ["unmatched", "escalated", "offered"]


def test_a_place_is_waited_for_as_long_as_an_answer(routing: Routing) -> None:
    """R-44: by urgency, and a new release does not start the clock again."""
    found, other, asked = with_places(0), with_places(0), with_places(None)
    routing.has_partners(found, other, asked)
    offered = routing.state(routing.receives(asked)).current
    referral = routing.receives(found)
    clock = routing.state(referral).place_by
    assert offered is not None
    assert clock is not None
    assert abs(clock - offered.answer_by) < timedelta(minutes=1)
    routing.runs("update referral set place_by = place_by - interval '1 hour'")
    (release,) = routing.releases(other)

    with routing.worker.change() as work:
        arrivals.on_release_signed(referral.referral_id, release, work)

    assert routing.state(referral).place_by == clock - timedelta(hours=1)


def test_an_import_sets_the_limit_and_never_what_is_held(routing: Routing) -> None:
    service = a_service(capacity=3)
    found = a_partner(None, service)
    routing.has_partners(found)
    held = [routing.receives(found) for _ in range(3)]
    smaller = a_partner(found.partner_id, a_service(service_id=service.service_id, capacity=1))

    routing.has_partners(smaller)

    assert routing.held(found) == [3]
    for referral in held[:2]:
        decline(routing, referral, found)
    assert routing.queue(routing.receives(found)) == "waiting-for-place"
    decline(routing, held[2], found)
    assert routing.held(found) == [0]
    assert routing.offered_to(routing.receives(found)) == found.partner_id


def test_a_larger_limit_lets_those_in_that_wait(routing: Routing) -> None:
    service = a_service(capacity=0)
    found = a_partner(None, service)
    routing.has_partners(found)
    referral = routing.receives(found)
    larger = a_partner(found.partner_id, a_service(service_id=service.service_id, capacity=1))

    routing.has_partners(larger)
    retry_waiting(routing.worker.change, fails)

    assert routing.offered_to(referral) == found.partner_id


def test_a_place_is_taken_in_the_statement_that_checks_there_is_one(routing: Routing) -> None:
    found = with_places(1)
    routing.has_partners(found)
    referral = routing.receives(found)
    offer = routing.state(referral).current
    assert offer is not None

    with pytest.raises(Conflict) as refused, routing.worker.change() as work:
        work.store.take_place(replace(offer, offer_id=uuid4()))

    assert refused.value.state == "full"
    assert routing.held(found) == [1]


@pytest.mark.parametrize(
    ("change", "rule"),
    [("held = -1", "held_not_negative"), ("held = 3", "held_within_capacity")],
)
def test_the_database_itself_refuses_an_impossible_number(
    routing: Routing, change: str, rule: str
) -> None:
    routing.has_partners(with_places(2))

    with pytest.raises(psycopg.errors.CheckViolation, match=rule):
        routing.runs(f"update service_slot set {change}")


def test_the_database_itself_refuses_two_holders_and_a_second_offer_to_a_partner(
    routing: Routing,
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    copy = """
      insert into offer (offer_id, reference, referral_id, partner_id, service_id, release_id,
        release_expires_at, state, offered_at, answer_by)
      select %s, %s, referral_id, %s, service_id, release_id, release_expires_at, %s, offered_at,
        answer_by from offer
    """

    with pytest.raises(psycopg.errors.UniqueViolation, match="one_partner_at_a_time"):
        routing.runs(copy, uuid4(), "WH-2222-22", second.partner_id, "accepted")
    with pytest.raises(psycopg.errors.UniqueViolation, match="never_the_same_partner_twice"):
        routing.runs(copy, uuid4(), "WH-2222-22", first.partner_id, "declined")
    assert routing.offered_to(referral) == first.partner_id


def decline(routing: Routing, referral: Referral, found: Partner) -> None:
    with routing.web.change() as work:
        reference = next(
            offer.reference
            for offer in work.store.lock(referral.referral_id).offers
            if offer.partner_id == found.partner_id
        )
    with routing.web.change() as work:
        partners.decline_offer(reference, "other", staff_of(found), work)
