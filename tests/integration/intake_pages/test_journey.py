"""From the first question to a sent referral, as a browser without JavaScript goes."""

from typing import Any

import pytest

from tests.integration.intake_pages.builders import CIRCLE, CLINIC, LEGAL, Pages
from tests.integration.intake_pages.journey import begin, refer, to, to_check, walk, walk_to_check


def test_an_advocate_sends_a_referral(pages: Pages) -> None:
    browser = pages.browser()

    sent = browser.send(walk_to_check(browser))

    assert sent.heading == "The referral is sent"
    assert "Cypress Clinic (invented)" in browser.get(sent.path.removesuffix("/sent")).text
    assert pages.ask("select type from outbox") == [("intake.referral.submitted.v1",)]


def test_the_check_page_reads_every_answer_back(pages: Pages) -> None:
    page = walk_to_check(pages.browser())

    for words in ("Blue Kettle", "25 to 59", "Spanish; French", "225-555-0166", "Was hurt"):
        assert words in page.text
    assert "Send this referral to Cypress Clinic (invented)" in page.text


def test_the_first_page_tells_who_is_confidential_and_who_must_report_r11_r22(
    pages: Pages,
) -> None:
    page = pages.browser().get("/new")

    assert "Yes, with limits." in page.text
    assert "Law enforcement. If an officer or an agency caused the harm" in page.text


def test_the_confirmation_says_when_to_expect_contact_and_what_to_do_r45(pages: Pages) -> None:
    browser = pages.browser()

    sent = browser.get(f"/referrals/{refer(browser)}/sent")

    assert "4 office hours to answer" in sent.text
    assert "If nobody makes contact by then: call" in sent.text
    assert "225-555-0110" in sent.text


def test_back_keeps_what_was_typed(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "language")
    back = page.soup.select_one("a.wh-back")
    assert back is not None

    before = browser.get(str(back["href"]))

    assert before.fields()["called"] == ["Blue Kettle"]


def test_a_change_from_the_check_page_returns_to_it(pages: Pages) -> None:
    browser = pages.browser()
    page = to_check(browser)
    change = next(
        str(a["href"]) for a in page.soup.select("dl a[href]") if "/urgency" in str(a["href"])
    )

    changed = browser.send(browser.get(change), urgency="routine")

    assert "/check" in changed.path
    assert "Soon: in the next days" in changed.text


def test_a_page_further_on_leads_back_to_what_is_still_open(pages: Pages) -> None:
    browser = pages.browser()
    page = begin(browser)

    ahead = browser.get(page.path.replace("/safety", "/needs"))

    assert ahead.path == page.path


@pytest.mark.parametrize(
    ("page_name", "answers", "words"),
    [
        ("about", {"age_band": "13-17"}, "under 18"),
        ("about", {"guardian": "yes"}, "makes legal decisions"),
        ("about", {"officer": "yes"}, "law enforcement is kept apart"),
        ("safety", {"safe": "no"}, "not safe to talk now"),
    ],
)
def test_some_answers_end_the_form_and_say_why(
    pages: Pages, page_name: str, answers: dict[str, str], words: str
) -> None:
    browser = pages.browser()
    page = to(browser, page_name)
    given: dict[str, Any] = {"safety": {"danger": "no", "safe": "yes"}}.get(
        page_name, {"age_band": "25-59", "guardian": "no", "officer": "no"}
    )

    ended = browser.send(page, **{**given, **answers})

    assert ended.path.endswith("/ends")
    assert words in ended.text
    assert browser.get(page.path.replace(page_name, "name")).path.endswith("/ends")


def test_danger_now_shows_the_numbers_and_keeps_nothing_r32(pages: Pages) -> None:
    browser = pages.browser()
    page = begin(browser)

    shown = browser.send(page, danger="yes")

    assert shown.path == "/crisis"
    assert "988" in shown.text
    assert "checked" not in str(browser.get(page.path).soup.select_one("#danger"))


def test_finish_later_gives_a_code_that_another_advocate_can_use_r29(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "name")

    saved = browser.send(page, called="Blue Kettle", action="later")

    code = saved.soup.select_one(".wh-code")
    assert code is not None
    resumed = pages.browser("advocate2").post("/resume", {"code": [code.get_text(strip=True)]})
    assert resumed.heading == "Which language is the person at ease in?"
    assert browser.get(page.path).status == 404


