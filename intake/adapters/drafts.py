"""Unfinished forms in PostgreSQL, each sealed under a key of its own."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from intake.adapters.keys import Seal
from intake.application.commands import Draft
from shared.db import Tx

_CONTENT = "draft"


@dataclass(frozen=True, slots=True)
class PostgresDrafts:
    """Works in the transaction that it is given; `removed` are drafts whose key has to go."""

    tx: Tx
    seal: Seal
    removed: list[UUID] = field(default_factory=list)

    def put(self, draft: Draft) -> None:
        """Store a draft; a new one gets a new key."""
        sealed = self.seal.close(draft.draft_id, {_CONTENT: draft.content})
        self.tx.execute(
            _PUT,
            (
                draft.draft_id,
                draft.member_id,
                sealed[_CONTENT],
                draft.saved_at,
                draft.expires_at,
            ),
        )

    def get(self, draft_id: UUID) -> Draft | None:
        """Return a draft, or None."""
        return next(iter(self._opened("draft_id", draft_id)), None)

    def of(self, member_id: UUID) -> Sequence[Draft]:
        """Return a member's drafts, the latest saved first."""
        return self._opened("member_id", member_id)

    def set_resume_code(self, draft_id: UUID, code: str) -> None:
        """Keep the hash of a code that opens the draft."""
        self.tx.execute(
            "update draft set resume_hash = %s where draft_id = %s", (_hash(code), draft_id)
        )

    def take_over(self, code: str, member_id: UUID) -> UUID | None:
        """Give the draft that a code opens to a member; the code opens nothing after that."""
        row = self.tx.execute(_TAKE_OVER, (member_id, _hash(code))).fetchone()
        return row["draft_id"] if row else None

    def remove(self, draft_id: UUID) -> None:
        """End a draft: nothing of it opens any more; its key goes when the unit of work is done.

        An empty row stays until the clock has seen to the key: a process may end before that.
        """
        self.tx.execute(_END, (draft_id,))
        self.removed.append(draft_id)

    def forget(self, draft_id: UUID) -> None:
        """Remove the row of a draft whose key is gone."""
        self.tx.execute("delete from draft where draft_id = %s", (draft_id,))

    def expired(self, now: datetime) -> Sequence[UUID]:
        """Return drafts whose time is over."""
        rows = self.tx.execute("select draft_id from draft where expires_at <= %s", (now,))
        return [row["draft_id"] for row in rows]

    def _opened(self, column: str, value: UUID) -> list[Draft]:
        rows = self.tx.execute(_BY[column], (value,)).fetchall()
        contents = self.seal.open_each(
            _CONTENT, {row["draft_id"]: bytes(row["content"]) for row in rows}
        )
        return [_draft(row, contents) for row in rows if row["draft_id"] in contents]


def _draft(row: Mapping[str, Any], contents: Mapping[UUID, bytes]) -> Draft:
    return Draft(**{**row, "content": contents[row["draft_id"]]})


def _hash(code: str) -> bytes:
    return hashlib.sha256(b"resume:" + code.encode()).digest()


_SELECT = "select draft_id, member_id, content, saved_at, expires_at from draft"
_BY = {
    "draft_id": f"{_SELECT} where draft_id = %s and content <> ''",
    "member_id": f"{_SELECT} where member_id = %s and content <> '' order by saved_at desc",
}
_PUT = """
insert into draft (draft_id, member_id, content, saved_at, expires_at)
values (%s, %s, %s, %s, %s)
on conflict (draft_id) do update set content = excluded.content, saved_at = excluded.saved_at
where draft.content <> ''
"""
_END = """
update draft set content = '', resume_hash = null, expires_at = now() where draft_id = %s
"""
_TAKE_OVER = """
update draft set member_id = %s, resume_hash = null where resume_hash = %s and expires_at > now()
returning draft_id
"""
