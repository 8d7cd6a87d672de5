"""The web process of routing."""

from flask import Flask

from services.site import safe_site
from services.web import metrics
from shared.config import RoutingWebSettings
from shared.db import open_pool
from shared.http import create_app as create_base
from shared.log import configure

NAME = "routing"
_CONNECTIONS = 12


def build(settings: RoutingWebSettings) -> Flask:
    """Build the app: what every service has, with the pages of routing."""
    site = safe_site(settings.site)
    pool = open_pool(settings.database, name=f"{NAME}-web", size=_CONNECTIONS)
    return create_base(__name__, service=NAME, settings=settings, pool=pool, site=site)


def create_app() -> Flask:
    """Build the app for gunicorn, with the settings of the environment."""
    configure(f"{NAME}-web")
    settings = RoutingWebSettings.from_env()
    app = build(settings)
    metrics(app, settings)
    return app
