"""Units of work for pages, API, events and clocks: the store, the time, the rules, together."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from uuid import uuid4

from routing.adapters.directories import Directories
from routing.adapters.queries import PostgresQueries
from routing.adapters.rules import rules_of
from routing.adapters.store import PostgresStore
from routing.application.ports import Work
from shared.db import Pool, Tx, now, transaction
from shared.db.outbox import Outbox
from shared.site import Site


def _nothing() -> None:
    """Wake nobody."""


class Desk:
    """Opens units of work on routing's database. One a process; thread-safe.

    `after_commit` wakes whoever has work from a change: the relay's event in a worker, or
    `Waker.wake` in web.
    """

    def __init__(
        self, pool: Pool, site: Site, after_commit: Callable[[], None] = _nothing
    ) -> None:
        """Read nothing yet."""
        self._pool = pool
        self._units = Units(site)
        self._after_commit = after_commit

    @contextmanager
    def change(self) -> Iterator[Work]:
        """Give a unit of work that commits at the end of the block; then wakes the relay."""
        with transaction(self._pool) as tx, self._units.within(tx, now(tx)) as work:
            yield work
        self._after_commit()

    @contextmanager
    def look(self) -> Iterator[Work]:
        """Give a unit of work that can change nothing: the database refuses it."""
        with transaction(self._pool) as tx:
            tx.execute("set transaction read only")
            with self._units.within(tx, now(tx)) as work:
                yield work

    @contextmanager
    def read(self) -> Iterator[tuple[PostgresQueries, datetime]]:
        """Give the queries of one transaction, and its time."""
        with transaction(self._pool) as tx:
            yield self._units.queries(tx), now(tx)

    def within(
        self, tx: Tx, moment: datetime, agency: str | None = None
    ) -> AbstractContextManager[Work]:
        """Give a unit of work inside a transaction that somebody else commits."""
        return self._units.within(tx, moment, agency)


class Units:
    """Makes units of work for a site, in transactions that somebody else commits."""

    def __init__(self, site: Site) -> None:
        """Read nothing yet."""
        self.site = site
        self._rules = rules_of(site)
        self._outbox = Outbox(f"/routing/{site.code}")
        self._directories = Directories(site.code)

    @contextmanager
    def within(self, tx: Tx, moment: datetime, agency: str | None = None) -> Iterator[Work]:
        """Give a unit of work; with `agency` only that agency's referrals are found."""
        store, work = self.open(tx, moment)
        store.agency = agency
        yield work
        store.flush()

    def open(self, tx: Tx, moment: datetime) -> tuple[PostgresStore, Work]:
        """Give a unit of work with its store, which the caller flushes."""
        store = PostgresStore(tx, self._outbox, self._directories, self.site.code, moment)
        return store, Work(store, moment, self._rules, uuid4, store.new_reference)

    def queries(self, tx: Tx) -> PostgresQueries:
        """Give the queries of one transaction."""
        return PostgresQueries(tx, self.site, self._directories)
