"""The web process of notifications: what the operator sees of the deliveries."""

from flask import Flask

from notifications.adapters.ops import PAGE, deliveries, deliveries_section
from services.site import safe_site
from shared.config import NotificationsWebSettings
from shared.db import open_pool
from shared.db.wake import Waker
from shared.http import OpsOptions
from shared.http import create_app as create_base
from shared.log import configure

NAME = "notifications"
_CONNECTIONS = 4


def build(settings: NotificationsWebSettings) -> Flask:
    """Build the app: what every service has, with the deliveries on the operator's page."""
    pool = open_pool(settings.database, name=f"{NAME}-web", size=_CONNECTIONS)
    app = create_base(
        __name__,
        service=NAME,
        settings=settings,
        pool=pool,
        site=safe_site(settings.site),
        ops=OpsOptions((deliveries_section(),), (PAGE,)),
    )
    app.register_blueprint(deliveries(pool, Waker(settings.database).wake))
    return app


def create_app() -> Flask:
    """Build the app for gunicorn, with the settings of the environment."""
    configure(f"{NAME}-web")
    settings = NotificationsWebSettings.from_env()
    return build(settings)
