"""What a partner that accepted sees: how to make contact, checked and logged at that moment."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from flask import Blueprint, Flask, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from intake.adapters.pages.overview import last_moment
from intake.adapters.tickets import TicketVerifier
from intake.adapters.units import Units
from intake.application.commands import Grant
from intake.application.disclose import (
    READY,
    disclosure_state,
    read_disclosure,
    use_ticket,
)
from shared.errors import NotAllowed, NotFound
from shared.http.access import ISSUER, SUBJECT, signed_in
from shared.http.app import without_form_token
from shared.http.render import page
from shared.http.signin import GUEST, fresh_session
from shared.site import Agency

PATIENCE: Final = timedelta(seconds=60)
"""After this the agency's phone number stands beside "being confirmed"."""

_GRANT: Final = "grant"


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the disclosure pages need."""

    units: Units
    tickets: TicketVerifier
    agency: Agency


def add_disclosures(app: Flask, entrance: Entrance) -> None:
    """Add the pages for partner staff; the ticket's post comes from routing, without our token."""
    app.register_blueprint(_disclosures(entrance))
    without_form_token(app, "disclosure_pages.enter")


def _disclosures(entrance: Entrance) -> Blueprint:
    blueprint = Blueprint("disclosure_pages", __name__)

    @blueprint.post("/disclosures/enter")
    def enter() -> ResponseReturnValue:
        ticket = entrance.tickets.verify(request.form.get("ticket", ""))
        with entrance.units.work() as work:
            use_ticket(ticket.ticket_id, work=work)
        _keep(ticket.grant)
        return redirect(url_for("disclosure_pages.show"), 303)

    @blueprint.get("/disclosures")
    def show() -> ResponseReturnValue:
        if _GRANT in session and not signed_in():
            # A link, not a redirect: a form's answer may not lead on to another origin.
            return page("intake/disclosure/sign_in.html")
        return _state(entrance, _grant())

    @blueprint.post("/disclosures")
    def read() -> ResponseReturnValue:
        return _read(entrance, _grant())

    return blueprint


def _keep(grant: Grant) -> None:
    """Begin a session that holds nothing but what the ticket opened; sign-in comes next."""
    fresh_session()
    session[GUEST] = True
    session[_GRANT] = {
        "offer_id": str(grant.offer_id),
        "organization_id": str(grant.organization_id),
        "issuer": grant.issuer,
        "subject": grant.subject,
        "since": grant.opened_at.isoformat(),
    }


def _grant() -> Grant:
    """Return what the ticket opened, for the very person that it was given to.

    Raises:
        NotFound: no ticket was brought.
        NotAllowed: somebody else is signed in.

    """
    kept = session.get(_GRANT)
    if not kept:
        raise NotFound(_("There is nothing to see here. Open the details from your inbox."))
    if (session.get(ISSUER), session.get(SUBJECT)) != (kept["issuer"], kept["subject"]):
        raise NotAllowed(_("These details were opened for somebody else. Use your own sign-in."))
    return Grant(
        offer_id=UUID(kept["offer_id"]),
        organization_id=UUID(kept["organization_id"]),
        issuer=kept["issuer"],
        subject=kept["subject"],
        opened_at=datetime.fromisoformat(kept["since"]),
    )


def _state(entrance: Entrance, grant: Grant) -> ResponseReturnValue:
    with entrance.units.work() as work:
        state = disclosure_state(grant, work=work)
    if state == READY:
        return page("intake/disclosure/ask.html", agency=entrance.agency)
    is_late = datetime.now(UTC) - grant.opened_at > PATIENCE
    return page("intake/disclosure/waiting.html", agency=entrance.agency, is_late=is_late)


def _read(entrance: Entrance, grant: Grant) -> ResponseReturnValue:
    with entrance.units.work() as work:
        if disclosure_state(grant, work=work) != READY:
            return redirect(url_for("disclosure_pages.show"), 303)
        found = read_disclosure(grant, work=work)
    return page(
        "intake/disclosure/contact.html",
        found=found,
        last_moment=last_moment(found.release_expires_at),
        agency=entrance.agency,
    )
