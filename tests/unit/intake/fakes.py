"""Intake in memory, behind the same ports; a unit of work that fails changes nothing."""

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

from intake.application.commands import Draft
from intake.application.ports import Disclosable, Read, Work
from intake.domain.facts import Facts
from intake.domain.happenings import Happening, Submitted
from intake.domain.partners import Partner
from intake.domain.people import Encounter, Person, SafeContact, Story, Wishes
from intake.domain.references import new_reference
from intake.domain.referrals import ATTENTION, ERASED, Note, Offer, Referral
from intake.domain.releases import Release, Signature
from shared.contracts import codes
from shared.errors import NotFound
from tests.unit.intake.builders import NOW, RULES

_NO_FACTS = Facts((), "", "", (), False, (), "", (), "")  # noqa: FBT003


@dataclass
class Memory:
    partners: dict[UUID, tuple[int, Partner | None]] = field(default_factory=dict)
    people: dict[UUID, tuple[Person, SafeContact] | None] = field(default_factory=dict)
    stories: dict[UUID, tuple[Encounter, Wishes]] = field(default_factory=dict)
    signatures: dict[UUID, tuple[Signature, str]] = field(default_factory=dict)
    tokens: dict[UUID, UUID] = field(default_factory=dict)
    referrals: dict[UUID, Referral] = field(default_factory=dict)
    notes: dict[UUID, list[Note]] = field(default_factory=dict)
    told: list[tuple[UUID, Happening]] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    reads: list[Read] = field(default_factory=list)
    drafts: dict[UUID, Draft] = field(default_factory=dict)
    codes: dict[str, UUID] = field(default_factory=dict)


@dataclass
class FakePartners:
    memory: Memory

    def all(self) -> Mapping[UUID, Partner]:
        return {i: partner for i, (_, partner) in self.memory.partners.items() if partner}

    def put(self, partner: Partner, sequence: int) -> None:
        self._write(partner.partner_id, sequence, partner)

    def withdraw(self, partner_id: UUID, sequence: int) -> None:
        self._write(partner_id, sequence, None)

    def _write(self, partner_id: UUID, sequence: int, record: Partner | None) -> None:
        if self.memory.partners.get(partner_id, (0, None))[0] < sequence:
            self.memory.partners[partner_id] = (sequence, record)


