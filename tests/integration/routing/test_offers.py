"""Offers go to one partner at a time, in the person's order, and end in one way."""

from datetime import timedelta
from itertools import chain, repeat

import pytest

from routing.adapters.references import free_references
from routing.adapters.sql import DUE
from routing.application import partner
from routing.application.clock import run_due
from shared import log
from shared.db import now, transaction
from shared.errors import Conflict, NotAllowed, NotFound, Rejected
from tests.integration.routing.conftest import SITE, Routing, fails, staff_of
from tests.support.databases import rows_read
from tests.unit.routing.builders import a_partner, a_service, some_facts


def test_a_referral_is_offered_to_the_first_partner_of_the_person(routing: Routing) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)

    referral = routing.receives(second, first)

    assert routing.offered_to(referral) == second.partner_id
    assert routing.events(referral) == ["offered"]
    assert (routing.held(first), routing.held(second)) == ([0], [1])


def test_a_declined_offer_goes_to_the_next_released_partner_by_itself(routing: Routing) -> None:
    """R-46."""
    first, second, third = a_partner(), a_partner(), a_partner()
    routing.has_partners(first, second, third)
    referral = routing.receives(first, second)

    with routing.web.change() as work:
        partner.decline_offer(routing.reference(referral), "language", staff_of(first), work)

    assert routing.offered_to(referral) == second.partner_id
    assert routing.events(referral) == ["offered", "declined", "offered"]
    assert (routing.held(first), routing.held(second)) == ([0], [1])


def test_when_nobody_is_left_a_new_release_is_needed_and_the_agency_is_told(
    routing: Routing,
) -> None:
    """R-46: never a silent end, never a partner without a release."""
    first, other = a_partner(), a_partner()
    routing.has_partners(first, other)
    referral = routing.receives(first)

    with routing.web.change() as work:
        partner.decline_offer(routing.reference(referral), "other", staff_of(first), work)

    assert routing.queue(referral) == "needs-new-release"
    assert routing.events(referral) == ["offered", "declined", "unmatched"]


def test_a_reason_is_kept_and_told_only_where_the_person_released_it(routing: Routing) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    told = routing.receives(first, release={"report_back": ("answer-detail",)})
    untold = routing.receives(second, release={"report_back": ()})

    for referral, found in ((told, first), (untold, second)):
        with routing.web.change() as work:
            partner.decline_offer(routing.reference(referral), "waitlist", staff_of(found), work)

    assert routing.state(told).offers[0].reason == "waitlist"
    assert routing.state(untold).offers[0].reason is None


def test_accepting_starts_the_clock_of_first_contact(routing: Routing) -> None:
    """R-44."""
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)

    routing.accepts(referral, found)

    current = routing.state(referral).current
    assert current is not None
    assert current.first_contact_by is not None
    assert current.answered_at is not None
    assert current.first_contact_by > current.answered_at
    assert routing.events(referral) == ["offered", "accepted"]
    assert routing.held(found) == [1]


