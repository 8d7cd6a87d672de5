"""Where a referral goes when nobody fits, and what a coordinator may overrule."""

from dataclasses import replace

import pytest

from routing.domain import decisions, matching
from routing.domain.matching import Check, Verdict
from tests.unit.routing.builders import (
    MONDAY,
    a_directory,
    a_partner,
    a_referral,
    a_release,
    an_id,
    an_offer,
    some_facts,
)

CODES = {
    "needs": frozenset({"trauma-therapy"}),
    "urgencies": frozenset({"routine"}),
    "age_bands": frozenset({"25-59"}),
    "access_needs": frozenset[str](),
    "preferences": frozenset[str](),
    "contact_routes": frozenset({"through-advocate"}),
}


def failing(*rules: str) -> Verdict:
    checks = tuple(Check(rule, passed=False, value="") for rule in rules)
    return Verdict(an_id(1), an_id(2), checks)


@pytest.mark.parametrize(
    ("verdicts", "urgency", "queue"),
    [
        ([], "routine", "needs-new-release"),
        ([], "emergency", "needs-new-release"),
        ([failing("asked-before")], "urgent", "needs-new-release"),
        ([failing("place")], "routine", "waiting-for-place"),
        ([failing("place")], "urgent", "waiting-for-place"),
        ([failing("place")], "emergency", "needs-person"),
        ([failing("paused"), failing("area")], "routine", "waiting-for-place"),
        ([failing("open-now")], "emergency", "needs-person"),
        ([failing("open-now", "place")], "emergency", "needs-person"),
        ([failing("open-now"), failing("place")], "emergency", "needs-person"),
    ],
)
def test_somebody_always_acts_next(verdicts: list[Verdict], urgency: str, queue: str) -> None:
    """R-44, R-46."""
    assert decisions.queue_without_partner(verdicts, urgency) == queue


@pytest.mark.parametrize("rule", sorted({*matching.PARTNER_RULES, "status", "need", "place"}))
def test_rules_of_safety_consent_and_place_are_never_overruled(rule: str) -> None:
    assert not decisions.overrulable(failing(rule))


@pytest.mark.parametrize("rule", sorted(decisions.OVERRIDABLE))
def test_a_coordinator_may_overrule_what_only_makes_it_less_fitting(rule: str) -> None:
    assert decisions.overrulable(failing(rule))


@pytest.mark.parametrize(
    ("field", "value", "group"),
    [
        ("needs", ("trauma-therapy", "new-need"), "needs"),
        ("urgency", "tomorrow", "urgencies"),
        ("age_band", "100-plus", "age_bands"),
        ("access_needs", ("tactile",), "access_needs"),
        ("county", "99999", "counties"),
    ],
)
def test_a_code_that_nobody_knows_is_found(field: str, value: object, group: str) -> None:
    facts = some_facts(**{field: value})

    assert decisions.unknown_codes(facts, CODES, frozenset({"22033"})) == (group,)
    assert decisions.unknown_codes(some_facts(), CODES, frozenset({"22033"})) == ()


@pytest.mark.parametrize(
    ("reasons", "queue"),
    [
        ([], "accepted"),
        (["first-contact-overdue"], "overdue"),
        (["contact-not-reported"], "overdue"),
        (["contact-not-reported", "delivery-exhausted"], "needs-person"),
        (["stop-not-confirmed"], "needs-person"),
    ],
)
def test_what_a_person_has_to_look_at_comes_before_the_state(
    reasons: list[str], queue: str
) -> None:
    assert decisions.queue_of("accepted", [(reason, None) for reason in reasons]) == queue


def test_only_places_of_partners_that_can_still_be_asked_matter() -> None:
    fresh, asked, barred, lapsed = (a_partner() for _ in range(4))
    referral = a_referral(
        *(a_release(p.partner_id) for p in (fresh, asked, barred)),
        a_release(lapsed.partner_id, expires_at=MONDAY),
        offers=(an_offer(partner_id=asked.partner_id, state="declined"),),
        barred=frozenset({barred.partner_id}),
    )

    found = decisions.candidate_services(
        referral, a_directory(fresh, asked, barred, lapsed), MONDAY
    )

    assert found == {fresh.services[0].service_id}


def test_the_newest_live_release_to_a_partner_counts() -> None:
    partner = a_partner()
    old = a_release(partner.partner_id, revoked_at=MONDAY)
    new = replace(a_release(partner.partner_id), rank=2)

    assert a_referral(old, new).release_to(partner.partner_id) == new
    assert a_referral().release_to(partner.partner_id) is None
