"""What the verbs of intake need of the world, by role; each port works in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from intake.application.commands import Draft
from intake.domain.facts import Facts
from intake.domain.happenings import Happening, Submitted
from intake.domain.partners import Partner
from intake.domain.people import Encounter, Person, SafeContact, Story, Wishes
from intake.domain.referrals import Note, Offer, Referral
from intake.domain.releases import Release, Signature
from intake.domain.rules import Rules


class Partners(Protocol):
    """The public records of partners, of every site that routing tells of."""

    def all(self) -> Mapping[UUID, Partner]:
        """Return the partners that are not withdrawn, by id."""

    def put(self, partner: Partner, sequence: int) -> None:
        """Store a record, unless a later one is there."""

    def withdraw(self, partner_id: UUID, sequence: int) -> None:
        """Remove a record, unless a later one is there."""


class People(Protocol):
    """Identity, sealed under a key for each person."""

    def add(self, person_id: UUID, person: Person, contact: SafeContact) -> None:
        """Store a new person with a new key."""

    def change(self, person_id: UUID, person: Person, contact: SafeContact) -> None:
        """Store a known person's newest answers.

        Raises:
            NotFound: no such person, or the person was erased.

        """

    def put_story(
        self, referral_id: UUID, person_id: UUID, encounter: Encounter, wishes: Wishes
    ) -> None:
        """Store what happened and what would help, for one referral."""

    def put_signature(
        self, release_id: UUID, person_id: UUID, signature: Signature, statement: str
    ) -> None:
        """Store how a release was signed."""

    def story(self, referral_id: UUID, person_id: UUID) -> Story:
        """Return all that was asked for a referral.

        Raises:
            NotFound: the person was erased.

        """

    def pseudonyms(self, person_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Return what these people are called; erased ones are left out."""

    def erase(self, person_id: UUID) -> Sequence[UUID]:
        """Mark a person as erased, remove what is sealed, and return the referrals' ids.

        Raises:
            NotFound: no such person.

        """


class Followed(Protocol):
    """The referrals that routing tells of."""

    def lock(self, referral_id: UUID) -> Referral:
        """Lock a referral and return it whole.

        Raises:
            NotFound: no such referral.

        """

    def set_status(
        self, referral_id: UUID, status: str, due: datetime | None, at: datetime
    ) -> None:
        """Store where a locked referral stands."""

    def put_offer(self, referral_id: UUID, offer: Offer) -> None:
        """Store a new offer or an offer's new state."""

    def note(self, referral_id: UUID, note: Note) -> None:
        """Add to a referral's timeline."""


class Following(Protocol):
    """A unit of work of what routing tells; whoever opened it commits."""

    @property
    def referrals(self) -> Followed:
        """The referrals of the agency."""

    @property
    def partners(self) -> Partners:
        """The public records of partners."""


class Referrals(Protocol):
    """The referrals of the agency, with releases, offers and timelines."""

    def claim(self, token: UUID, referral_id: UUID) -> UUID | None:
        """Claim a token for a referral; return the referral it was claimed for before, if any.

        A second claim waits for the first one's transaction.
        """

    def claimed(self, token: UUID) -> UUID | None:
        """Return the referral that a token was claimed for."""

    def free_reference(self) -> str:
        """Return a reference that no referral has."""

    def add(self, referral: Referral, told: Submitted) -> None:
        """Store a new referral with its releases, and tell routing."""

    def get(self, referral_id: UUID) -> Referral:
        """Return one referral whole.

        Raises:
            NotFound: no such referral.

        """

    def lock(self, referral_id: UUID) -> Referral:
        """Lock a referral and return it whole, as `get` does.

        Raises:
            NotFound: no such referral.

        """

    def of_same_person(self, named: str) -> Sequence[Referral]:
        """Return all referrals of the person whom the one of this reference or id is about."""

    def listed(self, limit: int, after: int) -> Sequence[Referral]:
        """Return referrals without releases and offers, `after` so many of them.

        What waits for the advocate comes first, then what is open, each by its urgency and the
        latest change.
        """

    def set_status(
        self, referral_id: UUID, status: str, due: datetime | None, at: datetime
    ) -> None:
        """Store where a locked referral stands."""

    def add_release(self, referral_id: UUID, release: Release) -> None:
        """Store one more release."""

    def revoke(self, release_ids: Sequence[UUID], at: datetime, how: str, by: UUID) -> None:
        """Take releases back: waits for a read that is going on, and no read comes after."""

    def note(self, referral_id: UUID, note: Note) -> None:
        """Add to a referral's timeline."""

    def timeline(self, referral_id: UUID) -> Sequence[Note]:
        """Return a referral's timeline, the oldest first."""

    def publish(self, referral_id: UUID, happening: Happening) -> None:
        """Tell routing, with the next sequence of the locked referral."""

    def count_information_sheet(self, reason: str, by: UUID) -> None:
        """Note that somebody was given an information sheet: nothing about the person."""


