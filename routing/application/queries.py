"""What pages read; adapters/queries.py answers from PostgreSQL."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from routing.application.views import (
    InboxItem,
    OfferDetail,
    QueueCount,
    QueueRow,
    ReferralPage,
    ServiceRow,
)


class Queries(Protocol):
    """Reads of one transaction; `now` is its database time."""

    def inbox(self, partner_id: UUID, now: datetime, *, closed: bool = False) -> list[InboxItem]:
        """Return a partner's offers: open ones by their clock, or with `closed` the ended ones."""
        ...

    def offer(self, reference: str, partner_id: UUID, now: datetime) -> OfferDetail:
        """Return one offer of that partner.

        Raises:
            NotFound: no such offer, or another partner's.

        """
        ...

    def queue_counts(self, now: datetime) -> list[QueueCount]:
        """Return every queue of QUEUES in order, empty ones too."""
        ...

    def queue_rows(
        self, now: datetime, *, queue: str | None = None, reference: str = "", limit: int = 200
    ) -> list[QueueRow]:
        """Return the referrals of one queue (None: all that are not finished), overdue first.

        `reference` narrows to references (of the referral or one of its offers) that contain it.
        """
        ...

    def referral(self, referral_id: UUID, now: datetime) -> ReferralPage:
        """Return one referral of this site with its decisions explained.

        Raises:
            NotFound: no such referral, or it was erased.

        """
        ...

    def services(self) -> list[ServiceRow]:
        """Return every service of the active directory with its places."""
        ...
