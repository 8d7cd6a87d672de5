"""The person, how contact is safe, what happened, and what would help.

What identifies has no repr, so that no log or traceback can quote it.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

ADULT_AGE_BANDS: Final = frozenset({"18-24", "25-59", "60-plus"})
OFFICER: Final = "officer"
THROUGH_ADVOCATE: Final = "through-advocate"
PERSON_CALLS: Final = "person-calls"
PARTNER_CONTACTS: Final = "partner-contacts"
CONFIRMED_FOR: Final = timedelta(days=30)
SUBSTANCE_USE: Final = "substance-use"
"""The need, and the release item of the same name, that 42 CFR part 2 protects (R-20)."""


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """Who is helped; a pseudonym is enough (R-34).

    Languages are BCP 47 tags, the others codes. The two flags end the form with an information
    sheet: somebody else decides for the person, or the person works in law enforcement (R-36).
    """

    pseudonym: str
    age_band: str
    languages: tuple[str, ...]
    interpreter: bool
    access_needs: tuple[str, ...] = ()
    name: str | None = None
    under_guardianship: bool = False
    works_in_law_enforcement: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Channel:
    """One safe way of contact with its rules, in the person's own words where they are words."""

    channel: str
    address: str
    leave_message_ok: bool = False
    identify_agency_ok: bool = False
    when: str = ""
    who_may_answer: str = ""
    ask_for: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class SafeContact:
    """How contact is made: through the advocate unless the person says otherwise (R-27)."""

    route: str = THROUGH_ADVOCATE
    code_word: str = ""
    channels: tuple[Channel, ...] = ()
    confirmed_at: datetime | None = None

    def is_confirmed(self, now: datetime) -> bool:
        """Tell whether the person said lately that this is safe (R-27: 30 days)."""
        return self.confirmed_at is not None and now - self.confirmed_at <= CONFIRMED_FOR


@dataclass(frozen=True, slots=True, repr=False)
class Encounter:
    """What happened, without a narrative or a report number (R-07). It never leaves intake.

    `do_not_tell` holds ids of partners (as text) and codes of agencies.
    """

    role: str
    involved_agencies: tuple[str, ...] = ()
    do_not_tell: tuple[str, ...] = ()
    happened_on: date | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """One bundle of needs that one partner can take over; `county` is a FIPS code."""

    needs: tuple[str, ...]
    urgency: str
    county: str
    preferences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Story:
    """All that is asked once and serves every referral of the same person."""

    person: Person
    contact: SafeContact
    encounter: Encounter
    wishes: Wishes


def information_only(person: Person, encounter: Encounter | None = None) -> str | None:
    """Return why this person gets an information sheet instead of a referral, or None.

    "minor", "guardianship" or "officer".
    """
    if person.age_band not in ADULT_AGE_BANDS:
        return "minor"
    if person.under_guardianship:
        return "guardianship"
    if person.works_in_law_enforcement or (encounter is not None and encounter.role == OFFICER):
        return "officer"
    return None
