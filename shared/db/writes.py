"""Rows that are written together: one statement, so one round trip however many there are."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.db.pool import Tx


@dataclass(slots=True)
class Writes:
    """Statements of a transaction of which nothing is asked back.

    One is sent at once, or with the others at the end of a block of `together`. Those of a block
    do not see each other's rows; what refers to another row is checked when all are written.
    """

    tx: Tx
    _waiting: list[tuple[str, Sequence[Any]]] = field(default_factory=list)
    _gathers: bool = False

    def add(self, statement: str, values: Sequence[Any]) -> None:
        """Write: a statement with a `%s` for each value."""
        if self._gathers:
            self._waiting.append((statement, values))
        else:
            self.tx.execute(statement, values)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send what the block writes as one statement; a block inside another is part of it."""
        if self._gathers:
            yield
            return
        self._gathers = True
        try:
            yield
        finally:
            self._gathers = False
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        steps = (f"step_{n} as ({text})" for n, (text, _) in enumerate(waiting))
        values = [value for _, some in waiting for value in some]
        self.tx.execute(f"with {', '.join(steps)} select", values)
