"""What operators have asked for: the audit, and how far the worker is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.db.pool import Tx
from shared.http.ops.repairs import WORKED

SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Batch:
    """What was asked for together; `outcomes` are counts by code, `rows` the first of them."""

    said: Mapping[str, Any]
    outcomes: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]

    @property
    def is_done(self) -> bool:
        """Tell whether the worker has finished with it."""
        return bool(self.said["done"] == self.said["count"])

    @property
    def would_work(self) -> int:
        """Return how many repairs a dry run found to go well."""
        if not self.said["dry_run"]:
            return 0
        return sum(row["count"] for row in self.outcomes if row["outcome"] in WORKED)


def latest(tx: Tx, most: int) -> list[dict[str, Any]]:
    """Return what was asked for, the latest first; what was asked for together is one row."""
    return tx.execute(_LATEST, (most,)).fetchall()


def read_batch(tx: Tx, batch_id: UUID) -> Batch | None:
    """Return what was asked for together, or None when there is no such thing."""
    said = tx.execute(_ONE, (batch_id, batch_id, 1)).fetchone()
    if said is None:
        return None
    both = (batch_id, batch_id)
    return Batch(
        said=said,
        outcomes=tx.execute(_OUTCOMES, both).fetchall(),
        rows=tx.execute(_ROWS, (*both, SHOWN)).fetchall(),
    )


def stop_batch(tx: Tx, batch_id: UUID) -> int:
    """Take back what the worker has not done yet; return how many."""
    return tx.execute(_STOP, (batch_id,)).rowcount


_SUMMARY: Final = """
select coalesce(r.batch_id, r.repair_id) as batch_id, r.action, r.dry_run, r.consumer, r.reason,
  r.asked_at, (select name from member m where m.member_id = r.asked_by) as asked_by,
  count(*), count(r.done_at) as done, max(r.done_at) as done_at, b.per_second
from repair r left join repair_batch b using (batch_id)
"""
_GROUPED: Final = """
group by coalesce(r.batch_id, r.repair_id), r.action, r.dry_run, r.consumer, r.reason, r.asked_at,
  r.asked_by, b.per_second
order by r.asked_at desc limit %s
"""
_LATEST: Final = _SUMMARY + _GROUPED
_ONE: Final = _SUMMARY + "where r.batch_id = %s or r.repair_id = %s" + _GROUPED
_OUTCOMES: Final = """
select outcome, count(*) from repair
where (batch_id = %s or repair_id = %s) and done_at is not null group by outcome order by 2 desc
"""
_ROWS: Final = """
select r.repair_id, r.parked_id, r.done_at, r.outcome, k.type,
  coalesce(k.source, r.source) as source, coalesce(k.key, r.key) as key, k.sequence
from repair r left join parked k using (parked_id)
where r.batch_id = %s or r.repair_id = %s order by r.number limit %s
"""
_STOP: Final = """
update repair set done_at = now(), outcome = 'stopped' where batch_id = %s and done_at is null
"""
