"""What ends an offer from the person's side, every cell of the table, and the races (R-15)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from routing.application import arrivals, partner
from routing.application.clock import run_due
from routing.domain.matching import Check
from routing.domain.model import Partner, Referral, Tie
from shared.errors import Conflict
from tests.integration.routing.conftest import Routing, fails, staff_of, together
from tests.unit.routing.builders import a_partner, a_service

End = Callable[[Routing, Referral, Partner], None]


def revoked(routing: Routing, referral: Referral, found: Partner) -> None:
    routing.revokes(referral, found)


def expired(routing: Routing, referral: Referral, found: Partner) -> None:
    routing.release_ends(referral, found, "-1 s")
    run_due(routing.worker.change, fails)


def withdrawn(routing: Routing, referral: Referral, found: Partner) -> None:
    with routing.worker.change() as work:
        arrivals.on_withdrawn(referral.referral_id, work)


@pytest.mark.parametrize(
    ("end", "reason"), [(revoked, "release-revoked"), (expired, "release-expired")]
)
def test_an_open_offer_whose_release_ends_is_cancelled_and_the_next_partner_asked(
    routing: Routing, end: End, reason: str
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)

    end(routing, referral, first)

    cancelled, offered = routing.state(referral).offers
    assert (cancelled.state, cancelled.reason) == ("cancelled", reason)
    assert cancelled.confirm_by is None
    assert offered.partner_id == second.partner_id
    assert routing.events(referral) == ["offered", "cancelled", "offered"]
    assert (routing.held(first), routing.held(second)) == ([0], [1])


@pytest.mark.parametrize(
    ("end", "reason"), [(revoked, "release-revoked"), (expired, "release-expired")]
)
def test_an_accepted_offer_whose_release_ends_is_stopped_and_a_person_looks(
    routing: Routing, end: End, reason: str
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    routing.accepts(referral, first)

    end(routing, referral, first)

    (offer,) = routing.state(referral).offers
    assert (offer.state, offer.reason) == ("cancelled", reason)
    assert offer.confirm_by is not None
    assert routing.held(first) == [0]
    assert routing.queue(referral) == "needs-person"
    assert routing.events(referral) == [
        "offered",
        "accepted",
        "cancelled",
        "escalated",
        "unmatched",
    ]


def test_withdrawing_cancels_an_open_offer_and_asks_nobody_else(routing: Routing) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)

    withdrawn(routing, referral, first)

    assert routing.queue(referral) == "withdrawn"
    assert routing.events(referral) == ["offered", "cancelled"]
    assert (routing.held(first), routing.held(second)) == ([0], [0])


def test_withdrawing_after_acceptance_tells_the_partner_to_stop(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.accepts(referral, found)

    withdrawn(routing, referral, found)

    assert routing.queue(referral) == "needs-person"
    assert routing.events(referral) == ["offered", "accepted", "cancelled", "escalated"]
    with routing.web.read() as (queries, now):
        detail = queries.offer(reference, found.partner_id, now)
    assert detail.facts is None
    assert detail.item.must_stop
    assert detail.can == {"confirm-stop"}

    with routing.web.change() as work:
        partner.confirm_stop(reference, staff_of(found), work)

    assert routing.queue(referral) == "withdrawn"
    assert routing.events(referral)[-1] == "escalation-cleared"
    with pytest.raises(Conflict), routing.web.change() as work:
        partner.confirm_stop(reference, staff_of(found), work)


def test_a_stop_that_is_not_confirmed_is_put_before_a_person_once(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    routing.accepts(referral, found)
    routing.revokes(referral, found)
    routing.runs("update offer set confirm_by = now() - interval '1 second'")

    run_due(routing.worker.change, fails)
    run_due(routing.worker.change, fails)

    assert routing.open_escalations(referral) == {
        "revoked-after-acceptance",
        "stop-not-confirmed",
    }
    assert routing.events(referral).count("escalated") == 2


def test_a_revoked_partner_can_no_longer_accept(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.reference(referral)
    routing.revokes(referral, found)

    with pytest.raises(Conflict) as refused, routing.web.change() as work:
        partner.accept_offer(reference, staff_of(found), work)

    assert refused.value.state == "cancelled"


def test_accepting_and_revoking_at_once_end_in_one_of_two_states(routing: Routing) -> None:
    """Whoever comes first: nobody is left holding a referral that was taken back."""
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    seen: set[tuple[str, ...]] = set()

    for _ in range(20):
        referral = routing.receives(first, second)
        reference = routing.reference(referral)
        together(
            partial(accept, routing, reference, first),
            partial(routing.revokes, referral, first),
        )

        state = routing.state(referral)
        assert state.offers[0].state == "cancelled"
        accepted = state.offers[0].confirm_by is not None
        holder = None if accepted else second.partner_id
        assert routing.offered_to(referral) == holder
        seen.add(tuple(routing.events(referral)))

    assert seen <= {
        ("offered", "cancelled", "offered"),
        ("offered", "accepted", "cancelled", "escalated", "unmatched"),
    }
    assert routing.held(first) == [0]


def test_accepting_and_withdrawing_at_once_leave_no_holder(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)

    for _ in range(10):
        referral = routing.receives(found)
        reference = routing.reference(referral)
        together(
            partial(accept, routing, reference, found),
            partial(withdrawn, routing, referral, found),
        )

        assert routing.state(referral).state == "withdrawn"
        assert routing.offered_to(referral) is None
    assert routing.held(found) == [0]


def test_two_partners_never_hold_a_referral_at_once(routing: Routing) -> None:
    """One declines while the clock hands it on: one next partner is asked, once."""
    first, second, third = a_partner(), a_partner(), a_partner()
    routing.has_partners(first, second, third)

    for _ in range(10):
        referral = routing.receives(first, second, third)
        reference = routing.reference(referral)
        routing.release_ends(referral, first, "1 ms")
        together(
            partial(decline, routing, reference, first),
            partial(run_due, routing.worker.change, fails),
        )

        holding = [o for o in routing.state(referral).offers if o.state in {"offered", "accepted"}]
        assert len(holding) <= 1
    assert routing.held(third) == [0]


def test_a_release_signed_later_brings_the_next_offer(routing: Routing) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first)
    routing.revokes(referral, first)
    assert routing.queue(referral) == "needs-new-release"
    (release,) = routing.releases(second)

    for _ in range(2):
        with routing.worker.change() as work:
            arrivals.on_release_signed(referral.referral_id, release, work)

    assert routing.offered_to(referral) == second.partner_id
    assert routing.events(referral) == ["offered", "cancelled", "unmatched", "offered"]


def test_a_partner_that_was_asked_is_never_asked_again(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    routing.revokes(referral, found)
    (again,) = routing.releases(found)

    with routing.worker.change() as work:
        arrivals.on_release_signed(referral.referral_id, again, work)

    assert routing.queue(referral) == "needs-new-release"


def test_a_new_release_that_leads_to_nobody_is_told_and_explained(routing: Routing) -> None:
    """R-40, R-46."""
    first, far = a_partner(), a_partner(None, a_service(counties=("22005",)))
    routing.has_partners(first, far)
    referral = routing.receives(first)
    routing.revokes(referral, first)
    (release,) = routing.releases(far)

    with routing.worker.change() as work:
        arrivals.on_release_signed(referral.referral_id, release, work)

    assert routing.events(referral) == ["offered", "cancelled", "unmatched", "unmatched"]
    with routing.web.read() as (queries, now):
        newest = queries.referral(referral.referral_id, now).decisions[0]
    (verdict,) = [v for v in newest.verdicts if v.partner_id == far.partner_id]
    assert verdict.released
    assert verdict.excluded_by == Check("area", passed=False, value="22005")


def test_erasing_leaves_nothing_but_the_number_of_events(routing: Routing) -> None:
    """R-24."""
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    routing.accepts(referral, found)

    for _ in range(2):
        with routing.worker.change() as work:
            arrivals.on_erased(referral.referral_id, work)

    assert routing.events(referral) == ["offered", "accepted", "cancelled", "erased"]
    assert routing.held(found) == [0]
    with routing.pool.connection() as tx:
        (row,) = tx.execute("select * from referral").fetchall()
        left = [
            tx.execute(f"select count(*) as n from {table}").fetchone()
            for table in ("offer", "release", "decision", "slot_hold", "escalation")
        ] + [tx.execute("select count(*) as n from referral_event").fetchone()]
    assert (row["facts"], row["reference"], row["submitted_by"]) == (None, None, None)
    assert [found and found["n"] for found in left] == [0] * 6


def accept(routing: Routing, reference: str, found: Partner) -> None:
    with routing.web.change() as work:
        partner.accept_offer(reference, staff_of(found), work)


def decline(routing: Routing, reference: str, found: Partner) -> None:
    with routing.web.change() as work:
        partner.decline_offer(reference, "other", staff_of(found), work)


def test_a_partner_that_was_tied_to_an_agency_since_its_release_is_not_offered(
    routing: Routing,
) -> None:
    """R-10: whichever agency it is, as routing does not know which ones the person named."""
    first, second = a_partner(None, a_service()), a_partner(None, a_service())
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    tied = replace(second, ties=(Tie("baton-rouge-police", "funded-by"),))
    routing.has_partners(first, tied)

    decline(routing, routing.reference(referral), first)

    assert routing.offered_to(referral) is None
    assert routing.queue(referral) == "needs-new-release"
    with routing.worker.change() as work:
        (signed,) = routing.releases(tied)
        signed = replace(signed, expires_at=signed.expires_at - timedelta(days=20))
        arrivals.on_release_signed(referral.referral_id, signed, work)
    offer = routing.state(referral).current
    assert offer is not None
    assert offer.release_id == signed.release_id


def test_a_partner_that_lost_a_tie_or_has_it_still_is_offered(routing: Routing) -> None:
    police = Tie("baton-rouge-police", "funded-by")
    ties = (police, Tie("east-baton-rouge-sheriff", "co-located"))
    first, second = a_partner(None, a_service()), a_partner(None, a_service(), ties=ties)
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    routing.has_partners(first, replace(second, ties=(replace(police, kind="run-by"),)))

    decline(routing, routing.reference(referral), first)

    assert routing.offered_to(referral) == second.partner_id
