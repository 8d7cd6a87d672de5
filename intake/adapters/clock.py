"""What time brings about: drafts end, used tickets are forgotten, keys that must go are gone."""

import psycopg
from psycopg_pool import PoolTimeout

from intake.adapters.drafts import PostgresDrafts
from intake.adapters.keys import Keys, Seal
from intake.adapters.people import PostgresPeople
from shared.db import Pool, now, transaction
from shared.db.writes import Writes
from shared.log import get_logger

_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_log = get_logger(__name__)


class Clock:
    """Runs every few seconds in the worker.

    A key goes before the row that it opens is forgotten, so that a crash leaves work, not data.
    The first step destroys the keys of everybody who was ever erased once more: the database of
    keys may have been restored from a backup.
    """

    def __init__(self, pool: Pool, keys: Keys, agency: str) -> None:
        """Work in the agency's database and on its keys."""
        self._pool = pool
        self._keys = keys
        self._seal = Seal(keys, agency)
        self._has_replayed = False

    def step(self) -> bool:
        """Do what is due."""
        try:
            self._end_drafts()
            self._destroy_keys()
            self._forget_tickets()
        except _AWAY as failure:
            _log.warning("clock-waits", exc_info=failure)
        return False

    def _end_drafts(self) -> None:
        with transaction(self._pool) as tx:
            drafts = PostgresDrafts(tx, self._seal)
            over = drafts.expired(now(tx))
            if over:
                self._keys.destroy(over)
            for draft_id in over:
                drafts.forget(draft_id)

    def _destroy_keys(self) -> None:
        with transaction(self._pool) as tx:
            people = PostgresPeople(tx, Writes(tx), self._seal)
            waiting = people.keys_to_destroy(again=not self._has_replayed)
            if waiting:
                self._keys.destroy(waiting)
            for person_id in waiting:
                people.key_destroyed(person_id)
        self._has_replayed = True

    def _forget_tickets(self) -> None:
        with transaction(self._pool) as tx:
            tx.execute("delete from ticket_used where used_at < now() - interval '1 day'")
