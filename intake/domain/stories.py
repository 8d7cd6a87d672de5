"""Checks of what a person said, whoever typed it: a page or the agency's own system."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from intake.domain.people import (
    PARTNER_CONTACTS,
    PERSON_CALLS,
    Channel,
    Encounter,
    Person,
    SafeContact,
    Story,
    Wishes,
    information_only,
)
from intake.domain.rules import Problems, Rules

CLOCKS_DIFFER = timedelta(minutes=5)
LONGEST_NAME = 80
LONGEST_CODE_WORD = 40
LONGEST_ADDRESS = 200

_ENDS = {
    "minor": ("person.age_band", "Under 18 the person gets an information sheet only, for now."),
    "guardianship": (
        "person.under_guardianship",
        "Under guardianship the person gets an information sheet only, for now.",
    ),
    "officer": (
        "person.works_in_law_enforcement",
        "Officers have a service of their own: give the information sheet.",
    ),
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_Faults = Iterator[tuple[str, str]]


def check_story(story: Story, rules: Rules, now: datetime, partners: Iterable[UUID]) -> Problems:
    """Return what is wrong with what a person said, by field; empty when a referral may follow.

    `partners` are all that are known: whoever is not to be told has to be one of them, or an
    agency, as a name that means nobody would keep nobody out.
    """
    problems = Problems()
    found = (
        *_person(story.person, rules),
        *_contact(story.contact, rules),
        *_confirmed(story.contact, now),
        *_encounter(story.encounter, rules, now),
        *_not_told(story.encounter, rules, partners),
        *_wishes(story.wishes, rules),
    )
    for path, sentence in found:
        problems.add(path, sentence)
    end = information_only(story.person, story.encounter)
    if end is not None and not problems.fields:
        problems.add(*_ENDS[end])
    return problems


def _person(person: Person, rules: Rules) -> _Faults:
    if not person.pseudonym.strip():
        yield "person.pseudonym", "Enter what to call the person. Any name will do."
    yield from _length("person.pseudonym", person.pseudonym, LONGEST_NAME)
    yield from _length("person.name", person.name or "", LONGEST_NAME)
    yield from _code("person.age_band", person.age_band, rules, "age-bands")
    yield from _codes("person.access_needs", person.access_needs, rules, "access-needs")
    if not person.languages:
        yield "person.languages", "Choose at least one language the person is at ease in."
    if not all(map(rules.language_tag.fullmatch, person.languages)):
        yield "person.languages", "Write each language as its BCP 47 tag, such as es or zh-Hant."


def _contact(contact: SafeContact, rules: Rules) -> _Faults:
    yield from _code("contact.route", contact.route, rules, "contact-routes")
    yield from _length("contact.code_word", contact.code_word, LONGEST_CODE_WORD)
    if contact.route == PERSON_CALLS and not contact.code_word.strip():
        yield "contact.code_word", "Enter a code word that the person will remember."
    if contact.route == PARTNER_CONTACTS and not contact.channels:
        yield "contact.channels", "Choose at least one way that is safe."
    if contact.route != PARTNER_CONTACTS and contact.channels:
        yield "contact.channels", "The person did not ask to be contacted by the partner."
    for index, channel in enumerate(contact.channels):
        yield from _channel(f"contact.channels.{index}", channel, rules)


def _confirmed(contact: SafeContact, now: datetime) -> _Faults:
    if contact.confirmed_at is None:
        if contact.route == PARTNER_CONTACTS:
            yield "contact.confirmed_at", "Enter when the person said that this is safe."
    elif contact.confirmed_at > now + CLOCKS_DIFFER:
        yield "contact.confirmed_at", "Enter a time that is not in the future."
    elif not contact.is_confirmed(now):
        yield "contact.confirmed_at", "Ask the person again what is safe: it was long ago."


def _channel(path: str, channel: Channel, rules: Rules) -> _Faults:
    yield from _code(f"{path}.channel", channel.channel, rules, "channels")
    if not channel.address.strip():
        yield f"{path}.address", "Enter where to make contact."
    for name in ("address", "when", "who_may_answer", "ask_for"):
        yield from _length(f"{path}.{name}", getattr(channel, name), LONGEST_ADDRESS)


def _encounter(encounter: Encounter, rules: Rules, now: datetime) -> _Faults:
    yield from _code("encounter.role", encounter.role, rules, "roles")
    yield from _codes(
        "encounter.involved_agencies", encounter.involved_agencies, rules, "involved-agencies"
    )
    today = now.astimezone(rules.zone).date()
    if encounter.happened_on is not None and encounter.happened_on > today:
        yield "encounter.happened_on", "Enter a date that is not in the future."


def _not_told(encounter: Encounter, rules: Rules, partners: Iterable[UUID]) -> _Faults:
    if not encounter.do_not_tell:
        return
    known = rules.codes["involved-agencies"].union(map(str, partners))
    for index, name in enumerate(encounter.do_not_tell):
        if name not in known:
            yield (
                f"encounter.do_not_tell.{index}",
                "Write the id of a partner or the code of an agency. This is neither.",
            )


def _wishes(wishes: Wishes, rules: Rules) -> _Faults:
    if not wishes.needs:
        yield "wishes.needs", "Choose at least one kind of help."
    yield from _codes("wishes.needs", wishes.needs, rules, "needs")
    yield from _code("wishes.urgency", wishes.urgency, rules, "urgencies")
    yield from _code("wishes.county", wishes.county, rules, "counties")
    yield from _codes("wishes.preferences", wishes.preferences, rules, "preferences")


def _code(path: str, code: str, rules: Rules, group: str) -> _Faults:
    if code not in rules.codes[group]:
        yield path, "Choose one of the known codes."


def _codes(path: str, codes: tuple[str, ...], rules: Rules, group: str) -> _Faults:
    if not set(codes) <= rules.codes[group]:
        yield path, "Choose from the known codes."
    if len(set(codes)) < len(codes):
        yield path, "Name each code once."


def _length(path: str, text: str, longest: int) -> _Faults:
    if len(text) > longest:
        yield path, f"Write at most {longest} characters."
    if _CONTROL.search(text):
        yield path, "Write it again with letters and numbers only."
