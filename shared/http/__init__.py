"""Everything of HTTP that is the same in every service."""

from shared.http.access import (
    client_in,
    client_of,
    current_bearer,
    current_client,
    current_member,
    members,
    require_client,
    require_token,
    requires,
)
from shared.http.api import described, json_api
from shared.http.app import allow_upload, create_app, without_form_token
from shared.http.asking import FASTEST, PER_SECOND, Order, order_given
from shared.http.labels import choices, label
from shared.http.render import add_navigation
from shared.http.render import page as render
from shared.http.web import NavItem, OpsOptions, OpsSection, web

__all__ = [
    "FASTEST",
    "PER_SECOND",
    "NavItem",
    "OpsOptions",
    "OpsSection",
    "Order",
    "add_navigation",
    "allow_upload",
    "choices",
    "client_in",
    "client_of",
    "create_app",
    "current_bearer",
    "current_client",
    "current_member",
    "described",
    "json_api",
    "label",
    "members",
    "order_given",
    "render",
    "require_client",
    "require_token",
    "requires",
    "web",
    "without_form_token",
]
