"""What a batch of routing's events is about: read at once, written at once."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from intake.adapters.partners import PostgresPartners
from intake.adapters.store import NOTE, OF_NOTE, referral_of
from intake.domain.referrals import Note, Offer, Referral
from shared.db import Tx, together
from shared.db.pending import Pending
from shared.errors import NotFound


@dataclass(slots=True)
class FollowedReferrals:
    """Locks and keeps the referrals it is told of; `flush` writes what became of them."""

    tx: Tx
    _known: dict[UUID, Referral] = field(default_factory=dict)
    _offers: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    _moved: dict[UUID, Referral] = field(default_factory=dict)
    _notes: list[tuple[Any, ...]] = field(default_factory=list)

    def load(self, referral_ids: Iterable[UUID]) -> None:
        """Lock referrals in the order of their ids, and read them; an unknown one is passed over.

        Not FOR UPDATE: that would make rows which only refer to them wait as well.
        """
        wanted = {"ids": list(referral_ids)}
        with together(self.tx):
            rows = self.tx.execute(_LOCK, wanted)
            releases = self.tx.execute(_RELEASES, wanted)
            offers = self.tx.execute(_OFFERS, wanted)
        of_releases, of_offers = _by_referral(releases), _by_referral(offers)
        for row in rows:
            key = row["referral_id"]
            found = referral_of(row, of_releases.get(key, ()), of_offers.get(key, ()))
            self._known[key] = found

    def lock(self, referral_id: UUID) -> Referral:
        """Return a referral whole, as it stands after what was written here."""
        if referral_id not in self._known:
            self.load([referral_id])
        if referral_id not in self._known:
            raise NotFound("There is no such referral.")
        return self._known[referral_id]

    def set_status(
        self, referral_id: UUID, status: str, due: datetime | None, at: datetime
    ) -> None:
        """Keep where a locked referral stands."""
        found = self._known[referral_id]
        changed_at = max(found.changed_at, at)
        moved = replace(found, status=status, due=due, changed_at=changed_at)
        self._known[referral_id] = self._moved[referral_id] = moved

    def put_offer(self, referral_id: UUID, offer: Offer) -> None:
        """Keep a new offer or an offer's new state."""
        found = self._known[referral_id]
        others = tuple(o for o in found.offers if o.offer_id != offer.offer_id)
        self._known[referral_id] = replace(found, offers=(*others, offer))
        self._offers[offer.offer_id] = {**asdict(offer), "referral_id": referral_id}

    def note(self, referral_id: UUID, note: Note) -> None:
        """Keep a line of a referral's timeline."""
        values = (getattr(note, name) for name in OF_NOTE)
        self._notes.append((referral_id, *values))

    def flush(self) -> None:
        """Write what is kept, in one round trip."""
        writes = Pending(self.tx)
        for offer in self._offers.values():
            writes.add(_PUT_OFFER, offer)
        for moved in self._moved.values():
            writes.add(_SET_STATUS, (moved.status, moved.due, moved.changed_at, moved.referral_id))
        for note in self._notes:
            writes.add(NOTE, note)
        for kept in (self._offers, self._moved, self._notes):
            kept.clear()
        writes.send()


@dataclass(frozen=True, slots=True)
class PostgresFollowing:
    """Implements intake.application.ports.Following; `flush` before the commit."""

    referrals: FollowedReferrals
    partners: PostgresPartners

    def flush(self) -> None:
        """Write what is kept."""
        self.referrals.flush()


def following(tx: Tx, referral_ids: Iterable[UUID] = ()) -> PostgresFollowing:
    """Open a unit of work in a transaction that somebody else commits."""
    referrals = FollowedReferrals(tx)
    if wanted := list(referral_ids):
        referrals.load(wanted)
    return PostgresFollowing(referrals, PostgresPartners(tx))


def _by_referral(rows: Iterable[dict[str, Any]]) -> Mapping[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop("referral_id"), []).append(row)
    return found


_LOCK: Final = """
select * from referral where referral_id = any(%(ids)s) order by referral_id for no key update
"""
_RELEASES: Final = """
select referral_id, release_id, partner_id, rank, items, report_back, expires_at, purpose,
  revoked_at
from release where referral_id = any(%(ids)s) order by rank
"""
_OFFERS: Final = """
select referral_id, offer_id, partner_id, state, reference, due from offer
where referral_id = any(%(ids)s) order by changed_at, offer_id
"""
_PUT_OFFER: Final = """
insert into offer (offer_id, referral_id, partner_id, state, reference, due)
values (%(offer_id)s, %(referral_id)s, %(partner_id)s, %(state)s, %(reference)s, %(due)s)
on conflict (offer_id) do update set state = excluded.state, reference = excluded.reference,
  due = excluded.due, changed_at = now()
"""
_SET_STATUS: Final = """
update referral set status = %s, due = %s, changed_at = %s where referral_id = %s
"""
