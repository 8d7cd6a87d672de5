"""Partner staff in a real browser: the answer with and without JavaScript, at phone and desk."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.integration.routing_pages.builders import (
    CYPRESS,
    HOA_SEN,
    INTAKE,
    SECOND_LINE,
    Pages,
    a_referral,
    a_release,
    routing_pages,
)
from tests.integration.routing_pages.server import (
    Desktop,
    a_desktop,
    faults,
)
from tests.support.browsers import DESKTOP, PHONE
from tests.support.databases import TestDatabase


@pytest.fixture
def pages(routing_db: TestDatabase) -> Iterator[Pages]:
    with routing_pages(routing_db) as found:
        yield found


@pytest.fixture
def desktop(pages: Pages, chromium: Browser) -> Iterator[Desktop]:
    with a_desktop(pages, chromium) as found:
        yield found


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no javascript"])
def test_an_offer_is_accepted_and_carried_to_its_end(
    pages: Pages, desktop: Desktop, *, scripts: bool
) -> None:
    """A volunteer on a phone can do all of it, with or without JavaScript."""
    reference = pages.receive(a_referral(a_release(CYPRESS), a_release(HOA_SEN, 2)))
    page = desktop.window("cypress", width=PHONE, scripts=scripts)

    page.goto("/inbox")
    page.get_by_role("link", name=reference).click()
    press(page, "Accept this referral")
    expect(page.get_by_text("Accepted", exact=True)).to_be_visible()
    page.get_by_text("Introduced live").click()
    press(page, "Record first contact")
    press(page, "Record that the service started")
    page.get_by_text("Service completed").click()
    press(page, "Finish with this referral")

    expect(page.get_by_text("Closed", exact=True).first).to_be_visible()
    assert pages.events() == ["offered", "accepted", "contacted", "service-started", "closed"]


def test_declining_without_a_reason_leads_to_the_question(pages: Pages, desktop: Desktop) -> None:
    reference = pages.receive(a_referral(a_release(CYPRESS)))
    page = desktop.window("cypress", width=PHONE)
    page.goto(f"/offers/{reference}")

    press(page, "Decline this referral")

    assert page.title().startswith("Error:")
    expect(page.locator("#error-summary")).to_be_focused()
    assert faults(page) == []
    page.get_by_role("link", name="Choose why you decline.").click()
    expect(page.locator("#reason")).to_be_focused()
    page.keyboard.press("Space")
    press(page, "Decline this referral")
    expect(page.get_by_text("Declined", exact=True).first).to_be_visible()


def test_the_ticket_travels_in_a_form_and_never_in_an_address(
    pages: Pages, desktop: Desktop
) -> None:
    reference = pages.receive(a_referral(a_release(CYPRESS)))
    page = desktop.window("cypress")
    asked: list[tuple[str, str]] = []

    def intake(route: Route) -> None:
        asked.append((route.request.method, route.request.url))
        assert "ticket=" in (route.request.post_data or "")
        route.fulfill(status=200, body="<title>Intake</title>", content_type="text/html")

    page.route(f"{INTAKE}/**", intake)
    page.goto(f"/offers/{reference}")
    press(page, "Accept this referral")
    press(page, "Go to the agency's page")
    assert faults(page) == []
    page.get_by_role("button", name="Continue to Baton Rouge Victim Advocates").click()

    page.wait_for_url(f"{INTAKE}/disclosures/enter")
    assert asked == [("POST", f"{INTAKE}/disclosures/enter")]


# 320 px is a desktop at 400 % zoom.
every_width = pytest.mark.parametrize("width", [PHONE, 320, DESKTOP])


@every_width
def test_axe_finds_nothing_while_an_offer_is_open(
    pages: Pages, desktop: Desktop, width: int
) -> None:
    page = desktop.window("cypress", width=width)
    assert _faults_of(page, "/inbox") == [], "empty"

    reference = pages.receive(a_referral(a_release(CYPRESS)))

    assert _faults_of(page, f"/offers/{reference}") == [], "offered"
    press(page, "Accept this referral")
    assert faults(page) == [], "accepted"
    assert _faults_of(page, "/inbox") == [], "full"
    other = desktop.window("hoa-sen", width=width)
    assert _faults_of(other, f"/offers/{reference}") == [], "not there"


@every_width
def test_axe_finds_nothing_without_report_back_and_after_the_end(
    pages: Pages, desktop: Desktop, width: int
) -> None:
    page = desktop.window("cypress", width=width)
    reference = pages.receive(a_referral(a_release(CYPRESS, items=("needs",), report_back=())))
    page.goto(f"/offers/{reference}")

    press(page, "Accept this referral")
    assert faults(page) == [], "without buttons to report back"

    press(page, "Finish with this referral")
    assert faults(page) == [], "closed"
    assert _faults_of(page, "/inbox/ended") == [], "ended"


@every_width
def test_axe_finds_nothing_when_work_must_stop(pages: Pages, desktop: Desktop, width: int) -> None:
    page = desktop.window("cypress", width=width)
    release = a_release(CYPRESS)
    referral = a_referral(release)
    reference = pages.receive(referral)
    page.goto(f"/offers/{reference}")
    press(page, "Accept this referral")

    pages.revoke(referral, release)

    assert _faults_of(page, "/inbox") == []
    assert _faults_of(page, f"/offers/{reference}") == []
    press(page, "Confirm that we stopped")
    assert faults(page) == []


@every_width
def test_axe_finds_nothing_beside_the_notice_of_part_2(
    pages: Pages, desktop: Desktop, width: int
) -> None:
    items = ("needs", "facts", "name", "contact", "substance-use")
    reference = pages.receive(
        a_referral(a_release(SECOND_LINE, items=items), needs=("substance-use",))
    )

    page = desktop.window("second-line", width=width)

    assert _faults_of(page, f"/offers/{reference}") == []


def _faults_of(page: Page, path: str) -> list[str]:
    page.goto(path)
    return faults(page)
