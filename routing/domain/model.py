"""The words of routing: facts, partners with their services, releases, offers, referrals."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

OPEN_STATES: Final = frozenset({"offered", "accepted"})
"""States of an offer in which its partner holds the referral."""

PROTECTED: Final = "substance-use"
"""The need whose mere name is protected (42 CFR part 2, R-20)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the person released about their wishes: codes and ranges, nobody's identity."""

    needs: tuple[str, ...]
    urgency: str
    age_band: str
    languages: tuple[str, ...]
    interpreter: bool
    access_needs: tuple[str, ...]
    county: str
    preferences: tuple[str, ...]
    contact_route: str


@dataclass(frozen=True, slots=True)
class Tie:
    """A tie to an agency that can be involved: run-by, funded-by, co-located or employs."""

    agency: str
    kind: str


@dataclass(frozen=True, slots=True)
class Opening:
    """One weekly opening; weekday 0 is Monday; closes at midnight when `closes` is 00:00."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a partner: the thing that is matched. Empty `counties`: the whole site."""

    service_id: UUID
    name: str
    description: str
    status: str
    needs: tuple[str, ...]
    languages: tuple[str, ...]
    interpretation: bool
    minimum_age: int | None
    maximum_age: int | None
    counties: tuple[str, ...]
    remote: bool
    in_person: bool
    access_needs: tuple[str, ...]
    urgency_max: str
    first_contact_text: str
    hours_text: str
    zone: str
    openings: tuple[Opening, ...]
    always_open: bool
    capacity: int | None
    paused: str


@dataclass(frozen=True, slots=True)
class Partner:
    """One organization of the directory (HSDS) with what this product adds to it."""

    partner_id: UUID
    name: str
    description: str
    website: str
    phone: str
    advocate_type: str
    confidentiality: str
    ties: tuple[Tie, ...]
    recipient: bool
    data_agreement_until: date | None
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """One immutable version of a site's directory."""

    version: int
    site: str
    partners: Mapping[UUID, Partner]

    def only(self, partner_ids: Iterable[UUID]) -> "Directory":
        """Return this version with no partners but these."""
        wanted = set(partner_ids) & self.partners.keys()
        return replace(self, partners={one: self.partners[one] for one in wanted})


@dataclass(frozen=True, slots=True)
class Place:
    """What is free at a service now. `capacity` None: unlimited; `paused`: a reason, or ""."""

    service_id: UUID
    capacity: int | None
    held: int
    paused: str

    @property
    def full(self) -> bool:
        """Whether no place is left."""
        return self.capacity is not None and self.held >= self.capacity


@dataclass(frozen=True, slots=True)
class Release:
    """One release of information to one partner, with its report back (R-12, R-16)."""

    release_id: UUID
    partner_id: UUID
    rank: int
    expires_at: datetime
    items: tuple[str, ...]
    report_back: tuple[str, ...]
    revoked_at: datetime | None = None
    directory_version: int | None = None
    """The directory's when it came; None of one that came before this was noted."""

    def live(self, now: datetime) -> bool:
        """Whether it still allows anything."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Offer:
    """A referral offered to one partner; states: see `routing.domain.offers`."""

    offer_id: UUID
    reference: str
    partner_id: UUID
    service_id: UUID
    release_id: UUID
    state: str
    offered_at: datetime
    answer_by: datetime
    told_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    reason: str | None = None
    first_contact_by: datetime | None = None
    contacted_at: datetime | None = None
    contact_kind: str | None = None
    service_started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    confirm_by: datetime | None = None
    stop_confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """One bundle of needs that one partner can take over, as routing knows it."""

    referral_id: UUID
    reference: str
    site: str
    agency: str
    submitted_by: UUID
    facts: Facts
    barred: frozenset[UUID]
    state: str
    received_at: datetime
    releases: tuple[Release, ...] = ()
    offers: tuple[Offer, ...] = ()
    escalations: frozenset[tuple[str, UUID | None]] = field(default_factory=frozenset)
    """Open ones: (reason, offer)."""
    place_by: datetime | None = None
    """Until when it may wait for a place before a person looks; None unless it waits."""

    @property
    def current(self) -> Offer | None:
        """The offer whose partner holds the referral, if any."""
        return next((offer for offer in self.offers if offer.state in OPEN_STATES), None)

    def release_to(self, partner_id: UUID, but: Collection[UUID] = ()) -> Release | None:
        """Return the newest release to a partner, revoked or not, but none of these."""
        found = [
            release
            for release in self.releases
            if release.partner_id == partner_id and release.release_id not in but
        ]
        return max(found, key=lambda r: (r.revoked_at is None, r.expires_at)) if found else None
