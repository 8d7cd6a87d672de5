"""The operator's page: is anything stuck, since when, what to press."""

from flask import Blueprint, Flask, Response
from flask_babel import lazy_gettext as _l

from shared.http.access import requires
from shared.http.render import add_navigation, page
from shared.http.web import NavItem, web


def add_ops(app: Flask) -> None:
    """Give the app /ops, open to operators only."""
    views = Blueprint("ops", __name__, url_prefix="/ops")
    views.add_url_rule("", "show", requires("operator")(_show))
    app.register_blueprint(views)
    add_navigation(app, NavItem(_l("Operation"), "ops.show", frozenset({"operator"})))


def _show() -> Response:
    return page("ops/show.html", service=web().service)
