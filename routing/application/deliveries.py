"""What notifications tells: a message arrived, or was given up."""

from dataclasses import replace
from uuid import UUID

from routing.application import handing
from routing.application.ports import Note, Work
from routing.domain.model import Offer, Referral
from shared.errors import NotFound

_TO_PARTNER = frozenset({"offer-waiting", "offer-stopped"})


def on_delivered(
    referral_id: UUID, offer_id: UUID | None, template: str, channel: str, work: Work
) -> None:
    """Note that a partner was told; one way that works is enough."""
    found = _locked(referral_id, offer_id, work)
    if found is None or template not in _TO_PARTNER:
        return
    referral, offer = found
    if offer is None:
        return
    handing.note(referral, offer, "delivered", "notifications", work, code=channel)
    if template == "offer-waiting" and offer.told_at is None:
        work.store.put_offer(referral_id, replace(offer, told_at=work.now))
    handing.resolve(referral, ("delivery-exhausted",), offer_id, "delivered", work)


def on_delivery_exhausted(
    referral_id: UUID, offer_id: UUID | None, template: str, channel: str, work: Work
) -> None:
    """Put the referral before a person instead of letting an offer end unseen.

    A message to a partner that was given up is told on, unless another way reached it. One to
    staff is only put before the coordinator: telling it by message would never end.
    """
    found = _locked(referral_id, offer_id, work)
    if found is None:
        return
    referral, offer = found
    line = Note(
        "notifications",
        "delivery-exhausted",
        offer.partner_id if offer else None,
        offer.reference if offer else "",
        channel,
    )
    work.store.note(referral_id, line)
    if template not in _TO_PARTNER or offer is None:
        _show(referral, offer_id, work)
    elif _unseen(offer, template):
        handing.escalate(referral, "delivery-exhausted", offer, work)


def _unseen(offer: Offer, template: str) -> bool:
    if template == "offer-waiting":
        return offer.state == "offered" and offer.told_at is None
    return offer.confirm_by is not None and offer.stop_confirmed_at is None


def _show(referral: Referral, offer_id: UUID | None, work: Work) -> None:
    if work.store.raise_escalation(referral.referral_id, "delivery-exhausted", offer_id):
        handing.stand(handing.with_escalation(referral, "delivery-exhausted", offer_id), work)


def _locked(
    referral_id: UUID, offer_id: UUID | None, work: Work
) -> tuple[Referral, Offer | None] | None:
    try:
        referral = work.store.lock(referral_id)
    except NotFound:
        return None
    offer = next((o for o in referral.offers if o.offer_id == offer_id), None)
    return referral, offer
