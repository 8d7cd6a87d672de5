"""My referrals: what became of them, and what the person can still decide."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from intake.adapters.pages.retelling import retyped
from tests.integration.intake_pages.builders import CIRCLE, CLINIC, LEGAL, Browser, Page, Pages
from tests.integration.intake_pages.journey import refer, sign_on_paper, to, walk
from tests.unit.intake.builders import NOW, a_story

OFFER = UUID("20000000-0000-4000-8000-000000000001")


def offered(pages: Pages, referral_id: UUID, partner_id: UUID = CLINIC) -> None:
    pages.hear(
        referral_id,
        "offered",
        offer_id=OFFER,
        partner_id=partner_id,
        offer_reference="WH-AAAA-22",
        due=pages.today() + timedelta(hours=3),
    )


def tell(pages: Pages, referral_id: UUID, what: str, detail: str = "") -> None:
    pages.hear(referral_id, what, offer_id=OFFER, partner_id=CLINIC, detail=detail)


def one(browser: Browser, referral_id: UUID) -> Page:
    return browser.get(f"/referrals/{referral_id}")


def test_an_empty_list_says_what_would_be_here(pages: Pages) -> None:
    assert "are listed here, with where each one is" in pages.browser().get("/referrals").text


def test_the_list_shows_the_status_in_words_and_the_clock(pages: Pages) -> None:
    browser = pages.browser()
    offered(pages, refer(browser))

    page = browser.get("/referrals")

    assert "Blue Kettle Offered answer due in 2 h 59 min" in page.text


def test_what_does_not_fit_on_a_page_is_on_the_next(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intake.application.queries.PAGE_LENGTH", 1)
    browser = pages.browser()
    sent = {str(refer(browser)) for _ in range(2)}

    first = browser.get("/referrals")
    follow = first.soup.find("a", string="Next page")
    assert follow is not None
    second = browser.get_here(str(follow["href"]))

    assert "Page before" in second.text
    assert "Next page" not in second.text
    shown = [{one for one in sent if one in str(page.soup)} for page in (first, second)]
    assert [len(found) for found in shown] == [1, 1]
    assert shown[0] | shown[1] == sent


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "two"])
def test_a_page_that_is_none_is_one_that_is(pages: Pages, number: str) -> None:
    assert pages.browser().get(f"/referrals?page={number}").status == 200


def test_the_agencys_other_advocate_sees_it_too(pages: Pages) -> None:
    referral_id = refer(pages.browser())

    assert one(pages.browser("advocate2"), referral_id).status == 200


def test_a_timeline_tells_what_happened_in_order(pages: Pages) -> None:
    browser = pages.browser()
    referral_id = refer(browser)
    offered(pages, referral_id)
    for what, detail in (
        ("accepted", ""),
        ("contacted", "introduced-live"),
        ("service-started", ""),
        ("closed", "service-completed"),
    ):
        tell(pages, referral_id, what, detail)

    page = one(browser, referral_id)

    places = [
        page.text.index(words)
        for words in (
            "Sent.",
            "Cypress Clinic (invented) was asked.",
            "Cypress Clinic (invented) said yes.",
            "was introduced to the person live.",
            "started its service.",
            "closed the referral: Service completed.",
        )
    ]
    assert places == sorted(places)
    assert "WH-AAAA-22" in page.text


def test_a_decline_names_its_reason_only_if_it_was_reported(pages: Pages) -> None:
    browser = pages.browser()
    referral_id = refer(browser)
    offered(pages, referral_id)
    tell(pages, referral_id, "declined")

    assert "Cypress Clinic (invented) said no." in one(browser, referral_id).text


def test_a_release_is_taken_back_in_one_click_r15(pages: Pages) -> None:
    browser = pages.browser()
    page = one(browser, refer(browser))
    assert "it is told to stop" in page.text

    taken = browser.press(page, "/revoke")

    assert "The release is taken back." in taken.text
    assert "Taken back" in taken.text
    assert not [a for a in _actions(taken) if a.endswith("/revoke")]
    types = [row[0] for row in pages.ask("select type from outbox order by id")]
    assert types[-1] == "intake.referral.release-revoked.v1"


def test_taking_back_a_second_time_changes_nothing(pages: Pages) -> None:
    browser = pages.browser()
    page = one(browser, refer(browser))

    browser.press(page, "/revoke")
    again = browser.press(page, "/revoke")

    assert again.status == 200
    assert pages.ask("select count(*) from outbox") == [(2,)]


def test_a_referral_is_withdrawn(pages: Pages) -> None:
    browser = pages.browser()
    page = one(browser, refer(browser))

    withdrawn = browser.press(page, "/withdraw")

    assert "The referral is withdrawn." in withdrawn.text
    assert not [a for a in _actions(withdrawn) if a.endswith(("/withdraw", "/revoke"))]


def test_a_new_release_asks_nothing_twice(pages: Pages) -> None:
    browser = pages.browser()
    referral_id = refer(browser)
    offered(pages, referral_id)
    tell(pages, referral_id, "declined", "no-capacity")
    pages.hear(referral_id, "unmatched", detail="needs-new-release")
    page = one(browser, referral_id)
    assert "No partner is left to ask" in page.text

    choose = browser.press(page, f"/{referral_id}/release")
    assert choose.heading == "Who could help?"
    assert "Cypress Clinic" not in choose.text
    page = browser.send(choose, partners=[str(LEGAL)])
    page = sign_on_paper(browser, page)
    done = browser.send(page)

    assert "A release to Levee Legal Aid (invented) was signed." in one(browser, referral_id).text
    assert done.heading == "The release is added"
    assert pages.ask("select count(*) from referral") == [(1,)]


def test_one_more_referral_for_the_same_person_asks_nothing_twice(pages: Pages) -> None:
    browser = pages.browser()
    referral_id = refer(browser)

    page = browser.press(one(browser, referral_id), "/another")
    assert page.heading == "Is it safe now?"
    page = browser.send(page, danger="no", safe="yes")
    page = browser.get("/".join(page.path.split("/")[:3]))
    assert page.heading == "What would help?"
    page = walk(browser, page, "release")
    page = sign_on_paper(browser, page)
    for words in ("Blue Kettle", "Jordan Invented", "Spanish; French", "225-555-0166"):
        assert words in page.text
    browser.send(page)

    assert pages.ask("select count(*), count(distinct person_id) from referral") == [(2, 1)]


@pytest.mark.parametrize(("days", "is_kept"), [(30, True), (31, False)])
def test_how_contact_is_safe_is_asked_again_after_a_month(days: int, *, is_kept: bool) -> None:
    """R-27."""
    pages = retyped(a_story(), NOW + timedelta(days=days))

    asked = {"contact", "code-word", "channels", "channel/call"}
    assert asked & pages.keys() == (asked if is_kept else set())


def test_every_language_that_was_said_is_kept(pages: Pages) -> None:
    """However many of them are not on the site's list."""
    browser = pages.browser()
    said = {"languages": ["es", "fr", "zh-Hant"], "other_language": "Haitian Creole"}
    referral_id = refer(browser, language=said)

    page = browser.press(one(browser, referral_id), "/another")

    browser.send(page, danger="no", safe="yes")
    form = "/".join(page.path.split("/")[:3])
    shown = browser.get(f"{form}/language")
    assert shown.fields()["languages"] == ["es", "fr", "zh-Hant", "ht"]
    page = walk(browser, browser.get(form), "release")
    page = sign_on_paper(browser, page)
    assert "Spanish; French; Chinese (Traditional); Haitian Creole" in page.text


