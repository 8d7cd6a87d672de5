"""Referrals as the advocate reads them: names of partners instead of ids, states in words."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext as _

from intake.adapters.pages.views import Happening, Listed, Overview, SignedRelease, Unfinished
from intake.application.commands import Draft
from intake.application.queries import ListedReferral, ReferralOverview
from intake.domain.partners import Partner
from intake.domain.referrals import Note
from intake.domain.releases import Release

Partners = Mapping[UUID, Partner]


def unfinished(draft: Draft) -> Unfinished:
    """Return a draft as one line."""
    typed = json.loads(draft.content).get("typed", {})
    called = next(iter(typed.get("name", {}).get("called", [])), "")
    return Unfinished(draft.draft_id, called, draft.saved_at)


def listed(found: ListedReferral) -> Listed:
    """Return a referral as one line."""
    referral = found.referral
    return Listed(
        referral_id=referral.referral_id,
        reference=referral.reference,
        called=found.pseudonym,
        status=referral.status,
        sent_at=referral.submitted_at,
        changed_at=referral.changed_at,
        due=referral.due,
    )


def overview(found: ReferralOverview, partners: Partners, now: datetime) -> Overview:
    """Return one referral with its timeline and releases."""
    referral = found.referral
    return Overview(
        referral_id=referral.referral_id,
        reference=referral.reference,
        called=found.pseudonym,
        status=referral.status,
        urgency=referral.facts.urgency,
        is_open=referral.is_open,
        timeline=tuple(_happening(note, partners) for note in found.timeline),
        releases=tuple(_release(release, partners, now) for release in referral.releases),
    )


def last_moment(expires_at: datetime) -> datetime:
    """Return a moment on a release's last day, which ends at midnight."""
    return expires_at - timedelta(seconds=1)


def _happening(note: Note, partners: Partners) -> Happening:
    return Happening(
        at=note.at,
        what=note.what,
        partner=_name(note.partner_id, partners),
        reference=note.offer_reference,
        detail=note.detail,
        due=note.due,
    )


def _release(release: Release, partners: Partners, now: datetime) -> SignedRelease:
    return SignedRelease(
        release_id=release.release_id,
        partner_id=str(release.partner_id),
        partner=_name(release.partner_id, partners),
        items=release.items,
        report_back=release.report_back,
        last_moment=last_moment(release.expires_at),
        state=release.state(now),
    )


def _name(partner_id: UUID | None, partners: Partners) -> str:
    if partner_id is None:
        return ""
    partner = partners.get(partner_id)
    return partner.name if partner else _("a former partner")
