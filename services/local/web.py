"""The demo's one web process: the three services and the demo's own pages under one address."""

from pathlib import Path

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from services import intake_web, notifications_web, routing_web
from services.intake_parts import open_keys
from services.local import settings
from services.local.folder import Folder
from services.local.preview import LocalPreview
from services.local.root import create_root
from shared.log import configure
from shared.site import load_site


def create_app(folder: str, port: int) -> DispatcherMiddleware:
    """Build the whole demo for a gunicorn with one process."""
    configure("demo-web")
    place = settings.Place(Folder(Path(folder)), port)
    of_routing = settings.routing_web(place)
    pool = routing_web.pool_of(of_routing)
    preview = LocalPreview(routing_web.open_desk(of_routing, pool))
    routing = routing_web.build(of_routing, pool)
    of_intake = settings.intake_web(place)
    intake = intake_web.build(of_intake, preview, open_keys(of_intake, "intake-web"))
    notifications = notifications_web.build(settings.notifications_web(place))
    return DispatcherMiddleware(
        create_root(place, load_site(place.folder.site)),
        {"/intake": intake, "/routing": routing, "/notifications": notifications},
    )
