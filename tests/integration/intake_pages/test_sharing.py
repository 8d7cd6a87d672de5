"""Who could help, what they may know, and how it is signed."""

import base64
import io
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.intake_pages.builders import (
    CLINIC,
    LEGAL,
    PDF,
    PNG,
    Page,
    Pages,
    a_partner,
    in_days,
)
from tests.integration.intake_pages.journey import sign_on_paper, to, to_check

DRAWN = "data:image/png;base64," + base64.b64encode(PNG).decode()


def test_each_partner_says_what_it_is_and_whom_it_is_tied_to_r11(pages: Pages) -> None:
    page = to(pages.browser(), "partners")

    assert "Cypress Clinic (invented)" in page.text
    assert "speaks Spanish; serves East Baton Rouge Parish; open now." in page.text
    assert "Health care provider. Confidential." in page.text
    assert (
        "Levee Legal Aid (invented) is in the same building as East Baton Rouge Sheriff's Office."
        in page.text
    )
    assert "No tie to the police or another law enforcement agency is known." in page.text


def test_a_police_unit_says_that_it_is_not_confidential_r11(pages: Pages) -> None:
    page = to(pages.browser(), "partners", involved={"involved": None})

    assert "Police Victim Unit (invented) is run by Baton Rouge Police Department." in page.text
    assert "Not confidential: police, prosecutors or courts may learn what is said." in page.text


def test_who_does_not_fit_is_listed_with_the_rule(pages: Pages) -> None:
    page = to(pages.browser(), "partners")

    others = page.soup.select_one("details")
    assert others is not None
    words = " ".join(others.get_text(" ").split())
    assert "Magnolia Circle (invented): It speaks Spanish, English and has no interpreter" in words
    assert "Police Victim Unit (invented): It is tied to an agency you named" in words


def test_the_preview_is_asked_with_facts_only_r05(pages: Pages) -> None:
    to(pages.browser(), "partners")

    facts, barred = pages.preview.asked[-1]
    assert "Blue" not in repr(facts)
    assert "225-555" not in repr(facts)
    assert len(barred) == 1


def test_without_an_answer_in_time_known_partners_are_listed_without_fit(pages: Pages) -> None:
    pages.preview.away = True

    page = to(pages.browser(), "partners")

    assert "We could not check who fits right now" in page.text
    assert "Why it fits" not in page.text
    assert "Magnolia Circle (invented)" in page.text
    assert "Police Victim Unit" not in page.text


def test_when_nobody_is_chosen_there_is_an_information_sheet_r05(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "partners")
    draft = page.path.rsplit("/", 1)[0]

    ends, sheet = browser.get(f"{draft}/ends"), browser.get(f"{draft}/sheet")

    assert "The person chose not to sign, or nobody fits." in ends.text
    assert "Cypress Clinic (invented)" in sheet.text
    assert "225-555-0150" in sheet.text
    assert "Blue Kettle" not in sheet.text


def test_finishing_with_a_sheet_destroys_the_answers_and_counts_it(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "partners")
    ends = browser.get(page.path.replace("/partners", "/ends"))

    browser.press(ends, "/discard")

    assert browser.get(page.path).status == 404
    assert pages.ask("select count(*) from outbox") == [(0,)]
    assert pages.ask("select reason from information_sheet") == [("no-release",)]


def test_a_partner_of_another_site_can_neither_be_seen_nor_chosen(pages: Pages) -> None:
    elsewhere = a_partner(uuid4(), "Lake Merritt House (invented)", site="oakland")
    pages.learn(elsewhere)
    browser = pages.browser()
    shown = to(browser, "partners")

    refused = browser.send(shown, partners=[str(elsewhere.partner_id)])

    assert elsewhere.name not in shown.text
    assert refused.status == 422
    assert elsewhere.name not in refused.text


def test_a_release_starts_with_thirty_days_and_without_substance_use_r16_r20(pages: Pages) -> None:
    page = to(pages.browser(), "release", needs={"needs": ["trauma-therapy", "substance-use"]})

    started = page.fields()
    assert started["items"] == ["needs", "facts", "name", "contact"]
    assert {name: started[name] for name in in_days(pages, 30)} == {
        name: [value] for name, value in in_days(pages, 30).items()
    }
    assert page.soup.select_one("input[name=items][value=substance-use]") is not None


def test_reporting_back_is_off_until_the_person_wants_it(pages: Pages) -> None:
    page = to(pages.browser(), "release")

    assert "report_back" not in page.fields()
    assert len(page.soup.select("input[name=report_back]")) == 4


def test_the_contact_item_is_off_when_contact_goes_through_the_advocate(pages: Pages) -> None:
    browser = pages.browser()

    page = to(browser, "release", contact={"contact_route": "through-advocate"})

    assert page.fields()["items"] == ["needs", "facts", "name"]


