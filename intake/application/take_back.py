"""Taking back: a release in one click, a whole referral, or all that is known of a person."""

from uuid import UUID

from intake.application.ports import Read, Work
from intake.domain.happenings import Erased, ReleaseRevoked, Withdrawn
from intake.domain.referrals import ERASED, WITHDRAWN, Note
from shared.errors import NotFound


def revoke_release(
    referral_id: UUID, release_id: UUID, *, by: UUID, work: Work, how: str = "told-advocate"
) -> None:
    """Take a release back, at once; nothing is needed but the person's word (R-15).

    Once done nobody of that organization reads anything more; a second time changes nothing.

    Raises:
        NotFound: no such referral, or the release is not one of its own.

    """
    referral = work.referrals.lock(referral_id)
    release = referral.release(release_id)
    if release is None:
        raise NotFound("There is no such release.")
    if release.revoked_at is not None:
        return
    work.referrals.revoke([release_id], work.now, how, by)
    note = Note(work.now, "release-revoked", release.partner_id, by=by)
    work.referrals.note(referral_id, note)
    work.referrals.publish(referral_id, ReleaseRevoked(release_id, release.partner_id))


def withdraw(referral_id: UUID, *, by: UUID, work: Work) -> None:
    """Take the whole referral back: every release ends at once; a second time changes nothing.

    Raises:
        NotFound: no such referral.

    """
    referral = work.referrals.lock(referral_id)
    if referral.status in {WITHDRAWN, ERASED}:
        return
    live = [r.release_id for r in referral.releases if r.revoked_at is None]
    work.referrals.revoke(live, work.now, WITHDRAWN, by)
    work.referrals.set_status(referral_id, WITHDRAWN, None, work.now)
    work.referrals.note(referral_id, Note(work.now, WITHDRAWN, by=by))
    work.referrals.publish(referral_id, Withdrawn())


def erase_person(person_id: UUID, *, by: UUID, work: Work) -> None:
    """Forget a person everywhere (R-24): what is sealed goes, and routing is told to forget.

    The key is destroyed after the unit of work is done (`destroy_keys`), so that backups of what
    was sealed open no more. The audit says who had it done, and keeps the reads of before.

    Raises:
        NotFound: no such person.

    """
    referral_ids = tuple(sorted(work.people.erase(person_id)))
    work.disclosures.log(Read("erasure", str(by), work.rules.organization_id, referral_ids))
    for referral_id in referral_ids:
        referral = work.referrals.lock(referral_id)
        if referral.status == ERASED:
            continue
        live = [r.release_id for r in referral.releases if r.revoked_at is None]
        work.referrals.revoke(live, work.now, ERASED, by)
        work.referrals.set_status(referral_id, ERASED, None, work.now)
        work.referrals.publish(referral_id, Erased())
