"""What intake's verbs promise holds in memory and on PostgreSQL alike."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from intake.application.commands import Grant, SubmittedReferral
from intake.application.disclose import (
    BEING_CONFIRMED,
    GRANT_LIFE,
    READY,
    disclosure_state,
    read_disclosure,
    use_ticket,
)
from intake.application.drafts import (
    discard_draft,
    finish_later,
    list_drafts,
    load_draft,
    resume_draft,
    save_draft,
    start_draft,
)
from intake.application.follow import ACCEPTED_TOO_LATE, follow, forget_partner, learn_partner
from intake.application.ports import Following, Work
from intake.application.queries import (
    PAGE_LENGTH,
    choosable_partners,
    list_referrals,
    referral_overview,
    referral_timeline,
    referrals_of_person,
    start_another,
)
from intake.application.submit import add_release, submit_referral, submitted
from intake.application.take_back import erase_person, revoke_release, withdraw
from intake.domain.partners import Partner
from intake.domain.releases import default_expiry
from shared.errors import Conflict, NotAllowed, NotFound, Rejected
from tests.integration.intake.worlds import World
from tests.unit.intake.builders import (
    ADVOCATE,
    NOW,
    PNG,
    RULES,
    TODAY,
    a_partner,
    a_request,
    a_story,
    a_submission,
    a_tie,
    more_releases,
    some_news,
    some_wishes,
)
from tests.unit.intake.fakes import FakeUnits

COLLEAGUE = uuid4()
Opens = Callable[[], AbstractContextManager[Work]]


@dataclass
class Intake:
    """Opens units of work as the web process (`work`) and as the worker (`following`)."""

    work: Opens
    following: Callable[[], AbstractContextManager[Following]]


@pytest.fixture(params=["memory", "postgres"])
def intake(request: pytest.FixtureRequest) -> Intake:
    if request.param == "memory":
        units = FakeUnits()
        return Intake(units.work, units.following)
    world: World = request.getfixturevalue("world")
    return Intake(world.web.work, world.following)


def published(intake: Intake, *partners: Partner) -> None:
    with intake.following() as work:
        for partner in partners:
            learn_partner(partner, 1, work=work)


def sent(intake: Intake, *partners: Partner) -> SubmittedReferral:
    published(intake, *partners)
    requests = [a_request(partner, rank=rank) for rank, partner in enumerate(partners, 1)]
    with intake.work() as work:
        return submit_referral(a_submission(*requests), work=work)


def offered(intake: Intake, referral_id: UUID, partner: Partner, *then: str) -> UUID:
    offer_id = uuid4()
    for what in ("offered", *then):
        news = some_news(
            referral_id,
            what,
            offer_id=offer_id,
            partner_id=partner.partner_id,
            offer_reference="WH-ABCD-23" if what in {"offered", "accepted"} else "",
            due=NOW + timedelta(hours=1) if what == "offered" else None,
        )
        with intake.following() as work:
            follow(news, work=work)
    return offer_id


def status(intake: Intake, referral_id: UUID) -> str:
    with intake.work() as work:
        return referral_timeline(referral_id, work=work)[0].status


def whats(intake: Intake, referral_id: UUID) -> list[str]:
    with intake.work() as work:
        return [note.what for note in referral_timeline(referral_id, work=work)[1]]


def first_release(intake: Intake, referral_id: UUID) -> UUID:
    with intake.work() as work:
        return referral_timeline(referral_id, work=work)[0].releases[0].release_id


def grant(offer_id: UUID, partner: Partner) -> Grant:
    issuer, subject = "https://id.example.org", "partner-cypress"
    return Grant(offer_id, partner.partner_id, issuer, subject, datetime.now(UTC))


class TestSubmitting:
    def test_a_referral_is_found_with_what_was_said(self, intake: Intake) -> None:
        partner = a_partner()

        referral_id = sent(intake, partner).referral_id

        with intake.work() as work:
            overview = referral_overview(referral_id, by=ADVOCATE, work=work)
            story = start_another(referral_id, by=ADVOCATE, work=work)[1]
        assert overview.pseudonym == "Jordan"
        assert overview.referral.status == "submitted"
        assert overview.referral.facts.needs == ("trauma-therapy",)
        assert [r.partner_id for r in overview.referral.releases] == [partner.partner_id]
        assert replace(story, contact=a_story().contact) == a_story()
        assert story.contact.channels == a_story().contact.channels

    def test_a_form_sent_twice_makes_one_referral(self, intake: Intake) -> None:
        partner = a_partner()
        published(intake, partner)
        command = a_submission(a_request(partner))

        with intake.work() as work:
            first = submit_referral(command, work=work)
        with intake.work() as work:
            second = submit_referral(command, work=work)

        assert first.is_new
        assert not second.is_new
        assert second.referral_id == first.referral_id
        with intake.work() as work:
            assert len(list_referrals(by=ADVOCATE, work=work).referrals) == 1
            assert submitted(uuid4(), work=work) is None
            assert command.token is not None
            assert submitted(command.token, work=work) == first.referral_id

    def test_a_refused_form_can_be_sent_again(self, intake: Intake) -> None:
        partner = a_partner()
        published(intake, partner)
        unsigned = a_submission(a_request(partner, signature=None))

        with pytest.raises(Rejected), intake.work() as work:
            submit_referral(unsigned, work=work)
        with intake.work() as work:
            again = submit_referral(replace(unsigned, releases=(a_request(partner),)), work=work)

        assert again.is_new

    def test_one_more_referral_of_the_same_person(self, intake: Intake) -> None:
        partner, other = a_partner(), a_partner()
        first = sent(intake, partner, other)
        with intake.work() as work:
            person_id, story = start_another(first.referral_id, by=ADVOCATE, work=work)
            wishes = some_wishes(needs=("legal-advocacy",))
            second = submit_referral(
                a_submission(
                    a_request(other),
                    person_id=person_id,
                    story=replace(story, wishes=wishes),
                ),
                work=work,
            )

        with intake.work() as work:
            one = referral_timeline(first.referral_id, work=work)[0]
            two = referral_timeline(second.referral_id, work=work)[0]
        assert one.person_id == two.person_id
        assert (one.facts.needs, two.facts.needs) == (("trauma-therapy",), ("legal-advocacy",))

    def test_a_new_release_adds_a_partner(self, intake: Intake) -> None:
        partner, other = a_partner(), a_partner()
        referral_id = sent(intake, partner).referral_id
        published(intake, other)
        command = more_releases(referral_id, a_request(other))

        for _ in range(2):
            with intake.work() as work:
                add_release(command, work=work)

        with intake.work() as work:
            releases = referral_timeline(referral_id, work=work)[0].releases
        assert [(r.partner_id, r.rank) for r in releases] == [
            (partner.partner_id, 1),
            (other.partner_id, 2),
        ]

    def test_a_partner_that_was_asked_is_not_asked_again(self, intake: Intake) -> None:
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        offered(intake, referral_id, partner, "declined")

        with pytest.raises(Rejected) as refused, intake.work() as work:
            add_release(more_releases(referral_id, a_request(partner)), work=work)

        assert "releases.0.partner_id" in refused.value.fields

    def test_an_ended_referral_takes_no_release(self, intake: Intake) -> None:
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        with intake.work() as work:
            withdraw(referral_id, by=ADVOCATE, work=work)

        with pytest.raises(Conflict) as conflict, intake.work() as work:
            add_release(more_releases(referral_id, a_request(a_partner())), work=work)

        assert conflict.value.state == "withdrawn"

    def test_what_waits_for_the_advocate_comes_first(self, intake: Intake) -> None:
        partner = a_partner()
        waiting = sent(intake, partner).referral_id
        other = sent(intake, a_partner()).referral_id
        with intake.following() as work:
            follow(some_news(waiting, "unmatched", detail="needs-new-release"), work=work)
            follow(some_news(other, "unmatched", detail="waiting-for-place"), work=work)

        with intake.work() as work:
            listed = list_referrals(by=ADVOCATE, work=work).referrals

        assert [one.referral.referral_id for one in listed] == [waiting, other]
        assert [one.pseudonym for one in listed] == ["Jordan", "Jordan"]

    def test_of_more_than_a_page_the_pressing_come_first(self, intake: Intake) -> None:
        """An urgent one that nothing has happened to for long is not lost behind the others."""
        partner = a_partner()
        waits = sent(intake, partner).referral_id
        with intake.following() as work:
            follow(some_news(waits, "unmatched", detail="needs-person"), work=work)
        urgent = a_story(wishes=some_wishes(urgency="urgent"))
        with intake.work() as work:
            command = a_submission(a_request(partner), story=urgent)
            pressing = submit_referral(command, work=work).referral_id
        over, *rest = [sent(intake, partner).referral_id for _ in range(PAGE_LENGTH)]
        with intake.work() as work:
            withdraw(over, by=ADVOCATE, work=work)

        with intake.work() as work:
            pages = [list_referrals(by=ADVOCATE, work=work, number=n) for n in (1, 2, 3)]

        assert [page.has_more for page in pages] == [True, False, False]
        shown = [[one.referral.referral_id for one in page.referrals] for page in pages]
        assert shown[0][:2] == [waits, pressing]
        assert shown[1][-1] == over
        assert sorted(shown[0] + shown[1]) == sorted([waits, pressing, over, *rest])
        assert shown[2] == []

    def test_an_unknown_referral_is_not_found(self, intake: Intake) -> None:
        with pytest.raises(NotFound), intake.work() as work:
            referral_overview(uuid4(), by=ADVOCATE, work=work)


class TestPartners:
    def test_the_highest_sequence_wins(self, intake: Intake) -> None:
        partner = a_partner(name="New name")
        with intake.following() as work:
            learn_partner(partner, 7, work=work)
            learn_partner(replace(partner, name="Old name"), 3, work=work)

        with intake.work() as work:
            assert work.partners.all() == {partner.partner_id: partner}

    def test_a_withdrawn_partner_stays_withdrawn(self, intake: Intake) -> None:
        partner = a_partner(ties=(a_tie(),))
        with intake.following() as work:
            forget_partner(partner.partner_id, 5, work=work)
            learn_partner(partner, 4, work=work)

        with intake.work() as work:
            assert not work.partners.all()

    def test_only_recipients_of_the_site_can_be_chosen(self, intake: Intake) -> None:
        partner = a_partner()
        published(intake, partner, a_partner(recipient=False), a_partner(site="oakland"))

        with intake.work() as work:
            assert list(choosable_partners(work=work)) == [partner.partner_id]


class TestFollowing:
    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            (("offered",), "offered"),
            (("offered", "accepted"), "accepted"),
            (("offered", "declined"), "to-match"),
            (("offered", "offer-expired"), "to-match"),
            (("offered", "cancelled"), "cancelled"),
            (("offered", "accepted", "contacted"), "contacted"),
            (("offered", "accepted", "contacted", "service-started"), "service-started"),
            (("offered", "accepted", "closed"), "closed"),
        ],
    )
    def test_the_status_is_what_was_told_last(
        self, intake: Intake, told: tuple[str, ...], expected: str
    ) -> None:
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id

        offered(intake, referral_id, partner, *told[1:])

        assert status(intake, referral_id) == expected
        assert whats(intake, referral_id) == ["submitted", *told]

    def test_the_running_clock_is_kept_through_an_escalation(self, intake: Intake) -> None:
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        offer_id = offered(intake, referral_id, partner)
        with intake.following() as work:
            news = some_news(
                referral_id, "escalated", detail="delivery-exhausted", offer_id=offer_id
            )
            follow(news, work=work)

        with intake.work() as work:
            referral, timeline = referral_timeline(referral_id, work=work)
        assert referral.status == "escalated"
        assert referral.due == NOW + timedelta(hours=1)
        assert timeline[-1].partner_id == partner.partner_id

    def test_a_problem_that_is_over_is_shown_no_more(self, intake: Intake) -> None:
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        offered(intake, referral_id, partner, "accepted", "contacted")
        with intake.following() as work:
            follow(some_news(referral_id, "escalated", detail="stop-not-confirmed"), work=work)
            over = some_news(referral_id, "escalation-cleared", detail="contacted")
            follow(over, work=work)

        assert status(intake, referral_id) == "contacted"
        assert whats(intake, referral_id)[-2:] == ["escalated", "escalation-cleared"]

    def test_an_acceptance_after_a_revocation_gives_no_right(self, intake: Intake) -> None:
        """R-15, and the last row of the revocation table."""
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        with intake.work() as work:
            revoke_release(referral_id, first_release(intake, referral_id), by=ADVOCATE, work=work)

        offer_id = offered(intake, referral_id, partner, "accepted")

        assert whats(intake, referral_id)[-1] == ACCEPTED_TOO_LATE
        assert status(intake, referral_id) == "offered"
        with pytest.raises(NotFound), intake.work() as work:
            read_disclosure(grant(offer_id, partner), work=work)

    def test_news_after_a_withdrawal_does_not_bring_the_referral_back(
        self, intake: Intake
    ) -> None:
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        with intake.work() as work:
            withdraw(referral_id, by=ADVOCATE, work=work)

        offered(intake, referral_id, partner, "cancelled")

        assert status(intake, referral_id) == "withdrawn"

    def test_news_of_an_unknown_referral_are_not_found(self, intake: Intake) -> None:
        with pytest.raises(NotFound), intake.following() as work:
            follow(some_news(uuid4(), "closed"), work=work)


class TestTakingBack:
    def test_a_revocation_is_told_once(self, intake: Intake) -> None:
        """R-15."""
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        release_id = first_release(intake, referral_id)

        for _ in range(2):
            with intake.work() as work:
                revoke_release(referral_id, release_id, by=ADVOCATE, work=work)

        assert whats(intake, referral_id) == ["submitted", "release-revoked"]
        with intake.work() as work:
            release = referral_timeline(referral_id, work=work)[0].releases[0]
            assert release.state(work.now) == "revoked"

    def test_a_release_of_another_referral_is_not_found(self, intake: Intake) -> None:
        one = sent(intake, a_partner()).referral_id
        other = sent(intake, a_partner()).referral_id

        with pytest.raises(NotFound), intake.work() as work:
            revoke_release(one, first_release(intake, other), by=ADVOCATE, work=work)

    def test_a_withdrawal_ends_every_release(self, intake: Intake) -> None:
        referral_id = sent(intake, a_partner(), a_partner()).referral_id

        for _ in range(2):
            with intake.work() as work:
                withdraw(referral_id, by=ADVOCATE, work=work)

        with intake.work() as work:
            referral, timeline = referral_timeline(referral_id, work=work)
            assert {r.state(work.now) for r in referral.releases} == {"revoked"}
        assert [note.what for note in timeline] == ["submitted", "withdrawn"]

    def test_an_erased_person_is_gone(self, intake: Intake) -> None:
        """R-24."""
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        with intake.work() as work:
            person_id = work.referrals.get(referral_id).person_id
            erase_person(person_id, by=ADVOCATE, work=work)

        with intake.work() as work:
            assert not list_referrals(by=ADVOCATE, work=work).referrals
            with pytest.raises(NotFound):
                start_another(referral_id, by=ADVOCATE, work=work)
            with pytest.raises(NotFound):
                submit_referral(a_submission(a_request(partner), person_id=person_id), work=work)

    def test_a_person_is_found_by_a_reference_or_an_id(self, intake: Intake) -> None:
        partner, other = a_partner(), a_partner()
        first = sent(intake, partner).referral
        sent(intake, other)
        with intake.work() as work:
            more = a_submission(a_request(partner), person_id=first.person_id)
            second = submit_referral(more, work=work).referral_id

        for named in (first.reference, str(second)):
            with intake.work() as work:
                found = referrals_of_person(named, work=work)
            assert [one.referral_id for one in found] == [first.referral_id, second]
        with pytest.raises(NotFound), intake.work() as work:
            referrals_of_person("WH-NONE-22", work=work)

    def test_an_unknown_person_cannot_be_erased(self, intake: Intake) -> None:
        with pytest.raises(NotFound), intake.work() as work:
            erase_person(uuid4(), by=ADVOCATE, work=work)


class TestDisclosures:
    def test_an_accepted_offer_with_a_live_release_is_shown(self, intake: Intake) -> None:
        """R-27: the route and its rules are there before any detail."""
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        offer_id = offered(intake, referral_id, partner, "accepted")

        with intake.work() as work:
            assert disclosure_state(grant(offer_id, partner), work=work) == READY
            shown = read_disclosure(grant(offer_id, partner), work=work)

        assert shown.offer_reference == "WH-ABCD-23"
        assert shown.route == "partner-contacts"
        assert shown.channels == a_story().contact.channels
        assert (shown.pseudonym, shown.name) == ("Jordan", "Jordan Invented")
        assert not shown.is_part_2

    def test_only_released_items_are_shown(self, intake: Intake) -> None:
        partner = a_partner()
        published(intake, partner)
        command = a_submission(a_request(partner, items=("needs", "facts")))
        with intake.work() as work:
            referral_id = submit_referral(command, work=work).referral_id
        offer_id = offered(intake, referral_id, partner, "accepted")

        with intake.work() as work:
            shown = read_disclosure(grant(offer_id, partner), work=work)

        assert (shown.pseudonym, shown.name, shown.channels) == ("", "", ())
        assert shown.needs == ("trauma-therapy",)

    def test_a_protected_need_is_shown_with_its_own_item_only(self, intake: Intake) -> None:
        """R-19, R-20."""
        plain, named = a_partner(), a_partner()
        published(intake, plain, named)
        story = a_story(wishes=some_wishes(needs=("trauma-therapy", "substance-use")))
        items = ("needs", "facts", "substance-use")
        command = a_submission(
            a_request(plain), a_request(named, rank=2, items=items), story=story
        )
        with intake.work() as work:
            referral_id = submit_referral(command, work=work).referral_id
        to_plain = offered(intake, referral_id, plain, "accepted")
        to_named = offered(intake, referral_id, named, "accepted")

        with intake.work() as work:
            without = read_disclosure(grant(to_plain, plain), work=work)
            with_item = read_disclosure(grant(to_named, named), work=work)

        assert (without.needs, without.is_part_2) == (("trauma-therapy",), False)
        assert with_item.needs == ("trauma-therapy", "substance-use")
        assert with_item.is_part_2

    def test_an_offer_that_intake_has_not_heard_of_is_being_confirmed(
        self, intake: Intake
    ) -> None:
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id

        with intake.work() as work:
            state = disclosure_state(grant(uuid4(), partner), work=work)
        assert state == BEING_CONFIRMED

        offer_id = offered(intake, referral_id, partner)
        with intake.work() as work:
            assert disclosure_state(grant(offer_id, partner), work=work) == BEING_CONFIRMED
        with pytest.raises(NotFound), intake.work() as work:
            read_disclosure(grant(offer_id, partner), work=work)

    def test_another_organization_sees_nothing(self, intake: Intake) -> None:
        partner, other = a_partner(), a_partner()
        referral_id = sent(intake, partner).referral_id
        offer_id = offered(intake, referral_id, partner, "accepted")

        for verb in (disclosure_state, read_disclosure):
            with pytest.raises(NotFound), intake.work() as work:
                verb(grant(offer_id, other), work=work)

    @pytest.mark.parametrize("end", ["revoked", "withdrawn", "cancelled", "closed", "ended"])
    def test_nothing_is_shown_once_it_is_over(self, intake: Intake, end: str) -> None:
        """R-15: each row of the revocation table that closes the disclosure."""
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        offer_id = offered(intake, referral_id, partner, "accepted")
        release_id = first_release(intake, referral_id)

        if end == "revoked":
            with intake.work() as work:
                revoke_release(referral_id, release_id, by=ADVOCATE, work=work)
        elif end == "withdrawn":
            with intake.work() as work:
                withdraw(referral_id, by=ADVOCATE, work=work)
        else:
            offer = {"offer_id": offer_id, "partner_id": partner.partner_id}
            with intake.following() as work:
                about = {} if end == "ended" else offer
                follow(some_news(referral_id, end, **about), work=work)

        for verb in (disclosure_state, read_disclosure):
            with pytest.raises(NotFound), intake.work() as work:
                verb(grant(offer_id, partner), work=work)

    def test_nothing_is_shown_once_the_release_has_ended(self, intake: Intake) -> None:
        """R-16: from its very end on, whether or not routing has told of it."""
        partner = a_partner()
        referral = sent(intake, partner).referral
        offer_id = offered(intake, referral.referral_id, partner, "accepted")
        ends = referral.releases[0].expires_at

        for verb in (disclosure_state, read_disclosure):
            opened = replace(grant(offer_id, partner), opened_at=ends)
            with intake.work() as work:
                assert verb(opened, work=replace(work, now=ends - timedelta(seconds=1)))
            with pytest.raises(NotFound), intake.work() as work:
                verb(opened, work=replace(work, now=ends))

    def test_ways_that_were_confirmed_long_ago_are_asked_again(self, intake: Intake) -> None:
        """R-27: until then the partner calls the advocate."""
        partner = a_partner()
        published(intake, partner)
        request = a_request(partner, expires_on=TODAY + timedelta(days=60))
        with intake.work() as work:
            referral_id = submit_referral(a_submission(request), work=work).referral_id
        offer_id = offered(intake, referral_id, partner, "accepted")

        with intake.work() as work:
            later = replace(work, now=NOW + timedelta(days=31))
            opened = replace(grant(offer_id, partner), opened_at=later.now)
            shown = read_disclosure(opened, work=later)

        assert shown.must_ask_again
        assert (shown.route, shown.channels) == ("through-advocate", ())

    def test_after_some_minutes_a_new_ticket_is_needed(self, intake: Intake) -> None:
        """R-59: routing looks at who is still staff whenever it gives one."""
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        offer_id = offered(intake, referral_id, partner, "accepted")
        opened = grant(offer_id, partner)
        over = opened.opened_at + GRANT_LIFE

        for verb in (disclosure_state, read_disclosure):
            with intake.work() as work:
                assert verb(opened, work=replace(work, now=over))
            with pytest.raises(NotAllowed), intake.work() as work:
                verb(opened, work=replace(work, now=over + timedelta(seconds=1)))

    def test_a_partner_that_is_tied_by_now_sees_nothing(self, intake: Intake) -> None:
        """R-10: whatever was known of it when the person signed."""
        partner = a_partner()
        referral_id = sent(intake, partner).referral_id
        offer_id = offered(intake, referral_id, partner, "accepted")
        with intake.following() as work:
            learn_partner(replace(partner, ties=(a_tie(),)), 2, work=work)

        with pytest.raises(NotFound), intake.work() as work:
            read_disclosure(grant(offer_id, partner), work=work)

    def test_a_ticket_is_used_once(self, intake: Intake) -> None:
        with intake.work() as work:
            use_ticket("ticket", work=work)

        with pytest.raises(NotAllowed), intake.work() as work:
            use_ticket("ticket", work=work)


class TestDrafts:
    def test_what_was_typed_is_kept(self, intake: Intake) -> None:
        with intake.work() as work:
            draft_id = start_draft(b"{}", member_id=ADVOCATE, work=work)
        with intake.work() as work:
            save_draft(draft_id, b"typed", member_id=ADVOCATE, work=work)

        with intake.work() as work:
            assert load_draft(draft_id, member_id=ADVOCATE, work=work).content == b"typed"
            assert [d.draft_id for d in list_drafts(member_id=ADVOCATE, work=work)] == [draft_id]

    def test_a_draft_is_its_writers_alone(self, intake: Intake) -> None:
        with intake.work() as work:
            draft_id = start_draft(b"{}", member_id=ADVOCATE, work=work)

        with pytest.raises(NotFound), intake.work() as work:
            load_draft(draft_id, member_id=COLLEAGUE, work=work)

    def test_a_resume_code_opens_it_once_however_it_is_typed(self, intake: Intake) -> None:
        """R-29."""
        with intake.work() as work:
            draft_id = start_draft(PNG, member_id=ADVOCATE, work=work)
            code = finish_later(draft_id, member_id=ADVOCATE, work=work)

        with intake.work() as work:
            typed = f" {code.lower().replace('-', ' ')} "
            assert resume_draft(typed, member_id=COLLEAGUE, work=work) == draft_id
            assert load_draft(draft_id, member_id=COLLEAGUE, work=work).content == PNG
        with pytest.raises(NotFound), intake.work() as work:
            resume_draft(code, member_id=ADVOCATE, work=work)

    def test_a_discarded_draft_is_gone(self, intake: Intake) -> None:
        with intake.work() as work:
            draft_id = start_draft(b"{}", member_id=ADVOCATE, work=work)
        with intake.work() as work:
            discard_draft(draft_id, member_id=ADVOCATE, work=work)

        with pytest.raises(NotFound), intake.work() as work:
            load_draft(draft_id, member_id=ADVOCATE, work=work)

    def test_a_release_starts_out_with_thirty_days(self, intake: Intake) -> None:
        """R-16."""
        with intake.work() as work:
            day = default_expiry(RULES, work.now)
            assert day == work.now.astimezone(RULES.zone).date() + timedelta(days=30)
