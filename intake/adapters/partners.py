"""Public records of partners in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from intake.adapters import documents
from intake.domain.partners import Partner
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class _Edition:
    version: int | None = None
    partners: Mapping[UUID, Partner] = field(default_factory=dict)


@dataclass(slots=True)
class Directory:
    """The directory as it was last read; a process keeps one for all its transactions.

    What is kept is replaced whole, so that threads need no lock.
    """

    newest: _Edition = field(default_factory=_Edition)


@dataclass(slots=True)
class PostgresPartners:
    """Works in the transaction that it is given; `version` is what VERSION gave in it, if known.

    Each transaction asks whether the directory is still the one that was kept, so that a partner
    whose ties changed a moment ago is not taken for what it was.
    """

    tx: Tx
    kept: Directory = field(default_factory=Directory)
    version: int | None = None
    _known: Mapping[UUID, Partner] | None = None

    def all(self) -> Mapping[UUID, Partner]:
        """Return the partners that are not withdrawn, by id."""
        if self._known is None:
            self._known = self._current()
        return self._known

    def put(self, partner: Partner, sequence: int) -> None:
        """Store a record, unless a later one is there."""
        self._write(partner.partner_id, sequence, documents.dump(partner).decode())

    def withdraw(self, partner_id: UUID, sequence: int) -> None:
        """Remove a record, unless a later one is there."""
        self._write(partner_id, sequence, None)

    def _current(self) -> Mapping[UUID, Partner]:
        version, newest = self.version or self._version(), self.kept.newest
        if version == newest.version:
            return newest.partners
        rows = self.tx.execute("select record from partner where record is not null")
        found = (documents.partner(row["record"]) for row in rows)
        partners = {partner.partner_id: partner for partner in found}
        self.kept.newest = _Edition(version, partners)
        return partners

    def _version(self) -> int | None:
        row = self.tx.execute(VERSION).fetchone()
        return row["version"] if row else None

    def _write(self, partner_id: UUID, sequence: int, record: str | None) -> None:
        self._known = self.version = None
        self.tx.execute(_PUT, (partner_id, sequence, record))


# A record is known by its id and sequence, so the directory by the hashes of all of them.
VERSION = "select bit_xor(uuid_hash_extended(partner_id, sequence)) as version from partner"
_PUT = """
insert into partner (partner_id, sequence, record) values (%s, %s, %s)
on conflict (partner_id) do update set sequence = excluded.sequence, record = excluded.record
where partner.sequence < excluded.sequence
"""
