"""What an operator has tried and done: records replayed or discarded, gaps closed, topics sent."""

from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from shared.contracts.codes import OPS_REASONS
from shared.db.pool import now, transaction
from shared.errors import NotFound, Rejected
from shared.http.access import current_member
from shared.http.asking import FASTEST, PER_SECOND, Order, order_given
from shared.http.labels import LABELS
from shared.http.ops import asked, pipeline
from shared.http.ops import parked as records
from shared.http.ops.repairs import MOST_AT_ONCE, ask_for_real
from shared.http.render import page
from shared.http.web import web

_ASKED_SHOWN = 100


def parked() -> Response:
    """Show the parked records that pass the filter in the address."""
    return _parked_page({})


def act() -> ResponseReturnValue:
    """Ask the worker to try, replay or discard what passes the filter and was parked by then."""
    try:
        order, until = order_given(records.ACTIONS)
    except Rejected as wrong:
        return _parked_page(wrong.fields or {}, status=422)
    with transaction(web().pool) as tx:
        batch_id = records.ask(tx, _selection(), order, until=until)
    return _lead_to(batch_id)


def close_gaps() -> ResponseReturnValue:
    """Ask the worker to go on without the events that never came, of one stream or of all."""
    order, until = order_given(("close-gap",))
    stream = tuple(request.form.get(name, "") for name in ("consumer", "source", "key"))
    with transaction(web().pool) as tx:
        batch_id = pipeline.ask_close_gaps(tx, stream if any(stream) else None, order, until=until)
    return _lead_to(batch_id)


def resend() -> ResponseReturnValue:
    """Ask the worker to send again what the bus refused of a topic."""
    order, until = order_given(("resend",))
    with transaction(web().pool) as tx:
        batch_id = pipeline.ask_resend(
            tx, web().service, request.form.get("topic", ""), order, until=until
        )
    return _lead_to(batch_id)


def repairs() -> Response:
    """Show what was asked for, by whom and why."""
    with transaction(web().pool) as tx:
        found = asked.latest(tx, _ASKED_SHOWN)
    return page("ops/repairs.html", asked=found)


def batch(batch_id: UUID) -> Response:
    """Show how far the worker is with what was asked for together."""
    with transaction(web().pool) as tx:
        found = asked.read_batch(tx, batch_id)
    if found is None:
        raise NotFound(_("Nothing like this was asked for."))
    known = LABELS["dry-outcomes" if found.said["dry_run"] else "ops-outcomes"]
    return page("ops/batch.html", batch=found, known=known, shown=asked.SHOWN)


def for_real(batch_id: UUID) -> ResponseReturnValue:
    """Ask for what a dry run found to go well, for the same reason and at the same pace."""
    with transaction(web().pool) as tx:
        tried = asked.read_batch(tx, batch_id)
        real = None
        if tried is not None and tried.would_work:
            said, by = tried.said, current_member().member_id
            order = Order(said["action"], said["reason"], said["per_second"], by)
            real = ask_for_real(tx, batch_id, order)
    return _lead_to(real)


def stop(batch_id: UUID) -> ResponseReturnValue:
    """Take back what the worker has not done yet."""
    with transaction(web().pool) as tx:
        if asked.read_batch(tx, batch_id) is None:
            raise NotFound(_("Nothing like this was asked for."))
        asked.stop_batch(tx, batch_id)
    return redirect(url_for("ops.batch", batch_id=batch_id), code=303)


def _lead_to(batch_id: UUID | None) -> ResponseReturnValue:
    if batch_id is None:
        raise NotFound(_("Nothing of this waits any more, or all of it is asked for."))
    return redirect(url_for("ops.batch", batch_id=batch_id), code=303)


def _parked_page(errors: object, *, status: int = 200) -> Response:
    chosen = _selection()
    with transaction(web().pool) as tx:
        found, until = records.read_parked(tx, chosen), now(tx)
    return page(
        "ops/parked.html",
        status=status,
        found=found,
        chosen=chosen,
        errors=errors,
        until=until.isoformat(),
        reasons=OPS_REASONS,
        given=request.form,
        per_second=PER_SECOND,
        fastest=FASTEST,
        shown=records.SHOWN,
        most=MOST_AT_ONCE,
    )


def _selection() -> records.Selection:
    """Return the filter of the address or the form; an id that is none matches nothing."""
    given = request.values
    record = given.get("record") or None
    try:
        record_id = UUID(record) if record else None
    except ValueError:
        record_id = UUID(int=0)
    return records.Selection(
        given.get("reason_parked") or None, given.get("type") or None, record_id
    )
