"""What happens because time passes: offers and releases expire, contact and stops fall overdue."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

from routing.application import arrivals, handing
from routing.application.ports import Work
from routing.domain import offers
from routing.domain.happenings import OfferExpired
from routing.domain.model import Offer, Referral

BATCH = 20

Works = Callable[[], AbstractContextManager[Work]]
"""Opens a unit of work that commits at the end of its block."""

Failed = Callable[[UUID, Exception], None]
"""Told of a referral that could not be handled; raises what would befall the others too."""

_Look = Callable[..., Sequence[UUID]]
_WAITS = frozenset({"waiting-for-place", "needs-person"})


def run_due(works: Works, failed: Failed, after: UUID | None = None) -> UUID | None:
    """Act on clocks that ran out, one transaction for each referral, in the order of their ids.

    At most BATCH of those `after` an id; returns the last one's id, None if none are left. So
    one that cannot be handled is passed by, and comes up again in the next round.
    """
    return _each(works, _due, check_clocks, failed, after)


def retry_waiting(works: Works, failed: Failed, after: UUID | None = None) -> UUID | None:
    """Try referrals again that wait for a place, or in an emergency for an open door (R-44).

    One whose last release has ended meanwhile needs a new one (R-46). In rounds, as above.
    """
    return _each(works, _waiting, try_again, failed, after)


def _due(work: Work, limit: int, **which: UUID | None) -> Sequence[UUID]:
    return work.store.due_referrals(work.now, limit, **which)


def _waiting(work: Work, limit: int, **which: UUID | None) -> Sequence[UUID]:
    return work.store.waiting_referrals(work.now, limit, **which)


def _each(
    works: Works,
    look: _Look,
    act: Callable[[UUID, Work], None],
    failed: Failed,
    after: UUID | None,
) -> UUID | None:
    with works() as work:
        found = look(work, BATCH, after=after)
    for referral_id in found:
        try:
            with works() as work:
                if look(work, 1, only=referral_id):
                    act(referral_id, work)
        except Exception as failure:  # noqa: BLE001  (the others have their turn)
            failed(referral_id, failure)
    return found[-1] if len(found) == BATCH else None


def try_again(referral_id: UUID, work: Work) -> None:
    """Hand a referral on that still waits; what let it wait may be over since it was found."""
    referral = work.store.lock(referral_id)
    if referral.state in _WAITS:
        work.store.mark_tried(referral_id, work.now)
        handing.hand_on(referral, work)


def check_clocks(referral_id: UUID, work: Work) -> None:
    """Apply every clock of one referral that has run out."""
    referral = work.store.lock(referral_id)
    current = referral.current
    if current is not None:
        referral = _check_current(referral, current, work)
    if _past(referral.place_by, work):
        referral = handing.escalate(referral, "no-place", None, work)
    for offer in referral.offers:
        if _past(offer.confirm_by, work) and offer.stop_confirmed_at is None:
            referral = handing.escalate(referral, "stop-not-confirmed", offer, work)


def _check_current(referral: Referral, offer: Offer, work: Work) -> Referral:
    release = next(r for r in referral.releases if r.release_id == offer.release_id)
    if not release.live(work.now):
        arrivals.release_over(referral, release.release_id, "release-expired", work)
        return work.store.lock(referral.referral_id)
    if offer.state == "offered" and _past(offer.answer_by, work):
        expired = offers.expire(offer, work.now)
        handing.note(referral, offer, "offer-expired", "clock", work)
        happening = OfferExpired(offer.offer_id, offer.partner_id)
        work.store.publish(referral.referral_id, happening)
        return handing.hand_on(handing.end_offer(referral, expired, work), work)
    if offer.contacted_at is None and _past(offer.first_contact_by, work):
        reported = "first-contact" in release.report_back
        reason = "first-contact-overdue" if reported else "contact-not-reported"
        return handing.escalate(referral, reason, offer, work)
    return referral


def _past(moment: datetime | None, work: Work) -> bool:
    return moment is not None and work.now > moment
