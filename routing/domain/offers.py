"""The states of an offer and what may follow what.

offered -> accepted | declined | expired | cancelled; accepted -> cancelled | closed. A partner
holds the referral, and a place, while it is offered or accepted. FHIR's Task status for each
(R-55) is in `task_status`.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from routing.domain.model import Offer
from shared.errors import Conflict, NotAllowed


def accept(offer: Offer, by: UUID, now: datetime, first_contact_by: datetime) -> Offer:
    """Return the offer as accepted. An answer counts until `answer_by`, clock thread or not.

    Raises:
        Conflict: it is answered, taken back, or out of time.

    """
    _require_answerable(offer, now)
    return replace(
        offer,
        state="accepted",
        answered_at=now,
        answered_by=by,
        first_contact_by=first_contact_by,
    )


def decline(offer: Offer, by: UUID, now: datetime, reason: str | None) -> Offer:
    """Return the offer as declined.

    Raises:
        Conflict: it is answered, taken back, or out of time.

    """
    _require_answerable(offer, now)
    return replace(
        offer, state="declined", answered_at=now, answered_by=by, reason=reason, ended_at=now
    )


def expire(offer: Offer, now: datetime) -> Offer:
    """Return the open offer as expired."""
    _require(offer, "offered")
    return replace(offer, state="expired", ended_at=now)


def cancel(offer: Offer, reason: str, now: datetime, confirm_within: timedelta) -> Offer:
    """Return the offer as taken back; a partner that had accepted has a clock to confirm."""
    if offer.state not in {"offered", "accepted"}:
        raise Conflict("This offer has ended.", state=offer.state)
    confirm_by = now + confirm_within if offer.state == "accepted" else None
    return replace(offer, state="cancelled", reason=reason, ended_at=now, confirm_by=confirm_by)


def confirm_stop(offer: Offer, now: datetime) -> Offer:
    """Return the taken-back offer with the partner's word that it stopped.

    Raises:
        Conflict: there is nothing to confirm, or it was confirmed.

    """
    if offer.confirm_by is None or offer.stop_confirmed_at is not None:
        raise Conflict("There is nothing to confirm for this offer.", state=offer.state)
    return replace(offer, stop_confirmed_at=now)


def record_contact(offer: Offer, kind: str, now: datetime) -> Offer:
    """Return the accepted offer with its first contact.

    Raises:
        Conflict: it is not accepted, or contact is recorded already.

    """
    _require(offer, "accepted")
    if offer.contacted_at is not None:
        raise Conflict("First contact is recorded already.", state="contacted")
    return replace(offer, contacted_at=now, contact_kind=kind)


def stop_contact_clock(offer: Offer) -> Offer:
    """Return the accepted offer without its clock: somebody else told that contact was made."""
    return replace(offer, first_contact_by=None)


def record_service_started(offer: Offer, now: datetime) -> Offer:
    """Return the accepted offer with the start of service.

    Raises:
        Conflict: it is not accepted, or the start is recorded already.

    """
    _require(offer, "accepted")
    if offer.service_started_at is not None:
        raise Conflict("The start of service is recorded already.", state="service-started")
    return replace(offer, service_started_at=now)


def close(offer: Offer, outcome: str | None, now: datetime) -> Offer:
    """Return the accepted offer as finished.

    Raises:
        Conflict: it is not accepted.

    """
    _require(offer, "accepted")
    return replace(offer, state="closed", outcome=outcome, ended_at=now)


def state_at(offer: Offer, now: datetime) -> str:
    """Return its state, expired from the moment its time is over."""
    over = offer.state == "offered" and now > offer.answer_by
    return "expired" if over else offer.state


def require_report_back(report_back: tuple[str, ...], item: str) -> None:
    """Check that the person's release lets the partner report this.

    Raises:
        NotAllowed: it does not.

    """
    if item not in report_back:
        raise NotAllowed("The person's release does not include reporting this back.")


def task_status(offer: Offer, now: datetime) -> str:
    """Return FHIR's Task status of the offer (R-55)."""
    if offer.state == "accepted" and offer.service_started_at is not None:
        return "in-progress"
    return {
        "offered": "requested",
        "accepted": "accepted",
        "declined": "rejected",
        "expired": "failed",
        "cancelled": "cancelled",
        "closed": "completed",
    }[state_at(offer, now)]


def stage(offer: Offer) -> str:
    """Return how far an offer has come, as far as its partner may report back."""
    if offer.service_started_at is not None:
        return "service-started"
    return offer.contact_kind or offer.state


def verbs(offer: Offer, report_back: tuple[str, ...], now: datetime) -> frozenset[str]:
    """Return what its partner may do now."""
    state = state_at(offer, now)
    if state == "offered":
        return frozenset({"accept", "decline"})
    if state == "cancelled" and offer.confirm_by and not offer.stop_confirmed_at:
        return frozenset({"confirm-stop"})
    if state != "accepted":
        return frozenset()
    can = {"close", "disclosure"}
    if "first-contact" in report_back and offer.contacted_at is None:
        can.add("contact")
    if "service-started" in report_back and offer.service_started_at is None:
        can.add("service-start")
    return frozenset(can)


def due(offer: Offer, report_back: tuple[str, ...], now: datetime) -> datetime | None:
    """Return the clock that runs for its partner: answer, first contact, or confirming a stop.

    A partner that may not report first contact is not shown as late for ever: it cannot say.
    """
    state = state_at(offer, now)
    if state == "offered":
        return offer.answer_by
    if state == "accepted":
        return _contact_due(offer, report_back, now)
    return offer.confirm_by if offer.stop_confirmed_at is None else None


def _contact_due(offer: Offer, report_back: tuple[str, ...], now: datetime) -> datetime | None:
    by = offer.first_contact_by
    if by is None or offer.contacted_at is not None:
        return None
    return by if "first-contact" in report_back or now <= by else None


def _require(offer: Offer, state: str) -> None:
    if offer.state != state:
        raise Conflict("This cannot be done with the offer as it is now.", state=offer.state)


def _require_answerable(offer: Offer, now: datetime) -> None:
    state = state_at(offer, now)
    if state != "offered":
        raise Conflict("This offer cannot be answered any more.", state=state)
