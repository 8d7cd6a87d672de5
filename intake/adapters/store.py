"""Referrals in PostgreSQL, in the transaction that is given."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from intake.adapters import documents
from intake.domain.happenings import (
    Erased,
    Happening,
    ReleaseRevoked,
    ReleaseSigned,
    Submitted,
    Withdrawn,
)
from intake.domain.references import new_reference
from intake.domain.referrals import ATTENTION, Note, Offer, Referral
from intake.domain.releases import Release
from shared.contracts.codes import URGENCIES
from shared.db import Tx
from shared.db.outbox import INSERT, Outbox
from shared.db.writes import Writes
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class PostgresReferrals:
    """Works in the transaction that it is given; tells routing through the outbox.

    `told` are the referrals of which something was told, `free` is a reference that is known to
    be free.
    """

    tx: Tx
    writes: Writes
    outbox: Outbox
    site: str
    agency: str
    told: list[UUID] = field(default_factory=list)
    free: str | None = None

    def claim(self, token: UUID, referral_id: UUID) -> UUID | None:
        """Claim a token; a second claim waits here for the first one's transaction."""
        claimed = self.tx.execute(
            "insert into submission (token, referral_id) values (%s, %s)"
            " on conflict (token) do nothing",
            (token, referral_id),
        )
        return None if claimed.rowcount else self.claimed(token)

    def claimed(self, token: UUID) -> UUID | None:
        """Return the referral that a token was claimed for."""
        row = self.tx.execute(
            "select referral_id from submission where token = %s", (token,)
        ).fetchone()
        return row["referral_id"] if row else None

    def free_reference(self) -> str:
        """Return a reference that no referral has."""
        reference = self.free
        while reference is None:
            tried = {"reference": new_reference(secrets.choice)}
            if not self.tx.execute(TAKEN, tried).rowcount:
                reference = tried["reference"]
        return reference

    def add(self, referral: Referral, told: Submitted) -> None:
        """Store a new referral with its releases and tell routing: the first of its events."""
        row = [getattr(referral, name) for name in _COLUMNS]
        self.writes.add(_ADD, [*row, documents.dump(referral.facts).decode()])
        for release in referral.releases:
            self.add_release(referral.referral_id, release)
        self._tell(referral.referral_id, told, sequence=1)

    def get(self, referral_id: UUID) -> Referral:
        """Return one referral whole."""
        return self._read(_GET, referral_id)

    def lock(self, referral_id: UUID) -> Referral:
        """Lock a referral and return it whole.

        Not FOR UPDATE: that would make rows which only refer to it wait as well.
        """
        return self._read(_LOCK, referral_id)

    def of_same_person(self, named: str) -> Sequence[Referral]:
        """Return all referrals of a person, the oldest first."""
        rows = self.tx.execute(_OF_SAME_PERSON, {"named": named}).fetchall()
        return [self.get(row["referral_id"]) for row in rows]

    def listed(self, limit: int, after: int) -> Sequence[Referral]:
        """Return referrals, the most pressing first."""
        wanted = {"limit": limit, "after": after, "upto": after + limit, **_PRESSING}
        return [referral_of(row) for row in self.tx.execute(_LISTED, wanted)]

    def set_status(
        self, referral_id: UUID, status: str, due: datetime | None, at: datetime
    ) -> None:
        """Store where a locked referral stands."""
        self.tx.execute(
            "update referral set status = %s, due = %s, changed_at = greatest(changed_at, %s)"
            " where referral_id = %s",
            (status, due, at, referral_id),
        )

    def add_release(self, referral_id: UUID, release: Release) -> None:
        """Store one more release."""
        values = (
            release.release_id,
            referral_id,
            release.partner_id,
            release.rank,
            list(release.items),
            list(release.report_back),
            release.purpose,
            release.expires_at,
        )
        self.writes.add(_ADD_RELEASE, values)

    def revoke(self, release_ids: Sequence[UUID], at: datetime, how: str, by: UUID) -> None:
        """Take releases back: the rows are locked in their order, so that a read is waited for."""
        self.tx.execute(
            "select from release where release_id = any(%s) order by release_id for update",
            (list(release_ids),),
        )
        self.tx.execute(
            "update release set revoked_at = %s, revoked_how = %s, revoked_by = %s"
            " where release_id = any(%s) and revoked_at is null",
            (at, how, by, list(release_ids)),
        )

    def note(self, referral_id: UUID, note: Note) -> None:
        """Add to a referral's timeline."""
        values = (getattr(note, name) for name in OF_NOTE)
        self.writes.add(NOTE, (referral_id, *values))

    def timeline(self, referral_id: UUID) -> Sequence[Note]:
        """Return a referral's timeline, the oldest first."""
        return [Note(**row) for row in self.tx.execute(_TIMELINE, (referral_id,))]

    def publish(self, referral_id: UUID, happening: Happening) -> None:
        """Tell routing, with the next sequence of the locked referral."""
        row = self.tx.execute(
            "update referral set sequence = sequence + 1 where referral_id = %s"
            " returning sequence",
            (referral_id,),
        ).fetchone()
        if row is None:
            raise NotFound("There is no such referral.")
        self._tell(referral_id, happening, sequence=row["sequence"])

    def count_information_sheet(self, reason: str, by: UUID) -> None:
        """Note that somebody was given an information sheet."""
        self.tx.execute(
            "insert into information_sheet (reason, member_id) values (%s, %s)", (reason, by)
        )

    def _tell(self, referral_id: UUID, happening: Happening, *, sequence: int) -> None:
        event = self.outbox.row(
            type=TYPES[type(happening)],
            agency=self.agency,
            key=referral_id,
            sequence=sequence,
            data={"referral_id": referral_id, **self._data(happening)},
        )
        self.writes.add(INSERT, event)
        self.told.append(referral_id)

    def _read(self, statement: str, referral_id: UUID) -> Referral:
        row = self.tx.execute(statement, (referral_id,)).fetchone()
        if row is None:
            raise NotFound("There is no such referral.")
        releases = self.tx.execute(_RELEASES, (referral_id,)).fetchall()
        offers = self.tx.execute(_OFFERS, (referral_id,)).fetchall()
        return referral_of(row, releases, offers)

    def _data(self, happening: Happening) -> dict[str, Any]:
        if isinstance(happening, Submitted):
            about = {"site": self.site, "agency": self.agency}
            return {**documents.parts(happening), **about}
        return documents.parts(happening)


