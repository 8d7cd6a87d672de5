"""The information sheet: for the person to keep; nothing is sent anywhere (R-05)."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from intake.adapters.pages.cards import Card, card
from intake.adapters.pages.journey import Form
from intake.adapters.pages.room import Room
from shared.http.access import current_member, requires
from shared.http.render import page


def sheet(room: Room) -> Blueprint:
    """Build the sheet of a draft; it names nobody and holds public facts only."""
    blueprint = Blueprint("sheet", __name__)

    @blueprint.get("/drafts/<uuid:draft_id>/sheet")
    @requires("advocate")
    def show(draft_id: UUID) -> ResponseReturnValue:
        found = room.open(current_member(), draft_id)
        if not isinstance(found, Form):
            return found
        return page(
            "intake/sheet.html",
            why=found.ending(),
            draft_id=draft_id,
            organizations=_organizations(found),
            agency=room.agency,
            printed_at=room.now(),
        )

    return blueprint


def _organizations(form: Form) -> list[tuple[Card, str, str]]:
    """Return the partners that offer what was asked for: card, phone, website.

    Before the needs were asked: all of them.
    """
    wanted = set(form.values("needs").get("needs", ()))
    return [
        (card(form, key), partner.phone, partner.website)
        for key in form.asking.open_partners()
        for partner in [form.asking.partners[key]]
        if not wanted or any(wanted & set(service.needs) for service in partner.services)
    ]
