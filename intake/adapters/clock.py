"""What time brings about: drafts end, used tickets are forgotten, keys that must go are gone."""

from datetime import timedelta
from time import monotonic
from typing import Final

from intake.adapters.drafts import PostgresDrafts
from intake.adapters.keys import Keys, Seal
from intake.adapters.people import PostgresPeople
from shared.db import AWAY, Pool, now, transaction
from shared.db.writes import Writes
from shared.log import get_logger

_SWEEP_SECONDS: Final = 3600.0
_SAFE_AGE: Final = timedelta(days=1)
"""No request takes so long: a key of this age whose owner is not here will never have one."""

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
        self._sweep_at = 0.0

    def step(self) -> bool:
        """Do what is due."""
        try:
            self._end_drafts()
            self._destroy_keys()
            self._forget_tickets()
            self._sweep_keys()
        except AWAY as failure:
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

    def _sweep_keys(self) -> None:
        """Destroy keys that belong to nobody: a process ended between making one and committing.

        When most keys belong to nobody, the agency's database is the one that is wrong, such as
        one that is still to be restored, and every key stays.
        """
        if monotonic() < self._sweep_at:
            return
        self._sweep_at = monotonic() + _SWEEP_SECONDS
        old = self._keys.older_than(_SAFE_AGE)
        with transaction(self._pool) as tx:
            rows = tx.execute(_OWNERLESS, (list(old),)).fetchall()
        ownerless = [row["owner_id"] for row in rows]
        if 2 * len(ownerless) > len(old):
            _log.error("keys-without-owners", keys=len(old), ownerless=len(ownerless))
        elif ownerless:
            self._keys.destroy(ownerless)


_OWNERLESS: Final = """
select owner_id from unnest(%s::uuid[]) as key (owner_id)
where not exists (select from person where person_id = owner_id)
  and not exists (select from draft where draft_id = owner_id)
"""
