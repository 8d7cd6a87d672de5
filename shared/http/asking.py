"""What an operator asks for: a reason, a pace, a trial run first, in the same form everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import request
from flask_babel import gettext as _

from shared.contracts.codes import OPS_REASONS
from shared.errors import Rejected
from shared.http.access import current_member

DRY_RUN: Final = "dry-run"
PER_SECOND: Final = 5
FASTEST: Final = 50
_NOT_UNDONE: Final = "discard"


@dataclass(frozen=True, slots=True)
class Order:
    """What to do, why, and how many a second; a dry run only says what would come of it."""

    action: str
    reason: str
    per_second: int
    asked_by: UUID
    dry_run: bool = False


def order_given(actions: Sequence[str]) -> tuple[Order, datetime]:
    """Return what the form asks for, one of the actions, and when its page was made.

    A dry run is one of the first action.

    Raises:
        Rejected: something is not chosen.

    """
    form, faults = request.form, {}
    action, reason = form.get("action", ""), form.get("reason", "")
    if action not in {DRY_RUN, *actions}:
        faults["action"] = [_("Choose what to do: try it out, or do it.")]
    if reason not in OPS_REASONS:
        faults["reason"] = [_("Choose the reason.")]
    per_second = _per_second()
    if per_second is None:
        faults["per_second"] = [
            _("Enter how many a second, from 1 to %(fastest)s.", fastest=FASTEST)
        ]
    if action == _NOT_UNDONE and not form.get("sure"):
        faults["sure"] = [_("Tick that you know: a discard cannot be undone.")]
    until = _page_time()
    if faults or per_second is None or until is None:
        raise Rejected(
            _("Some answers need another look."), faults or {"": [_("Open the page again.")]}
        )
    dry = action == DRY_RUN
    by = current_member().member_id
    return Order(actions[0] if dry else action, reason, per_second, by, dry), until


def _page_time() -> datetime | None:
    """Return when the form's page was made, its field `until`: what came later is not meant."""
    try:
        moment = datetime.fromisoformat(request.form.get("until", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _per_second() -> int | None:
    text = request.form.get("per_second", "").strip()
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= FASTEST else None
