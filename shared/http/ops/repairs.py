"""Asking the worker for repairs: in batches, at a pace, each with a row that is its audit."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from shared.db.pool import Tx
from shared.http.asking import Order

MOST_AT_ONCE: Final = 10_000
WORKED: Final = ("replayed", "gap-closed", "resent")
"""The outcomes of a dry run that promise that the repair goes well."""


def ask(tx: Tx, targets: str, order: Order, values: Mapping[str, object]) -> UUID | None:
    """Ask for what the order says of each target; None when nothing is left to ask for.

    `targets` is a query of what is meant, with `values` as its parameters: consumer, parked_id,
    source, key, and in which order: since, sequence. What is asked for already is left out.
    """
    made = tx.execute(
        "insert into repair_batch (per_second) values (%s) returning batch_id", (order.per_second,)
    ).fetchone()
    batch_id: UUID | None = made["batch_id"] if made else None
    asked = tx.execute(
        (_INSERT + targets + _NOT_ASKED).encode(),
        {
            **values,
            "batch": batch_id,
            "action": order.action,
            "dry": order.dry_run,
            "reason": order.reason,
            "asked_by": order.asked_by,
            "most_at_once": MOST_AT_ONCE,
        },
    )
    return batch_id if asked.rowcount else None


def ask_for_real(tx: Tx, dry_batch: UUID, order: Order) -> UUID | None:
    """Ask for what went well in a dry run; None when nothing of it is left."""
    return ask(tx, _WENT_WELL, order, {"dry_batch": dry_batch, "worked": list(WORKED)})


_INSERT: Final = """
insert into repair
  (batch_id, action, dry_run, consumer, parked_id, source, key, reason, asked_by)
select %(batch)s, %(action)s, %(dry)s, consumer, parked_id, source, key, %(reason)s, %(asked_by)s
from (
"""
_NOT_ASKED: Final = """
) target
where not exists (select from repair r
  where r.done_at is null and r.dry_run = %(dry)s
    and concat_ws(' ', r.parked_id, r.source, r.key)
      = concat_ws(' ', target.parked_id, target.source, target.key))
order by since, sequence limit %(most_at_once)s
"""
_WENT_WELL: Final = """
select d.consumer, d.parked_id, d.source, d.key, d.asked_at as since, d.number as sequence
from repair d left join parked k using (parked_id)
where d.batch_id = %(dry_batch)s and d.dry_run and d.outcome = any(%(worked)s)
  and k.closed_at is null
"""
