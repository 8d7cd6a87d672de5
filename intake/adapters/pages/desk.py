"""What the pages need of intake: one object that the composition root hands over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from intake.adapters.pages.answers import Answers
from intake.adapters.pages.journey import Form
from intake.application.ports import Fit
from intake.domain.partners import Partner
from shared.db.members import Member


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
    """A release as the advocate sees it; `state` is live, revoked or expired."""

    release_id: UUID
    partner_id: str
    partner: str
    items: tuple[str, ...]
    report_back: tuple[str, ...]
    expires_at: datetime
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


@dataclass(frozen=True, slots=True)
class Way:
    """One safe way of contact, with its rules (R-27)."""

    channel: str
    value: str
    leave_message: bool
    name_agency: bool
    times: str
    who_may_answer: str
    ask_for: str


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a partner may see once it accepted: the route and its rules, then the details."""

    offer_reference: str
    route: str
    called: str
    code_word: str
    ways: tuple[Way, ...]
    needs: tuple[str, ...]
    release_until: datetime
    read_at: datetime
    is_part_2: bool


class Desk(Protocol):
    """Intake's verbs as the pages use them; a member sees the own agency's people only."""

    def partners(self) -> Mapping[str, Partner]:
        """Return every partner that may receive a referral, by id."""

    def barred(self, form: Form) -> frozenset[str]:
        """Return the partners that the person's answers rule out."""

    def preview(self, form: Form) -> Sequence[Fit] | None:
        """Ask routing who fits, with facts only; None when there is no answer in time."""

    def start(self, member: Member, answers: Answers) -> UUID:
        """Keep a new draft and return its id."""

    def draft(self, member: Member, draft_id: UUID) -> Answers:
        """Return a draft (NotFound when it is not there or not the member's)."""

    def save(self, member: Member, draft_id: UUID, answers: Answers) -> None:
        """Keep what was typed so far, sealed."""

    def pause(self, member: Member, draft_id: UUID) -> str:
        """Return the code by which the draft can be taken up again (R-29)."""

    def resume(self, member: Member, code: str) -> UUID:
        """Return the draft that a code opens (NotFound when it opens none)."""

    def discard(self, member: Member, draft_id: UUID) -> None:
        """Destroy a draft and its key."""

    def unfinished(self, member: Member) -> Sequence[Unfinished]:
        """Return the member's drafts, the latest first."""

    def send(self, member: Member, draft_id: UUID, form: Form) -> UUID:
        """Submit the referral, or the new release; the draft's id makes it happen once."""

    def sent(self, member: Member, draft_id: UUID) -> UUID | None:
        """Return the referral that the draft became, or None."""

    def referrals(self, member: Member) -> Sequence[Listed]:
        """Return the referrals of the member's agency, what waits for the advocate first."""

    def referral(self, member: Member, referral_id: UUID) -> Overview:
        """Return one referral with its timeline and releases."""

    def revoke(self, member: Member, referral_id: UUID, release_id: UUID) -> None:
        """Take a release back, at once (R-15)."""

    def withdraw(self, member: Member, referral_id: UUID) -> None:
        """Take the whole referral back."""

    def continued(self, member: Member, referral_id: UUID, *, same_referral: bool) -> Answers:
        """Return answers to start from: one more referral, or one more release."""
