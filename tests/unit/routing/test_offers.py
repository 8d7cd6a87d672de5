"""The states of an offer: what may follow what, and what a late answer meets."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.domain import offers
from routing.domain.model import Offer
from shared.errors import Conflict, NotAllowed
from tests.unit.routing.builders import MONDAY, REPORT_BACK, an_id, an_offer

STAFF = an_id(1)
HOURS = timedelta(hours=4)
Verb = Callable[[Offer], Offer]
VERBS: dict[str, Verb] = {
    "accept": lambda o: offers.accept(o, STAFF, MONDAY, MONDAY + HOURS),
    "decline": lambda o: offers.decline(o, STAFF, MONDAY, "language"),
    "expire": lambda o: offers.expire(o, MONDAY),
    "cancel": lambda o: offers.cancel(o, "safety", MONDAY, HOURS),
    "contact": lambda o: offers.record_contact(o, "contacted", MONDAY),
    "start": lambda o: offers.record_service_started(o, MONDAY),
    "close": lambda o: offers.close(o, None, MONDAY),
    "confirm": lambda o: offers.confirm_stop(o, MONDAY),
}
ALLOWED = {
    "offered": {"accept": "accepted", "decline": "declined", "expire": "expired"}
    | {"cancel": "cancelled"},
    "accepted": {"cancel": "cancelled", "contact": "accepted", "start": "accepted"}
    | {"close": "closed"},
    "declined": {},
    "expired": {},
    "cancelled": {},
    "closed": {},
}


@pytest.mark.parametrize("verb", sorted(VERBS))
@pytest.mark.parametrize("state", sorted(ALLOWED))
def test_each_verb_works_in_its_states_and_says_the_state_in_the_others(
    state: str, verb: str
) -> None:
    offer = an_offer(state=state)

    if verb in ALLOWED[state]:
        assert VERBS[verb](offer).state == ALLOWED[state][verb]
    else:
        with pytest.raises(Conflict) as refused:
            VERBS[verb](offer)
        assert refused.value.state == state


def test_an_answer_counts_to_the_last_moment_and_not_after_it() -> None:
    offer = an_offer(answer_by=MONDAY)
    late = MONDAY + timedelta(microseconds=1)

    assert offers.accept(offer, STAFF, MONDAY, MONDAY).state == "accepted"
    with pytest.raises(Conflict) as refused:
        offers.accept(offer, STAFF, late, late)
    assert refused.value.state == "expired"
    assert offers.state_at(offer, late) == "expired"


def test_only_a_partner_that_had_accepted_has_to_confirm_the_stop() -> None:
    told = offers.cancel(an_offer(state="accepted"), "withdrawn", MONDAY, HOURS)
    untold = offers.cancel(an_offer(), "withdrawn", MONDAY, HOURS)

    assert told.confirm_by == MONDAY + HOURS
    assert offers.confirm_stop(told, MONDAY).stop_confirmed_at == MONDAY
    assert untold.confirm_by is None
    with pytest.raises(Conflict):
        offers.confirm_stop(offers.confirm_stop(told, MONDAY), MONDAY)


@pytest.mark.parametrize("twice", ["contact", "start"])
def test_what_is_recorded_is_recorded_once(twice: str) -> None:
    once = VERBS[twice](an_offer(state="accepted"))

    with pytest.raises(Conflict):
        VERBS[twice](once)


def test_report_back_is_limited_to_what_the_person_signed() -> None:
    """R-12."""
    offers.require_report_back(("outcome",), "outcome")
    with pytest.raises(NotAllowed):
        offers.require_report_back(("outcome",), "first-contact")


@given(st.sampled_from(sorted(ALLOWED)), st.sampled_from([(), REPORT_BACK]))
def test_every_verb_that_is_shown_can_be_done(state: str, reported: tuple[str, ...]) -> None:
    offer = an_offer(state=state)
    can = offers.verbs(offer, reported, MONDAY)

    names = {"accept": "accept", "decline": "decline", "contact": "contact"}
    names |= {"service-start": "start", "close": "close"}
    for shown, verb in names.items():
        assert (shown in can) <= (verb in ALLOWED[state])
    assert not (can & {"contact", "service-start"} and not reported)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("offered", "requested"),
        ("accepted", "accepted"),
        ("declined", "rejected"),
        ("expired", "failed"),
        ("cancelled", "cancelled"),
        ("closed", "completed"),
    ],
)
def test_the_status_is_one_of_fhirs(state: str, status: str) -> None:
    """R-55."""
    assert offers.task_status(an_offer(state=state), MONDAY) == status


def test_the_clock_that_runs_is_the_one_shown() -> None:
    offered = an_offer()
    accepted = offers.accept(offered, STAFF, MONDAY, MONDAY + HOURS)
    stopped = offers.cancel(accepted, "withdrawn", MONDAY, HOURS)

    reported = offers.record_contact(accepted, "contacted", MONDAY)
    confirmed = offers.confirm_stop(stopped, MONDAY)
    assert offers.due(offered, REPORT_BACK, MONDAY) == offered.answer_by
    assert offers.due(accepted, REPORT_BACK, MONDAY) == MONDAY + HOURS
    assert offers.due(reported, REPORT_BACK, MONDAY) is None
    assert offers.due(stopped, REPORT_BACK, MONDAY) == MONDAY + HOURS
    assert offers.due(confirmed, REPORT_BACK, MONDAY) is None
    started = offers.record_service_started(accepted, MONDAY)
    assert offers.task_status(started, MONDAY) == "in-progress"


def test_a_partner_that_may_not_report_contact_is_not_late_for_ever() -> None:
    accepted = offers.accept(an_offer(), STAFF, MONDAY, MONDAY + HOURS)
    later = MONDAY + 2 * HOURS

    assert offers.due(accepted, (), MONDAY) == MONDAY + HOURS
    assert offers.due(accepted, (), later) is None
    assert offers.due(accepted, ("first-contact",), later) == MONDAY + HOURS
