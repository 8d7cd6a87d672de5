"""Writes that need no answer: kept, and sent together in one round trip at the most."""

from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from shared.db.pool import Tx, together


@dataclass(slots=True)
class Pending:
    """Keeps statements of one transaction in their order; a run of the same one goes as one."""

    tx: Tx
    _kept: list[tuple[str, Any]] = field(default_factory=list)

    def add(self, statement: str, values: Any) -> None:  # noqa: ANN401  (psycopg's own)
        """Keep a statement with its values."""
        self._kept.append((statement, values))

    def send(self) -> None:
        """Send what is kept; a fault of it is raised here, or where a `pipelined` one raises."""
        kept, self._kept = self._kept, []
        if not kept:
            return
        with together(self.tx), self.tx.cursor() as cursor:
            for statement, run in groupby(kept, itemgetter(0)):
                cursor.executemany(statement, [values for _, values in run])
