"""The operator's console: is anything stuck, since when, what to press.

It reads ids, codes, times and counts only: never a header's or a payload's content.
"""

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from shared.http.access import OPERATOR, requires
from shared.http.ops import pages, repairing
from shared.http.render import add_navigation
from shared.http.web import NavItem

_SEEN: Final[tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...]] = (
    ("", "show", pages.show),
    ("/services", "services", pages.services),
    ("/parked", "parked", repairing.parked),
    ("/repairs", "repairs", repairing.repairs),
    ("/repairs/<uuid:batch_id>", "batch", repairing.batch),
)
_DONE: Final[tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...]] = (
    ("/parked", "act", repairing.act),
    ("/repairs/<uuid:batch_id>/for-real", "for_real", repairing.for_real),
    ("/repairs/<uuid:batch_id>/stop", "stop", repairing.stop),
    ("/gaps", "close_gaps", repairing.close_gaps),
    ("/outbox", "resend", repairing.resend),
)


def add_ops(app: Flask) -> None:
    """Give the app /ops, open to operators only."""
    views = Blueprint("ops", __name__, url_prefix="/ops")
    for method, found in (("GET", _SEEN), ("POST", _DONE)):
        for path, name, view in found:
            views.add_url_rule(path, name, requires(OPERATOR)(view), methods=[method])
    app.register_blueprint(views)
    add_navigation(app, NavItem(_l("Operation"), "ops.show", frozenset({OPERATOR})))
