"""Routing's JSON API: the preview for intakes, and offers for partners' own systems.

Every request carries a client's access token; the organization is the client's own, never one
from the request. A preview is neither stored nor logged.
"""

from collections.abc import Callable
from typing import Any

from flask_smorest import Blueprint

from routing.adapters import schemas
from routing.adapters.desk import Desk
from routing.adapters.previewing import previewer
from routing.application import partner
from routing.application.ports import Staff, Work
from routing.application.views import OfferDetail
from shared.errors import NotAllowed
from shared.http import current_client, require_client


def previews(desk: Desk) -> Blueprint:
    """Build the blueprint of the match preview."""
    blueprint = Blueprint("previews", __name__, url_prefix="/api/previews")
    blueprint.before_request(require_client)
    preview = previewer(desk)

    @blueprint.post("")
    @blueprint.arguments(schemas.PreviewBody)
    @blueprint.response(200, schemas.PreviewAnswer)
    def create(body: dict[str, Any]) -> dict[str, Any]:
        """Return how every partner of the site stands to these facts; nothing is kept."""
        return preview(body["facts"], body["barred_partners"])

    return blueprint


def offers(desk: Desk) -> Blueprint:
    """Build the blueprint of a partner's own offers."""
    blueprint = Blueprint("partner_offers", __name__, url_prefix="/api/offers")
    blueprint.before_request(require_client)
    _add_reading(blueprint, desk)
    _add_answers(blueprint, desk)
    _add_reports(blueprint, desk)
    return blueprint


def _add_reading(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.get("")
    @blueprint.response(200, schemas.OffersAnswer)
    def inbox() -> dict[str, Any]:
        """Return the organization's offers that wait for something, by their clock."""
        with desk.read() as (queries, now):
            return {"offers": queries.inbox(_staff().organization_id, now)}

    @blueprint.get("/<reference>")
    @blueprint.response(200, schemas.OfferDetailAnswer)
    def show(reference: str) -> dict[str, Any]:
        """Return one offer of the organization."""
        return _shown(desk, reference)


def _add_answers(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.post("/<reference>/acceptance")
    @blueprint.response(200, schemas.OfferDetailAnswer)
    def accept(reference: str) -> dict[str, Any]:
        """Take the referral; 409 with the state when it is too late."""
        return _changed(desk, reference, partner.accept_offer)

    @blueprint.post("/<reference>/decline")
    @blueprint.arguments(schemas.DeclineBody)
    @blueprint.response(200, schemas.OfferDetailAnswer)
    def decline(body: dict[str, str], reference: str) -> dict[str, Any]:
        """Say no, with a coded reason; the next partner of the person is asked."""
        return _changed(
            desk, reference, lambda r, s, w: partner.decline_offer(r, body["reason"], s, w)
        )

    @blueprint.post("/<reference>/stop-confirmation")
    @blueprint.response(200, schemas.OfferDetailAnswer)
    def confirm_stop(reference: str) -> dict[str, Any]:
        """Confirm that the organization stopped after the offer was taken back."""
        return _changed(desk, reference, partner.confirm_stop)


def _add_reports(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.post("/<reference>/contact")
    @blueprint.arguments(schemas.ContactBody)
    @blueprint.response(200, schemas.OfferDetailAnswer)
    def contact(body: dict[str, str], reference: str) -> dict[str, Any]:
        """Record first contact, as far as the person released that."""
        return _changed(
            desk, reference, lambda r, s, w: partner.record_contact(r, body["kind"], s, w)
        )

    @blueprint.post("/<reference>/service-start")
    @blueprint.response(200, schemas.OfferDetailAnswer)
    def start(reference: str) -> dict[str, Any]:
        """Record that service began, as far as the person released that."""
        return _changed(desk, reference, partner.record_service_started)

    @blueprint.post("/<reference>/closure")
    @blueprint.arguments(schemas.ClosureBody)
    @blueprint.response(200, schemas.OfferDetailAnswer)
    def close(body: dict[str, str | None], reference: str) -> dict[str, Any]:
        """Finish; the outcome is kept only where the person released it."""
        return _changed(
            desk, reference, lambda r, s, w: partner.close_referral(r, body["outcome"], s, w)
        )


def _changed(
    desk: Desk, reference: str, verb: Callable[[str, Staff, Work], None]
) -> dict[str, Any]:
    with desk.change() as work:
        verb(reference, _staff(), work)
    return _shown(desk, reference)


def _shown(desk: Desk, reference: str) -> dict[str, Any]:
    with desk.read() as (queries, now):
        return _answer(queries.offer(reference, _staff().organization_id, now))


def _answer(detail: OfferDetail) -> dict[str, Any]:
    item = {name: getattr(detail.item, name) for name in schemas.OfferAnswer().fields}
    own = set(schemas.OfferDetailAnswer().fields) - set(item)
    return {**item, **{name: getattr(detail, name) for name in own}, "can": sorted(detail.can)}


def _staff() -> Staff:
    client = current_client()
    if client.organization_id is None or client.member_id is None:
        raise NotAllowed("This client belongs to no organization.")
    return Staff(client.member_id, client.organization_id)
