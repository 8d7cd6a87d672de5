"""The web process of routing: the partners' inbox, the coordinator's console, the API."""

from flask import Flask

from routing.adapters.api import offers, previews
from routing.adapters.desk import Desk
from routing.adapters.pages import Parts, Tickets, add_pages, read_key
from services.site import safe_site
from services.web import origin
from shared.config import RoutingWebSettings
from shared.db import Pool, open_pool
from shared.db.wake import Waker
from shared.http import create_app as create_base
from shared.http.api import json_api
from shared.log import configure

NAME = "routing"
_CONNECTIONS = 12


def open_desk(settings: RoutingWebSettings, pool: Pool) -> Desk:
    """Return the desk of this process; its changes wake the worker."""
    return Desk(pool, safe_site(settings.site), Waker(settings.database).wake)


def build(settings: RoutingWebSettings, pool: Pool) -> Flask:
    """Build the app: what every service has, with routing's pages and API."""
    site, desk = safe_site(settings.site), open_desk(settings, pool)
    app = create_base(
        __name__,
        service=NAME,
        settings=settings,
        pool=pool,
        site=site,
        form_origins=[origin(url) for url in settings.intake_urls.values()],
    )
    tickets = Tickets(settings.public_url, read_key(settings.ticket_key))
    add_pages(app, Parts(desk, site, tickets, settings.intake_urls))
    api = json_api(app, "Routing")
    for blueprint in (previews(desk), offers(desk)):
        api.register_blueprint(blueprint)
    return app


def pool_of(settings: RoutingWebSettings) -> Pool:
    """Return the connections of this process."""
    return open_pool(settings.database, name=f"{NAME}-web", size=_CONNECTIONS)


def create_app() -> Flask:
    """Build the app for gunicorn, with the settings of the environment."""
    configure(f"{NAME}-web")
    settings = RoutingWebSettings.from_env()
    return build(settings, pool_of(settings))