@dataclass
class FakePeople:
    memory: Memory

    def add(self, person_id: UUID, person: Person, contact: SafeContact) -> None:
        self.memory.people[person_id] = (person, contact)

    def change(self, person_id: UUID, person: Person, contact: SafeContact) -> None:
        if self.memory.people.get(person_id) is None:
            raise NotFound
        self.memory.people[person_id] = (person, contact)

    def put_story(
        self, referral_id: UUID, person_id: UUID, encounter: Encounter, wishes: Wishes
    ) -> None:
        self.memory.stories[referral_id] = (encounter, wishes)

    def put_signature(
        self, release_id: UUID, person_id: UUID, signature: Signature, statement: str
    ) -> None:
        self.memory.signatures[release_id] = (signature, statement)

    def story(self, referral_id: UUID, person_id: UUID) -> Story:
        known, told = self.memory.people.get(person_id), self.memory.stories.get(referral_id)
        if known is None or told is None:
            raise NotFound
        return Story(*known, *told)

    def pseudonyms(self, person_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        found = ((i, self.memory.people.get(i)) for i in person_ids)
        return {i: known[0].pseudonym for i, known in found if known}

    def erase(self, person_id: UUID) -> Sequence[UUID]:
        if person_id not in self.memory.people:
            raise NotFound
        self.memory.people[person_id] = None
        own = [r for r in self.memory.referrals.values() if r.person_id == person_id]
        for referral in own:
            self.memory.stories.pop(referral.referral_id, None)
            self.memory.referrals[referral.referral_id] = replace(referral, facts=_NO_FACTS)
            for release in referral.releases:
                self.memory.signatures.pop(release.release_id, None)
        return [referral.referral_id for referral in own]


@dataclass
class FakeReferrals:
    memory: Memory

    def claim(self, token: UUID, referral_id: UUID) -> UUID | None:
        if token in self.memory.tokens:
            return self.memory.tokens[token]
        self.memory.tokens[token] = referral_id
        return None

    def claimed(self, token: UUID) -> UUID | None:
        return self.memory.tokens.get(token)

    def free_reference(self) -> str:
        taken = {r.reference for r in self.memory.referrals.values()}
        tried = iter(lambda: new_reference(random.choice), None)
        return next(reference for reference in tried if reference not in taken)

    def add(self, referral: Referral, told: Submitted) -> None:
        self.memory.referrals[referral.referral_id] = referral
        self.memory.notes[referral.referral_id] = []
        self.publish(referral.referral_id, told)

    def get(self, referral_id: UUID) -> Referral:
        if referral_id not in self.memory.referrals:
            raise NotFound
        found = self.memory.referrals[referral_id]
        return replace(found, releases=tuple(sorted(found.releases, key=lambda r: r.rank)))

    def lock(self, referral_id: UUID) -> Referral:
        return self.get(referral_id)

    def of_same_person(self, named: str) -> Sequence[Referral]:
        every = self.memory.referrals.values()
        owners = {r.person_id for r in every if named in {r.reference, str(r.referral_id)}}
        return [r for r in every if r.person_id in owners]

    def listed(self, limit: int, after: int) -> Sequence[Referral]:
        shown = [r for r in self.memory.referrals.values() if r.status != ERASED]
        latest = sorted(shown, key=lambda r: r.changed_at, reverse=True)
        pressing = sorted(latest, key=_pressing)[after : after + limit]
        return [replace(r, releases=(), offers=()) for r in pressing]

    def set_status(
        self, referral_id: UUID, status: str, due: datetime | None, at: datetime
    ) -> None:
        self._change(referral_id, status=status, due=due, changed_at=at)

    def add_release(self, referral_id: UUID, release: Release) -> None:
        self._change(referral_id, releases=(*self.get(referral_id).releases, release))

    def revoke(self, release_ids: Sequence[UUID], at: datetime, how: str, by: UUID) -> None:
        for referral in list(self.memory.referrals.values()):
            releases = tuple(
                replace(r, revoked_at=r.revoked_at or at) if r.release_id in release_ids else r
                for r in referral.releases
            )
            self._change(referral.referral_id, releases=releases)

    def put_offer(self, referral_id: UUID, offer: Offer) -> None:
        others = [o for o in self.get(referral_id).offers if o.offer_id != offer.offer_id]
        self._change(referral_id, offers=(*others, offer))

    def note(self, referral_id: UUID, note: Note) -> None:
        self.memory.notes[referral_id].append(note)

    def timeline(self, referral_id: UUID) -> Sequence[Note]:
        return list(self.memory.notes[referral_id])

    def publish(self, referral_id: UUID, happening: Happening) -> None:
        self.memory.told.append((referral_id, happening))

    def count_information_sheet(self, reason: str, by: UUID) -> None:
        self.memory.sheets.append(reason)

    def _change(self, referral_id: UUID, **changes: object) -> None:
        found = self.memory.referrals[referral_id]
        self.memory.referrals[referral_id] = replace(found, **changes)  # type: ignore[arg-type]


def _pressing(referral: Referral) -> tuple[bool, int, int]:
    if not referral.is_open:
        return True, 0, 0
    waits = [*ATTENTION, referral.status].index(referral.status)
    return False, waits, codes.URGENCIES.index(referral.facts.urgency)


@dataclass
class FakeDisclosures:
    memory: Memory

    def use_ticket(self, ticket_id: str, now: datetime) -> bool:
        if ticket_id in self.memory.tickets:
            return False
        self.memory.tickets.add(ticket_id)
        return True

    def offer_is_known(self, offer_id: UUID) -> bool:
        return any(o.offer_id == offer_id for o in self._offers())

    def held(self, offer_id: UUID, organization_id: UUID) -> Disclosable | None:
        for referral in self.memory.referrals.values():
            for offer in referral.offers:
                if (offer.offer_id, offer.partner_id) == (offer_id, organization_id):
                    return self._with_release(referral, offer)
        return None

    def log(self, read: Read) -> None:
        self.memory.reads.append(read)

    def _offers(self) -> Iterator[Offer]:
        return (o for r in self.memory.referrals.values() for o in r.offers)

    def _with_release(self, referral: Referral, offer: Offer) -> Disclosable | None:
        own = [r for r in referral.releases if r.partner_id == offer.partner_id]
        if not own:
            return None
        best = min(own, key=lambda r: r.revoked_at is not None)
        ids = (referral.referral_id, referral.person_id)
        return Disclosable(*ids, referral.status, offer, best)


@dataclass
class FakeDrafts:
    memory: Memory

    def put(self, draft: Draft) -> None:
        self.memory.drafts[draft.draft_id] = draft

    def get(self, draft_id: UUID) -> Draft | None:
        return self.memory.drafts.get(draft_id)

    def of(self, member_id: UUID) -> Sequence[Draft]:
        own = [d for d in self.memory.drafts.values() if d.member_id == member_id]
        return sorted(own, key=lambda draft: draft.saved_at, reverse=True)

    def set_resume_code(self, draft_id: UUID, code: str) -> None:
        self.memory.codes[code] = draft_id

    def take_over(self, code: str, member_id: UUID) -> UUID | None:
        draft_id = self.memory.codes.pop(code, None)
        if draft_id is not None:
            self.put(replace(self.memory.drafts[draft_id], member_id=member_id))
        return draft_id

    def remove(self, draft_id: UUID) -> None:
        self.memory.drafts.pop(draft_id, None)

    def expired(self, now: datetime) -> Sequence[UUID]:
        return [d.draft_id for d in self.memory.drafts.values() if d.expires_at <= now]


@dataclass
class FakeFollowing:
    referrals: FakeReferrals
    partners: FakePartners


@dataclass
class FakeUnits:
    """Units of work in memory; `now` may be moved on."""

    memory: Memory = field(default_factory=Memory)
    now: datetime = NOW

    @contextmanager
    def work(self) -> Iterator[Work]:
        before = copy.deepcopy(self.memory.__dict__)
        try:
            yield self._work()
        except BaseException:
            self.memory.__dict__.update(before)
            raise

    @contextmanager
    def following(self) -> Iterator[FakeFollowing]:
        with self.work():
            yield FakeFollowing(FakeReferrals(self.memory), FakePartners(self.memory))

    def _work(self) -> Work:
        return Work(
            partners=FakePartners(self.memory),
            people=FakePeople(self.memory),
            referrals=FakeReferrals(self.memory),
            disclosures=FakeDisclosures(self.memory),
            drafts=FakeDrafts(self.memory),
            now=self.now,
            rules=RULES,
            new_id=uuid4,
            pick=random.choice,
        )
