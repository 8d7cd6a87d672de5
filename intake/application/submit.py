"""Submitting: a person agreed to be referred, or takes an information sheet instead."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from intake.application.commands import AddRelease, SubmitReferral, SubmittedReferral
from intake.application.ports import Work
from intake.domain.facts import released_facts
from intake.domain.happenings import ReleaseSigned, Submitted
from intake.domain.partners import barred_partners
from intake.domain.referrals import SUBMITTED, Note, Referral, first_note
from intake.domain.releases import (
    Release,
    ReleaseRequest,
    Surroundings,
    check_releases,
    end_of,
)
from intake.domain.stories import check_story
from shared.errors import Conflict


def submit_referral(command: SubmitReferral, *, work: Work) -> SubmittedReferral:
    """Store a referral with its signed releases and tell routing: all of it or nothing.

    A token that was sent before gives the referral that it made then.

    Raises:
        Rejected: a field breaks a rule; under 18, under guardianship or an officer; a release
            without signature or end, over the cap, or to a partner that may not be chosen.

    """
    referral_id = work.new_id()
    if command.token is not None:
        earlier = work.referrals.claim(command.token, referral_id)
        if earlier is not None:
            return _as_before(earlier, work)
    _check(command, work)
    referral = Referral(
        referral_id=referral_id,
        person_id=command.person_id or work.new_id(),
        reference=work.referrals.free_reference(),
        status=SUBMITTED,
        submitted_by=command.by,
        submitted_at=work.now,
        changed_at=work.now,
        facts=released_facts(command.story, command.releases),
        releases=_signed(command.releases, work),
    )
    barred = barred_partners(work.partners.all().values(), command.story.encounter)
    told = Submitted(referral.reference, command.by, referral.facts, referral.releases, barred)
    with work.together():
        _store(command, referral, told, work)
    return SubmittedReferral(referral, is_new=True)


def add_release(command: AddRelease, *, work: Work) -> SubmittedReferral:
    """Sign releases to further partners for a referral that was sent, and tell routing.

    Raises:
        NotFound: no such referral.
        Conflict: the referral has ended.
        Rejected: as in `submit_referral`; also a partner that was asked before.

    """
    earlier = work.referrals.claim(command.token, command.referral_id)
    if earlier is not None:
        return _as_before(earlier, work)
    referral = work.referrals.lock(command.referral_id)
    if not referral.is_open:
        raise Conflict("This referral has ended. Start a new one.", state=referral.status)
    _check_more(command, referral, work)
    last = max((release.rank for release in referral.releases), default=0)
    for request, signed in zip(command.releases, _signed(command.releases, work), strict=True):
        release = replace(signed, rank=last + signed.rank)
        work.referrals.add_release(referral.referral_id, release)
        _keep_signature(request, release, referral.person_id, work)
        work.referrals.publish(referral.referral_id, ReleaseSigned(release))
        note = Note(work.now, "release-signed", release.partner_id, by=command.by)
        work.referrals.note(referral.referral_id, note)
    return SubmittedReferral(referral, is_new=True)


def submitted(token: UUID, *, work: Work) -> UUID | None:
    """Return the referral that a form's token became, or None when it was not sent."""
    return work.referrals.claimed(token)


def record_information_only(reason: str, *, by: UUID, work: Work) -> None:
    """Count an information sheet given instead of a referral (R-05): nothing of the person.

    `reason` is "no-release", "minor", "guardianship" or "officer".
    """
    work.referrals.count_information_sheet(reason, by)


def _as_before(referral_id: UUID, work: Work) -> SubmittedReferral:
    return SubmittedReferral(work.referrals.get(referral_id), is_new=False)


def _check(command: SubmitReferral, work: Work) -> None:
    story = command.story
    partners = work.partners.all()
    problems = check_story(story, work.rules, work.now, partners)
    around = Surroundings(work.rules, work.now, partners, story.encounter, story.wishes.needs)
    problems.fields.update(check_releases(command.releases, around).fields)
    problems.refuse()


def _check_more(command: AddRelease, referral: Referral, work: Work) -> None:
    story = work.people.story(referral.referral_id, referral.person_id)
    around = Surroundings(
        work.rules,
        work.now,
        work.partners.all(),
        story.encounter,
        referral.facts.needs,
        referral.taken(work.now),
    )
    check_releases(command.releases, around).refuse()


def _signed(requests: Sequence[ReleaseRequest], work: Work) -> tuple[Release, ...]:
    """Return the releases that were checked, in the person's order, ranks from 1."""
    return tuple(
        Release(
            release_id=work.new_id(),
            partner_id=request.partner_id,
            rank=request.rank,
            items=request.items,
            report_back=request.report_back,
            expires_at=end_of(request.expires_on, work.rules),
            purpose=request.purpose,
        )
        for request in requests
        if request.expires_on is not None
    )


def _store(command: SubmitReferral, referral: Referral, told: Submitted, work: Work) -> None:
    story = command.story
    keep = work.people.add if command.person_id is None else work.people.change
    keep(referral.person_id, story.person, story.contact)
    work.referrals.add(referral, told)
    work.people.put_story(referral.referral_id, referral.person_id, story.encounter, story.wishes)
    for request, release in zip(command.releases, referral.releases, strict=True):
        _keep_signature(request, release, referral.person_id, work)
    work.referrals.note(referral.referral_id, first_note(referral))


def _keep_signature(
    request: ReleaseRequest, release: Release, person_id: UUID, work: Work
) -> None:
    if request.signature is not None:
        work.people.put_signature(
            release.release_id, person_id, request.signature, request.statement
        )
