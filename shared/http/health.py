"""Is the process alive, can it serve, and what does it count."""

import ipaddress

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.db.pool import transaction
from shared.errors import NotFound
from shared.http.web import web


def blueprint() -> Blueprint:
    """Build /healthz, /readyz and /metrics."""
    views = Blueprint("health", __name__)
    views.add_url_rule("/healthz", view_func=healthz)
    views.add_url_rule("/readyz", view_func=readyz)
    views.add_url_rule("/metrics", view_func=metrics)
    return views


def healthz() -> Response:
    """Say that the process answers."""
    return Response("ok\n", content_type="text/plain")


def readyz() -> Response:
    """Say that the database answers and holds our tables; the bus may be away meanwhile."""
    with transaction(web().pool) as tx:
        tx.execute("select 1 from session limit 0")
    return Response("ok\n", content_type="text/plain")


def metrics() -> Response:
    """Give this process's metrics to a scraper of the own network, never through the proxy.

    Raises:
        NotFound: the request came through a proxy or from a public address.

    """
    address = ipaddress.ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104  (refused below)
    proxied = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if proxied or not (address.is_loopback or address.is_private) or address.is_unspecified:
        raise NotFound("There is nothing here.")
    return Response(generate_latest(web().registry), content_type=CONTENT_TYPE_LATEST)
