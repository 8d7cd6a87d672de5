"""Following: what routing tells of partners and referrals."""

from datetime import datetime
from uuid import UUID

from intake.application.ports import Following
from intake.domain.partners import Partner
from intake.domain.referrals import WITHDRAWN, News, Note, Referral, offer_after, status_after

ACCEPTED_TOO_LATE = "accepted-after-revocation"


def follow(news: News, *, work: Following) -> None:
    """Store what became of a referral: status, offer, timeline.

    An acceptance that arrives after its release was taken back is told in the timeline and gives
    no right.

    Raises:
        NotFound: no such referral.

    """
    referral = work.referrals.lock(news.referral_id)
    if news.what == "accepted" and not _may_be_accepted(news, referral):
        note = Note(news.at, ACCEPTED_TOO_LATE, news.partner_id, news.offer_id)
        work.referrals.note(referral.referral_id, note)
        return
    before = next((o for o in referral.offers if o.offer_id == news.offer_id), None)
    offer = offer_after(news, before)
    if offer is not None:
        work.referrals.put_offer(referral.referral_id, offer)
    if referral.is_open:
        status, due = status_after(news), _due(news, referral)
        work.referrals.set_status(referral.referral_id, status, due, news.at)
    partner_id = news.partner_id or (before.partner_id if before else None)
    work.referrals.note(
        referral.referral_id,
        Note(
            at=news.at,
            what=news.what,
            partner_id=partner_id,
            offer_id=news.offer_id,
            offer_reference=news.offer_reference or (before.reference if before else ""),
            detail=news.detail,
            due=news.due,
        ),
    )


def learn_partner(partner: Partner, sequence: int, *, work: Following) -> None:
    """Store a partner's public record; the highest sequence wins."""
    work.partners.put(partner, sequence)


def forget_partner(partner_id: UUID, sequence: int, *, work: Following) -> None:
    """Remove the record of an organization that is a partner no more."""
    work.partners.withdraw(partner_id, sequence)


def _may_be_accepted(news: News, referral: Referral) -> bool:
    if referral.status == WITHDRAWN or news.partner_id is None:
        return False
    return any(
        release.partner_id == news.partner_id and release.revoked_at is None
        for release in referral.releases
    )


def _due(news: News, referral: Referral) -> datetime | None:
    """Return the clock that runs now; an escalation leaves the one that did."""
    return referral.due if news.what == "escalated" else news.due