def test_the_whole_sentence_stands_above_the_signature(pages: Pages) -> None:
    browser = pages.browser()
    page = browser.send(to(browser, "release"), report_back=["outcome"], **in_days(pages, 20))

    sentence = page.soup.select_one("#statement")
    assert sentence is not None
    words = " ".join(sentence.get_text(" ").split())
    for part in (
        "I, Blue Kettle, allow Baton Rouge Victim Advocates (invented) to give this to Cypress",
        "what help is needed",
        "passed on by Capital Area Human Services",
        "I also allow Cypress Clinic (invented) to tell Baton Rouge Victim Advocates (invented)",
        "how it ended.",
        "I can take it back at any time",
    ):
        assert part in words
    assert "could be told on" in page.text
    assert "This agency helps them in the same way without it." in page.text


def test_a_drawn_signature_is_kept(pages: Pages) -> None:
    browser = pages.browser()
    page = browser.send(to(browser, "release"))

    signed = browser.send(page, voluntary="yes", method="drawn", signature=DRAWN)

    assert "Signed on this device" in signed.text


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"method": "paper"}, "voluntary", "do not have to sign"),
        ({"voluntary": "yes"}, "method", "how the person signs"),
        ({"voluntary": "yes", "method": "drawn"}, "signature", "Sign in the box"),
        (
            {"voluntary": "yes", "method": "drawn", "signature": "data:image/png;base64,AAAA"},
            "signature",
            "Sign in the box",
        ),
        (
            {"voluntary": "yes", "method": "drawn", "signature": "https://example.org/x.png"},
            "signature",
            "Sign in the box",
        ),
        ({"voluntary": "yes", "method": "paper"}, "witness", "Enter the name of the person who"),
        ({"voluntary": "yes", "method": "paper", "witness": "Ana"}, "scan", "Add a scan or photo"),
    ],
)
def test_a_release_without_a_signature_is_refused_r12(
    pages: Pages, typed: dict[str, Any], field: str, words: str
) -> None:
    browser = pages.browser()
    page = browser.send(to(browser, "release"))

    refused = browser.send(page, **typed)

    assert refused.status == 422
    assert words in refused.problems[field]
    assert refused.soup.find(id=field) is not None


def test_a_scan_is_judged_by_what_it_is_not_by_its_name(pages: Pages) -> None:
    browser = pages.browser()
    page = browser.send(to(browser, "release"))

    refused = browser.send(
        page,
        files={"scan": (io.BytesIO(b"<html>"), "scan.pdf")},
        voluntary="yes",
        method="paper",
        witness="Ana",
    )

    assert "scan" in refused.problems
    assert refused.fields()["witness"] == ["Ana"]


def test_a_photo_of_some_megabytes_is_taken_and_a_larger_one_is_not(pages: Pages) -> None:
    browser = pages.browser()
    page = browser.send(to(browser, "release"))

    def sign(size: int) -> Page:
        scan = io.BytesIO(PDF + bytes(size))
        return browser.send(
            page,
            files={"scan": (scan, "scan.pdf")},
            voluntary="yes",
            method="paper",
            witness="Ana",
        )

    assert "scan" in sign(3 * 1024 * 1024).problems
    assert "/check" in sign(2 * 1024 * 1024).path


def test_another_choice_has_to_be_signed_again(pages: Pages) -> None:
    browser = pages.browser()
    page = to_check(browser)
    draft = page.path.rsplit("/", 1)[0]

    changed = browser.send(
        browser.get(f"{draft}/release/{CLINIC}?then=check"),
        items=["needs", "facts"],
        then="check",
    )

    assert changed.path == f"{draft}/sign/{CLINIC}"
    assert "This release is signed" not in changed.text


def test_a_partner_can_be_left_out_while_the_others_stay(pages: Pages) -> None:
    browser = pages.browser()
    both = {"partners": [str(CLINIC), str(LEGAL)]}
    page = browser.send(to(browser, "order", partners=both))

    left = browser.press(page, "/skip/")

    assert left.heading == "What may Levee Legal Aid (invented) know?"
    assert "Levee" in sign_on_paper(browser, left).text


def test_when_the_last_partner_is_left_out_the_choice_is_open_again(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "release")

    left = browser.press(page, "/skip/")

    assert left.heading == "Who could help?"


def test_the_signature_and_its_words_are_sealed(pages: Pages) -> None:
    browser = pages.browser()
    browser.send(to_check(browser))

    rows = pages.ask("select release_signature::text from release_signature")

    assert rows
    assert base64.b64encode(PDF).decode() not in str(rows)
    assert PDF.hex() not in str(rows)
