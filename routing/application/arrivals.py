"""What intake tells: a referral, and what the person signs, takes back or has erased.

A revocation and a withdrawal take effect whenever they arrive, even before the referral or the
release that they are about: then they are remembered, and take effect when that comes.
"""

from dataclasses import replace
from uuid import UUID

from routing.application import handing
from routing.application.ports import Note, Work
from routing.domain.happenings import Erased
from routing.domain.model import Referral, Release
from shared.errors import NotFound

_UNMATCHED = frozenset({"waiting-for-place", "needs-new-release", "needs-person"})


def route_referral(referral: Referral, work: Work) -> None:
    """Take in a new referral and offer it to the first partner that fits; once, however often."""
    early = work.store.early(referral.referral_id)
    revoked = {release_id for kind, release_id in early if kind == "release-revoked"}
    releases = tuple(_revoked_early(release, revoked, work) for release in referral.releases)
    referral = replace(referral, releases=releases)
    if not work.store.add_referral(referral):
        return
    work.store.note(referral.referral_id, Note("intake", "submitted"))
    if any(kind == "withdrawn" for kind, _ in early):
        _withdraw(referral, work)
        return
    handing.hand_on(referral, work)


def on_release_signed(referral_id: UUID, release: Release, work: Work) -> None:
    """Add a release; a referral that nobody holds is tried again as if it were new (R-46)."""
    try:
        referral = work.store.lock(referral_id)
    except NotFound:
        return
    if any(known.release_id == release.release_id for known in referral.releases):
        return
    early = work.store.early(referral_id)
    revoked = {release_id for kind, release_id in early if kind == "release-revoked"}
    signed = _revoked_early(release, revoked, work)
    work.store.add_release(referral_id, signed)
    work.store.note(referral_id, Note("intake", "release-signed", release.partner_id))
    changed = replace(referral, releases=(*referral.releases, signed))
    if changed.state in _UNMATCHED:
        handing.hand_on(replace(changed, state="to-match"), work)


def on_release_revoked(referral_id: UUID, release_id: UUID, partner_id: UUID, work: Work) -> None:
    """Take the release back at once (R-15): its offer ends, whatever the partner answered."""
    try:
        referral = work.store.lock(referral_id)
    except NotFound:
        work.store.remember_early(referral_id, "release-revoked", release_id)
        return
    release = next((r for r in referral.releases if r.release_id == release_id), None)
    if release is None:
        work.store.remember_early(referral_id, "release-revoked", release_id)
        return
    if release.revoked_at is not None:
        return
    work.store.revoke_release(referral_id, release_id, work.now)
    work.store.note(referral_id, Note("intake", "release-revoked", partner_id))
    gone = replace(release, revoked_at=work.now)
    kept = tuple(gone if r.release_id == release_id else r for r in referral.releases)
    release_over(replace(referral, releases=kept), release_id, "release-revoked", work)


def release_over(referral: Referral, release_id: UUID, reason: str, work: Work) -> None:
    """End the offer made under a release that is revoked or expired.

    An open offer goes to the next partner. A partner that had accepted is told to stop, with a
    clock to confirm, and a person looks at the referral.
    """
    current = referral.current
    if current is None or current.release_id != release_id:
        if referral.state == "waiting-for-place":
            handing.hand_on(referral, work)
        return
    who = "clock" if reason == "release-expired" else "intake"
    changed = handing.take_back(referral, reason, who, work)
    if current.state == "offered":
        handing.hand_on(changed, work)
        return
    changed = handing.escalate(changed, "revoked-after-acceptance", current, work)
    handing.settle(changed, "needs-person", work)


def on_withdrawn(referral_id: UUID, work: Work) -> None:
    """Take the whole referral back at once; a partner that had accepted must stop."""
    try:
        referral = work.store.lock(referral_id)
    except NotFound:
        work.store.remember_early(referral_id, "withdrawn", None)
        return
    if referral.state != "withdrawn":
        _withdraw(referral, work)


def on_erased(referral_id: UUID, work: Work) -> None:
    """Forget a referral: facts, releases, offers, decisions, timeline (R-24).

    A partner that holds it is told to stop first; then everybody downstream forgets it too.
    """
    try:
        referral = work.store.lock(referral_id)
    except NotFound:
        return
    if referral.current is not None:
        handing.take_back(referral, "withdrawn", "intake", work)
    work.store.publish(referral_id, Erased())
    work.store.erase(referral_id)


def _withdraw(referral: Referral, work: Work) -> None:
    current = referral.current
    work.store.note(referral.referral_id, Note("intake", "withdrawn"))
    if current is not None:
        referral = handing.take_back(referral, "withdrawn", "intake", work)
        if current.state == "accepted":
            referral = handing.escalate(referral, "revoked-after-acceptance", current, work)
    referral = handing.clear(referral, ("unknown-code",), None, "withdrawn", work)
    handing.settle(referral, "withdrawn", work)


def _revoked_early(release: Release, revoked: set[UUID | None], work: Work) -> Release:
    return replace(release, revoked_at=work.now) if release.release_id in revoked else release
