"""What intake tells the other services: codes and opaque ids, no identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from intake.domain.facts import Facts
from intake.domain.releases import Release


@dataclass(frozen=True, slots=True)
class Submitted:
    """A person agreed to be referred."""

    reference: str
    submitted_by: UUID
    facts: Facts
    releases: Sequence[Release]
    barred_partners: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class ReleaseSigned:
    """One more partner may receive the referral."""

    release: Release


@dataclass(frozen=True, slots=True)
class ReleaseRevoked:
    """The partner may receive nothing more (R-15)."""

    release_id: UUID
    partner_id: UUID


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The person takes the whole referral back."""


@dataclass(frozen=True, slots=True)
class Erased:
    """Facts and decisions downstream must go (R-24)."""


Happening = Submitted | ReleaseSigned | ReleaseRevoked | Withdrawn | Erased
