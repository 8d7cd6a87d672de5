"""Looking: the agency's referrals, with an audit of every read of identity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from intake.application.ports import Fit, MatchPreview, Read, Work
from intake.domain.facts import facts_of
from intake.domain.partners import Partner, barred_partners
from intake.domain.people import Encounter, Story
from intake.domain.referrals import ERASED, Note, Referral
from shared.errors import NotFound

PAGE_LENGTH: Final = 50


@dataclass(frozen=True, slots=True)
class ListedReferral:
    """One line of the list: the referral and what the person is called ("" once erased)."""

    referral: Referral
    pseudonym: str


@dataclass(frozen=True, slots=True)
class ReferralOverview:
    """One referral with its timeline, the oldest first."""

    referral: Referral
    pseudonym: str
    timeline: Sequence[Note]


@dataclass(frozen=True, slots=True)
class ListPage:
    """A part of the list; `has_more` tells whether another follows."""

    referrals: Sequence[ListedReferral]
    has_more: bool


def list_referrals(*, by: UUID, work: Work, number: int = 1) -> ListPage:
    """Return a page of the agency's referrals, what waits for the advocate on the first."""
    found = work.referrals.listed(PAGE_LENGTH + 1, (number - 1) * PAGE_LENGTH)
    referrals = found[:PAGE_LENGTH]
    names = work.people.pseudonyms([referral.person_id for referral in referrals])
    _log("list", referrals, by, work)
    listed = [ListedReferral(r, names.get(r.person_id, "")) for r in referrals]
    return ListPage(listed, has_more=len(found) > PAGE_LENGTH)


def referral_overview(referral_id: UUID, *, by: UUID, work: Work) -> ReferralOverview:
    """Return one referral with releases, offers and timeline.

    Raises:
        NotFound: no such referral.

    """
    referral = _present(referral_id, work)
    names = work.people.pseudonyms([referral.person_id])
    _log("referral", [referral], by, work)
    return ReferralOverview(
        referral, names.get(referral.person_id, ""), work.referrals.timeline(referral_id)
    )


def referral_timeline(referral_id: UUID, *, work: Work) -> tuple[Referral, Sequence[Note]]:
    """Return a referral and its timeline without anything of the person.

    Raises:
        NotFound: no such referral.

    """
    return _present(referral_id, work), work.referrals.timeline(referral_id)


def referrals_of_person(named: str, *, work: Work) -> Sequence[Referral]:
    """Return all referrals of the person whom one is about: `named` is its reference or its id.

    Raises:
        NotFound: no such referral.

    """
    found = work.referrals.of_same_person(named)
    if not found:
        raise NotFound("There is no such referral.")
    return found


def start_another(referral_id: UUID, *, by: UUID, work: Work) -> tuple[UUID, Story]:
    """Return the person's id and all that was asked, to prefill one more referral or release.

    Raises:
        NotFound: no such referral, or the person was erased.

    """
    referral = work.referrals.get(referral_id)
    story = work.people.story(referral_id, referral.person_id)
    _log("story", [referral], by, work)
    return referral.person_id, story


def choosable_partners(*, work: Work) -> Mapping[UUID, Partner]:
    """Return the site's partners that may be sent referrals, by name."""
    found = [
        partner
        for partner in work.partners.all().values()
        if partner.recipient and partner.site == work.rules.site
    ]
    return {p.partner_id: p for p in sorted(found, key=lambda p: (p.name, p.partner_id))}


def barred_for(encounter: Encounter, *, work: Work) -> frozenset[UUID]:
    """Return the partners that must not hear of the person (R-10)."""
    return frozenset(barred_partners(work.partners.all().values(), encounter))


def preview_matches(story: Story, routing: MatchPreview, *, work: Work) -> Sequence[Fit] | None:
    """Ask routing who fits, with facts only; None when there is no answer in time.

    Nothing is kept: the preview needs no release (R-05).
    """
    barred = sorted(barred_for(story.encounter, work=work))
    return routing.preview(facts_of(story, protected=True), barred)


def _present(referral_id: UUID, work: Work) -> Referral:
    referral = work.referrals.get(referral_id)
    if referral.status == ERASED:
        raise NotFound("There is no such referral.")
    return referral


def _log(kind: str, referrals: Sequence[Referral], by: UUID, work: Work) -> None:
    if referrals:
        ids = tuple(referral.referral_id for referral in referrals)
        work.disclosures.log(Read(kind, str(by), work.rules.organization_id, ids))
