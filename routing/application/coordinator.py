"""What a coordinator does: another partner, taking back, pausing, clearing; always with a code."""

from dataclasses import replace
from uuid import UUID

from routing.application import handing
from routing.application.ports import Note, Staff, Work
from routing.domain import decisions, offers
from routing.domain.decisions import Decision
from routing.domain.happenings import Ended
from routing.domain.matching import Verdict
from routing.domain.model import Referral
from shared.errors import Conflict, Rejected

_FINISHED = frozenset({"closed", "withdrawn"})
_FOR_A_PERSON = frozenset({"advocate-asked", "safety"})


def offer_to(referral_id: UUID, partner_id: UUID, reason: str, staff: Staff, work: Work) -> None:
    """Offer a referral to another partner that the person released it to.

    An open offer is taken back first. The rules of safety, consent and place hold; those on
    age, area, language, access, urgency and hours may be overruled. `reason`: one of
    COORDINATOR_REASONS.

    Raises:
        NotFound: no such referral.
        Conflict: finished, accepted by a partner, or the partner may not or cannot take it.
        Rejected: no such reason.

    """
    _require_code(work, "coordinator_reasons", reason)
    referral = work.store.lock(referral_id)
    _require_unfinished(referral)
    if referral.current is not None and referral.current.state == "accepted":
        raise Conflict("A partner has accepted it. Cancel that first.", state="accepted")
    if referral.current is not None:
        referral = handing.take_back(referral, reason, "coordinator", work)
    line = Note("coordinator", "matched", staff.organization_id, code=reason)
    work.store.note(referral_id, line)
    decided = handing.decide(referral, work)
    verdict = _offerable(decided, partner_id, referral)
    chosen = replace(decided, queue="offered", chosen=partner_id)
    handing.offer_to(_person_answered(referral, reason, work), chosen, verdict, work)


def cancel(referral_id: UUID, offer: str, reason: str, staff: Staff, work: Work) -> None:
    """Take the current offer back; without one, end the referral.

    `offer`: the current offer's reference as the coordinator saw it, "" for none. So a second
    press takes no other partner's offer back and ends no referral.

    After an open offer the next released partner is asked, unless the reason leaves it to a
    person (advocate-asked, safety) or ends it (duplicate). A partner that had accepted is told
    to stop, and the referral waits for a person.

    Raises:
        NotFound: no such referral.
        Conflict: finished already, or another offer is the current one.
        Rejected: no such reason.

    """
    _require_code(work, "coordinator_reasons", reason)
    referral = work.store.lock(referral_id)
    _require_unfinished(referral)
    current = referral.current
    if offer != (current.reference if current else ""):
        raise Conflict("The offer has changed since you looked.", state="changed")
    line = Note("coordinator", "cancelled", staff.organization_id, code=reason)
    if current is None:
        work.store.note(referral_id, line)
        _end(_person_answered(referral, reason, work), reason, work)
        return
    changed = handing.take_back(referral, reason, "coordinator", work)
    if reason == "duplicate":
        _end(changed, reason, work)
    elif current.state == "accepted" or reason in _FOR_A_PERSON:
        handing.settle(changed, "needs-person", work)
    else:
        handing.hand_on(changed, work)


def _end(referral: Referral, reason: str, work: Work) -> None:
    work.store.publish(referral.referral_id, Ended(reason))
    handing.settle(referral, "closed", work)


def pause_service(service_id: UUID, reason: str, staff: Staff, work: Work) -> None:
    """Offer a service nothing new until it is resumed. `reason`: one of PAUSE_REASONS.

    Raises:
        NotFound: no such service.
        Conflict: it is paused.
        Rejected: no such reason.

    """
    _require_code(work, "pause_reasons", reason)
    if not work.store.pause(service_id, reason, staff.member_id):
        raise Conflict("This service is paused already.", state="paused")


def resume_service(service_id: UUID, staff: Staff, work: Work) -> None:
    """End a pause; what waits for a place is tried again.

    Raises:
        NotFound: no such service.
        Conflict: it is not paused.

    """
    if not work.store.resume(service_id, staff.member_id):
        raise Conflict("This service is not paused.", state="active")


def clear_overdue(referral_id: UUID, reason: str, staff: Staff, work: Work) -> None:
    """Take a referral out of "overdue". `reason`: one of CLEAR_OVERDUE_REASONS.

    Raises:
        NotFound: no such referral.
        Conflict: it is not overdue.
        Rejected: no such reason.

    """
    _require_code(work, "clear_overdue_reasons", reason)
    referral = work.store.lock(referral_id)
    clocks = ("first-contact-overdue", "contact-not-reported")
    found = [pair for pair in referral.escalations if pair[0] in clocks]
    if not found:
        raise Conflict("This referral is not overdue.", state=referral.state)
    if referral.current is not None:
        stopped = offers.stop_contact_clock(referral.current)
        work.store.put_offer(referral_id, stopped)
        referral = handing.with_offer(referral, stopped)
    for _, offer_id in found:
        referral = handing.resolve(referral, clocks, offer_id, reason, work)
    line = Note("coordinator", "escalation-cleared", staff.organization_id, code=reason)
    work.store.note(referral_id, line)


def _offerable(decided: Decision, partner_id: UUID, referral: Referral) -> Verdict:
    """Return the verdict by which the partner may get it, all but overruled rules passed."""
    for verdict in decided.verdicts:
        if verdict.partner_id == partner_id and decisions.overrulable(verdict):
            return verdict
    raise Conflict("This partner cannot be offered this referral.", state=referral.state)


def _person_answered(referral: Referral, reason: str, work: Work) -> Referral:
    """Close what only waited for a coordinator; a stop stays open until it is confirmed."""
    for kind, offer_id in referral.escalations:
        if kind in {"unknown-code", "delivery-exhausted"}:
            referral = handing.clear(referral, (kind,), offer_id, reason, work)
    return referral


def _require_unfinished(referral: Referral) -> None:
    if referral.state in _FINISHED:
        raise Conflict("This referral has ended.", state=referral.state)


def _require_code(work: Work, group: str, code: str) -> None:
    if code not in work.rules.codes[group]:
        raise Rejected("Choose one of the reasons given.", {"reason": ["Choose a reason."]})
