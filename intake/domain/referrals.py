"""A referral as intake follows it: its status, offers and releases."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from intake.domain.facts import Facts
from intake.domain.releases import Release

SUBMITTED: Final = "submitted"
TO_MATCH: Final = "to-match"
WITHDRAWN: Final = "withdrawn"
CLOSED: Final = "closed"
ERASED: Final = "erased"
ENDED: Final = frozenset({WITHDRAWN, CLOSED, ERASED})
"""Statuses after which nothing more can be asked of the referral."""

ATTENTION: Final = ("overdue", "escalated", "needs-person", "needs-new-release")
"""Statuses that wait for the advocate; they come first in a list, in this order."""

MAY_SEE: Final = frozenset({"accepted", "contacted", "introduced-live", "service-started"})
"""States of an offer in which its partner may see what its release allows."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer as routing tells of it."""

    offer_id: UUID
    partner_id: UUID
    state: str
    reference: str = ""
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """One referral of the own agency. `due` is the clock that runs, if one does."""

    referral_id: UUID
    person_id: UUID
    reference: str
    status: str
    submitted_by: UUID
    submitted_at: datetime
    changed_at: datetime
    facts: Facts
    due: datetime | None = None
    releases: tuple[Release, ...] = ()
    offers: tuple[Offer, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether something can still be asked of it."""
        return self.status not in ENDED

    def release(self, release_id: UUID) -> Release | None:
        """Return one of its releases."""
        return next((r for r in self.releases if r.release_id == release_id), None)

    def live_release(self, partner_id: UUID, now: datetime) -> Release | None:
        """Return the release to a partner that holds at this moment."""
        found = (r for r in self.releases if r.partner_id == partner_id and r.is_live(now))
        return next(found, None)

    def taken(self, now: datetime) -> frozenset[UUID]:
        """Return the partners that cannot be chosen again: asked before, or released to now."""
        asked = {offer.partner_id for offer in self.offers}
        return frozenset(asked | {r.partner_id for r in self.releases if r.is_live(now)})


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a referral's timeline: codes only.

    `what` is what happened; `detail` a coded reason, kind, queue or outcome, or empty; `due` the
    clock that it started; `by` the own staff member who did it.
    """

    at: datetime
    what: str
    partner_id: UUID | None = None
    offer_id: UUID | None = None
    offer_reference: str = ""
    detail: str = ""
    due: datetime | None = None
    by: UUID | None = None


def first_note(referral: Referral) -> Note:
    """Return the line that a referral's timeline begins with."""
    return Note(referral.submitted_at, SUBMITTED, by=referral.submitted_by)


@dataclass(frozen=True, slots=True)
class News:
    """What routing tells of a referral. `what` is the event's verb, "offer-expired"."""

    referral_id: UUID
    what: str
    at: datetime
    offer_id: UUID | None = None
    partner_id: UUID | None = None
    offer_reference: str = ""
    detail: str = ""
    due: datetime | None = None


_STATUS: Final[Mapping[str, str]] = {
    "offered": "offered",
    "accepted": "accepted",
    "declined": TO_MATCH,
    "offer-expired": TO_MATCH,
    "cancelled": "cancelled",
    "contacted": "contacted",
    "service-started": "service-started",
    "closed": CLOSED,
    "ended": CLOSED,
}
_OVERDUE: Final = "first-contact-overdue"
_INTRODUCED: Final = "introduced-live"


def status_after(news: News) -> str:
    """Return the status that the news leads to."""
    if news.what in {"unmatched", "escalation-cleared"}:
        return news.detail
    if news.what == "escalated":
        return "overdue" if news.detail == _OVERDUE else "escalated"
    if news.detail == _INTRODUCED:
        return _INTRODUCED
    return _STATUS[news.what]


def offer_after(news: News, before: Offer | None) -> Offer | None:
    """Return the offer that the news is about as it now stands, or None if it is about none."""
    if news.offer_id is None or news.partner_id is None or news.what == "escalated":
        return None
    return Offer(
        offer_id=news.offer_id,
        partner_id=news.partner_id,
        state=news.detail if news.detail == _INTRODUCED else news.what,
        reference=news.offer_reference or (before.reference if before else ""),
        due=news.due,
    )
