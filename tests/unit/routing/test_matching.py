"""Matching: safe, explained, the same each time (R-39, R-40)."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.domain.decisions import queue_without_partner
from routing.domain.matching import PARTNER_RULES, SERVICE_RULES, Situation, Verdict, match
from routing.domain.model import Directory, Opening, Partner, Place, Release, Service
from tests.unit.routing.builders import (
    MONDAY,
    WEEKDAYS,
    a_directory,
    a_partner,
    a_release,
    a_service,
    a_situation,
    an_id,
    some_facts,
)

NIGHT = MONDAY + timedelta(hours=10)
"""Monday, 20:00 in Baton Rouge."""
NEEDS = ("trauma-therapy", "peer-support", "substance-use", "restorative-dialogue", "medical")


def verdict_on(partner: Partner, now: datetime = MONDAY, **changes: Any) -> Verdict:
    situation = a_situation(partner, **changes)
    return match(situation, a_directory(partner), now)[0]


def excluded(partner: Partner, now: datetime = MONDAY, **changes: Any) -> tuple[str, str]:
    check = verdict_on(partner, now, **changes).excluded_by
    assert check is not None
    return check.rule, check.value


def order(situation: Situation, *partners: Partner, now: datetime = MONDAY) -> list[UUID]:
    return [v.partner_id for v in match(situation, a_directory(*partners), now) if v.fits]


def test_the_persons_order_beats_every_rank() -> None:
    modest = a_partner(None, a_service(interpretation=True, languages=("vi",)))
    better = a_partner(None, a_service(needs=("trauma-therapy", "peer-support")))
    facts = some_facts(needs=("trauma-therapy", "peer-support"), interpreter=True)

    situation = a_situation(modest, better, facts=facts)

    assert order(situation, better, modest) == [modest.partner_id, better.partner_id]


def test_without_an_order_covered_needs_then_language_then_preferences_rank() -> None:
    facts = some_facts(
        needs=("trauma-therapy", "peer-support"), preferences=("remote",), interpreter=True
    )
    both = a_partner(an_id(9), a_service(needs=("trauma-therapy", "peer-support")))
    remote = a_partner(an_id(8), a_service(remote=True))
    plain = a_partner(an_id(3), a_service())
    through = a_partner(an_id(1), a_service(languages=("vi",), interpretation=True, remote=True))
    preview = a_situation(facts=facts, released=None)

    found = order(preview, through, plain, remote, both)

    assert found == [an_id(9), an_id(8), an_id(3), an_id(1)]


def test_ties_are_broken_by_id() -> None:
    same = [a_partner(an_id(number)) for number in (3, 1, 2)]

    assert order(a_situation(released=None), *same) == [an_id(1), an_id(2), an_id(3)]


@pytest.mark.parametrize(
    ("rule", "value", "changes"),
    [
        ("recipient", "no", {"recipient": False}),
        ("data-agreement", "none", {"data_agreement_until": None}),
        ("data-agreement", "2026-11-22", {"data_agreement_until": date(2026, 11, 22)}),
        ("need", "", {"services": ()}),
    ],
)
def test_a_rule_of_the_partner_excludes_and_says_why(
    rule: str, value: str, changes: dict[str, Any]
) -> None:
    partner = Partner(
        **{**{n: getattr(a_partner(), n) for n in Partner.__dataclass_fields__}, **changes}
    )

    assert excluded(partner) == (rule, value)


@pytest.mark.parametrize(
    ("rule", "value", "service", "facts"),
    [
        ("status", "temporarily closed", {"status": "temporarily closed"}, {}),
        ("need", "medical", {"needs": ("medical",)}, {}),
        ("age", "12-17", {"minimum_age": 12, "maximum_age": 17}, {}),
        ("age", "60-", {"minimum_age": 60}, {}),
        ("age", "-24", {"maximum_age": 24}, {}),
        ("area", "22005,22063", {"counties": ("22005", "22063")}, {}),
        ("language", "en", {}, {"languages": ("vi",)}),
        ("language", "en", {}, {"languages": ("vi",), "interpreter": True}),
        ("language", "en+interpreter", {"interpretation": True}, {"languages": ("vi",)}),
        ("access", "step-free", {"access_needs": ("step-free",)}, {"access_needs": ("asl",)}),
        ("urgency", "routine", {"urgency_max": "routine"}, {"urgency": "urgent"}),
        ("paused", "staffing", {"paused": "staffing"}, {}),
        ("place", "0/0", {"capacity": 0}, {}),
    ],
)
def test_a_rule_of_the_service_excludes_and_says_why(
    rule: str, value: str, service: dict[str, Any], facts: dict[str, Any]
) -> None:
    partner = a_partner(None, a_service(**service))

    assert excluded(partner, facts=some_facts(**facts)) == (rule, value)


def test_an_emergency_never_goes_to_a_closed_door() -> None:
    """R-44."""
    partner = a_partner()

    assert excluded(partner, NIGHT, facts=some_facts(urgency="emergency")) == (
        "open-now",
        "closed until 1 08:00",
    )


def test_an_urgent_referral_after_hours_goes_to_who_is_open_before_the_persons_order() -> None:
    """R-44: it never waits for opening while somebody is there."""
    closed = a_partner()
    open_now = a_partner(None, a_service(always_open=True))
    situation = a_situation(closed, open_now, facts=some_facts(urgency="urgent"))

    assert order(situation, closed, open_now, now=NIGHT)[0] == open_now.partner_id
    assert order(situation, closed, open_now, now=MONDAY)[0] == closed.partner_id


def test_restorative_dialogue_is_matched_only_where_the_person_asked_for_it() -> None:
    """R-39."""
    circles = a_partner(None, a_service(needs=("restorative-dialogue",)))

    assert excluded(circles) == ("need", "restorative-dialogue")
    assert verdict_on(circles, facts=some_facts(needs=("restorative-dialogue",))).fits


def test_a_protected_need_is_matched_only_under_its_own_release_item() -> None:
    """R-20."""
    clinic = a_partner(None, a_service(needs=("substance-use",)))
    facts = some_facts(needs=("substance-use",))
    without = a_release(clinic.partner_id, items=("needs", "facts"))

    assert excluded(clinic, facts=facts, released=(without,)) == ("need", "substance-use")
    assert verdict_on(clinic, facts=facts).fits


def test_full_and_paused_are_waited_for_and_nothing_else_is() -> None:
    service = a_service(capacity=1)
    partner = a_partner(None, service)
    full = {service.service_id: Place(service.service_id, 1, 1, "")}
    paused = {service.service_id: Place(service.service_id, 1, 0, "closed")}
    far = a_partner(None, a_service(counties=("22005",), paused="staffing"))

    for places in (full, paused):
        verdict = verdict_on(partner, places=places)
        assert queue_without_partner([verdict], "routine") == "waiting-for-place"
    assert queue_without_partner([verdict_on(far)], "routine") == "needs-new-release"


def test_a_partner_is_judged_by_the_service_that_comes_furthest() -> None:
    far = a_service(counties=("22005",))
    full = a_service(capacity=0)

    assert excluded(a_partner(None, far, full)) == ("place", "0/0")


def test_the_service_that_covers_most_needs_is_chosen() -> None:
    one, two = a_service(), a_service(needs=("trauma-therapy", "medical"))
    partner = a_partner(None, one, two)

    verdict = verdict_on(partner, facts=some_facts(needs=("medical", "trauma-therapy")))

    assert verdict.service_id == two.service_id
    assert verdict.services == (two.service_id, one.service_id)


@pytest.mark.parametrize(
    ("value", "release"),
    [
        ("revoked", {"revoked_at": MONDAY - timedelta(hours=1)}),
        ("expired", {"expires_at": MONDAY}),
    ],
)
def test_a_release_that_is_over_excludes(value: str, release: dict[str, Any]) -> None:
    """R-16."""
    partner = a_partner()
    over = a_release(partner.partner_id, **release)

    assert excluded(partner, released=(over,)) == ("released", value)


def test_a_barred_partner_is_never_asked_and_the_reason_is_not_told() -> None:
    """R-10: in a preview too."""
    partner = a_partner()
    barred = frozenset({partner.partner_id})

    assert excluded(partner, barred=barred) == ("barred", "")
    assert excluded(partner, barred=barred, released=None) == ("barred", "")


def test_nobody_is_asked_twice() -> None:
    partner = a_partner()

    assert excluded(partner, asked={partner.partner_id: "declined"}) == (
        "asked-before",
        "declined",
    )


def test_a_released_partner_that_left_the_directory_is_explained_too() -> None:
    gone = a_release(an_id(7))

    (verdict,) = match(a_situation(released=(gone,)), a_directory(), MONDAY)

    assert verdict.partner_id == an_id(7)
    assert verdict.excluded_by is not None
    assert (verdict.excluded_by.rule, verdict.excluded_by.value) == ("partner", "unknown")


# Properties

some_ids = st.integers(1, 6).map(an_id)
openings = st.sampled_from([WEEKDAYS, (), (Opening(0, time(18), time(0)),)])


@st.composite
def services(draw: st.DrawFn) -> Service:
    return a_service(
        service_id=draw(st.uuids(version=4)),
        status=draw(st.sampled_from(["active", "active", "inactive"])),
        needs=tuple(draw(st.sets(st.sampled_from(NEEDS), min_size=2))),
        languages=tuple(draw(st.sets(st.sampled_from(["en", "vi", "es-MX"]), min_size=1))),
        interpretation=draw(st.booleans()),
        minimum_age=draw(st.sampled_from([None, None, 12, 60])),
        counties=draw(st.sampled_from([(), ("22033", "22005"), ("22005",)])),
        urgency_max=draw(st.sampled_from(["routine", "emergency", "emergency"])),
        openings=draw(openings),
        always_open=draw(st.booleans()),
        paused=draw(st.sampled_from(["", "", "", "staffing"])),
        capacity=draw(st.sampled_from([None, None, 0, 2])),
    )


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    partners = [
        a_partner(
            partner_id,
            *draw(st.lists(services(), min_size=1, max_size=3)),
            recipient=draw(st.sampled_from([True, True, True, False])),
            data_agreement_until=draw(st.sampled_from([*[date(2030, 1, 1)] * 4, None])),
        )
        for partner_id in draw(st.sets(some_ids, min_size=1))
    ]
    return a_directory(*partners)


@st.composite
def some_releases(draw: st.DrawFn) -> tuple[Release, ...]:
    partners = draw(st.lists(some_ids, unique=True, max_size=4))
    return tuple(
        a_release(
            partner_id,
            rank=rank,
            revoked_at=draw(st.sampled_from([None, None, MONDAY])),
            expires_at=draw(st.sampled_from([MONDAY + timedelta(days=9), MONDAY])),
            items=draw(st.sampled_from([("needs", "facts"), ("needs", "facts", "substance-use")])),
        )
        for rank, partner_id in enumerate(partners, 1)
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    facts = some_facts(
        needs=tuple(draw(st.sets(st.sampled_from(NEEDS), min_size=1))),
        urgency=draw(st.sampled_from(["routine", "urgent", "emergency"])),
        languages=tuple(draw(st.sets(st.sampled_from(["en", "es", "vi"]), min_size=1))),
        interpreter=draw(st.booleans()),
        age_band=draw(st.sampled_from(["18-24", "25-59", "60-plus"])),
    )
    return a_situation(
        facts=facts,
        barred=frozenset(draw(st.sets(some_ids, max_size=2))),
        released=draw(st.none() | some_releases()),
        asked=dict.fromkeys(draw(st.sets(some_ids, max_size=1)), "declined"),
    )


@settings(max_examples=100)
@given(situations(), directories(), st.sampled_from([MONDAY, NIGHT]), st.randoms())
def test_the_same_input_gives_the_same_verdicts_whatever_the_order_of_the_directory(
    situation: Situation, directory: Directory, now: datetime, shuffle: Any
) -> None:
    partners = list(directory.partners.values())
    shuffle.shuffle(partners)

    assert match(situation, directory, now) == match(situation, a_directory(*partners), now)


@settings(max_examples=100)
@given(situations(), directories(), st.sampled_from([MONDAY, NIGHT]))
def test_nobody_excluded_or_barred_is_ever_ranked(
    situation: Situation, directory: Directory, now: datetime
) -> None:
    """R-10: conflict of interest; a bar holds in a preview too."""
    live = {r.partner_id for r in situation.released or () if r.live(now)}
    for verdict in match(situation, directory, now):
        if verdict.rank is None:
            continue
        partner = directory.partners[verdict.partner_id]
        assert verdict.partner_id not in situation.barred
        assert verdict.partner_id not in situation.asked
        assert situation.released is None or verdict.partner_id in live
        assert partner.recipient
        assert partner.data_agreement_until is not None
        service = next(s for s in partner.services if s.service_id == verdict.service_id)
        assert service.status == "active"
        assert set(service.needs) & set(situation.facts.needs)


@settings(max_examples=100)
@given(situations(), directories(), st.sampled_from([MONDAY, NIGHT]))
def test_everybody_is_either_ranked_or_explained(
    situation: Situation, directory: Directory, now: datetime
) -> None:
    verdicts = match(situation, directory, now)

    released = {release.partner_id for release in situation.released or ()}
    assert {v.partner_id for v in verdicts} == directory.partners.keys() | released
    ranks = [v.rank for v in verdicts if v.rank is not None]
    assert ranks == list(range(1, len(ranks) + 1))
    for verdict in verdicts:
        assert (verdict.rank is None) == (verdict.excluded_by is not None)
        rules = [check.rule for check in verdict.checks]
        assert set(rules) <= {*PARTNER_RULES, *SERVICE_RULES}
