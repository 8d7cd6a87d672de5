"""What partner staff do with an offer of their organization.

Every function finds the offer by reference *and* organization (another's is not found), and
raises Conflict with the state it is in when it came too late.
"""

from routing.application import handing
from routing.application.ports import Staff, Work
from routing.domain import clocks, offers
from routing.domain.happenings import Accepted, Closed, Contacted, Declined, ServiceStarted
from routing.domain.model import Offer, Referral
from shared.errors import Conflict, NotFound, Rejected


def accept_offer(reference: str, staff: Staff, work: Work) -> None:
    """Take the referral; the first-contact clock starts (R-44).

    Raises:
        NotFound: no such offer of this organization.
        Conflict: answered, taken back or expired; `state` says which.

    """
    referral, offer = _locked(reference, staff, work)
    _require_live_release(referral, offer)
    contact_by = clocks.first_contact_by(
        work.now, referral.facts.urgency, limits=work.rules.limits, calendar=work.rules.calendar
    )
    accepted = offers.accept(offer, staff.member_id, work.now, contact_by)
    work.store.put_offer(referral.referral_id, accepted)
    happening = Accepted(offer.offer_id, offer.reference, offer.partner_id, contact_by)
    work.store.publish(referral.referral_id, happening)
    handing.note(referral, offer, "accepted", "partner", work)
    changed = handing.with_offer(referral, accepted)
    changed = handing.clear(changed, ("delivery-exhausted",), offer.offer_id, "accepted", work)
    handing.settle(changed, "accepted", work)


def decline_offer(reference: str, reason: str, staff: Staff, work: Work) -> None:
    """Say no with one of DECLINE_REASONS; the next released partner is asked (R-46).

    The reason is kept and told only where the person released the answer's detail.

    Raises:
        NotFound: no such offer of this organization.
        Conflict: answered, taken back or expired.
        Rejected: no such reason.

    """
    _require_code(work, "decline_reasons", reason, "reason")
    referral, offer = _locked(reference, staff, work)
    told = reason if "answer-detail" in _report_back(referral, offer) else None
    declined = offers.decline(offer, staff.member_id, work.now, told)
    work.store.publish(referral.referral_id, Declined(offer.offer_id, offer.partner_id, told))
    handing.note(referral, offer, "declined", "partner", work, code=told or "")
    handing.hand_on(handing.end_offer(referral, declined, work), work)


def confirm_stop(reference: str, staff: Staff, work: Work) -> None:
    """Confirm that the organization stopped after its accepted offer was taken back.

    Raises:
        NotFound: no such offer of this organization.
        Conflict: nothing to confirm.

    """
    referral, offer = _locked(reference, staff, work)
    stopped = offers.confirm_stop(offer, work.now)
    work.store.put_offer(referral.referral_id, stopped)
    handing.note(referral, offer, "stop-confirmed", "partner", work)
    reasons = ("revoked-after-acceptance", "stop-not-confirmed", "delivery-exhausted")
    handing.resolve(referral, reasons, offer.offer_id, "stop-confirmed", work)


def record_contact(reference: str, kind: str, staff: Staff, work: Work) -> None:
    """Record first contact: "contacted", or "introduced-live" for a warm handoff.

    Raises:
        NotFound: no such offer of this organization.
        NotAllowed: the report back does not include first contact.
        Conflict: not accepted, or recorded already.
        Rejected: no such kind.

    """
    _require_code(work, "contact_kinds", kind, "kind")
    referral, offer = _locked(reference, staff, work)
    offers.require_report_back(_report_back(referral, offer), "first-contact")
    contacted = offers.record_contact(offer, kind, work.now)
    work.store.put_offer(referral.referral_id, contacted)
    work.store.publish(referral.referral_id, Contacted(offer.offer_id, offer.partner_id, kind))
    handing.note(referral, offer, "contacted", "partner", work, code=kind)
    changed = handing.with_offer(referral, contacted)
    handing.clear(changed, ("first-contact-overdue",), offer.offer_id, "contacted", work)


def record_service_started(reference: str, staff: Staff, work: Work) -> None:
    """Record that service began.

    Raises:
        NotFound: no such offer of this organization.
        NotAllowed: the report back does not include it.
        Conflict: not accepted, or recorded already.

    """
    referral, offer = _locked(reference, staff, work)
    offers.require_report_back(_report_back(referral, offer), "service-started")
    started = offers.record_service_started(offer, work.now)
    work.store.put_offer(referral.referral_id, started)
    work.store.publish(referral.referral_id, ServiceStarted(offer.offer_id, offer.partner_id))
    handing.note(referral, offer, "service-started", "partner", work)


def close_referral(reference: str, outcome: str | None, staff: Staff, work: Work) -> None:
    """Finish with the referral and free its place.

    The outcome, one of OUTCOMES, is required where the report back includes it, and neither
    kept nor told where it does not.

    Raises:
        NotFound: no such offer of this organization.
        Conflict: not accepted.
        Rejected: no such outcome, or none although it is to be reported.

    """
    if outcome is not None:
        _require_code(work, "outcomes", outcome, "outcome")
    referral, offer = _locked(reference, staff, work)
    reported = "outcome" in _report_back(referral, offer)
    if reported and outcome is None:
        raise Rejected("Say how it ended.", {"outcome": ["Choose how it ended."]})
    told = outcome if reported else None
    closed = offers.close(offer, told, work.now)
    work.store.publish(referral.referral_id, Closed(offer.offer_id, offer.partner_id, told))
    handing.note(referral, offer, "closed", "partner", work, code=told or "")
    handing.settle(handing.end_offer(referral, closed, work), "closed", work)


def _locked(reference: str, staff: Staff, work: Work) -> tuple[Referral, Offer]:
    referral = work.store.lock_by_offer(reference, staff.organization_id)
    for offer in referral.offers:
        if offer.reference == reference and offer.partner_id == staff.organization_id:
            return referral, offer
    raise NotFound("There is no such offer.")


def _report_back(referral: Referral, offer: Offer) -> tuple[str, ...]:
    found = (r for r in referral.releases if r.release_id == offer.release_id)
    return next(found).report_back


def _require_live_release(referral: Referral, offer: Offer) -> None:
    release = next(r for r in referral.releases if r.release_id == offer.release_id)
    if offer.state == "offered" and release.revoked_at is not None:
        raise Conflict("This offer is cancelled.", state="cancelled")


def _require_code(work: Work, group: str, code: str, field: str) -> None:
    if code not in work.rules.codes[group]:
        raise Rejected("Choose one of the answers given.", {field: ["Choose one of these."]})
