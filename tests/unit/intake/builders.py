"""Builders of what the tests of intake talk about: invented people only."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from intake.application.commands import AddRelease, SubmitReferral
from intake.domain.partners import Partner, Tie
from intake.domain.people import Channel, Encounter, Person, SafeContact, Story, Wishes
from intake.domain.referrals import News
from intake.domain.releases import Drawn, ReleaseRequest
from intake.domain.rules import Rules
from shared.contracts import codes, shapes

ZONE = ZoneInfo("America/Chicago")
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(ZONE).date()
AGENCY_ID = UUID("1c7a9e44-5b0d-4a57-8e62-b0f4c2d91a10")
ADVOCATE = UUID("894154e9-907f-4425-8511-40208225b1b6")
PNG = b"\x89PNG\r\n\x1a\n" + b"drawn by a finger"
SITE = "baton-rouge"
COUNTY = "22033"
POLICE = "baton-rouge-police"
SHERIFF = "east-baton-rouge-sheriff"

RULES = Rules(
    site=SITE,
    agency="brva",
    organization_id=AGENCY_ID,
    zone=ZONE,
    codes={
        "needs": frozenset(codes.NEEDS),
        "urgencies": frozenset(codes.URGENCIES),
        "age-bands": frozenset(codes.AGE_BANDS),
        "roles": frozenset(codes.ROLES),
        "access-needs": frozenset(codes.ACCESS_NEEDS),
        "preferences": frozenset(codes.PREFERENCES),
        "contact-routes": frozenset(codes.CONTACT_ROUTES),
        "channels": frozenset(codes.CHANNELS),
        "release-items": frozenset(codes.RELEASE_ITEMS),
        "report-back-items": frozenset(codes.REPORT_BACK_ITEMS),
        "counties": frozenset({COUNTY}),
        "involved-agencies": frozenset({POLICE, SHERIFF}),
    },
    language_tag=re.compile(shapes.LANGUAGE),
)


def a_partner(**changes: Any) -> Partner:
    partner = Partner(
        partner_id=uuid4(),
        site=SITE,
        name="Cypress House (invented)",
        description="Counseling",
        website="https://cypress.example.org",
        phone="225-555-0120",
        advocate_type="community",
        confidentiality="confidential",
        ties=(),
        recipient=True,
        services=(),
    )
    return replace(partner, **changes)


def a_tie(agency: str = POLICE, kind: str = "run-by") -> Tie:
    return Tie(agency, kind)


def a_person(**changes: Any) -> Person:
    person = Person(
        pseudonym="Jordan",
        age_band="25-59",
        languages=("es", "en"),
        interpreter=True,
        access_needs=("step-free",),
        name="Jordan Invented",
    )
    return replace(person, **changes)


def a_channel(**changes: Any) -> Channel:
    channel = Channel(
        channel="call",
        address="225-555-0142",
        leave_message_ok=False,
        identify_agency_ok=False,
        when="weekdays after 6 PM",
        who_may_answer="nobody else",
        ask_for="Jo",
    )
    return replace(channel, **changes)


def a_contact(**changes: Any) -> SafeContact:
    contact = SafeContact(
        route="partner-contacts", code_word="", channels=(a_channel(),), confirmed_at=NOW
    )
    return replace(contact, **changes)


def an_encounter(**changes: Any) -> Encounter:
    encounter = Encounter(
        role="directly-injured",
        involved_agencies=(POLICE,),
        do_not_tell=(),
        happened_on=TODAY - timedelta(days=20),
    )
    return replace(encounter, **changes)


def some_wishes(**changes: Any) -> Wishes:
    wishes = Wishes(
        needs=("trauma-therapy",), urgency="routine", county=COUNTY, preferences=("remote",)
    )
    return replace(wishes, **changes)


def a_story(**changes: Any) -> Story:
    story = Story(
        person=a_person(), contact=a_contact(), encounter=an_encounter(), wishes=some_wishes()
    )
    return replace(story, **changes)


def a_request(partner: Partner | UUID, **changes: Any) -> ReleaseRequest:
    request = ReleaseRequest(
        partner_id=partner if isinstance(partner, UUID) else partner.partner_id,
        rank=1,
        items=("needs", "facts", "name", "contact"),
        report_back=("first-contact",),
        expires_on=TODAY + timedelta(days=30),
        signature=Drawn(PNG),
        statement="I, Jordan, allow Baton Rouge Victim Advocates to give this to Cypress House.",
    )
    return replace(request, **changes)


def a_submission(*requests: ReleaseRequest, **changes: Any) -> SubmitReferral:
    command = SubmitReferral(token=uuid4(), by=ADVOCATE, story=a_story(), releases=requests)
    return replace(command, **changes)


def more_releases(referral_id: UUID, *requests: ReleaseRequest) -> AddRelease:
    return AddRelease(token=uuid4(), by=ADVOCATE, referral_id=referral_id, releases=requests)


def some_news(referral_id: UUID, what: str, **changes: Any) -> News:
    return replace(News(referral_id=referral_id, what=what, at=NOW), **changes)
