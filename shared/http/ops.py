"""The operator's page: is anything stuck, since when, what to press.

It reads ids, codes, times and counts only: never a header's or a payload's content.
"""

from uuid import UUID

from flask import Blueprint, Flask, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from shared.contracts.codes import OPS_REASONS
from shared.db.pool import transaction
from shared.errors import NotFound, Rejected
from shared.http import pipeline
from shared.http.access import OPERATOR, current_member, requires
from shared.http.render import add_navigation, page
from shared.http.web import NavItem, web


def add_ops(app: Flask) -> None:
    """Give the app /ops, open to operators only."""
    views = Blueprint("ops", __name__, url_prefix="/ops")
    only_operators = requires(OPERATOR)
    views.add_url_rule("", "show", only_operators(_show))
    views.add_url_rule(
        "/parked/<uuid:parked_id>", "repair", only_operators(_repair), methods=["POST"]
    )
    views.add_url_rule("/gaps", "close_gap", only_operators(_close_gap), methods=["POST"])
    views.add_url_rule("/outbox", "resend", only_operators(_resend), methods=["POST"])
    app.register_blueprint(views)
    add_navigation(app, NavItem(_l("Operation"), "ops.show", frozenset({OPERATOR})))


def _show() -> Response:
    parts = web()
    with transaction(parts.pool) as tx:
        state = pipeline.read(tx)
    sections = [(section.template, section.context(parts.pool)) for section in parts.ops.sections]
    return page("ops/show.html", state=state, sections=sections, reasons=OPS_REASONS)


def _repair(parked_id: UUID) -> ResponseReturnValue:
    """Ask the worker to replay or discard a parked record; the row it reads is the audit."""
    action = request.form.get("action", "")
    if action not in pipeline.ACTIONS:
        raise Rejected(_("Choose what to do with the record: replay or discard."))
    with transaction(web().pool) as tx:
        asked = pipeline.ask_repair(
            tx, parked_id, action=action, reason=_reason(), asked_by=current_member().member_id
        )
    if not asked:
        raise NotFound(_("This record is not parked any more."))
    return redirect(url_for("ops.show"), code=303)


def _close_gap() -> ResponseReturnValue:
    """Ask the worker to go on without the events that never came."""
    stream = tuple(request.form.get(name, "") for name in ("consumer", "source", "key"))
    with transaction(web().pool) as tx:
        asked = pipeline.ask_close_gap(
            tx, stream, reason=_reason(), asked_by=current_member().member_id
        )
    if not asked:
        raise NotFound(_("Nothing waits behind a gap here any more."))
    return redirect(url_for("ops.show"), code=303)


def _resend() -> ResponseReturnValue:
    """Ask the worker to send again what the bus refused of a topic."""
    with transaction(web().pool) as tx:
        asked = pipeline.ask_resend(
            tx,
            web().service,
            request.form.get("topic", ""),
            reason=_reason(),
            asked_by=current_member().member_id,
        )
    if not asked:
        raise NotFound(_("The bus has refused nothing of this topic any more."))
    return redirect(url_for("ops.show"), code=303)


def _reason() -> str:
    reason = request.form.get("reason", "")
    if reason not in OPS_REASONS:
        raise Rejected(_("Choose the reason."), {"reason": [_("Choose the reason.")]})
    return reason
