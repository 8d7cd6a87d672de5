"""What a partner that accepted sees: checked and logged at that moment."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.intake_pages.builders import CLINIC, LEGAL, Browser, Page, Pages
from tests.integration.intake_pages.journey import refer, sign_on_paper, to, walk

OFFER = UUID("20000000-0000-4000-8000-000000000001")
STAFF = "partner-clinic"


def accepted(pages: Pages, **changes: dict[str, Any]) -> UUID:
    """Send a referral that the clinic accepts."""
    referral_id = refer(pages.browser(), **changes)
    for what in ("offered", "accepted"):
        pages.hear(
            referral_id, what, offer_id=OFFER, partner_id=CLINIC, offer_reference="WH-AAAA-22"
        )
    return referral_id


def enter(pages: Pages, *, subject: str = STAFF, **claims: Any) -> tuple[Browser, Page]:
    """Come from routing with a ticket, then sign in."""
    browser = pages.browser("")
    ticket = pages.ticket(STAFF, OFFER, CLINIC, **claims)
    came = browser.post_without_token("/disclosures/enter", {"ticket": [ticket]})
    browser.sign_in(subject)
    return browser, came


def show(browser: Browser) -> Page:
    return browser.post("/disclosures")


def test_the_rules_stand_before_any_detail_r27(pages: Pages) -> None:
    accepted(pages)
    browser, _came = enter(pages)

    asked = browser.get("/disclosures")
    assert "225-555-0166" not in asked.text
    page = browser.send(asked)

    rule = page.text.index("Never leave a message.")
    assert rule < page.text.index("225-555-0166")
    assert "weekdays before 3 PM" in page.text
    assert "Blue Kettle" in page.text
    assert "WH-AAAA-22" in page.text


def test_every_read_is_logged(pages: Pages) -> None:
    accepted(pages)
    browser, _came = enter(pages)

    show(browser)
    show(browser)

    reads = pages.ask("select count(*) from disclosure_log where kind = 'disclosure'")
    assert reads == [(2,)]


def test_looking_at_the_button_is_no_read(pages: Pages) -> None:
    accepted(pages)
    browser, _came = enter(pages)

    browser.get("/disclosures")

    assert pages.ask("select count(*) from disclosure_log where kind = 'disclosure'") == [(0,)]


def test_a_ticket_works_once(pages: Pages) -> None:
    accepted(pages)
    ticket = pages.ticket(STAFF, OFFER, CLINIC)
    pages.browser("").post_without_token("/disclosures/enter", {"ticket": [ticket]})

    again = pages.browser("").post_without_token("/disclosures/enter", {"ticket": [ticket]})

    assert again.status == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example.org"},
        {"iss": "https://other.example.org"},
        {"exp": 1_700_000_000, "iat": 1_699_999_990},
        {"exp": 4_000_000_000},
        {"offer_id": "no"},
    ],
)
def test_a_ticket_that_does_not_hold_is_refused(pages: Pages, claims: dict[str, Any]) -> None:
    _browser, came = enter(pages, **claims)

    assert came.status == 403


def test_what_a_ticket_opened_is_open_for_minutes_only(pages: Pages) -> None:
    """R-59."""
    accepted(pages)
    browser, _came = enter(pages)
    asked = browser.get("/disclosures")

    browser.came_a_while_ago(minutes=6)

    refused = browser.send(asked)
    assert refused.status == 403
    assert "Open the details from your inbox again." in refused.text
    assert browser.get("/disclosures").status == 403
    assert pages.ask("select count(*) from disclosure_log where kind = 'disclosure'") == [(0,)]


def test_without_a_ticket_there_is_nothing(pages: Pages) -> None:
    browser = pages.browser()

    assert browser.get("/disclosures").status == 404
    assert show(browser).status == 404


def test_entering_leads_to_sign_in_first(pages: Pages) -> None:
    browser = pages.browser("")
    ticket = pages.ticket(STAFF, OFFER, CLINIC)

    browser.post_without_token("/disclosures/enter", {"ticket": [ticket]})

    page = browser.get("/disclosures")
    link = page.soup.select_one("main a[href*='/sign-in']")
    assert page.heading == "Sign in to see how to make contact"
    assert link is not None


def test_somebody_elses_sign_in_opens_nothing(pages: Pages) -> None:
    accepted(pages)
    browser, _came = enter(pages, subject="advocate")

    assert browser.get("/disclosures").status == 403
    assert show(browser).status == 403


def test_an_advocate_who_was_signed_in_here_is_signed_out_by_a_ticket(pages: Pages) -> None:
    browser = pages.browser("advocate")
    ticket = pages.ticket(STAFF, OFFER, CLINIC)

    browser.post_without_token("/disclosures/enter", {"ticket": [ticket]})

    assert browser.get_here("/referrals").status == 302


def test_a_partner_that_came_by_ticket_sees_no_advocates_page(pages: Pages) -> None:
    referral_id = accepted(pages)
    browser, _came = enter(pages)

    assert browser.get(f"/referrals/{referral_id}").status == 403


def test_before_the_acceptance_is_known_it_is_being_confirmed(pages: Pages) -> None:
    referral_id = refer(pages.browser())
    browser, _came = enter(pages)

    page = browser.get("/disclosures")

    assert page.heading == "Your answer is being confirmed"
    assert page.soup.select_one("#state[hx-get='/disclosures']") is not None
    assert "Look again now" in page.text
    for what in ("offered", "accepted"):
        pages.hear(referral_id, what, offer_id=OFFER, partner_id=CLINIC)
    assert browser.get("/disclosures").heading == "How to make contact"


def test_after_a_minute_the_agencys_phone_is_there(pages: Pages) -> None:
    refer(pages.browser())
    browser, _came = enter(pages)
    assert "225-555-0110" not in browser.get("/disclosures").text

    browser.came_a_while_ago()

    assert "225-555-0110" in browser.get("/disclosures").text


def test_a_release_taken_back_closes_it_at_once_r15(pages: Pages) -> None:
    referral_id = accepted(pages)
    browser, _came = enter(pages)
    asked = browser.get("/disclosures")
    advocate = pages.browser()
    advocate.press(advocate.get(f"/referrals/{referral_id}"), "/revoke")

    assert browser.send(asked).status == 404
    assert browser.get("/disclosures").status == 404


def test_another_organization_sees_nothing(pages: Pages) -> None:
    accepted(pages)
    browser = pages.browser("")
    ticket = pages.ticket(STAFF, OFFER, LEGAL)
    browser.post_without_token("/disclosures/enter", {"ticket": [ticket]})
    browser.sign_in(STAFF)

    assert browser.get("/disclosures").status == 404
    assert show(browser).status == 404


def test_an_unknown_offer_is_only_ever_being_confirmed(pages: Pages) -> None:
    browser, _came = enter(pages, offer_id=str(uuid4()))

    assert browser.get("/disclosures").heading == "Your answer is being confirmed"
    assert show(browser).heading == "Your answer is being confirmed"


def test_through_the_advocate_names_the_agency_and_no_way(pages: Pages) -> None:
    accepted(pages, contact={"contact_route": "through-advocate"})
    browser, _came = enter(pages)

    page = show(browser)

    assert "Only through the advocate." in page.text
    assert "225-555-0110" in page.text


def test_by_code_word_the_person_calls(pages: Pages) -> None:
    browser = pages.browser()
    page = browser.send(to(browser, "contact"), contact_route="person-calls")
    page = walk(browser, browser.send(page, code_word="copper fern"), "release")
    sent = browser.send(sign_on_paper(browser, page))
    referral_id = UUID(sent.path.split("/")[2])
    for what in ("offered", "accepted"):
        pages.hear(referral_id, what, offer_id=OFFER, partner_id=CLINIC)
    partner, _came = enter(pages)

    page = show(partner)

    assert "The person calls you." in page.text
    assert "copper fern" in page.text
