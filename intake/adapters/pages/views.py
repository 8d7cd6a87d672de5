"""What the advocate sees of drafts and referrals: names instead of ids, clocks, states."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A draft that can be taken up again."""

    draft_id: UUID
    called: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the advocate's list. `due` is the clock that runs, if one does."""

    referral_id: UUID
    reference: str
    called: str
    status: str
    sent_at: datetime
    changed_at: datetime
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a timeline. `what` is a code; `detail` a coded reason or kind, or empty."""

    at: datetime
    what: str
    partner: str
    reference: str
    detail: str
    due: datetime | None


@dataclass(frozen=True, slots=True)
class SignedRelease:
    """A release as the advocate sees it; `state` is live, revoked or expired.

    `last_moment` lies on the last day that was signed: it ends with that day, at midnight.
    """

    release_id: UUID
    partner_id: str
    partner: str
    items: tuple[str, ...]
    report_back: tuple[str, ...]
    last_moment: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Overview:
    """One referral of the advocate's own agency."""

    referral_id: UUID
    reference: str
    called: str
    status: str
    urgency: str
    is_open: bool
    timeline: tuple[Happening, ...]
    releases: tuple[SignedRelease, ...]
