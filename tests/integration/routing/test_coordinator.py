"""What a coordinator sees and does; each with a coded reason, never an identity."""

from uuid import uuid4

import pytest

from routing.application import coordinator, partner
from routing.application.clock import run_due
from routing.application.ports import Staff
from routing.domain.matching import Check
from routing.domain.model import Referral
from shared.errors import Conflict, NotFound, Rejected
from tests.integration.routing.conftest import SITE, Routing, fails, staff_of
from tests.support.databases import rows_read
from tests.unit.routing.builders import a_partner, a_service, some_facts

COORDINATOR = Staff(uuid4(), SITE.host.organization_id)


def test_another_released_partner_can_be_offered_to(routing: Routing) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)

    with routing.web.change() as work:
        coordinator.offer_to(
            referral.referral_id, second.partner_id, "no-answer", COORDINATOR, work
        )

    assert routing.offered_to(referral) == second.partner_id
    assert routing.events(referral) == ["offered", "cancelled", "offered"]
    assert (routing.held(first), routing.held(second)) == ([0], [1])


def test_a_rule_of_fit_can_be_overruled(routing: Routing) -> None:
    far = a_partner(None, a_service(counties=("22005",)))
    routing.has_partners(far)
    referral = routing.receives(far)
    assert routing.queue(referral) == "needs-new-release"

    with routing.web.change() as work:
        coordinator.offer_to(
            referral.referral_id, far.partner_id, "advocate-asked", COORDINATOR, work
        )

    assert routing.offered_to(referral) == far.partner_id


@pytest.mark.parametrize("why", ["barred", "unreleased", "full", "paused", "monitor", "asked"])
def test_a_rule_of_safety_consent_or_place_cannot_be_overruled(routing: Routing, why: str) -> None:
    """R-10, R-46, R-48."""
    first = a_partner()
    other = {
        "full": a_partner(None, a_service(capacity=0)),
        "paused": a_partner(None, a_service(paused="safety")),
        "monitor": a_partner(None, recipient=False),
        "asked": first,
    }.get(why, a_partner())
    routing.has_partners(*{first.partner_id: first, other.partner_id: other}.values())
    released = (first,) if why in {"unreleased", "asked"} else (first, other)
    barred = frozenset({other.partner_id} if why == "barred" else ())
    referral = routing.receives(*released, barred=barred)

    with pytest.raises(Conflict), routing.web.change() as work:
        coordinator.offer_to(
            referral.referral_id, other.partner_id, "no-answer", COORDINATOR, work
        )

    assert routing.offered_to(referral) == first.partner_id
    assert routing.events(referral) == ["offered"]


def test_an_accepted_referral_is_not_offered_elsewhere(routing: Routing) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    routing.accepts(referral, first)

    with pytest.raises(Conflict) as refused, routing.web.change() as work:
        coordinator.offer_to(
            referral.referral_id, second.partner_id, "no-answer", COORDINATOR, work
        )

    assert refused.value.state == "accepted"


@pytest.mark.parametrize(
    ("reason", "queue"),
    [
        ("no-answer", "offered"),
        ("safety", "needs-person"),
        ("advocate-asked", "needs-person"),
        ("duplicate", "closed"),
    ],
)
def test_cancelling_an_open_offer(routing: Routing, reason: str, queue: str) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    reference = routing.reference(referral)

    with routing.web.change() as work:
        coordinator.cancel(referral.referral_id, reference, reason, COORDINATOR, work)

    assert routing.queue(referral) == queue
    assert routing.held(first) == [0]
    assert routing.state(referral).offers[0].reason == reason


