"""All invariants, by the sentence that each of them proves."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.faults.evidence import Evidence
from tests.faults.invariants import (
    canary,
    deliveries,
    offers,
    promises,
    releases,
    streams,
    telling,
)
from tests.faults.run import Run
from tests.faults.settling import Settled

_SHOWN = 5
INVARIANTS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    promises.nothing_is_lost,
    promises.intake_accepts_while_events_cannot_leave,
    promises.nothing_is_there_twice,
    promises.every_answer_took_effect_once,
    promises.every_state_is_explained,
    promises.every_referral_rests_where_somebody_acts,
    promises.every_referral_is_where_its_offer_is,
    offers.each_offer_is_made_once,
    offers.no_two_partners_hold_a_referral,
    offers.no_place_leaks_or_is_given_twice,
    offers.nobody_waits_beside_a_free_place,
    streams.intakes_events_take_effect_once,
    streams.routings_events_take_effect_once_and_in_order,
    streams.notifications_events_take_effect_once_and_in_order,
    streams.every_position_is_at_the_end,
    streams.the_topics_hold_what_was_told,
    streams.nothing_waits,
    streams.only_what_is_too_large_is_not_sent,
    deliveries.every_delivery_arrived,
    deliveries.what_did_not_arrive_was_refused_or_needless,
    deliveries.each_message_keeps_its_id,
    deliveries.every_call_is_signed,
    telling.everybody_is_told_once,
    deliveries.a_stopped_message_is_not_sent,
    releases.a_revoked_release_lets_nothing_through,
    releases.what_was_revoked_early_is_never_offered,
    releases.identity_is_read_only_while_it_may_be,
    canary.nothing_identifying_is_in_clear,
)

Verdicts = Mapping[str, list[str]]
"""What is wrong, by the sentence that should hold."""


def check(run: Run, settled: Settled, found: Evidence) -> Verdicts:
    """Return every invariant's verdict, and those of the run itself."""
    verdicts = {proof.__name__.replace("_", " "): [*proof(found)] for proof in INVARIANTS}
    return {
        "the system settles by itself": settled.unrest,
        "what was asked during faults held": run.wrong,
        "no answer was unforeseen": [*run.load.ledger.refused, *_bad_answers(run)],
        "the load went on": run.load.died,
        **verdicts,
    }


def shown(verdicts: Verdicts) -> list[str]:
    """Return the wrong ones in lines, a few examples of each."""
    return [
        f"{name}: {len(wrong)} wrong, such as\n  " + "\n  ".join(wrong[:_SHOWN])
        for name, wrong in verdicts.items()
        if wrong
    ]


def _bad_answers(run: Run) -> list[str]:
    bad = [
        f"{caller.client}: {number} times 500"
        for caller in run.load.callers
        if (number := caller.unexpected.get(500, 0))
    ]
    return [*bad, *_failures(run.system.logs)] if bad else []


def _failures(logs: Path) -> list[str]:
    """Return what the web processes logged of requests that failed: kinds and places only."""
    return [
        f"{log.name}: {line}"
        for log in sorted(logs.glob("*-web.log"))
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if "request-failed" in line
    ]
