"""Turn what happened to a referral into messages that wait, or that are no longer wanted."""

from uuid import UUID

from notifications.application.ports import Occasion, Store
from notifications.domain.notices import Notice, Template

ABOUT_AN_OFFER = (Template.OFFER_WAITING,)
ABOUT_A_REFERRAL = (
    Template.OFFER_WAITING,
    Template.NEEDS_NEW_RELEASE,
    Template.NEEDS_ATTENTION,
)


def tell(occasion: Occasion, notice: Notice, store: Store) -> bool:
    """Add the deliveries of a notice; False when nobody has an open contact point for it.

    The same event told again adds nothing. Nothing is said of a closed offer or an erased
    referral.
    """
    if not store.open_thread(occasion.referral_id, occasion.agency):
        return True
    for recipient in notice.recipients:
        endpoints = store.endpoints(recipient)
        if endpoints:
            store.add(occasion, notice, recipient.template, endpoints)
            return True
    return False


def tell_of_offer(occasion: Occasion, notice: Notice, store: Store) -> bool:
    """Tell of an offer that is still open; what was said before of a missing release is over."""
    if not store.open_thread(occasion.referral_id, occasion.agency):
        return True
    if notice.offer_id is not None and store.is_closed(notice.offer_id):
        return True
    store.stop(occasion.referral_id, (Template.NEEDS_NEW_RELEASE,))
    return tell(occasion, notice, store)


def stop_offer(occasion: Occasion, offer_id: UUID, store: Store) -> None:
    """Stop what still waits to be said of an offer: it was answered or taken back (R-15)."""
    if store.open_thread(occasion.referral_id, occasion.agency):
        store.close_offer(offer_id, occasion.referral_id)
        store.stop(occasion.referral_id, ABOUT_AN_OFFER, offer_id)


def stop_referral(occasion: Occasion, offer_id: UUID, store: Store) -> None:
    """Stop all that still waits to be said of a referral that is finished, but a call to stop."""
    if store.open_thread(occasion.referral_id, occasion.agency):
        store.close_offer(offer_id, occasion.referral_id)
        store.stop(occasion.referral_id, ABOUT_A_REFERRAL)


def forget(occasion: Occasion, store: Store) -> None:
    """Remove every trace of the referral but that it is not to be spoken of again (R-24).

    A partner that is with the person must still hear to stop: that message names nobody.
    """
    store.open_thread(occasion.referral_id, occasion.agency)
    store.forget(occasion.referral_id)
