"""A release that is taken back lets nothing through from its commit on (R-15)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from tests.faults.evidence import Evidence, is_live

_TAKEN_BACK: Final = ("release-revoked", "withdrawn")
_BY_RELEASE: Final = ("offered", "accepted", "contacted", "closed")


def a_revoked_release_lets_nothing_through(found: Evidence) -> Iterator[str]:
    """Follow routing's timeline, written under the referral's lock, past what was taken back."""
    gone: dict[object, set[object]] = defaultdict(set)
    for row in found.of("routing", "timeline"):
        if row["kind"] in _TAKEN_BACK:
            gone[row["referral_id"]].add(row["organization_id"])  # none: withdrawn, from everybody
        elif row["kind"] in _BY_RELEASE and gone[row["referral_id"]] & {
            row["organization_id"],
            None,
        }:
            yield f"{row['offer_reference']} was {row['kind']} on a revoked release"
    over = {row["release_id"] for row in found.of("routing", "release") if row["revoked_at"]}
    for row in found.of("routing", "offer"):
        if is_live(row) and row["release_id"] in over:
            yield f"offer {row['reference']} lives on a revoked release"


def what_was_revoked_early_is_never_offered(found: Evidence) -> Iterator[str]:
    """Look for offers on releases that were revoked before routing had them.

    Such a revocation has no line in the timeline: the release came to routing as a revoked one.
    """
    told = {
        (row["referral_id"], row["organization_id"])
        for row in found.of("routing", "timeline")
        if row["kind"] == "release-revoked"
    }
    early = {
        row["release_id"]
        for row in found.of("routing", "release")
        if row["revoked_at"] and (row["referral_id"], row["partner_id"]) not in told
    }
    for row in found.of("routing", "offer"):
        if row["release_id"] in early:
            yield f"offer {row['reference']} was made on a release that had been revoked"


def identity_is_read_only_while_it_may_be(found: Evidence) -> Iterator[str]:
    """Compare each look, and each disclosure that intake noted, with the revocation's answer."""
    for look in found.looks:
        revoked = found.ledger.revoked.get(look.release_id)
        over = revoked is not None and look.asked_at > revoked
        if look.saw and over:
            yield f"identity of offer {look.reference} was shown after its release was revoked"
    for row in found.of("intake", "disclosure"):
        revoked = found.ledger.revoked.get(row["release_id"])
        if revoked is not None and row["at"].timestamp() > revoked:
            yield f"intake disclosed on release {row['release_id']} after it was revoked"
