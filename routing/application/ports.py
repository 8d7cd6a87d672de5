"""What the verbs of routing need: a store, the time, ids, and the site's rules."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from routing.domain.clocks import Allowances, Calendar
from routing.domain.decisions import Decision
from routing.domain.happenings import Happening
from routing.domain.model import Directory, Offer, Partner, Place, Referral, Release


@dataclass(frozen=True, slots=True)
class SiteRules:
    """A site's settings that decisions depend on. `codes`: group name -> the codes known here."""

    site: str
    counties: frozenset[str]
    calendar: Calendar
    limits: Allowances
    codes: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Staff:
    """Who acts: a member, for the organization the sign-in or token proved."""

    member_id: UUID
    organization_id: UUID


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a referral's timeline: codes and ids only."""

    who: str
    kind: str
    organization_id: UUID | None = None
    offer_reference: str = ""
    code: str = ""


class Store(Protocol):
    """Routing's rows in one transaction, which the caller commits."""

    def add_referral(self, referral: Referral) -> bool:
        """Store a new referral with its releases; False if it is there already."""
        ...

    def lock(self, referral_id: UUID) -> Referral:
        """Lock a referral and return it whole.

        Raises:
            NotFound: no such referral, or it was erased.

        """
        ...

    def lock_by_offer(self, reference: str, partner_id: UUID) -> Referral:
        """Lock the referral that an offer of that partner belongs to.

        Raises:
            NotFound: no such offer, or another partner's.

        """
        ...

    def set_state(self, referral: Referral, queue: str) -> None:
        """Store where a referral stands, and how long it may wait there."""
        ...

    def add_release(self, referral_id: UUID, release: Release) -> None:
        """Store one more release; one that is known already stays as it is."""
        ...

    def revoke_release(self, referral_id: UUID, release_id: UUID, at: datetime) -> None:
        """Mark a release as revoked."""
        ...

    def remember_early(self, referral_id: UUID, kind: str, release_id: UUID | None) -> None:
        """Keep a revocation or withdrawal that came before what it is about."""
        ...

    def early(self, referral_id: UUID) -> Sequence[tuple[str, UUID | None]]:
        """Return what came early for a referral: (kind, release)."""
        ...

    def erase(self, referral_id: UUID) -> None:
        """Remove facts, releases, offers, decisions and timeline of a referral (R-24)."""
        ...

    def directory(self, version: int | None = None) -> Directory:
        """Return a version of the directory, the active one by default."""
        ...

    def add_directory(self, partners: Sequence[Partner]) -> int:
        """Store a new active version and set the capacities it names; return its number."""
        ...

    def lock_places(self, service_ids: Collection[UUID]) -> Mapping[UUID, Place]:
        """Lock the places of services in the order of their ids, and return them."""
        ...

    def places(self) -> Mapping[UUID, Place]:
        """Return the places of every service, unlocked."""
        ...

    def take_place(self, offer: Offer) -> None:
        """Hold a place of the offer's service.

        Raises:
            Conflict: the service is full.

        """
        ...

    def free_place(self, offer: Offer) -> None:
        """Give back what an offer holds, once."""
        ...

    def put_offer(self, referral_id: UUID, offer: Offer) -> None:
        """Store a new offer or an offer's new state."""
        ...

    def add_decision(self, referral_id: UUID, decision: Decision) -> None:
        """Store a decision with what it was made from."""
        ...

    def raise_escalation(self, referral_id: UUID, reason: str, offer_id: UUID | None) -> bool:
        """Note that a person has to look; False if that is open now."""
        ...

    def clear_escalations(
        self, referral_id: UUID, reasons: Collection[str], offer_id: UUID | None, code: str
    ) -> None:
        """Close open escalations of an offer (None: those about none) with a coded reason."""
        ...

    def pause(self, service_id: UUID, reason: str, by: UUID) -> bool:
        """Pause a service; False if it is paused already.

        Raises:
            NotFound: no such service.

        """
        ...

    def resume(self, service_id: UUID, by: UUID) -> bool:
        """End a pause; False if there is none.

        Raises:
            NotFound: no such service.

        """
        ...

    def due_referrals(
        self, now: datetime, limit: int, *, only: UUID | None = None, after: UUID | None = None
    ) -> Sequence[UUID]:
        """Lock and return referrals with a clock that ran out, by id, without locked ones.

        `only` asks about one; `after` leaves out those up to this id.
        """
        ...

    def waiting_referrals(
        self, now: datetime, limit: int, *, only: UUID | None = None, after: UUID | None = None
    ) -> Sequence[UUID]:
        """Lock and return waiting referrals that may stand otherwise by now, as above."""
        ...

    def mark_tried(self, referral_id: UUID, at: datetime) -> None:
        """Note that a waiting referral was tried with the places of that moment."""
        ...

    def note(self, referral_id: UUID, note: Note) -> None:
        """Add to a referral's timeline."""
        ...

    def publish(self, referral_id: UUID, happening: Happening) -> None:
        """Tell the other services, with the next sequence of the locked referral."""
        ...

    def publish_partner(self, partner: Partner) -> None:
        """Tell the public record of a partner, if it changed."""
        ...

    def withdraw_partner(self, partner_id: UUID) -> None:
        """Tell that an organization is no longer a partner."""
        ...

    def published_partners(self) -> Collection[UUID]:
        """Return the partners that were published and not withdrawn."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """One unit of work: its store, the transaction's time, the rules, and where ids come from."""

    store: Store
    now: datetime
    rules: SiteRules
    new_id: Callable[[], UUID]
    new_reference: Callable[[], str]