def test_finish_later_keeps_an_answer_that_is_not_finished(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "name")

    browser.send(page, called="", legal_name="Jordan Invented", action="later")

    assert browser.get(page.path).fields()["legal_name"] == ["Jordan Invented"]


def test_an_unknown_code_opens_nothing_and_is_kept_in_the_field(pages: Pages) -> None:
    page = pages.browser().post("/resume", {"code": ["AAAA-BBBB-CCCC"]})

    assert page.status == 422
    assert "Enter the code as it was given" in page.problems["code"]


def test_quick_exit_keeps_the_draft_and_ends_the_sign_in_r30(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "language")

    browser.leave()

    assert browser.get_here("/referrals").status == 302
    assert "Blue Kettle" in pages.browser().get("/referrals").text
    assert pages.browser().get(page.path).heading == page.heading


def test_a_double_click_makes_one_referral(pages: Pages) -> None:
    browser = pages.browser()
    page = to_check(browser)

    first, second = browser.send(page), browser.send(page)

    assert first.path == second.path
    assert second.heading == "The referral is sent"
    assert pages.ask("select count(*) from referral") == [(1,)]


def test_a_sent_form_leads_to_what_it_became(pages: Pages) -> None:
    browser = pages.browser()
    page = to_check(browser)
    sent = browser.send(page)

    again = browser.get(page.path)

    assert again.path == sent.path


def test_another_advocates_form_is_not_there(pages: Pages) -> None:
    page = to(pages.browser(), "language")

    assert pages.browser("advocate2").get(page.path).status == 404


def test_the_person_orders_the_partners(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "order", partners={"partners": [str(CLINIC), str(LEGAL)]})

    places: dict[str, Any] = {f"place-{CLINIC}": "2", f"place-{LEGAL}": "1"}
    changed = browser.send(page, **places)

    assert changed.heading == "What may Levee Legal Aid (invented) know?"


def test_two_partners_cannot_have_the_same_place(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "order", partners={"partners": [str(CLINIC), str(LEGAL)]})

    places: dict[str, Any] = {f"place-{CLINIC}": "1", f"place-{LEGAL}": "1"}
    refused = browser.send(page, **places)

    assert refused.status == 422
    assert "Two partners have the same place" in " ".join(refused.problems.values())


def test_an_answer_that_bars_a_chosen_partner_asks_to_choose_again_r10(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "release", partners={"partners": [str(LEGAL)]})
    change = page.path.split("/release/")[0] + "/involved?then=check"

    changed = browser.send(
        browser.get(change), involved=["east-baton-rouge-sheriff"], then="check"
    )

    assert changed.heading == "Who could help?"


def test_the_draft_is_sealed_where_it_rests(pages: Pages) -> None:
    to(pages.browser(), "contact")

    rows = pages.ask("select content::text, draft::text from draft")

    assert "426c7565204b6574746c65" not in str(rows)
    assert "Blue Kettle" not in str(rows)


def test_the_way_by_code_word_asks_for_one_and_no_channel(pages: Pages) -> None:
    browser = pages.browser()
    page = browser.send(to(browser, "contact"), contact_route="person-calls")

    page = browser.send(page, code_word="blue kettle")

    assert page.heading == "What happened"


def test_through_the_advocate_asks_nothing_more(pages: Pages) -> None:
    browser = pages.browser()

    page = browser.send(to(browser, "contact"))

    assert page.heading == "What happened"


def test_only_partners_that_the_answers_allow_can_be_posted(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "partners", not_told={"not_told": [str(CIRCLE)]})

    refused = browser.post(page.path, {"partners": [str(CIRCLE)]})

    assert refused.status == 422
    assert refused.problems


def test_walking_on_from_a_saved_draft_ends_in_a_referral(pages: Pages) -> None:
    browser = pages.browser()
    page = to(browser, "needs")

    page = walk(browser, browser.get("/".join(page.path.split("/")[:3])), "release")

    assert page.heading == "What may Cypress Clinic (invented) know?"
