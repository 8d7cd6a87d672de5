"""Intake's verbs as the pages use them: each call is one unit of work."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from intake.adapters.pages import overview, retelling
from intake.adapters.pages.answers import Answers
from intake.adapters.pages.journey import Form
from intake.adapters.pages.views import Listed, Overview, Unfinished
from intake.adapters.units import Units
from intake.application import drafts, queries, submit, take_back
from intake.application.commands import AddRelease, SubmitReferral
from intake.application.ports import Fit, MatchPreview, Work
from intake.domain.facts import facts_of
from intake.domain.partners import Partner
from shared.db.members import Member


@dataclass(frozen=True, slots=True)
class Desk:
    """What an advocate can do; a member sees the own agency's people only."""

    units: Units
    routing: MatchPreview

    def partners(self) -> Mapping[str, Partner]:
        """Return every partner that may receive a referral, by id."""
        with self.units.work() as work:
            found = queries.choosable_partners(work=work)
        return {str(partner_id): partner for partner_id, partner in found.items()}

    def barred(self, form: Form) -> frozenset[str]:
        """Return the partners that the person's answers rule out."""
        with self.units.work() as work:
            found = queries.barred_for(retelling.encounter(form), work=work)
        return frozenset(str(partner_id) for partner_id in found)

    def preview(self, form: Form) -> Sequence[Fit] | None:
        """Ask routing who fits, with facts only; None when there is no answer in time."""
        with self.units.work() as work:
            told = retelling.story(form, work.now)
            barred = sorted(queries.barred_for(told.encounter, work=work))
        return self.routing.preview(facts_of(told, protected=True), barred)

    def start(self, member: Member, answers: Answers) -> UUID:
        """Keep a new draft and return its id."""
        with self.units.work() as work:
            return drafts.start_draft(_sealable(answers), member_id=member.member_id, work=work)

    def draft(self, member: Member, draft_id: UUID) -> Answers:
        """Return a draft (NotFound when it is not there or not the member's)."""
        with self.units.work() as work:
            found = drafts.load_draft(draft_id, member_id=member.member_id, work=work)
        return Answers.from_document(json.loads(found.content))

    def save(self, member: Member, draft_id: UUID, answers: Answers) -> None:
        """Keep what was typed so far, sealed."""
        with self.units.work() as work:
            content = _sealable(answers)
            drafts.save_draft(draft_id, content, member_id=member.member_id, work=work)

    def pause(self, member: Member, draft_id: UUID) -> str:
        """Return the code by which the draft can be taken up again (R-29)."""
        with self.units.work() as work:
            return drafts.finish_later(draft_id, member_id=member.member_id, work=work)

    def resume(self, member: Member, code: str) -> UUID:
        """Return the draft that a code opens (NotFound when it opens none)."""
        with self.units.work() as work:
            return drafts.resume_draft(code, member_id=member.member_id, work=work)

    def discard(self, member: Member, draft_id: UUID, reason: str) -> None:
        """Destroy a draft and its key, and count the information sheet given instead."""
        with self.units.work() as work:
            drafts.discard_draft(draft_id, member_id=member.member_id, work=work)
            if reason:
                submit.record_information_only(reason, by=member.member_id, work=work)

    def unfinished(self, member: Member) -> Sequence[Unfinished]:
        """Return the member's drafts, the latest first."""
        with self.units.work() as work:
            found = drafts.list_drafts(member_id=member.member_id, work=work)
        return [overview.unfinished(draft) for draft in found]

    def send(self, member: Member, draft_id: UUID, form: Form) -> UUID:
        """Submit the referral, or the new releases; the draft's id makes it happen once."""
        with self.units.work() as work:
            if form.answers.is_new_release:
                sent = submit.add_release(_more(member, draft_id, form), work=work)
            else:
                sent = submit.submit_referral(_referral(member, draft_id, form, work), work=work)
            if sent.is_new:
                drafts.discard_draft(draft_id, member_id=member.member_id, work=work)
        return sent.referral_id

    def sent(self, draft_id: UUID) -> UUID | None:
        """Return the referral that the draft became, or None."""
        with self.units.work() as work:
            return submit.submitted(draft_id, work=work)

    def referrals(self, member: Member, number: int) -> tuple[Sequence[Listed], bool]:
        """Return a page of the agency's referrals, and whether another follows."""
        with self.units.work() as work:
            found = queries.list_referrals(by=member.member_id, work=work, number=number)
        return [overview.listed(one) for one in found.referrals], found.has_more

    def referral(self, member: Member, referral_id: UUID) -> Overview:
        """Return one referral with its timeline and releases."""
        with self.units.work() as work:
            found = queries.referral_overview(referral_id, by=member.member_id, work=work)
            partners = work.partners.all()
            return overview.overview(found, partners, work.now)

    def revoke(self, member: Member, referral_id: UUID, release_id: UUID) -> None:
        """Take a release back, at once (R-15)."""
        with self.units.work() as work:
            take_back.revoke_release(referral_id, release_id, by=member.member_id, work=work)

    def withdraw(self, member: Member, referral_id: UUID) -> None:
        """Take the whole referral back."""
        with self.units.work() as work:
            take_back.withdraw(referral_id, by=member.member_id, work=work)

    def another(self, member: Member, referral_id: UUID) -> Answers:
        """Return answers that start one more referral for the same person."""
        with self.units.work() as work:
            person_id, told = queries.start_another(referral_id, by=member.member_id, work=work)
            return Answers(retelling.retyped(told, work.now), person=str(person_id))

    def more(self, member: Member, referral_id: UUID) -> Answers:
        """Return answers that start one more release for the same referral."""
        with self.units.work() as work:
            _person, told = queries.start_another(referral_id, by=member.member_id, work=work)
            used = work.referrals.get(referral_id).taken(work.now)
        answers = self.another(member, referral_id)
        return replace(
            answers,
            typed={**answers.typed, **retelling.wishes_retyped(told)},
            referral=str(referral_id),
            used=tuple(sorted(map(str, used))),
        )


def _sealable(answers: Answers) -> bytes:
    return json.dumps(answers.to_document(), separators=(",", ":")).encode()


def _referral(member: Member, token: UUID, form: Form, work: Work) -> SubmitReferral:
    person = form.answers.person
    return SubmitReferral(
        token=token,
        by=member.member_id,
        story=retelling.story(form, work.now),
        releases=retelling.releases(form),
        person_id=UUID(person) if person else None,
    )


def _more(member: Member, token: UUID, form: Form) -> AddRelease:
    return AddRelease(
        token=token,
        by=member.member_id,
        referral_id=UUID(form.answers.referral),
        releases=retelling.releases(form),
    )
