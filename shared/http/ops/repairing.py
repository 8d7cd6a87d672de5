"""The pages on which an operator tries, replays and discards parked records, and sees it done."""

from datetime import datetime
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from shared.contracts.codes import OPS_REASONS
from shared.db.pool import now, transaction
from shared.errors import NotFound, Rejected
from shared.http.access import current_member
from shared.http.asking import page_time
from shared.http.labels import LABELS
from shared.http.ops import asked
from shared.http.ops import parked as records
from shared.http.render import page
from shared.http.web import web

PER_SECOND = 5
FASTEST = 50
_ASKED_SHOWN = 100


def parked() -> Response:
    """Show the parked records that pass the filter in the address."""
    return _parked_page({})


def act() -> ResponseReturnValue:
    """Ask the worker to try, replay or discard what passes the filter and was parked by then."""
    try:
        order, until = _order()
    except Rejected as wrong:
        return _parked_page(wrong.fields or {}, status=422)
    with transaction(web().pool) as tx:
        batch_id = records.ask(tx, _selection(), order, until=until)
        if batch_id is None:
            raise _nothing_left()
    return redirect(url_for("ops.batch", batch_id=batch_id), code=303)


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
    """Ask to replay what a dry run found ready, for the same reason and at the same pace."""
    with transaction(web().pool) as tx:
        tried = asked.read_batch(tx, batch_id)
        if tried is None or not tried.would_apply:
            raise _nothing_left()
        order = records.Order(
            "replay", tried.said["reason"], tried.said["per_second"], current_member().member_id
        )
        real = records.ask_for_real(tx, batch_id, order)
        if real is None:
            raise _nothing_left()
    return redirect(url_for("ops.batch", batch_id=real), code=303)


def stop(batch_id: UUID) -> ResponseReturnValue:
    """Take back what the worker has not done yet."""
    with transaction(web().pool) as tx:
        if asked.read_batch(tx, batch_id) is None:
            raise NotFound(_("Nothing like this was asked for."))
        asked.stop_batch(tx, batch_id)
    return redirect(url_for("ops.batch", batch_id=batch_id), code=303)


def _nothing_left() -> NotFound:
    return NotFound(_("None of these records is parked any more, or all are asked for."))


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
        most=records.MOST_AT_ONCE,
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


def _order() -> tuple[records.Order, datetime]:
    """Return what the form asks for, and when its page was made.

    Raises:
        Rejected: something is not chosen.

    """
    form, faults = request.form, {}
    action, reason = form.get("action", ""), form.get("reason", "")
    if action not in records.ACTIONS:
        faults["action"] = [_("Choose what to do: try it out, replay or discard.")]
    if reason not in OPS_REASONS:
        faults["reason"] = [_("Choose the reason.")]
    per_second = _per_second()
    if per_second is None:
        faults["per_second"] = [
            _("Enter how many a second, from 1 to %(fastest)s.", fastest=FASTEST)
        ]
    if action == "discard" and not form.get("sure"):
        faults["sure"] = [_("Tick that you know: a discard cannot be undone.")]
    until = page_time()
    if faults or per_second is None or until is None:
        raise Rejected(
            _("Some answers need another look."), faults or {"": [_("Open the page again.")]}
        )
    return records.Order(action, reason, per_second, current_member().member_id), until


def _per_second() -> int | None:
    text = request.form.get("per_second", "").strip()
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= FASTEST else None
