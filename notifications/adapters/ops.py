"""The operator's view of deliveries: states and endpoint ids, never an organization or a text."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from notifications.adapters.operator_store import Filter, PostgresOperatorStore, overview
from notifications.application.send_again import send_again
from notifications.domain.attempts import State
from shared.contracts.codes import OPS_REASONS
from shared.db import Pool, now, transaction
from shared.errors import Rejected
from shared.http import OpsSection, choices, current_member, requires

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


def deliveries_section() -> OpsSection:
    """Return the part of the operator's page that lists deliveries."""
    return OpsSection("notifications/deliveries.html", _context)


def deliveries(pool: Pool, wake: Callable[[], None]) -> Blueprint:
    """Build what acts on deliveries; `wake` tells the worker after the commit."""
    views = Blueprint("deliveries", __name__, template_folder="templates")

    @views.post("/ops/deliveries/<uuid:delivery_id>/send-again")
    @requires("operator")
    def again(delivery_id: UUID) -> ResponseReturnValue:
        """Let a failed delivery's attempts begin anew, with a coded reason."""
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
        return redirect(url_for("ops.show", _anchor="deliveries"))

    return views


def _context(pool: Pool) -> dict[str, object]:
    chosen = _filter()
    with transaction(pool) as tx:
        found = overview(tx, chosen)
    return {
        "deliveries": found,
        "chosen": chosen,
        "states": STATES,
        "kinds": KINDS,
        "reasons": choices("ops-reasons", OPS_REASONS),
    }


def _filter() -> Filter:
    """Return the filter in the address; what is no state or id is no filter."""
    state, endpoint = request.args.get("state", ""), request.args.get("endpoint_id", "").strip()
    try:
        endpoint_id = UUID(endpoint) if endpoint else None
    except ValueError:
        endpoint_id = None
    return Filter(State(state) if state in set(State) else None, endpoint_id)
