"""The web process of intake: the advocates' pages, the partners' disclosure page, the API."""

from flask import Flask

from intake.adapters.api import referrals
from intake.adapters.keys import Keys
from intake.adapters.pages import Desk, Entrance, Room, add_disclosures, add_pages
from intake.adapters.preview import ClientToken, HttpPreview, WithinTime
from intake.adapters.tickets import TicketVerifier
from intake.adapters.units import Units, rules_of
from intake.application.ports import MatchPreview
from services.intake_parts import open_keys
from services.site import safe_site
from shared.config import IntakeWebSettings
from shared.db import open_pool
from shared.db.wake import Waker
from shared.http import create_app as create_base
from shared.http.api import json_api
from shared.log import configure

NAME = "intake"
_CONNECTIONS = 12


def build(settings: IntakeWebSettings, preview: MatchPreview, keys: Keys) -> Flask:
    """Build the app: what every service has, with intake's pages and API."""
    site = safe_site(settings.site)
    agency = site.agency(settings.agency)
    pool = open_pool(settings.database, name=f"{NAME}-web", size=_CONNECTIONS)
    units = Units(pool, keys, rules_of(site, agency), Waker(settings.database).wake)
    app = create_base(
        __name__,
        service=NAME,
        settings=settings,
        pool=pool,
        site=site,
        organization=agency.organization_id,
    )
    add_pages(app, Room(Desk(units, WithinTime(preview)), site, agency))
    add_disclosures(app, Entrance(units, _tickets(settings), agency))
    json_api(app, "Intake").register_blueprint(referrals(units))
    return app


def preview_by_http(settings: IntakeWebSettings) -> MatchPreview:
    """Return the preview that routing gives over its API."""
    token = ClientToken(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret,
        settings.routing_url,
    )
    return HttpPreview(settings.routing_url, token)


def create_app() -> Flask:
    """Build the app for gunicorn, with the settings of the environment."""
    configure(f"{NAME}-web")
    settings = IntakeWebSettings.from_env()
    return build(settings, preview_by_http(settings), open_keys(settings, f"{NAME}-web"))


def _tickets(settings: IntakeWebSettings) -> TicketVerifier:
    return TicketVerifier(
        settings.routing_jwk, issuer=settings.routing_url, audience=settings.public_url
    )
