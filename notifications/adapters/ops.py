"""The operator's view of deliveries: states and endpoint ids, never an organization or a text."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from notifications.adapters.operator_store import (
    MOST_AT_ONCE,
    SHOWN,
    Filter,
    PostgresOperatorStore,
    overview,
    send_all_again,
    totals,
)
from notifications.application.send_again import send_again
from notifications.domain.attempts import State
from shared.contracts.codes import DELIVERY_CHANNELS, OPS_REASONS
from shared.db import Pool, now, transaction
from shared.errors import NotFound, Rejected
from shared.http import (
    FASTEST,
    PER_SECOND,
    NavItem,
    OpsSection,
    choices,
    current_member,
    order_given,
    render,
    requires,
)

STATES: Final = {
    State.WAITING: _l("Waiting"),
    State.SENDING: _l("Being sent"),
    State.FAILED: _l("Failed, will be tried again"),
    State.DELIVERED: _l("Delivered"),
    State.EXHAUSTED: _l("Given up"),
    State.STOPPED: _l("Stopped: no longer wanted"),
}
KINDS: Final = {
    State.DELIVERED: "good",
    State.FAILED: "soon",
    State.EXHAUSTED: "danger",
    State.STOPPED: "done",
}


PAGE: Final = NavItem(_l("Messages"), "deliveries.index", frozenset({"operator"}))


def deliveries_section() -> OpsSection:
    """Return the part of the operator's overview that counts deliveries."""
    return OpsSection("notifications/summary.html", _summary)


def deliveries(pool: Pool, wake: Callable[[], None]) -> Blueprint:
    """Build the pages of deliveries; `wake` tells the worker after the commit."""
    views = Blueprint("deliveries", __name__, template_folder="templates")

    @views.get("/ops/deliveries")
    @requires("operator")
    def index() -> ResponseReturnValue:
        """Show the deliveries that pass the filter in the address."""
        return _page(pool, {})

    @views.post("/ops/deliveries/send-again")
    @requires("operator")
    def all_again() -> ResponseReturnValue:
        """Try or let what passes the filter and failed go out again, so many a second."""
        return _send_all_again(pool, wake)

    @views.post("/ops/deliveries/<uuid:delivery_id>/send-again")
    @requires("operator")
    def again(delivery_id: UUID) -> ResponseReturnValue:
        """Let a failed delivery's attempts begin anew, with a coded reason."""
        return _send_again(delivery_id, pool, wake)

    return views


def _send_all_again(pool: Pool, wake: Callable[[], None]) -> ResponseReturnValue:
    try:
        order, until = order_given(["send-again"])
    except Rejected as wrong:
        return _page(pool, wrong.fields or {}, status=422)
    with transaction(pool) as tx:
        if not send_all_again(tx, _filter(), order, until=until):
            raise NotFound(_("None of these messages can be sent again any more."))
    if not order.dry_run:
        wake()
    return redirect(url_for("deliveries.index", _anchor="again"), code=303)


def _send_again(delivery_id: UUID, pool: Pool, wake: Callable[[], None]) -> ResponseReturnValue:
    reason = request.form.get("reason", "")
    if reason not in OPS_REASONS:
        raise Rejected(
            _("Choose why the message is sent again."),
            {"reason": [_("Choose why the message is sent again.")]},
        )
    with transaction(pool) as tx:
        send_again(
            delivery_id,
            PostgresOperatorStore(tx),
            reason=reason,
            asked_by=current_member().member_id,
            now=now(tx),
        )
    wake()
    return redirect(url_for("deliveries.index", _anchor="again"), code=303)


def _summary(pool: Pool) -> dict[str, object]:
    with transaction(pool) as tx:
        return {"totals": totals(tx), "states": STATES}


def _page(pool: Pool, errors: Mapping[str, Sequence[str]], *, status: int = 200) -> Response:
    chosen = _filter()
    with transaction(pool) as tx:
        found, counted, moment = overview(tx, chosen), totals(tx), now(tx)
    return render(
        "notifications/deliveries.html",
        status=status,
        found=found,
        totals=counted,
        chosen=chosen,
        errors=errors,
        until=moment.isoformat(),
        states=STATES,
        kinds=KINDS,
        channels=choices("delivery-channels", DELIVERY_CHANNELS),
        reasons=choices("ops-reasons", OPS_REASONS),
        per_second=request.form.get("per_second", PER_SECOND),
        fastest=FASTEST,
        shown=SHOWN,
        most=MOST_AT_ONCE,
    )


def _filter() -> Filter:
    """Return the filter of the address or form; what is no state, channel or id is no filter."""
    given = request.values
    state, channel = given.get("state", ""), given.get("channel", "")
    endpoint = given.get("endpoint_id", "").strip()
    try:
        endpoint_id = UUID(endpoint) if endpoint else None
    except ValueError:
        endpoint_id = None
    return Filter(
        State(state) if state in set(State) else None,
        channel if channel in DELIVERY_CHANNELS else None,
        endpoint_id,
    )