@dataclass(frozen=True, slots=True)
class Read:
    """One read of identity, for the audit. `reader` is a member's id, or "issuer subject"."""

    kind: str
    reader: str
    organization_id: UUID
    referral_ids: tuple[UUID, ...]
    release_id: UUID | None = None
    offer_id: UUID | None = None
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disclosable:
    """An offer seen with the release to its organization, if one holds; both stay as they are.

    The release's row is held until the transaction ends, so that a revocation waits for the read
    or comes before it.
    """

    referral_id: UUID
    person_id: UUID
    status: str
    offer: Offer
    release: Release


class Disclosures(Protocol):
    """Tickets, the right to see, and the audit of every read."""

    def use_ticket(self, ticket_id: str, now: datetime) -> bool:
        """Use up a ticket; False when it was used before."""

    def offer_is_known(self, offer_id: UUID) -> bool:
        """Tell whether routing has told of the offer."""

    def held(self, offer_id: UUID, organization_id: UUID) -> Disclosable | None:
        """Return the offer with the release to its organization, revoked or not, held for us."""

    def log(self, read: Read) -> None:
        """Add to the audit."""


class Drafts(Protocol):
    """Unfinished forms, each sealed under a key of its own."""

    def put(self, draft: Draft) -> None:
        """Store a draft; a new one gets a new key."""

    def get(self, draft_id: UUID) -> Draft | None:
        """Return a draft, or None."""

    def of(self, member_id: UUID) -> Sequence[Draft]:
        """Return a member's drafts, the latest saved first."""

    def set_resume_code(self, draft_id: UUID, code: str) -> None:
        """Keep the hash of a code that opens the draft."""

    def take_over(self, code: str, member_id: UUID) -> UUID | None:
        """Give the draft that a code opens to a member; None when it opens none."""

    def remove(self, draft_id: UUID) -> None:
        """Remove a draft; its key goes when the unit of work is done."""

    def expired(self, now: datetime) -> Sequence[UUID]:
        """Return drafts whose time is over."""


@dataclass(frozen=True, slots=True)
class Work:
    """One unit of work: its ports, the transaction's time, the rules, and where chance comes from.

    `pick` chooses one sign of a text; what is stored within `together` goes to the database in
    one go, where that is possible, and is not read in between.
    """

    partners: Partners
    people: People
    referrals: Referrals
    disclosures: Disclosures
    drafts: Drafts
    now: datetime
    rules: Rules
    new_id: Callable[[], UUID]
    pick: Callable[[str], str]
    together: Callable[[], AbstractContextManager[object]] = nullcontext


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule on one partner, with the partner-side value that decided."""

    rule: str
    passed: bool
    value: str


@dataclass(frozen=True, slots=True)
class Fit:
    """What the preview says of one partner; `rank` from 1 among those that fit."""

    partner_id: UUID
    fits: bool
    rank: int | None
    reasons: tuple[Reason, ...]
    services: tuple[UUID, ...]
    expected_first_contact: str


class MatchPreview(Protocol):
    """Asks routing who fits, with facts only."""

    def preview(self, facts: Facts, barred: Sequence[UUID]) -> Sequence[Fit] | None:
        """Return a verdict for every partner, or None when there is no answer in 500 ms."""