def test_the_whole_way_of_an_accepted_offer(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.accepts(referral, found)
    staff = staff_of(found)

    with routing.web.change() as work:
        partner.record_contact(reference, "introduced-live", staff, work)
    with routing.web.change() as work:
        partner.record_service_started(reference, staff, work)
    with routing.web.change() as work:
        partner.close_referral(reference, "service-completed", staff, work)

    told = ["offered", "accepted", "contacted", "service-started", "closed"]
    assert routing.events(referral) == told
    assert routing.queue(referral) == "closed"
    assert routing.held(found) == [0]
    with routing.web.read() as (queries, now):
        page = queries.referral(referral.referral_id, now)
    assert [entry.kind for entry in page.timeline] == ["submitted", *told]


def test_without_report_back_only_the_answer_and_the_end_are_recorded(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found, release={"report_back": ()})
    reference = routing.accepts(referral, found)
    staff = staff_of(found)

    with pytest.raises(NotAllowed), routing.web.change() as work:
        partner.record_contact(reference, "contacted", staff, work)
    with pytest.raises(NotAllowed), routing.web.change() as work:
        partner.record_service_started(reference, staff, work)
    with routing.web.change() as work:
        partner.close_referral(reference, "could-not-reach", staff, work)

    (offer,) = routing.state(referral).offers
    assert (offer.state, offer.outcome, offer.contacted_at) == ("closed", None, None)


def test_the_outcome_is_asked_for_where_it_is_to_be_reported(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.accepts(referral, found)

    with pytest.raises(Rejected), routing.web.change() as work:
        partner.close_referral(reference, None, staff_of(found), work)


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_an_answered_offer_says_the_state_it_is_in(routing: Routing, verb: str) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.accepts(referral, found)

    with pytest.raises(Conflict) as refused, routing.web.change() as work:
        if verb == "accept":
            partner.accept_offer(reference, staff_of(found), work)
        else:
            partner.decline_offer(reference, "other", staff_of(found), work)

    assert refused.value.state == "accepted"
    assert routing.events(referral) == ["offered", "accepted"]


def test_an_offer_of_another_organization_is_not_there(routing: Routing) -> None:
    found, other = a_partner(), a_partner()
    routing.has_partners(found, other)
    referral = routing.receives(found, other)
    reference = routing.reference(referral)

    with pytest.raises(NotFound), routing.web.change() as work:
        partner.accept_offer(reference, staff_of(other), work)
    with pytest.raises(NotFound), routing.web.read() as (queries, now):
        queries.offer(reference, other.partner_id, now)


@pytest.mark.parametrize("verb", ["decline", "contact", "close"])
def test_an_unknown_code_is_refused(routing: Routing, verb: str) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.reference(referral)

    with pytest.raises(Rejected), routing.web.change() as work:
        if verb == "decline":
            partner.decline_offer(reference, "mood", staff_of(found), work)
        elif verb == "contact":
            partner.record_contact(reference, "shouted", staff_of(found), work)
        else:
            partner.close_referral(reference, "fine", staff_of(found), work)


def test_a_late_answer_does_not_count_even_before_the_clock_has_run(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.reference(referral)
    routing.runs("update offer set answer_by = now() - interval '1 second'")

    with pytest.raises(Conflict) as refused, routing.web.change() as work:
        partner.accept_offer(reference, staff_of(found), work)

    assert refused.value.state == "expired"


def test_an_expired_offer_goes_to_the_next_partner_by_itself(routing: Routing) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    routing.runs("update offer set answer_by = now() - interval '1 second'")

    run_due(routing.worker.change, fails)
    run_due(routing.worker.change, fails)

    assert routing.offered_to(referral) == second.partner_id
    assert routing.events(referral) == ["offered", "offer-expired", "offered"]
    assert (routing.held(first), routing.held(second)) == ([0], [1])


def test_what_a_clock_tells_goes_on_with_what_the_referral_began(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    began, looks = "a" * 32, [f"00-{digit * 32}-{'7' * 16}-01" for digit in "bc"]
    with log.context(correlation_id=began, traceparent=looks[0]):
        referral = routing.receives(found)
    routing.runs("update offer set answer_by = now() - interval '1 second'")

    with log.context(correlation_id="d" * 32, traceparent=looks[1]):
        run_due(routing.worker.change, fails)

    with transaction(routing.pool) as tx:
        rows = tx.execute(
            "select type, headers from outbox where key = %s order by sequence",
            (str(referral.referral_id),),
        ).fetchall()
    told = [(row["type"].split(".")[2], row["headers"]["traceparent"]) for row in rows]
    assert told == [("offered", looks[0]), ("offer-expired", looks[1]), ("unmatched", looks[1])]
    assert {row["headers"]["ce_correlationid"] for row in rows} == {began}


def test_the_answer_is_due_no_later_than_the_release_ends(routing: Routing) -> None:
    """R-16."""
    found = a_partner()
    routing.has_partners(found)
    with routing.worker.read() as (_, now):
        soon = now + timedelta(minutes=20)

    referral = routing.receives(found, release={"expires_at": soon})

    current = routing.state(referral).current
    assert current is not None
    assert current.answer_by == soon


@pytest.mark.parametrize(
    ("report_back", "reason"),
    [(("first-contact",), "first-contact-overdue"), ((), "contact-not-reported")],
)
def test_contact_that_is_not_made_in_time_is_put_before_a_person_once(
    routing: Routing, report_back: tuple[str, ...], reason: str
) -> None:
    """R-44."""
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found, release={"report_back": report_back})
    routing.accepts(referral, found)
    routing.runs("update offer set first_contact_by = now() - interval '1 second'")

    run_due(routing.worker.change, fails)
    run_due(routing.worker.change, fails)

    assert routing.queue(referral) == "overdue"
    assert routing.open_escalations(referral) == {reason}
    assert routing.events(referral) == ["offered", "accepted", "escalated"]


def test_contact_made_late_ends_the_overdue(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.accepts(referral, found)
    routing.runs("update offer set first_contact_by = now() - interval '1 second'")
    run_due(routing.worker.change, fails)

    with routing.web.change() as work:
        partner.record_contact(reference, "contacted", staff_of(found), work)

    assert routing.queue(referral) == "accepted"
    assert routing.open_escalations(referral) == set()


def test_a_code_that_nobody_knows_goes_to_a_person(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)

    referral = routing.receives(found, facts=some_facts(needs=("from-the-future",)))

    assert routing.queue(referral) == "needs-person"
    assert routing.offered_to(referral) is None
    assert routing.events(referral) == ["escalated", "unmatched"]


def test_an_emergency_that_meets_only_closed_doors_goes_to_a_person(routing: Routing) -> None:
    """R-44."""
    never = a_partner(None, a_service(openings=()))
    routing.has_partners(never)

    referral = routing.receives(never, facts=some_facts(urgency="emergency"))

    assert routing.queue(referral) == "needs-person"


def test_the_inbox_reads_nothing_of_ended_offers_and_lists_the_newest(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    waiting = routing.receives(found)
    routing.runs(_COPIES, waiting.referral_id, "closed")
    routing.runs("analyze offer")

    with routing.web.read() as (queries, now):
        before = rows_read(queries.tx, "offer")
        at_hand = queries.inbox(found.partner_id, now)
        read = rows_read(queries.tx, "offer") - before
        ended = queries.inbox(found.partner_id, now, closed=True)

    assert [item.reference for item in at_hand] == [routing.reference(waiting)]
    assert read < 20
    assert len(ended) == 200
    assert {item.reference for item in ended} == {f"WH-{n}" for n in range(1, 201)}


def test_the_clock_reads_only_what_has_run_out(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    waiting = routing.receives(found)
    routing.runs(_COPIES, waiting.referral_id, "accepted")
    routing.runs("analyze")

    with transaction(routing.pool) as tx:
        before = rows_read(tx, "offer", "release", "referral")
        tx.execute(
            DUE, {"now": now(tx), "limit": 20, "only": None, "after": None, "site": SITE.code}
        )
        read = rows_read(tx, "offer", "release", "referral") - before

    assert read < 20


_COPIES = """
with own as (select * from referral where referral_id = %s), copy as (
  select gen_random_uuid() as id, n from generate_series(1, 2000) as n), referrals as (
  insert into referral (referral_id, reference, site, agency, submitted_by, facts, state, queue,
    received_at)
  select id, 'WH-' || n, site, agency, submitted_by, facts, 'closed', 'closed', received_at
  from own, copy), releases as (
  insert into release (release_id, referral_id, partner_id, rank, expires_at, items, report_back)
  select id, id, partner_id, rank, expires_at, items, report_back
  from release join own using (referral_id), copy)
insert into offer (offer_id, reference, referral_id, partner_id, service_id, release_id,
  release_expires_at, state, offered_at, answer_by, ended_at)
select id, 'WH-' || n, id, partner_id, service_id, id, release_expires_at, %s, offered_at,
  answer_by,
  now() - n * interval '1 minute'
from offer join own using (referral_id), copy
"""


def test_a_reference_that_an_offer_has_is_not_given_again(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    routing.receives(found)
    signs = chain("222200", repeat("3"))

    with transaction(routing.pool) as tx:
        tx.execute("update offer set reference = 'WH-2222-00'")
        free = free_references(tx, 1, lambda _: next(signs))

    assert free == ["WH-3333-33"]
