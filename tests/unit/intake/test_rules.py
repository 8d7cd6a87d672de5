"""References, facts, who gets an information sheet, and what is never quoted."""

import random
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.application.submit import record_information_only
from intake.domain.facts import facts_of, released_facts
from intake.domain.people import SafeContact, information_only
from intake.domain.references import LETTERS, new_reference, new_resume_code, plain_code
from intake.domain.stories import check_story
from shared.errors import Rejected
from tests.unit.intake.builders import (
    ADVOCATE,
    AGENCY_ID,
    NOW,
    POLICE,
    RULES,
    a_contact,
    a_person,
    a_request,
    a_story,
    an_encounter,
    some_wishes,
)
from tests.unit.intake.fakes import FakeUnits


@given(st.randoms())
def test_a_reference_reads_aloud_without_doubt(chance: random.Random) -> None:
    reference = new_reference(chance.choice)

    assert re.fullmatch(rf"WH-[{LETTERS}]{{4}}-[2-9]{{2}}", reference)
    assert not set("01OIBLS8") & set(reference.removeprefix("WH-"))


@given(st.randoms())
def test_a_resume_code_is_read_however_it_is_typed(chance: random.Random) -> None:
    code = new_resume_code(chance.choice)

    assert plain_code(code) == code
    assert plain_code(f"  {code.lower().replace('-', ' ')}") == code


def test_what_leaves_is_codes() -> None:
    facts = facts_of(a_story())

    assert facts.needs == ("trauma-therapy",)
    assert facts.contact_route == "partner-contacts"
    assert "Jordan" not in repr(facts)


def test_a_protected_need_leaves_only_when_a_release_names_it() -> None:
    """R-20."""
    story = a_story(wishes=some_wishes(needs=("medical", "substance-use")))
    request = a_request(ADVOCATE)
    named = a_request(ADVOCATE, items=("needs", "facts", "substance-use"))

    assert released_facts(story, [request]).needs == ("medical",)
    assert released_facts(story, [request, named]).needs == ("medical", "substance-use")


def test_a_referral_without_a_released_need_is_refused() -> None:
    story = a_story(wishes=some_wishes(needs=("substance-use",)))

    with pytest.raises(Rejected):
        released_facts(story, [a_request(ADVOCATE)])


@pytest.mark.parametrize(
    ("person", "encounter", "why"),
    [
        (a_person(), an_encounter(), None),
        (a_person(age_band="13-17"), None, "minor"),
        (a_person(age_band="0-12"), None, "minor"),
        (a_person(under_guardianship=True), None, "guardianship"),
        (a_person(works_in_law_enforcement=True), None, "officer"),
        (a_person(), an_encounter(role="officer"), "officer"),
    ],
)
def test_who_gets_an_information_sheet_only(
    person: object, encounter: object, why: str | None
) -> None:
    """R-36 for officers."""
    assert information_only(person, encounter) == why  # type: ignore[arg-type]


def test_an_information_sheet_is_counted_without_the_person() -> None:
    """R-05."""
    units = FakeUnits()

    with units.work() as work:
        record_information_only("no-release", by=ADVOCATE, work=work)

    assert units.memory.sheets == ["no-release"]
    assert not units.memory.people


def test_what_identifies_is_never_in_a_repr() -> None:
    story = a_story(contact=a_contact())

    text = repr((story, story.person, story.contact, story.contact.channels, story.encounter))

    assert "Jordan" not in text
    assert "225-555" not in text
    assert "baton-rouge-police" not in text


def test_a_whole_story_has_no_problem() -> None:
    assert not check_story(a_story(), RULES, NOW, ()).fields


@pytest.mark.parametrize("tag", ["es", "lkt", "zh-Hant", "es-419", "sr-Latn-ME"])
def test_a_language_is_named_by_its_tag(tag: str) -> None:
    assert not check_story(a_story(person=a_person(languages=(tag,))), RULES, NOW, ()).fields


@pytest.mark.parametrize("said", ["225-555-0177", "Quandrymont", "Spanish", "ES", "es\n", ""])
def test_what_is_no_tag_of_a_language_is_refused(said: str) -> None:
    """R-02: it would be told to routing."""
    story = a_story(person=a_person(languages=("es", said)))

    assert list(check_story(story, RULES, NOW, ()).fields) == ["person.languages"]


@pytest.mark.parametrize("name", [POLICE, str(ADVOCATE)])
def test_who_must_not_be_told_is_an_agency_or_a_partner(name: str) -> None:
    story = a_story(encounter=an_encounter(do_not_tell=(name,)))

    assert not check_story(story, RULES, NOW, [ADVOCATE]).fields


@pytest.mark.parametrize("name", ["police", str(ADVOCATE).upper(), str(AGENCY_ID), ""])
def test_a_name_that_keeps_nobody_out_is_refused(name: str) -> None:
    """R-10."""
    story = a_story(encounter=an_encounter(do_not_tell=(POLICE, name)))

    found = check_story(story, RULES, NOW, [ADVOCATE]).fields

    assert list(found) == ["encounter.do_not_tell.1"]


@pytest.mark.parametrize(
    ("contact", "is_right"),
    [
        (a_contact(confirmed_at=NOW - timedelta(days=30)), True),
        (a_contact(confirmed_at=NOW - timedelta(days=30, seconds=1)), False),
        (a_contact(confirmed_at=NOW + timedelta(minutes=1)), True),
        (a_contact(confirmed_at=NOW + timedelta(hours=1)), False),
        (a_contact(confirmed_at=None), False),
        (a_contact(route="through-advocate", channels=(), confirmed_at=None), True),
    ],
)
def test_ways_that_are_safe_were_confirmed_lately(contact: SafeContact, *, is_right: bool) -> None:
    """R-27."""
    found = check_story(a_story(contact=contact), RULES, NOW, ()).fields

    assert list(found) == ([] if is_right else ["contact.confirmed_at"])


def test_a_pseudonym_is_enough() -> None:
    """R-34."""
    story = a_story(person=a_person(name=None), encounter=an_encounter(happened_on=None))

    assert not check_story(story, RULES, NOW, ()).fields
