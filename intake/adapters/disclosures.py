"""The right to see, tickets and the audit in PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from intake.adapters.store import release_of
from intake.application.ports import Disclosable, Read
from intake.domain.referrals import Offer
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class PostgresDisclosures:
    """Works in the transaction that it is given."""

    tx: Tx

    def use_ticket(self, ticket_id: str, now: datetime) -> bool:
        """Use up a ticket; False when it was used before."""
        used = self.tx.execute(
            "insert into ticket_used (ticket_id, used_at) values (%s, %s) on conflict do nothing",
            (ticket_id, now),
        )
        return used.rowcount > 0

    def offer_is_known(self, offer_id: UUID) -> bool:
        """Tell whether routing has told of the offer."""
        return self.tx.execute("select from offer where offer_id = %s", (offer_id,)).rowcount > 0

    def held(self, offer_id: UUID, organization_id: UUID) -> Disclosable | None:
        """Return the offer with the release to its organization, held until the end of the tx."""
        offer = self.tx.execute(_OFFER, (offer_id, organization_id)).fetchone()
        if offer is None:
            return None
        found = (offer["referral_id"], organization_id)
        release = self.tx.execute(_RELEASE, found).fetchone()
        if release is None:
            return None
        return Disclosable(
            referral_id=offer.pop("referral_id"),
            person_id=offer.pop("person_id"),
            status=offer.pop("status"),
            offer=Offer(**offer),
            release=release_of(release),
        )

    def log(self, read: Read) -> None:
        """Add to the audit."""
        values = (
            read.kind,
            read.reader,
            read.organization_id,
            list(read.referral_ids),
            read.release_id,
            read.offer_id,
            list(read.items),
        )
        self.tx.execute(_LOG, values)


_OFFER = """
select referral_id, person_id, status, offer_id, partner_id, state, o.reference, o.due
from offer o join referral using (referral_id) where offer_id = %s and partner_id = %s
"""
# A revocation takes these rows FOR UPDATE: it waits for this read, or this read sees it.
_RELEASE = """
select release_id, partner_id, rank, items, report_back, expires_at, purpose, revoked_at
from release where referral_id = %s and partner_id = %s
order by revoked_at is null desc, expires_at desc limit 1 for share
"""
_LOG = """
insert into disclosure_log (kind, reader, organization_id, referral_ids, release_id, offer_id,
  items)
values (%s, %s, %s, %s, %s, %s, %s)
"""
