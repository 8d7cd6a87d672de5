"""What operators ask for; each row of `repair` is its own audit."""

import time
from collections.abc import Callable
from typing import Any

import psycopg

from shared.contracts.event import read_envelope
from shared.db import Tx, transaction
from shared.errors import InvalidEvent
from shared.log import get_logger
from shared.worker.inbox import AWAY, Inbox, code_of, record_of

_LONGEST_PAUSE = 1.0

_log = get_logger(__name__)


class Repairs:
    """Carries out the waiting rows of `repair` for one consumer, one transaction each.

    Those of a batch go no faster than the batch says. A dry run does all that the repair would
    do, keeps what came of it, and takes the rest back.
    """

    def __init__(self, inbox: Inbox[Any], after_commit: Callable[[], None]) -> None:
        """Work with the consumer's own handlers and positions."""
        self._inbox = inbox
        self._after_commit = after_commit

    def step(self) -> bool:
        """Carry out one repair; return True when there was one."""
        try:
            return self._step()
        except AWAY as failure:
            _log.warning("repair-waits", exc_info=failure)
            return False

    def _step(self) -> bool:
        with transaction(self._inbox.pool) as tx:
            repair = tx.execute(_NEXT, (self._inbox.consumer,)).fetchone()
            if repair is None:
                return False
            pause = float(repair["pause"])
            if pause <= 0 and _may_go(tx, repair):
                self._finish(tx, repair)
        if pause > 0:
            time.sleep(min(pause, _LONGEST_PAUSE))
        else:
            self._after_commit()
        return True

    def _finish(self, tx: Tx, repair: dict[str, Any]) -> None:
        outcome = self._carry_out(tx, repair)
        tx.execute(
            "update repair set done_at = now(), outcome = %s where repair_id = %s",
            (outcome, repair["repair_id"]),
        )

    def _carry_out(self, tx: Tx, repair: dict[str, Any]) -> str:
        try:
            return self._attempt(tx, repair)
        except AWAY:
            raise
        except Exception as failure:  # noqa: BLE001  (it failed again: the row says so)
            code = code_of(failure, self._inbox.consumer)
            if not repair["dry_run"]:
                tx.execute(_FAILED_AGAIN, (code, repair["parked_id"]))
            return code

    def _attempt(self, tx: Tx, repair: dict[str, Any]) -> str:
        actions = {
            "replay": self._replay,
            "discard": self._discard,
            "close-gap": self._close_gap,
            "resend": self._resend,
        }
        outcome = ""
        with tx.transaction() as attempt:
            outcome = actions[repair["action"]](tx, repair)
            if repair["dry_run"]:
                raise psycopg.Rollback(attempt)
        return outcome

    def _replay(self, tx: Tx, repair: dict[str, Any]) -> str:
        row = self._parked(tx, repair)
        if row is None:
            return "already-closed"
        record = record_of(row)
        event = read_envelope(record.key, record.headers, record.value)
        if row["sequence"] is None:
            raise InvalidEvent(row["reason"])
        stream = (event.source, event.key)
        _close(tx, row, "replayed")  # first, so that the record does not stand in its own way
        batch = self._inbox.open_batch(tx, [stream], [event])
        if event.sequence < batch.expected[stream]:
            return "already-applied"
        self._inbox.take(batch, record, event)
        self._inbox.close_batch(batch)
        return "replayed"

    def _discard(self, tx: Tx, repair: dict[str, Any]) -> str:
        row = self._parked(tx, repair)
        if row is None:
            return "already-closed"
        if row["sequence"] is not None:
            stream = (row["source"], row["key"])
            batch = self._inbox.open_batch(tx, [stream])
            if row["sequence"] > batch.expected[stream]:
                return "not-its-turn"  # let go now, its place would be a gap that nothing fills
            if row["sequence"] == batch.expected[stream]:
                self._inbox.advance(batch, stream)
            self._inbox.close_batch(batch)
        _close(tx, row, "discarded")
        return "discarded"

    def _close_gap(self, tx: Tx, repair: dict[str, Any]) -> str:
        stream = (repair["source"], repair["key"])
        batch = self._inbox.open_batch(tx, [stream])
        held = batch.held.get(stream, set())
        parked = {sequence for *at, sequence in batch.parked if tuple(at) == stream}
        if not held or batch.expected[stream] in parked:
            return "no-gap"
        first = min(held | parked)
        if first in parked:  # its own replay or discard goes on from there
            batch.expected[stream] = first
            batch.moved.add(stream)
        else:
            batch.expected[stream] = first - 1
            self._inbox.advance(batch, stream)
        self._inbox.close_batch(batch)
        stays = first not in parked and batch.expected[stream] == first
        return "next-fails" if stays else "gap-closed"

    def _resend(self, tx: Tx, repair: dict[str, Any]) -> str:
        """Let the relay try once more what the bus refused for good of one key of a topic."""
        again = tx.execute(
            "update outbox set failed_at = null, failure = null"
            " where topic = %s and key = %s and failed_at is not null",
            (repair["source"], repair["key"]),
        )
        return "resent" if again.rowcount else "not-refused"

    def _parked(self, tx: Tx, repair: dict[str, Any]) -> dict[str, Any] | None:
        return tx.execute(_PARKED, (repair["parked_id"],)).fetchone()


def _may_go(tx: Tx, repair: dict[str, Any]) -> bool:
    """Take the batch's turn, unless another worker has just taken it."""
    return repair["batch_id"] is None or tx.execute(_TAKE_TURN, (repair["batch_id"],)).rowcount > 0


def _close(tx: Tx, row: dict[str, Any], closed_as: str) -> None:
    tx.execute(
        "update parked set closed_at = now(), closed_as = %s where parked_id = %s",
        (closed_as, row["parked_id"]),
    )


_NEXT = """
select r.*, coalesce(extract(epoch from b.next_at - now()), 0) as pause
from repair r left join repair_batch b using (batch_id)
where r.done_at is null and r.consumer = %s
order by coalesce(b.next_at, r.asked_at), r.number limit 1 for update of r skip locked
"""
_TAKE_TURN = """
update repair_batch set next_at = now() + interval '1 second' / per_second
where batch_id = %s and next_at <= now()
"""
_FAILED_AGAIN = """
update parked set attempts = attempts + 1, last_at = now(), reason = %s where parked_id = %s
"""
_PARKED = """
select *, first_at as kept_at from parked where parked_id = %s and closed_at is null for update
"""
