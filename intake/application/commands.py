"""What an advocate or the agency's own system asks for. Texts in them are a person's own."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from intake.domain.people import Story
from intake.domain.referrals import Referral
from intake.domain.releases import ReleaseRequest


@dataclass(frozen=True, slots=True)
class SubmitReferral:
    """Refer a person. The same `token` sent again makes nothing new.

    A caller that sees to this by itself has no token. `by` is the staff member; `person_id` is
    set for one more referral of a person known already.
    """

    token: UUID | None
    by: UUID
    story: Story
    releases: tuple[ReleaseRequest, ...]
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SubmittedReferral:
    """What became of it; `is_new` is False for a form that was sent again."""

    referral: Referral
    is_new: bool

    @property
    def referral_id(self) -> UUID:
        """The referral's id."""
        return self.referral.referral_id


@dataclass(frozen=True, slots=True)
class AddRelease:
    """Sign releases to more partners for a referral that was sent (at most three at once)."""

    token: UUID
    by: UUID
    referral_id: UUID
    releases: tuple[ReleaseRequest, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that is not finished. `content` is what the form keeps: sealed wherever it rests."""

    draft_id: UUID
    member_id: UUID
    content: bytes = field(repr=False)
    saved_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What a ticket of routing opened for one signed-in person: one offer of one organization.

    `opened_at` is when routing vouched that the person is staff of the organization.
    """

    offer_id: UUID
    organization_id: UUID
    issuer: str
    subject: str
    opened_at: datetime
