"""The operator's overview, and the list of the services."""

from datetime import UTC, datetime

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from shared.contracts.codes import OPS_REASONS
from shared.db.pool import transaction
from shared.errors import NotFound, Rejected
from shared.http.access import current_member
from shared.http.ops import asked, pipeline
from shared.http.ops.history import FLOWS, SERIES, read_history
from shared.http.ops.numbers import Numbers, fetch_numbers, read_numbers
from shared.http.render import page
from shared.http.web import web

_ASKED_SHOWN = 8


def show() -> Response:
    """Show what flows, what waits and since when."""
    parts = web()
    with transaction(parts.pool) as tx:
        numbers, history = read_numbers(tx), read_history(tx)
        state, latest = pipeline.read_pipeline(tx), asked.latest(tx, _ASKED_SHOWN)
    sections = [(section.template, section.context(parts.pool)) for section in parts.ops.sections]
    return page(
        "ops/show.html",
        numbers=numbers,
        history=history,
        state=state,
        asked=latest,
        now=datetime.now(UTC),
        sections=sections,
        reasons=OPS_REASONS,
        series=SERIES,
        flows=FLOWS,
    )


def services() -> Response:
    """Show the numbers of every service, each as it answers just now."""
    parts = web()
    with transaction(parts.pool) as tx:
        own = read_numbers(tx)
    inside, links = parts.settings.ops_metrics or {}, parts.settings.ops_links or {}
    rows: list[tuple[str, str | None, Numbers | None]] = [
        (parts.service, url_for("ops.show"), own)
    ]
    rows += [
        (name, f"{links[name]}/ops" if name in links else None, fetch_numbers(inside[name]))
        for name in sorted(inside)
    ]
    return page("ops/services.html", rows=rows, now=datetime.now(UTC))


def close_gap() -> ResponseReturnValue:
    """Ask the worker to go on without the events that never came."""
    stream = tuple(request.form.get(name, "") for name in ("consumer", "source", "key"))
    with transaction(web().pool) as tx:
        done = pipeline.ask_close_gap(
            tx, stream, reason=reason_given(), asked_by=current_member().member_id
        )
    if not done:
        raise NotFound(_("Nothing waits behind a gap here any more."))
    return redirect(url_for("ops.show", _anchor="held"), code=303)


def resend() -> ResponseReturnValue:
    """Ask the worker to send again what the bus refused of a topic."""
    with transaction(web().pool) as tx:
        done = pipeline.ask_resend(
            tx,
            web().service,
            request.form.get("topic", ""),
            reason=reason_given(),
            asked_by=current_member().member_id,
        )
    if not done:
        raise NotFound(_("The bus has refused nothing of this topic any more."))
    return redirect(url_for("ops.show", _anchor="outbox"), code=303)


def reason_given() -> str:
    """Return the coded reason of the form.

    Raises:
        Rejected: none was chosen.

    """
    reason = request.form.get("reason", "")
    if reason not in OPS_REASONS:
        raise Rejected(_("Choose the reason."), {"reason": [_("Choose the reason.")]})
    return reason
