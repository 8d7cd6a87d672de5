"""Public records of partners in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from intake.adapters import documents
from intake.domain.partners import Partner
from shared.db import Tx


@dataclass(slots=True)
class PostgresPartners:
    """Works in the transaction that it is given; reads the directory once."""

    tx: Tx
    _known: Mapping[UUID, Partner] | None = None

    def all(self) -> Mapping[UUID, Partner]:
        """Return the partners that are not withdrawn, by id."""
        if self._known is None:
            rows = self.tx.execute("select record from partner where record is not null")
            found = (documents.partner(row["record"]) for row in rows)
            self._known = {partner.partner_id: partner for partner in found}
        return self._known

    def put(self, partner: Partner, sequence: int) -> None:
        """Store a record, unless a later one is there."""
        self._write(partner.partner_id, sequence, documents.dump(partner).decode())

    def withdraw(self, partner_id: UUID, sequence: int) -> None:
        """Remove a record, unless a later one is there."""
        self._write(partner_id, sequence, None)

    def _write(self, partner_id: UUID, sequence: int, record: str | None) -> None:
        self._known = None
        self.tx.execute(_PUT, (partner_id, sequence, record))


_PUT = """
insert into partner (partner_id, sequence, record) values (%s, %s, %s)
on conflict (partner_id) do update set sequence = excluded.sequence, record = excluded.record
where partner.sequence < excluded.sequence
"""
