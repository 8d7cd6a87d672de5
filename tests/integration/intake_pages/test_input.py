"""Bad input, page by page: the label's own words, the input kept, nothing saved."""

from typing import Any

import pytest

from tests.integration.intake_pages.builders import CIRCLE, CLINIC, LEGAL, Pages, in_days
from tests.integration.intake_pages.journey import ANSWERS, begin, to

FUTURE = {"happened_on_month": "1", "happened_on_day": "1", "happened_on_year": "2090"}
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("safety", {"danger": None}, "danger", "Choose whether anyone is in danger right now"),
    ("safety", {"safe": None}, "safe", "Choose whether it is safe to talk right now"),
    ("safety", {"safe": "perhaps"}, "safe", "Choose whether it is safe to talk right now"),
    ("about", {"age_band": None}, "age_band", "Choose the person's age"),
    ("about", {"age_band": "ancient"}, "age_band", "Choose the person's age"),
    ("about", {"guardian": None}, "guardian", "somebody else makes legal decisions"),
    ("about", {"officer": None}, "officer", "works in law enforcement"),
    ("name", {"called": "  "}, "called", "Enter what to call the person"),
    ("name", {"called": "x" * 81}, "called", "at most 80 characters"),
    ("name", {"legal_name": "x" * 81}, "legal_name", "at most 80 characters"),
    ("name", {"called": "a\x07b"}, "called", "letters and numbers"),
    ("language", {"languages": None, "other_language": ""}, "languages", "at least one language"),
    ("language", {"languages": ["tlh-x"]}, "languages", "Choose"),
    ("language", {"other_language": "Blorpish"}, "other_language", "the name of one language"),
    ("language", {"interpreter": None}, "interpreter", "whether an interpreter is needed"),
    ("access", {"access_needs": ["a-throne"]}, "access_needs", "Choose from"),
    ("contact", {"contact_route": "pigeon"}, "contact_route", "Choose how contact is made"),
    ("channels", {"channels": None}, "channels", "at least one way that is safe"),
    ("call", {"value": ""}, "value", "Enter the phone number to call"),
    ("call", {"value": "5" * 201}, "value", "at most 200 characters"),
    ("call", {"leave_message": None}, "leave_message", "whether a message may be left"),
    ("call", {"name_agency": None}, "name_agency", "which organization it is"),
    ("happened", {"role": None}, "role", "the person's part in what happened"),
    ("happened", {"role": "officer"}, "role", "the person's part in what happened"),
    ("happened", {"happened_on_month": "13"}, "happened_on", "enter a real date"),
    ("happened", {"happened_on_year": "20260914203"}, "happened_on", "enter a real date"),
    ("happened", FUTURE, "happened_on", "not in the future"),
    ("involved", {"involved": ["the-moon"]}, "involved", "Choose from"),
    ("not-told", {"not_told": ["nobody"]}, "not_told", "Choose from"),
    ("needs", {"needs": None}, "needs", "at least one kind of help"),
    ("needs", {"needs": ["gold"]}, "needs", "at least one kind of help"),
    ("urgency", {"urgency": None}, "urgency", "how soon help is needed"),
    ("place", {"county": "99999"}, "county", "the area the person lives in"),
    ("place", {"preferences": ["gold"]}, "preferences", "Choose from"),
    ("partners", {"partners": None}, "partners", "at least one partner"),
    ("partners", {"partners": ["nobody"]}, "partners", "Choose"),
]


@pytest.mark.parametrize(("name", "change", "field", "words"), CASES)
def test_a_page_says_what_is_wrong_and_keeps_the_input(
    pages: Pages, name: str, change: dict[str, Any], field: str, words: str
) -> None:
    browser = pages.browser()
    page = to(browser, name)
    typed = {**ANSWERS[name], **change}

    refused = browser.send(page, **typed)

    assert refused.status == 422
    assert refused.title.startswith("Error: Step ")
    assert words in refused.problems[field]
    assert refused.soup.find(id=field) is not None, "the summary's link leads nowhere"
    kept = refused.fields()
    for other, value in typed.items():
        if other != field and isinstance(value, str) and value:
            assert kept[other] == [value]


def test_more_than_three_partners_are_too_many(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "partners", involved={"involved": None})
    every = [str(box["value"]) for box in page.soup.select("input[name=partners]")]

    refused = browser.send(page, partners=[*every, str(CIRCLE)])

    assert len(every) == 3
    assert {str(CLINIC), str(LEGAL)} <= set(every)
    assert "at most three" in refused.problems["partners"]


def test_an_answer_that_was_not_asked_is_refused(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "name")

    refused = browser.send(page, called="Blue", immigration_status="none")

    assert refused.status == 422
    assert "an answer that it does not ask for" in refused.text


@pytest.mark.parametrize("days", [0, -1, 91, 400])
def test_a_release_ends_after_today_and_within_the_cap_r16(pages: Pages, days: int) -> None:
    browser = pages.browser()
    page = to(browser, "release")

    refused = browser.send(page, **in_days(pages, days))

    assert (
        "Enter the date the release ends, after today and on or before"
        in (refused.problems["until"])
    )


@pytest.mark.parametrize("items", [["needs"], ["facts", "name"], None])
def test_a_release_needs_what_a_partner_needs_to_answer(
    pages: Pages, items: list[str] | None
) -> None:
    browser = pages.browser()
    page = to(browser, "release")

    refused = browser.send(page, items=items)

    assert "without them the partner cannot answer" in refused.problems["items"]


def test_a_need_that_was_not_named_cannot_be_released_r20(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "release")

    refused = browser.send(page, items=["needs", "facts", "substance-use"])

    assert refused.status == 422
    assert "items" in refused.problems


def test_a_form_of_more_than_the_limit_is_refused(pages: Pages) -> None:
    browser = pages.browser()
    page = begin(browser)

    assert browser.post(page.path, {"danger": ["x" * 300_000]}).status == 413


def test_a_form_without_its_token_is_refused(pages: Pages) -> None:
    browser = pages.browser()
    page = begin(browser)

    assert browser.post_without_token(page.path, {"danger": ["no"], "safe": ["yes"]}).status == 400


def test_no_page_asks_about_immigration_a_report_or_the_story_r07(pages: Pages) -> None:
    browser = pages.browser()
    page = begin(browser)
    asked: set[str] = set()
    for name in list(ANSWERS)[:14]:
        asked |= page.fields().keys() | {str(box.get("name")) for box in page.soup.select("input")}
        assert not page.soup.select("textarea")
        page = browser.send(page, **ANSWERS[name])

    assert not {name for name in asked if "immigration" in name or "report" in name}


def test_every_field_switches_autocomplete_off(pages: Pages) -> None:
    page = to(pages.browser(), "name")

    boxes = page.soup.select("main input:not([type=hidden])")

    assert boxes
    assert all(box.get("autocomplete") == "off" for box in boxes)


def test_titles_say_nothing_about_the_page(pages: Pages) -> None:
    page = to(pages.browser(), "happened")

    assert page.title == "Step 4 of 8"
