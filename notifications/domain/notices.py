"""Who is told what about a referral. A message says that something waits, never what (R-28)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class Owner(StrEnum):
    """Whose contact point it is."""

    PARTNER = "partner"
    MEMBER = "agency-member"
    AGENCY = "agency"
    HOST = "host"


class Template(StrEnum):
    """The four messages that exist."""

    OFFER_WAITING = "offer-waiting"
    OFFER_STOPPED = "offer-stopped"
    NEEDS_NEW_RELEASE = "needs-new-release"
    NEEDS_ATTENTION = "needs-attention"


UNHEARD_MATTERS: Final = frozenset(
    {Template.OFFER_WAITING, Template.OFFER_STOPPED, Template.NEEDS_NEW_RELEASE}
)
"""Messages whose failure is told, so that a person calls. A call for attention is the end of
that chain: were its failure told too, it would lead to the next one, without end."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to tell, and in which words."""

    owner: Owner
    owner_id: UUID
    template: Template


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: the first recipient that has an open contact point is told, alone.

    `answer_by` is what the message says; after `not_after` nothing is sent any more.
    """

    recipients: tuple[Recipient, ...]
    offer_id: UUID | None = None
    reference: str | None = None
    answer_by: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """The organizations of the site: its host, and each agency by its code."""

    host_id: UUID
    agencies: Mapping[str, UUID]

    def offer(
        self, partner_id: UUID, *, offer_id: UUID, reference: str, answer_by: datetime
    ) -> Notice:
        """Tell the partner that an offer waits; without a contact point of it, the host."""
        return Notice(
            (Recipient(Owner.PARTNER, partner_id, Template.OFFER_WAITING), self._host()),
            offer_id=offer_id,
            reference=reference,
            answer_by=answer_by,
            not_after=answer_by,
        )

    def stop(
        self, partner_id: UUID, *, offer_id: UUID, reference: str, confirm_by: datetime | None
    ) -> Notice:
        """Tell the partner to stop, however late: a stop has no end after which it is useless."""
        return Notice(
            (Recipient(Owner.PARTNER, partner_id, Template.OFFER_STOPPED), self._host()),
            offer_id=offer_id,
            reference=reference,
            answer_by=confirm_by,
        )

    def new_release(self, agency: str, member_id: UUID) -> Notice:
        """Tell the advocate that nobody is left to offer to."""
        return Notice(self._advocate(agency, member_id, Template.NEEDS_NEW_RELEASE))

    def attention(
        self, agency: str, member_id: UUID, *, offer_id: UUID | None, reference: str | None
    ) -> tuple[Notice, Notice]:
        """Tell the advocate and the host that a person has to look.

        The offer's reference goes to the host only: the advocate's referral has its own.
        """
        return (
            Notice(
                self._advocate(agency, member_id, Template.NEEDS_ATTENTION)[:-1], offer_id=offer_id
            ),
            self.host(offer_id=offer_id, reference=reference),
        )

    def host(self, *, offer_id: UUID | None = None, reference: str | None = None) -> Notice:
        """Tell the host that a person has to look."""
        return Notice((self._host(),), offer_id=offer_id, reference=reference)

    def _host(self) -> Recipient:
        return Recipient(Owner.HOST, self.host_id, Template.NEEDS_ATTENTION)

    def _advocate(self, agency: str, member_id: UUID, template: Template) -> tuple[Recipient, ...]:
        member = Recipient(Owner.MEMBER, member_id, template)
        known = self.agencies.get(agency)
        office = () if known is None else (Recipient(Owner.AGENCY, known, template),)
        return (member, *office, self._host())
