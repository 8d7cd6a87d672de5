"""An emergency that met closed doors: before a person at once, and offered when one opens."""

from uuid import uuid4

from routing.application import coordinator
from routing.application.clock import retry_waiting
from routing.domain.model import Partner, Referral
from tests.integration.routing.conftest import Routing, fails, staff_of
from tests.unit.routing.builders import a_partner, a_service, some_facts

FIRST, SECOND = uuid4(), uuid4()
SERVICES = {FIRST: uuid4(), SECOND: uuid4()}


def partners(*, are_open: bool) -> list[Partner]:
    return [
        a_partner(found, a_service(service_id=service, openings=(), always_open=are_open))
        for found, service in SERVICES.items()
    ]


def an_emergency(routing: Routing) -> Referral:
    """Receive an emergency while the doors are closed."""
    closed = partners(are_open=False)
    routing.has_partners(*closed)
    referral = routing.receives(*closed, facts=some_facts(urgency="emergency"))
    assert routing.queue(referral) == "needs-person"
    return referral


def a_minute_later(routing: Routing) -> None:
    routing.runs(
        "update referral set received_at = received_at - interval '61 seconds',"
        " tried_at = tried_at - interval '61 seconds'"
    )
    retry_waiting(routing.worker.change, fails)


def test_it_is_offered_by_itself_once_the_doors_are_open(routing: Routing) -> None:
    """R-44."""
    referral = an_emergency(routing)

    a_minute_later(routing)
    assert routing.events(referral) == ["unmatched"]
    routing.has_partners(*partners(are_open=True))
    a_minute_later(routing)

    assert routing.offered_to(referral) == FIRST
    assert routing.queue(referral) == "offered"
    assert routing.events(referral) == ["unmatched", "offered"]


def test_what_a_coordinator_left_to_a_person_stays_there(routing: Routing) -> None:
    referral = an_emergency(routing)
    staff = staff_of(partners(are_open=False)[0])
    with routing.web.change() as work:
        coordinator.offer_to(referral.referral_id, FIRST, "no-answer", staff, work)
    reference = routing.reference(referral)
    with routing.web.change() as work:
        coordinator.cancel(referral.referral_id, reference, "advocate-asked", staff, work)

    routing.has_partners(*partners(are_open=True))
    a_minute_later(routing)

    assert routing.queue(referral) == "needs-person"
    assert routing.offered_to(referral) is None