@pytest.mark.parametrize("reason", ["no-answer", "safety"])
def test_a_second_press_takes_nothing_more_back_and_ends_nothing(
    routing: Routing, reason: str
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    reference = routing.reference(referral)
    with routing.web.change() as work:
        coordinator.cancel(referral.referral_id, reference, reason, COORDINATOR, work)
    before = routing.state(referral)

    with pytest.raises(Conflict), routing.web.change() as work:
        coordinator.cancel(referral.referral_id, reference, reason, COORDINATOR, work)

    assert routing.state(referral) == before


def test_cancelling_an_accepted_offer_stops_the_partner_and_waits_for_a_person(
    routing: Routing,
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    reference = routing.accepts(referral, first)

    with routing.web.change() as work:
        coordinator.cancel(referral.referral_id, reference, "partner-asked", COORDINATOR, work)

    assert routing.queue(referral) == "needs-person"
    assert routing.events(referral) == ["offered", "accepted", "cancelled", "unmatched"]
    with routing.web.change() as work:
        partner.confirm_stop(reference, staff_of(first), work)
    with routing.web.change() as work:
        coordinator.offer_to(
            referral.referral_id, second.partner_id, "partner-asked", COORDINATOR, work
        )
    assert routing.offered_to(referral) == second.partner_id


def test_a_referral_that_nobody_holds_can_be_ended_once(routing: Routing) -> None:
    referral = unmatched(routing)

    with routing.web.change() as work:
        coordinator.cancel(referral.referral_id, "", "duplicate", COORDINATOR, work)
    assert routing.queue(referral) == "closed"
    assert routing.events(referral)[-1] == "ended", "the advocate has to know"

    with pytest.raises(Conflict), routing.web.change() as work:
        coordinator.cancel(referral.referral_id, "", "duplicate", COORDINATOR, work)


def test_every_act_needs_a_code_of_the_list(routing: Routing) -> None:
    referral = unmatched(routing)
    key = referral.referral_id

    with pytest.raises(Rejected), routing.web.change() as work:
        coordinator.cancel(key, "", "because", COORDINATOR, work)
    with pytest.raises(Rejected), routing.web.change() as work:
        coordinator.offer_to(key, uuid4(), "", COORDINATOR, work)
    with pytest.raises(Rejected), routing.web.change() as work:
        coordinator.clear_overdue(key, "done", COORDINATOR, work)
    with pytest.raises(Rejected), routing.web.change() as work:
        coordinator.pause_service(uuid4(), "holiday", COORDINATOR, work)


def test_what_is_not_there_is_not_found(routing: Routing) -> None:
    with pytest.raises(NotFound), routing.web.change() as work:
        coordinator.cancel(uuid4(), "", "duplicate", COORDINATOR, work)
    with pytest.raises(NotFound), routing.web.change() as work:
        coordinator.pause_service(uuid4(), "staffing", COORDINATOR, work)
    with pytest.raises(NotFound), routing.web.read() as (queries, now):
        queries.referral(uuid4(), now)


def test_pausing_twice_and_resuming_twice_say_so(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    service_id = found.services[0].service_id

    with routing.web.change() as work:
        coordinator.pause_service(service_id, "quality", COORDINATOR, work)
    with pytest.raises(Conflict), routing.web.change() as work:
        coordinator.pause_service(service_id, "quality", COORDINATOR, work)
    with routing.web.read() as (queries, _):
        assert [row.paused for row in queries.services()] == ["quality"]
    with routing.web.change() as work:
        coordinator.resume_service(service_id, COORDINATOR, work)
    with pytest.raises(Conflict), routing.web.change() as work:
        coordinator.resume_service(service_id, COORDINATOR, work)


def test_overdue_is_cleared_with_a_reason_and_stays_cleared(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found, release={"report_back": ()})
    routing.accepts(referral, found)
    routing.runs("update offer set first_contact_by = now() - interval '1 second'")
    run_due(routing.worker.change, fails)

    with routing.web.change() as work:
        coordinator.clear_overdue(
            referral.referral_id, "advocate-confirmed-contact", COORDINATOR, work
        )
    run_due(routing.worker.change, fails)

    assert routing.queue(referral) == "accepted"
    assert routing.events(referral) == ["offered", "accepted", "escalated", "escalation-cleared"]
    assert routing.told(referral, "escalation-cleared") == {"status": "accepted", "due": None}
    with routing.web.read() as (queries, now):
        (row,) = queries.queue_rows(now)
    assert (row.due, row.overdue) == (None, False)
    with pytest.raises(Conflict), routing.web.change() as work:
        coordinator.clear_overdue(
            referral.referral_id, "advocate-confirmed-contact", COORDINATOR, work
        )


def test_queues_count_and_list_what_waits_overdue_first(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    waiting = routing.receives(found, reference="WH-AAAA-11")
    late = routing.receives(found, reference="WH-BBBB-22")
    unmatched(routing, reference="WH-CCCC-33")
    routing.runs(
        "update offer set answer_by = now() - interval '1 hour' where referral_id = %s",
        late.referral_id,
    )

    with routing.web.read() as (queries, now):
        counts = {c.queue: c.count for c in queries.queue_counts(now)}
        rows = queries.queue_rows(now)
        (most_urgent,) = queries.queue_rows(now, limit=1)
        offered = queries.queue_rows(now, queue="offered")
        by_offer = queries.queue_rows(now, reference=routing.reference(waiting)[3:].lower())

    assert counts == {
        "to-match": 0,
        "waiting-for-place": 0,
        "offered": 2,
        "overdue": 0,
        "needs-new-release": 1,
        "needs-person": 0,
    }
    assert most_urgent.reference == "WH-BBBB-22"
    assert rows[0].reference == "WH-BBBB-22"
    assert rows[0].overdue
    assert len(rows) == 3
    assert {row.reference for row in offered} == {"WH-AAAA-11", "WH-BBBB-22"}
    assert offered[0].holder == found.name
    assert [row.reference for row in by_offer] == ["WH-AAAA-11"]


def test_the_queues_page_reads_nothing_of_finished_referrals(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    waiting = routing.receives(found)
    routing.runs(_FINISHED, waiting.referral_id)
    routing.runs("analyze referral")

    with routing.web.read() as (queries, now):
        before = rows_read(queries.tx, "referral")
        counts = queries.queue_counts(now)
        rows = [*queries.queue_rows(now), *queries.queue_rows(now, queue="offered")]
        read = rows_read(queries.tx, "referral") - before

    assert [row.referral_id for row in rows] == [waiting.referral_id] * 2
    assert sum(count.count for count in counts) == 1
    assert read < 20


_FINISHED = """
insert into referral (referral_id, reference, site, agency, submitted_by, facts, state, queue,
  received_at)
select gen_random_uuid(), 'WH-' || n, site, agency, submitted_by, facts, 'closed', 'closed',
  received_at - interval '1 day' from referral, generate_series(1, 5000) as n
where referral_id = %s
"""


def test_a_protected_need_reads_health_to_a_coordinator(routing: Routing) -> None:
    """R-20."""
    found = a_partner(None, a_service(name="Recovery program", needs=("substance-use",)))
    routing.has_partners(found)
    referral = routing.receives(found, facts=some_facts(needs=("substance-use",)))

    with routing.web.read() as (queries, now):
        page = queries.referral(referral.referral_id, now)
        shown = repr((page, queries.queue_rows(now)))

    assert page.facts.needs == ("health",)
    assert page.row.needs == ("health",)
    assert "substance" not in shown
    assert "health" in shown


def test_a_partner_sees_only_what_was_released(routing: Routing) -> None:
    """R-12, R-20."""
    first, second = a_partner(), a_partner()
    both = some_facts(needs=("trauma-therapy", "substance-use"))
    routing.has_partners(first, second)
    all_of_it = routing.receives(first, facts=both)
    needs_only = routing.receives(second, facts=both, release={"items": ("needs",)})

    with routing.web.read() as (queries, now):
        whole = queries.offer(routing.reference(all_of_it), first.partner_id, now)
        part = queries.offer(routing.reference(needs_only), second.partner_id, now)

    assert whole.facts == both
    assert part.facts is not None
    assert part.facts.needs == ("trauma-therapy",)
    assert part.facts.county == ""
    assert part.item.urgency == ""


def test_after_the_end_of_an_offer_its_partner_sees_no_facts(routing: Routing) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.reference(referral)
    with routing.web.change() as work:
        partner.decline_offer(reference, "other", staff_of(found), work)

    with routing.web.read() as (queries, now):
        detail = queries.offer(reference, found.partner_id, now)
        ended = queries.inbox(found.partner_id, now, closed=True)

    assert detail.facts is None
    assert detail.can == frozenset()
    assert [(item.reference, item.needs) for item in ended] == [(reference, ())]


def test_a_decision_is_explained_again_as_it_was_made(routing: Routing) -> None:
    """R-40: on the directory of then, for every partner, whatever has changed since."""
    chosen, full = a_partner(), a_partner(None, a_service(capacity=0))
    stranger = a_partner(None, a_service(counties=("22005",)))
    routing.has_partners(chosen, full, stranger)
    referral = routing.receives(full, chosen)
    routing.has_partners(a_partner(chosen.partner_id, a_service(status="defunct")))

    with routing.web.read() as (queries, now):
        (decision,) = queries.referral(referral.referral_id, now).decisions

    verdicts = {verdict.partner_id: verdict for verdict in decision.verdicts}
    assert decision.verdicts[0].partner_id == chosen.partner_id
    assert verdicts[chosen.partner_id].chosen
    assert verdicts[chosen.partner_id].rank == 1
    place = verdicts[full.partner_id].excluded_by
    assert place is not None
    assert (place.rule, place.value) == ("place", "0/0")
    release = verdicts[stranger.partner_id].excluded_by
    assert release is not None
    assert (release.rule, release.value) == ("released", "no")


def test_an_offer_to_another_partner_is_explained_with_what_was_overruled(
    routing: Routing,
) -> None:
    """R-40."""
    first, far = a_partner(), a_partner(None, a_service(counties=("22005",)))
    routing.has_partners(first, far)
    referral = routing.receives(first, far)

    with routing.web.change() as work:
        coordinator.offer_to(
            referral.referral_id, far.partner_id, "advocate-asked", COORDINATOR, work
        )

    with routing.web.read() as (queries, now):
        newest, _ = queries.referral(referral.referral_id, now).decisions
    chosen = newest.verdicts[0]
    assert (newest.queue, chosen.partner_id, chosen.chosen) == ("offered", far.partner_id, True)
    assert chosen.excluded_by == Check("area", passed=False, value="22005")
    (before,) = [v.excluded_by for v in newest.verdicts if v.partner_id == first.partner_id]
    assert before == Check("asked-before", passed=False, value="cancelled")


def test_overdue_that_was_cleared_is_not_raised_again_with_another_clock(
    routing: Routing,
) -> None:
    first, second = a_partner(), a_partner()
    routing.has_partners(first, second)
    referral = routing.receives(first, second)
    routing.accepts(referral, first)
    routing.revokes(referral, first)
    with routing.web.change() as work:
        coordinator.offer_to(
            referral.referral_id, second.partner_id, "no-answer", COORDINATOR, work
        )
    routing.accepts(referral, second)
    routing.runs("update offer set first_contact_by = now() - interval '1 second'")
    run_due(routing.worker.change, fails)
    with routing.web.change() as work:
        coordinator.clear_overdue(
            referral.referral_id, "partner-confirmed-contact", COORDINATOR, work
        )
    routing.runs("update offer set confirm_by = now() - interval '1 second'")

    run_due(routing.worker.change, fails)

    assert routing.open_escalations(referral) == {"revoked-after-acceptance", "stop-not-confirmed"}
    assert routing.told(referral, "escalation-cleared")["status"] == "needs-person"


def unmatched(routing: Routing, **changes: str) -> Referral:
    far = a_partner(None, a_service(counties=("22005",)))
    with routing.worker.look() as work:
        known = list(work.store.directory().partners.values()) if _imported(routing) else []
    routing.has_partners(*known, far)
    return routing.receives(far, **changes)


def _imported(routing: Routing) -> bool:
    with routing.web.read() as (queries, _):
        return bool(queries.services())
