"""A process that is killed at its n-th step, so that a test can kill it at each one.

A step is whatever another process can see or a crash can cut off: a statement, a commit, a call
to somebody else. Once dead, the process does nothing more, whatever its code would try.
"""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import psycopg

from shared.db import Pool, Tx


class Killed(BaseException):
    """The process ended here: no handler of the product's catches this."""


class Process:
    """Counts the steps that it still lives for; without a death ahead it lives on."""

    def __init__(self) -> None:
        """Live on."""
        self._left: float = math.inf
        self._died = True

    def step(self) -> None:
        """Take one more step, or die before it."""
        if self._left <= 0:
            self._died = True
            raise Killed
        self._left -= 1

    def pool(self, pool: Pool) -> Pool:
        """Return a pool whose connections live as long as the process."""
        return cast("Pool", _Connections(self, pool))

    def every_death(self) -> Iterator[AbstractContextManager[None]]:
        """Give blocks in which the process dies after 0, 1, 2 ... steps, until one outlives it.

        What follows such a block is done by a new process.
        """
        deaths = 0
        while self._died:
            yield self._dying_after(deaths)
            deaths += 1
        assert deaths > 3, "the block has no steps to die at"

    @contextmanager
    def _dying_after(self, steps: int) -> Iterator[None]:
        self._left, self._died = steps, False
        try:
            yield
        except Killed:
            pass
        finally:
            self._left = math.inf


class _Connections:
    """A pool: the commit is a step, and so is whatever comes after it."""

    def __init__(self, process: Process, pool: Pool) -> None:
        self._process = process
        self._pool = pool

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[Tx]:
        with self._pool.connection(timeout) as tx:
            yield cast("Tx", _Connection(self._process, tx))
            self._process.step()
        self._process.step()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


class _Connection:
    def __init__(self, process: Process, tx: Tx) -> None:
        self._process = process
        self._tx = tx

    def execute(self, *statement: Any) -> psycopg.Cursor[dict[str, Any]]:
        self._process.step()
        return self._tx.execute(*statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)
