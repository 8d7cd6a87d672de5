"""Handing a referral on: asking the next partner, taking an offer back, telling a person."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from routing.application.ports import Note, Work
from routing.domain import clocks, decisions, matching, offers
from routing.domain.decisions import Decision
from routing.domain.happenings import (
    Cancelled,
    Escalated,
    EscalationCleared,
    Offered,
    Unmatched,
)
from routing.domain.matching import Verdict
from routing.domain.model import Offer, Referral

_BY_TIME: Final = frozenset(
    {"first-contact-overdue", "contact-not-reported", "stop-not-confirmed", "no-place"}
)


def hand_on(referral: Referral, work: Work) -> Referral:
    """Offer a locked referral to the next partner, or put it where somebody acts (R-46).

    The next partner is the first that fits among those the person released it to. A code
    that this version does not know is a case for a person, never a guess.
    """
    if decisions.unknown_codes(referral.facts, work.rules.codes, work.rules.counties):
        return settle(escalate(referral, "unknown-code", None, work), "needs-person", work)
    decision = decide(referral, work)
    if decision.chosen is not None:
        return offer_to(referral, decision, decision.verdicts[0], work)
    if referral.state != decision.queue:
        work.store.add_decision(referral.referral_id, decision)
    return settle(referral, decision.queue, work)


def decide(referral: Referral, work: Work) -> Decision:
    """Return what matching decides about a locked referral now; its places are locked."""
    directory = work.store.directory()
    wanted = decisions.candidate_services(referral, directory, work.now)
    outdated = decisions.outdated_releases(referral, directory, work.store.directory)
    situation = decisions.situation_of(referral, work.store.lock_places(wanted), outdated)
    asked = directory.only(release.partner_id for release in referral.releases)
    verdicts = matching.match(situation, asked, work.now)
    first = verdicts[0] if verdicts and verdicts[0].fits else None
    without = decisions.queue_without_partner(verdicts, referral.facts.urgency)
    return Decision(
        decision_id=work.new_id(),
        decided_at=work.now,
        rule_set=matching.RULE_SET,
        directory_version=directory.version,
        queue="offered" if first else without,
        chosen=first.partner_id if first else None,
        situation=situation,
        verdicts=verdicts,
    )


def offer_to(referral: Referral, decision: Decision, verdict: Verdict, work: Work) -> Referral:
    """Make the offer to the partner of a verdict, hold a place, and tell it."""
    work.store.add_decision(referral.referral_id, decision)
    release = referral.release_to(verdict.partner_id, decision.situation.outdated)
    assert release is not None  # noqa: S101  (matching only lets released partners fit)
    assert verdict.service_id is not None  # noqa: S101  (it fits by a service)
    offer = Offer(
        offer_id=work.new_id(),
        reference=work.new_reference(),
        partner_id=verdict.partner_id,
        service_id=verdict.service_id,
        release_id=release.release_id,
        state="offered",
        offered_at=work.now,
        answer_by=clocks.answer_by(
            work.now,
            referral.facts.urgency,
            release.expires_at,
            limits=work.rules.limits,
            calendar=work.rules.calendar,
        ),
    )
    work.store.put_offer(referral.referral_id, offer)
    work.store.take_place(offer)
    happening = Offered(offer.offer_id, offer.reference, offer.partner_id, offer.answer_by)
    work.store.publish(referral.referral_id, happening)
    note(referral, offer, "offered", "routing", work)
    changed = replace(referral, offers=(*referral.offers, offer))
    return settle(changed, "offered", work)


def take_back(referral: Referral, reason: str, who: str, work: Work) -> Referral:
    """Cancel the current offer, free its place, and tell; a partner that accepted must stop.

    `who` is behind it, for the timeline: intake, coordinator or clock.
    """
    current = referral.current
    assert current is not None  # noqa: S101  (callers look first)
    within = timedelta(hours=work.rules.limits.confirm_stop_hours)
    cancelled = offers.cancel(current, reason, work.now, within)
    stop = current.state == "accepted"
    changed = end_offer(referral, cancelled, work)
    happening = Cancelled(
        current.offer_id, current.reference, current.partner_id, reason, stop, cancelled.confirm_by
    )
    work.store.publish(referral.referral_id, happening)
    note(referral, cancelled, "cancelled", who, work, code=reason)
    return changed


def end_offer(referral: Referral, ended: Offer, work: Work) -> Referral:
    """Store an offer that its partner no longer holds, and free its place.

    Places are locked in the order of their ids, together with those that the next partner may
    need, so that two referrals that swap places never wait for each other.
    """
    directory = work.store.directory()
    wanted = decisions.candidate_services(referral, directory, work.now)
    work.store.lock_places(wanted | {ended.service_id})
    work.store.put_offer(referral.referral_id, ended)
    work.store.free_place(ended)
    changed = with_offer(referral, ended)
    clocks_over = ("first-contact-overdue", "contact-not-reported", "delivery-exhausted")
    return clear(changed, clocks_over, ended.offer_id, ended.state, work)


def settle(referral: Referral, state: str, work: Work) -> Referral:
    """Store where a referral stands; tell when nobody holds it and somebody has to act."""
    waits = state == "waiting-for-place"
    changed = replace(referral, state=state, place_by=_place_by(referral, work) if waits else None)
    if not waits:
        changed = clear(changed, ("no-place",), None, state, work)
    unmatched = state in {"waiting-for-place", "needs-new-release", "needs-person"}
    if unmatched and referral.state != state:
        work.store.publish(referral.referral_id, Unmatched(state))
        work.store.note(referral.referral_id, Note("routing", "unmatched", code=state))
    return stand(changed, work)


def stand(referral: Referral, work: Work) -> Referral:
    """Store the state of a referral, and the queue that this and what is open put it in."""
    queue = decisions.queue_of(referral.state, referral.escalations)
    work.store.set_state(referral, queue)
    return referral


def escalate(referral: Referral, reason: str, offer: Offer | None, work: Work) -> Referral:
    """Put a referral before a person, and tell, once."""
    offer_id = offer.offer_id if offer else None
    if not work.store.raise_escalation(referral.referral_id, reason, offer_id):
        return referral
    reference = offer.reference if offer else None
    partner_id = offer.partner_id if offer else None
    work.store.publish(referral.referral_id, Escalated(reason, offer_id, reference))
    who = "clock" if reason in _BY_TIME else "routing"
    line = Note(who, "escalated", partner_id, reference or "", reason)
    work.store.note(referral.referral_id, line)
    return stand(with_escalation(referral, reason, offer_id), work)


def clear(
    referral: Referral, reasons: tuple[str, ...], offer_id: UUID | None, code: str, work: Work
) -> Referral:
    """Close open escalations of an offer, and put the referral back into its queue."""
    found = {pair for pair in referral.escalations if pair[0] in reasons and pair[1] == offer_id}
    if not found:
        return referral
    work.store.clear_escalations(referral.referral_id, reasons, offer_id, code)
    return stand(replace(referral, escalations=referral.escalations - found), work)


def resolve(
    referral: Referral, reasons: tuple[str, ...], offer_id: UUID | None, code: str, work: Work
) -> Referral:
    """Close open escalations of an offer, and tell: nothing else tells that they are over."""
    changed = clear(referral, reasons, offer_id, code, work)
    if changed is not referral:
        work.store.publish(referral.referral_id, _as_it_stands(changed, work))
    return changed


def _as_it_stands(referral: Referral, work: Work) -> EscalationCleared:
    queue = decisions.queue_of(referral.state, referral.escalations)
    current = referral.current
    if current is None:
        return EscalationCleared(queue, None)
    release = next(r for r in referral.releases if r.release_id == current.release_id)
    status = offers.stage(current) if queue == referral.state else queue
    return EscalationCleared(status, offers.due(current, release.report_back, work.now))


def note(  # noqa: PLR0913  (a line of the timeline)
    referral: Referral, offer: Offer, kind: str, who: str, work: Work, *, code: str = ""
) -> None:
    """Add a line about an offer to the timeline."""
    line = Note(who, kind, offer.partner_id, offer.reference, code)
    work.store.note(referral.referral_id, line)


def with_offer(referral: Referral, changed: Offer) -> Referral:
    """Return the referral with one offer in its new state."""
    kept = tuple(
        changed if offer.offer_id == changed.offer_id else offer for offer in referral.offers
    )
    return replace(referral, offers=kept)


def with_escalation(referral: Referral, reason: str, offer_id: UUID | None) -> Referral:
    """Return the referral with one more thing that a person has to look at."""
    return replace(referral, escalations=referral.escalations | {(reason, offer_id)})


def _place_by(referral: Referral, work: Work) -> datetime:
    """Return its clock for a place: the one that runs already, or a new one."""
    return referral.place_by or clocks.place_by(
        work.now,
        referral.facts.urgency,
        limits=work.rules.limits,
        calendar=work.rules.calendar,
    )
