"""The coordinator in a real browser: live queues, the keyboard, and everything without scripts."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from routing.domain.model import Referral
from tests.integration.routing_pages.builders import (
    CYPRESS,
    HOA_SEN,
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


def test_a_new_referral_appears_by_itself(pages: Pages, desktop: Desktop) -> None:
    page = desktop.window("coordinator")
    page.clock.install()
    page.goto("/console")
    expect(page.get_by_text("No referral yet")).to_be_visible()

    pages.receive(a_referral(a_release(CYPRESS)))
    page.clock.run_for(10_500)

    expect(page.get_by_role("link", name="WH-7K3F-92")).to_be_visible()
    page.clock.run_for(6_000)
    expect(page.get_by_text(re.compile(r"updated \d+ s ago"))).to_be_visible()


def test_no_row_moves_under_the_pointer(pages: Pages, desktop: Desktop) -> None:
    pages.receive(a_referral(a_release(CYPRESS), reference="WH-2222-01"))
    page = desktop.window("coordinator")
    page.clock.install()
    page.goto("/console")
    page.get_by_role("link", name="WH-2222-01").hover()

    pages.receive(a_referral(a_release(CYPRESS), reference="WH-2222-02", urgency="emergency"))
    page.clock.run_for(10_500)
    page.wait_for_timeout(300)
    expect(page.get_by_role("link", name="WH-2222-02")).to_have_count(0)
    page.mouse.move(5, 5)
    page.clock.run_for(10_500)

    expect(page.get_by_role("link", name="WH-2222-02")).to_be_visible()


def test_the_queue_is_worked_by_keyboard(pages: Pages, desktop: Desktop) -> None:
    for number in range(1, 4):
        pages.receive(a_referral(a_release(CYPRESS), reference=f"WH-2222-0{number}"))
    page = desktop.window("coordinator")
    page.goto("/console")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Referral\s+WH-2222-02"))
    page.go_back()
    page.keyboard.press("/")
    expect(page.get_by_label("Find by reference")).to_be_focused()
    page.keyboard.type("2222-03")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"WH-2222-03"))
    assert "2222-03" not in page.url


@pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no javascript"])
def test_a_referral_is_found_and_offered_to_another_partner(
    pages: Pages, desktop: Desktop, *, scripts: bool
) -> None:
    pages.receive(a_referral(a_release(CYPRESS), a_release(HOA_SEN, 2)))
    page = desktop.window("coordinator", scripts=scripts)

    page.goto("/console")
    page.get_by_label("Find by reference").fill("7k3f")
    page.get_by_role("button", name="Find").click()
    page.get_by_text(
        "Hoa Sen Family Services (invented)", exact=True
    ).last.scroll_into_view_if_needed()
    page.locator('label[for="partner"]').click()
    page.get_by_label("Why?").select_option("partner-asked")
    page.get_by_role("button", name="Offer it to this partner").click()

    expect(page.get_by_text("Hoa Sen Family Services (invented) has it")).to_be_visible()
    assert pages.events() == ["offered", "cancelled", "offered"]


def test_a_service_is_paused_and_resumed_without_scripts(desktop: Desktop) -> None:
    page = desktop.window("coordinator", scripts=False)
    page.goto("/console/services")
    row = page.get_by_role("row", name=re.compile("Cypress Bend"))

    row.get_by_role("combobox").select_option("staffing")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Not enough staff")
    row.get_by_role("button", name="Resume").click()

    expect(row).to_contain_text("In service")


# 320 px is a desktop at 400 % zoom.
every_width = pytest.mark.parametrize("width", [PHONE, 320, DESKTOP])


@every_width
def test_axe_finds_nothing_in_the_queues_and_services(
    pages: Pages, desktop: Desktop, width: int
) -> None:
    page = desktop.window("coordinator", width=width)
    assert _faults_of(page, "/console") == [], "empty"

    an_overdue_referral(pages)
    pages.receive(a_referral(a_release(CYPRESS), reference="WH-2B4C-11", needs=("medical",)))

    for path in ("/console", "/console?queue=needs-new-release", "/console/services"):
        assert _faults_of(page, path) == [], path
    page.get_by_role("button", name="Pause").first.click()
    assert faults(page) == [], "an error in a row"


@every_width
def test_axe_finds_nothing_on_a_referral_with_everything_unfolded(
    pages: Pages, desktop: Desktop, width: int
) -> None:
    page = desktop.window("coordinator", width=width)
    referral = a_referral(a_release(CYPRESS), a_release(HOA_SEN, 2), languages=("en", "vi"))
    reference = pages.receive(referral)
    path = f"/console/referrals/{referral.referral_id}"
    pages.browser("cypress").post(f"/offers/{reference}/decline", reason="language")

    assert _faults_of(page, path) == []
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert faults(page) == [], "everything unfolded"
    assert _faults_of(page, f"{path}/today") == []


@every_width
def test_axe_finds_nothing_on_an_overdue_referral_and_its_errors(
    pages: Pages, desktop: Desktop, width: int
) -> None:
    page = desktop.window("coordinator", width=width)
    late = an_overdue_referral(pages)

    assert _faults_of(page, f"/console/referrals/{late.referral_id}") == []
    page.get_by_role("button", name="Clear overdue").click()

    assert page.title().startswith("Error:")
    assert faults(page) == [], "an error"


def an_overdue_referral(pages: Pages) -> Referral:
    """Return a referral whose partner accepted, and whose first contact is late."""
    late = a_referral(a_release(CYPRESS), reference="WH-9XQ2-40")
    reference = pages.receive(late)
    pages.browser("cypress").post(f"/offers/{reference}/accept")
    pages.ask(
        "update offer set first_contact_by = now() - interval '2 hours' where reference = %s",
        reference,
    )
    pages.run_clock()
    return late


def _faults_of(page: Page, path: str) -> list[str]:
    page.goto(path)
    return faults(page)
