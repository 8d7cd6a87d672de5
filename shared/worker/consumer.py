"""The consume loop: take what waits, apply it in one transaction, then commit to the bus."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from shared.bus import Record, Subscription
from shared.contracts.trace import traces_of
from shared.log import get_logger
from shared.worker import metrics
from shared.worker.inbox import AWAY, Inbox

POLL_SECONDS = 0.5
_RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)

_log = get_logger(__name__)


class Consumer:
    """Feeds an inbox from a subscription; `after_commit` wakes whoever has work from it."""

    def __init__(
        self, inbox: Inbox[Any], subscription: Subscription, after_commit: Callable[[], None]
    ) -> None:
        """Begin with nothing taken."""
        self._inbox = inbox
        self._subscription = subscription
        self._after_commit = after_commit
        self._taken: Sequence[Record] = ()
        self._last_poll = metrics.LAST_POLL.labels(inbox.consumer)
        self._last_poll.set_to_current_time()
        self._failures = 0

    def step(self) -> bool:
        """Apply one batch; return True, as waiting for the next one is polling itself.

        While the database is away the batch is kept and tried again; the bus brings it once more
        if this process is put out of its group meanwhile.
        """
        try:
            if not self._taken:
                self._taken = self._subscription.poll(POLL_SECONDS)
                self._last_poll.set_to_current_time()
            if self._taken:
                self._apply()
        except AWAY as failure:
            _log.warning("consumer-waits", consumer=self._inbox.consumer, exc_info=failure)
            time.sleep(_RETRY_SECONDS[min(self._failures, len(_RETRY_SECONDS) - 1)])
            self._failures += 1
        else:
            self._failures = 0
        return True

    def _apply(self) -> None:
        self._inbox.apply(self._taken)
        taken, self._taken = self._taken, ()
        metrics.EVENTS_IN.labels(self._inbox.consumer).inc(len(taken))
        self._after_commit()
        self._subscription.commit(taken)
        traces = traces_of(record.headers for record in taken)
        _log.info("events-read", consumer=self._inbox.consumer, traceparents=traces)

    def close(self) -> None:
        """Leave the group."""
        self._subscription.close()
