"""From the first question to a sent referral, as a browser without JavaScript goes."""

from tests.integration.intake_pages.builders import Pages
from tests.integration.intake_pages.journey import refer, to_check


def test_an_advocate_sends_a_referral(pages: Pages) -> None:
    browser = pages.browser()

    referral_id = refer(browser)

    assert "Cypress Clinic (invented)" in browser.get(f"/referrals/{referral_id}").text
    assert pages.ask("select type from outbox") == [("intake.referral.submitted.v1",)]


def test_the_check_page_reads_every_answer_back(pages: Pages) -> None:
    page = to_check(pages.browser())

    for words in ("Blue Kettle", "25 to 59", "Spanish; French", "225-555-0166", "Was hurt"):
        assert words in page.text
    assert "Send this referral to Cypress Clinic (invented)" in page.text
