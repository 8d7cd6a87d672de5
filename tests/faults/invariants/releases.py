"""A release that is taken back lets nothing through from its commit on (R-15)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from tests.faults.evidence import Evidence, is_live

_BY_RELEASE: Final = ("offered", "accepted", "contacted", "closed")


def a_revoked_release_lets_nothing_through(found: Evidence) -> Iterator[str]:
    """Follow routing's timeline, written under the referral's lock, past the revocation."""
    revoked: dict[object, set[object]] = defaultdict(set)
    for row in found.of("routing", "timeline"):
        gone = revoked[row["referral_id"]]
        if row["kind"] == "release-revoked":
            gone.add(row["organization_id"])
        elif row["kind"] in _BY_RELEASE and row["organization_id"] in gone:
            yield f"{row['offer_reference']} was {row['kind']} on a revoked release"
    over = {row["release_id"] for row in found.of("routing", "release") if row["revoked_at"]}
    for row in found.of("routing", "offer"):
        if is_live(row) and row["release_id"] in over:
            yield f"offer {row['reference']} lives on a revoked release"


def identity_is_read_only_while_it_may_be(found: Evidence) -> Iterator[str]:
    """Compare every look at an identity, asked for after the revocation was answered, with it."""
    for look in found.looks:
        revoked = found.ledger.revoked.get(look.release_id)
        over = revoked is not None and look.asked_at > revoked
        if look.saw and over:
            yield f"identity of offer {look.reference} was shown after its release was revoked"