TYPES: Final[Mapping[type[Happening], str]] = {
    Submitted: "intake.referral.submitted.v1",
    ReleaseSigned: "intake.referral.release-signed.v1",
    ReleaseRevoked: "intake.referral.release-revoked.v1",
    Withdrawn: "intake.referral.withdrawn.v1",
    Erased: "intake.referral.erased.v1",
}


def referral_of(
    row: Mapping[str, Any],
    releases: Sequence[Mapping[str, Any]] = (),
    offers: Sequence[Mapping[str, Any]] = (),
) -> Referral:
    """Return the referral of its row and those of its releases and offers."""
    return Referral(
        **{name: row[name] for name in _COLUMNS},
        facts=documents.facts(row["facts"]),
        releases=tuple(release_of(found) for found in releases),
        offers=tuple(Offer(**found) for found in offers),
    )


def release_of(row: Mapping[str, Any]) -> Release:
    """Return the release of a row that has its columns."""
    return Release(
        **{
            **row,
            "items": tuple(row["items"]),
            "report_back": tuple(row["report_back"]),
        }
    )


_COLUMNS: Final = (
    "referral_id",
    "person_id",
    "reference",
    "status",
    "due",
    "submitted_by",
    "submitted_at",
    "changed_at",
)
OF_NOTE: Final = (
    "at",
    "what",
    "partner_id",
    "offer_id",
    "offer_reference",
    "detail",
    "due",
    "by",
)
TAKEN: Final = "select from referral where reference = %(reference)s"
_ADD: Final = """
insert into referral (referral_id, person_id, reference, status, due, submitted_by,
  submitted_at, changed_at, facts, sequence)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 1)
"""
_GET: Final = "select * from referral where referral_id = %s"
_PRESSING: Final = {"attention": list(ATTENTION), "urgencies": list(URGENCIES)}
# Nearly all have ended: no more of these are read than a page may need.
_LISTED: Final = """
with open as (
  select *, array_position(%(attention)s, status) as waits,
    array_position(%(urgencies)s, facts ->> 'urgency') as urgency
  from referral where status not in ('closed', 'erased', 'withdrawn')
), ended as (
  select *, null::int as waits, null::int as urgency
  from referral where status in ('closed', 'withdrawn')
  order by changed_at desc, referral_id limit %(upto)s
)
select * from (select *, false as is_over from open union all select *, true from ended) listed
order by is_over, waits, urgency, changed_at desc, referral_id limit %(limit)s offset %(after)s
"""
_OF_SAME_PERSON: Final = """
select other.referral_id from referral named join referral other using (person_id)
where named.reference = %(named)s or named.referral_id::text = %(named)s
order by other.submitted_at, other.referral_id
"""
_LOCK: Final = "select * from referral where referral_id = %s for no key update"
_RELEASES: Final = """
select release_id, partner_id, rank, items, report_back, expires_at, purpose, revoked_at
from release where referral_id = %s order by rank
"""
_OFFERS: Final = """
select offer_id, partner_id, state, reference, due from offer
where referral_id = %s order by changed_at, offer_id
"""
_ADD_RELEASE: Final = """
insert into release (release_id, referral_id, partner_id, rank, items, report_back, purpose,
  expires_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)
"""
NOTE: Final = """
insert into referral_event (referral_id, at, what, partner_id, offer_id, offer_reference, detail,
  due, by_member)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_TIMELINE: Final = """
select at, what, partner_id, offer_id, offer_reference, detail, due, by_member as "by"
from referral_event where referral_id = %s order by line
"""
