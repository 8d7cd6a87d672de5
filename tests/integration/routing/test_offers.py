"""Offers go to one partner at a time, in the person's order, and end in one way."""

from tests.integration.routing.conftest import Routing
from tests.unit.routing.builders import a_partner


def test_a_referral_is_offered_to_the_first_partner_of_the_person(routing: Routing) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)

    referral = routing.receives(second, first)

    current = routing.state(referral).current
    assert current is not None
    assert current.partner_id == second.partner_id
    assert routing.events(referral) == ["offered"]
    assert routing.held(second) == [1]
    assert routing.held(first) == [0]
