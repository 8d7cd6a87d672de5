"""Keys of people and drafts, wrapped by the agency's key, in a database of their own.

What is sealed lies elsewhere, so destroying a key here is erasure there, once the short-lived
backups of this database have expired (R-24).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from shared.crypto import KeyWrapper, decrypt, encrypt, new_data_key
from shared.db import Pool, transaction
from shared.errors import NotFound, TransientError


class Keys(Protocol):
    """The keys of owners: people and drafts."""

    def make(self, owner_id: UUID) -> bytes:
        """Return the key of a new owner, made."""

    def ensure(self, owner_id: UUID) -> bytes:
        """Return the owner's key, made if there is none."""

    def find(self, owner_ids: Sequence[UUID]) -> Mapping[UUID, bytes]:
        """Return the keys that are there."""

    def older_than(self, age: timedelta) -> Sequence[UUID]:
        """Return the owners whose keys are older than this."""

    def destroy(self, owner_ids: Sequence[UUID]) -> None:
        """Destroy keys; those that are gone already are no error."""


class PostgresKeys:
    """Keys in the table `data_key`; each call is one statement and commits by itself."""

    def __init__(self, pool: Pool, wrapper: KeyWrapper) -> None:
        """Use the database of keys and the agency's key."""
        self._pool = pool
        self._wrapper = wrapper

    def close(self) -> None:
        """Let the connections go."""
        self._pool.close()

    def make(self, owner_id: UUID) -> bytes:
        """Return the key of a new owner, made."""
        key = new_data_key()
        with transaction(self._pool) as tx:
            tx.execute(_MAKE, (owner_id, self._wrapper.key_id, self._wrapper.wrap(key)))
        return key

    def ensure(self, owner_id: UUID) -> bytes:
        """Return the owner's key, made if there is none."""
        wrapped = self._wrapper.wrap(new_data_key())
        with transaction(self._pool) as tx:
            values = (owner_id, self._wrapper.key_id, wrapped, owner_id)
            row = tx.execute(_ENSURE, values).fetchone()
        if row is None:
            raise TransientError("The key is being made by another request.")
        return self._wrapper.unwrap(bytes(row["wrapped"]))

    def find(self, owner_ids: Sequence[UUID]) -> Mapping[UUID, bytes]:
        """Return the keys that are there."""
        with transaction(self._pool) as tx:
            rows = tx.execute(
                "select owner_id, wrapped from data_key where owner_id = any(%s)",
                (list(owner_ids),),
            ).fetchall()
        return {row["owner_id"]: self._wrapper.unwrap(bytes(row["wrapped"])) for row in rows}

    def older_than(self, age: timedelta) -> Sequence[UUID]:
        """Return the owners whose keys are older than this."""
        with transaction(self._pool) as tx:
            rows = tx.execute(
                "select owner_id from data_key where created_at < now() - %s", (age,)
            ).fetchall()
        return [row["owner_id"] for row in rows]

    def destroy(self, owner_ids: Sequence[UUID]) -> None:
        """Destroy keys; those that are gone already are no error."""
        with transaction(self._pool) as tx:
            tx.execute("delete from data_key where owner_id = any(%s)", (list(owner_ids),))


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals fields under their owner's key, each bound to agency, owner and field.

    One serves one unit of work: it remembers the keys that it used. `made` are the owners whose
    first key it made.
    """

    keys: Keys
    agency: str
    made: list[UUID] = field(default_factory=list)
    _known: dict[UUID, bytes] = field(default_factory=dict)

    def begin(self, owner_id: UUID) -> None:
        """Make the key of a new owner."""
        self._known[owner_id] = self.keys.make(owner_id)
        self.made.append(owner_id)

    def close(self, owner_id: UUID, fields: Mapping[str, bytes]) -> dict[str, bytes]:
        """Seal fields under the owner's key, made if there is none."""
        if owner_id not in self._known:
            self._known[owner_id] = self.keys.ensure(owner_id)
        key = self._known[owner_id]
        return {
            name: encrypt(key, plain, key_name=str(owner_id), aad=self._place(owner_id, name))
            for name, plain in fields.items()
        }

    def open(self, owner_id: UUID, fields: Mapping[str, bytes]) -> dict[str, bytes]:
        """Open fields of one owner.

        Raises:
            NotFound: the key was destroyed, so nobody can read them any more.

        """
        key = self.keys.find([owner_id]).get(owner_id)
        if key is None:
            raise NotFound("This was erased.")
        return {
            name: decrypt(key, sealed, aad=self._place(owner_id, name))
            for name, sealed in fields.items()
        }

    def open_each(self, name: str, sealed: Mapping[UUID, bytes]) -> dict[UUID, bytes]:
        """Open one field of many owners; what has no key any more is left out."""
        keys = self.keys.find(list(sealed))
        return {
            owner_id: decrypt(keys[owner_id], value, aad=self._place(owner_id, name))
            for owner_id, value in sealed.items()
            if owner_id in keys
        }

    def _place(self, owner_id: UUID, name: str) -> bytes:
        return f"{self.agency}|{owner_id}|{name}".encode()


_MAKE = "insert into data_key (owner_id, wrapper, wrapped) values (%s, %s, %s)"
_ENSURE = """
with made as (
  insert into data_key (owner_id, wrapper, wrapped) values (%s, %s, %s)
  on conflict (owner_id) do nothing returning wrapped)
select wrapped from made union all select wrapped from data_key where owner_id = %s
"""
