"""Builders of routing's words, with plain defaults: one partner that serves everybody."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from routing.domain.clocks import Calendar
from routing.domain.matching import Situation
from routing.domain.model import (
    Directory,
    Facts,
    Offer,
    Opening,
    Partner,
    Referral,
    Release,
    Service,
)

MONDAY = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
"""Monday, 10:00 in Baton Rouge."""

CHICAGO = ZoneInfo("America/Chicago")
WEEKDAYS = tuple(Opening(day, time(8), time(17)) for day in range(5))
CALENDAR = Calendar(
    CHICAGO,
    {day: (time(8), time(17)) for day in range(5)},
    frozenset({date(2026, 11, 26), date(2026, 11, 27), date(2026, 12, 25), date(2027, 1, 1)}),
)
ITEMS = ("needs", "facts", "name", "contact", "substance-use")
REPORT_BACK = ("answer-detail", "first-contact", "service-started", "outcome")


def an_id(number: int) -> UUID:
    """Return a fixed id."""
    return UUID(int=number)


def some_facts(**changes: Any) -> Facts:
    """Return facts that the default partner fits."""
    fields: dict[str, Any] = {
        "needs": ("trauma-therapy",),
        "urgency": "routine",
        "age_band": "25-59",
        "languages": ("en",),
        "interpreter": False,
        "access_needs": (),
        "county": "22033",
        "preferences": (),
        "contact_route": "through-advocate",
    }
    return Facts(**{**fields, **changes})


def a_service(**changes: Any) -> Service:
    """Return a service that takes the default facts."""
    fields: dict[str, Any] = {
        "service_id": uuid4(),
        "name": "Counseling",
        "description": "Somebody to talk to.",
        "status": "active",
        "needs": ("trauma-therapy",),
        "languages": ("en",),
        "interpretation": False,
        "minimum_age": None,
        "maximum_age": None,
        "counties": (),
        "remote": False,
        "in_person": True,
        "access_needs": (),
        "urgency_max": "emergency",
        "first_contact_text": "Within five working days.",
        "hours_text": "Weekdays 8 to 5",
        "zone": "America/Chicago",
        "openings": WEEKDAYS,
        "always_open": False,
        "capacity": None,
        "paused": "",
    }
    return Service(**{**fields, **changes})


def a_partner(partner_id: UUID | None = None, *services: Service, **changes: Any) -> Partner:
    """Return a partner with one default service, unless others are given."""
    fields: dict[str, Any] = {
        "partner_id": partner_id or uuid4(),
        "name": "A partner",
        "description": "Invented.",
        "website": "https://partner.example.org",
        "phone": "225-555-0150",
        "advocate_type": "community",
        "confidentiality": "confidential",
        "ties": (),
        "recipient": True,
        "data_agreement_until": date(2030, 1, 1),
        "services": services or (a_service(),),
    }
    return Partner(**{**fields, **changes})


def a_directory(*partners: Partner) -> Directory:
    """Return version 1 of a directory."""
    return Directory(1, "baton-rouge", {partner.partner_id: partner for partner in partners})


def a_release(partner_id: UUID, **changes: Any) -> Release:
    """Return a live release of everything."""
    fields: dict[str, Any] = {
        "release_id": uuid4(),
        "partner_id": partner_id,
        "rank": 1,
        "expires_at": MONDAY + timedelta(days=30),
        "items": ITEMS,
        "report_back": REPORT_BACK,
    }
    return Release(**{**fields, **changes})


def a_situation(*partners: Partner, **changes: Any) -> Situation:
    """Return a situation in which each partner is released, in the order given."""
    fields: dict[str, Any] = {
        "facts": some_facts(),
        "barred": frozenset(),
        "released": tuple(a_release(p.partner_id, rank=n) for n, p in enumerate(partners, 1)),
        "asked": {},
        "places": {},
    }
    return Situation(**{**fields, **changes})


def an_offer(**changes: Any) -> Offer:
    """Return an open offer."""
    fields: dict[str, Any] = {
        "offer_id": uuid4(),
        "reference": "WH-7K3F-92",
        "partner_id": uuid4(),
        "service_id": uuid4(),
        "release_id": uuid4(),
        "state": "offered",
        "offered_at": MONDAY,
        "answer_by": MONDAY + timedelta(days=2),
    }
    return Offer(**{**fields, **changes})


def a_referral(*releases: Release, **changes: Any) -> Referral:
    """Return a new referral with these releases."""
    fields: dict[str, Any] = {
        "referral_id": uuid4(),
        "reference": "WH-2B4D-11",
        "site": "baton-rouge",
        "agency": "brva",
        "submitted_by": uuid4(),
        "facts": some_facts(),
        "barred": frozenset(),
        "state": "to-match",
        "received_at": MONDAY,
        "releases": releases,
    }
    return Referral(**{**fields, **changes})
