"""The web process of intake."""

from flask import Flask

from services.site import safe_site
from services.web import metrics
from shared.config import IntakeWebSettings
from shared.db import open_pool
from shared.http import create_app as create_base
from shared.log import configure

NAME = "intake"
_CONNECTIONS = 12


def build(settings: IntakeWebSettings) -> Flask:
    """Build the app: what every service has, with the pages of intake."""
    site = safe_site(settings.site)
    pool = open_pool(settings.database, name=f"{NAME}-web", size=_CONNECTIONS)
    return create_base(__name__, service=NAME, settings=settings, pool=pool, site=site)


def create_app() -> Flask:
    """Build the app for gunicorn, with the settings of the environment."""
    configure(f"{NAME}-web")
    settings = IntakeWebSettings.from_env()
    app = build(settings)
    metrics(app, settings)
    return app