def test_an_escalation_tells_the_advocate_what_to_do(pages: Pages) -> None:
    browser = pages.browser()
    referral_id = refer(browser)
    pages.hear(referral_id, "escalated", detail="contact-not-reported")

    page = one(browser, referral_id)

    assert "Needs attention: Ask the person whether contact was made." in page.text
    assert "Then call Capital Area Human Services with the reference" in page.text


@pytest.mark.parametrize("action", ["", "/sent"])
def test_a_referral_that_is_not_here_is_404(pages: Pages, action: str) -> None:
    assert pages.browser().get(f"/referrals/{uuid4()}{action}").status == 404


@pytest.mark.parametrize(
    "action", ["/withdraw", "/another", "/release", f"/releases/{OFFER}/revoke"]
)
def test_acting_on_a_referral_that_is_not_here_is_404(pages: Pages, action: str) -> None:
    assert pages.browser().post(f"/referrals/{uuid4()}{action}").status == 404


def test_a_release_of_another_referral_cannot_be_taken_back_through_this_one(
    pages: Pages,
) -> None:
    browser = pages.browser()
    mine, other = refer(browser), refer(browser)
    (release,) = pages.ask("select release_id from release where referral_id = %s", other)[0]

    assert browser.post(f"/referrals/{mine}/releases/{release}/revoke").status == 404


@pytest.mark.parametrize("path", ["/referrals", "/new", f"/referrals/{CIRCLE}"])
@pytest.mark.parametrize("subject", ["agency-admin", "operator", "nobody-known"])
def test_other_roles_see_nothing(pages: Pages, subject: str, path: str) -> None:
    assert pages.browser(subject).get(path).status == 403


@pytest.mark.parametrize("path", ["/referrals", "/new", f"/referrals/{CIRCLE}"])
def test_who_is_not_signed_in_is_sent_to_sign_in(pages: Pages, path: str) -> None:
    answer = pages.browser("").get_here(path)

    assert answer.status == 302
    assert "/sign-in" in answer.response.headers["Location"]


def test_nothing_acts_on_get(pages: Pages) -> None:
    browser = pages.browser()
    referral_id = refer(browser)

    for action in ("/withdraw", "/another", "/release"):
        assert browser.get(f"/referrals/{referral_id}{action}").status == 405


def test_pages_are_not_kept_by_the_browser(pages: Pages) -> None:
    page = to(pages.browser(), "name")

    assert page.response.headers["Cache-Control"] == "no-store"


def _actions(page: Page) -> list[str]:
    return [str(form["action"]) for form in page.soup.select("main form[action]")]
