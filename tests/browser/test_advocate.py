"""The advocate in a real browser: signed in at a real provider, with and without JavaScript."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.advocates import (
    Office,
    an_office,
    choose_tile,
    faults,
    press,
    tick,
)
from tests.integration.intake_pages.builders import CLINIC, LEGAL, PDF
from tests.support.browsers import DESKTOP, PHONE
from tests.support.databases import TestDatabase

Look = Callable[[Page], None]
PARTNER = "Cypress Clinic (invented)"
SCAN: FilePayload = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": PDF}


@pytest.fixture
def office(
    chromium: Browser, intake_db: TestDatabase, intake_keys_db: TestDatabase, tmp_path: Path
) -> Iterator[Office]:
    with an_office(chromium, intake_db, intake_keys_db, tmp_path) as found:
        yield found


def nothing(_page: Page) -> None:
    """Look at nothing."""


def start(page: Page, look: Look = nothing) -> None:
    page.get_by_role("link", name="Start a new referral").click()
    look(page)
    press(page, "The person knows this: start")
    look(page)
    choose_tile(page, "danger", "no")
    choose_tile(page, "safe", "yes")
    press(page, "Continue")
    look(page)
    choose_tile(page, "age_band", "25-59")
    choose_tile(page, "guardian", "no")
    choose_tile(page, "officer", "no")
    press(page, "Continue")


def answer_about_the_person(page: Page, look: Look = nothing) -> None:
    start(page, look)
    look(page)
    page.fill("#called", "Blue Kettle")
    press(page, "Continue")
    look(page)
    choose_tile(page, "languages", "es")
    choose_tile(page, "interpreter", "no")
    press(page, "Continue")
    look(page)
    press(page, "Continue")


def answer_about_contact(page: Page, look: Look = nothing) -> None:
    look(page)
    choose_tile(page, "contact_route", "partner-contacts")
    press(page, "Continue")
    look(page)
    choose_tile(page, "channels", "call")
    press(page, "Continue")
    look(page)
    page.fill("#value", "225-555-0166")
    choose_tile(page, "leave_message", "no")
    choose_tile(page, "name_agency", "no")
    press(page, "Continue")


def answer_about_help(page: Page, look: Look = nothing) -> None:
    look(page)
    choose_tile(page, "role", "directly-injured")
    press(page, "Continue")
    look(page)
    choose_tile(page, "involved", "baton-rouge-police")
    press(page, "Continue")
    look(page)
    press(page, "Continue")
    look(page)
    choose_tile(page, "needs", "trauma-therapy")
    choose_tile(page, "needs", "substance-use")
    press(page, "Continue")
    look(page)
    choose_tile(page, "urgency", "urgent")
    press(page, "Continue")
    look(page)
    choose_tile(page, "county", "22033")
    press(page, "Continue")


def sign_on_paper(page: Page) -> None:
    tick(page.locator("#voluntary"))
    choose_tile(page, "method", "paper")
    page.fill("#witness", "Ana Witness")
    page.set_input_files("#scan", SCAN)
    press(page, "Keep this signed release")


def sign_here(page: Page) -> None:
    tick(page.locator("#voluntary"))
    choose_tile(page, "method", "drawn")
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 20 + 15 * step, box["y"] + 40 + 20 * (step % 3))
    page.mouse.up()
    press(page, "Keep this signed release")


def sign_for_two(page: Page, look: Look) -> None:
    look(page)
    for partner in (CLINIC, LEGAL):
        tick(page.locator(f'[name="partners"][value="{partner}"]'))
    press(page, "Continue with the chosen partners")
    look(page)
    press(page, "Continue")
    look(page)
    press(page, "Continue to signing")
    look(page)
    sign_here(page)
    press(page, "Continue to signing")
    sign_on_paper(page)


def send_to_the_clinic(page: Page) -> None:
    to_partners(page)
    tick(page.locator(f'[name="partners"][value="{CLINIC}"]'))
    press(page, "Continue with the chosen partners")
    press(page, "Continue to signing")
    sign_on_paper(page)
    press(page, f"Send this referral to {PARTNER}")


def to_partners(page: Page, look: Look = nothing) -> None:
    answer_about_the_person(page, look)
    answer_about_contact(page, look)
    answer_about_help(page, look)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_whole_journey_with_javascript_and_axe_on_every_page(
    office: Office, width: int
) -> None:
    page = office.signed_in(width=width)
    found: list[str] = []

    def look(page: Page) -> None:
        found.extend(faults(page))

    look(page)
    to_partners(page, look)
    sign_for_two(page, look)
    look(page)
    press(page, f"Send this referral to {PARTNER}")
    look(page)
    page.get_by_role("link", name="See this referral").click()
    look(page)

    expect(page.get_by_role("heading", name=PARTNER)).to_be_visible()
    assert found == []
    assert len(office.pages.sent()) == 1


def test_the_whole_form_without_javascript(office: Office) -> None:
    page = office.signed_in(width=PHONE, scripts=False)

    to_partners(page)
    tick(page.locator(f'[name="partners"][value="{CLINIC}"]'))
    press(page, "Continue with the chosen partners")
    press(page, "Continue to signing")
    expect(page.locator("canvas")).to_be_hidden()
    sign_on_paper(page)
    press(page, f"Send this referral to {PARTNER}")

    expect(page.get_by_role("heading", name="The referral is sent")).to_be_visible()
    assert len(office.pages.sent()) == 1


def test_a_double_click_on_send_makes_one_referral(office: Office) -> None:
    page = office.signed_in()
    to_partners(page)
    tick(page.locator(f'[name="partners"][value="{CLINIC}"]'))
    press(page, "Continue with the chosen partners")
    press(page, "Continue to signing")
    sign_on_paper(page)

    page.get_by_role("button", name=f"Send this referral to {PARTNER}").dblclick()
    page.wait_for_url("**/sent")

    assert len(office.pages.sent()) == 1


def test_an_error_takes_the_focus_and_leads_to_its_field(office: Office) -> None:
    page = office.signed_in(width=PHONE)
    page.get_by_role("link", name="Start a new referral").click()
    press(page, "The person knows this: start")

    press(page, "Continue")

    assert page.title() == "Error: Step 1 of 8"
    expect(page.locator("#error-summary")).to_be_focused()
    assert faults(page) == []
    page.get_by_role("link", name="Choose whether anyone is in danger right now").click()
    expect(page.locator("#danger")).to_be_focused()


def test_quick_exit_keeps_what_was_saved_r30(office: Office) -> None:
    page = office.signed_in()
    answer_about_the_person(page)
    page.route("https://www.weather.gov/**", lambda route: route.fulfill(body="the weather"))

    page.get_by_role("link", name="Exit this page").click()
    page.wait_for_url("https://www.weather.gov/**")

    again = office.signed_in()
    again.get_by_role("link", name="Go on with Blue Kettle").click()
    expect(again.get_by_role("heading", name="How should contact be made?")).to_be_visible()


def test_the_form_can_be_walked_by_keyboard_alone(office: Office) -> None:
    page = office.signed_in()
    page.goto("/new")
    page.get_by_role("button", name="The person knows this: start").press("Enter")

    page.locator("#danger").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Can this form be used")).to_be_visible()


def test_the_other_states_of_the_pages_have_no_faults(office: Office) -> None:
    page = office.signed_in(width=PHONE)
    office.pages.preview.away = True
    to_partners(page)
    draft = page.url.rsplit("/", 1)[0]
    found = faults(page)

    for path in ("/ends", "/sheet", "/about?then=check"):
        page.goto(draft + path)
        found += faults(page)
    press(page, "Save and finish later")
    found += faults(page)

    assert found == []


def test_a_partner_waits_until_its_answer_is_confirmed_and_then_sees_the_rules(
    office: Office,
) -> None:
    send_to_the_clinic(office.signed_in())
    page = office.window(width=PHONE)
    found: list[str] = []

    come_by_ticket(office, page)
    found += faults(page)
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.fill("#sub", "partner-clinic")
    press(page, "Sign in")
    expect(page.get_by_role("heading", name="Your answer is being confirmed")).to_be_visible()
    found += faults(page)
    accept(office)
    expect(page.get_by_role("heading", name="How to make contact")).to_be_visible()
    found += faults(page)
    press(page, "Show how to make contact")
    found += faults(page)

    expect(page.get_by_text("Never leave a message.")).to_be_visible()
    expect(page.get_by_text("225-555-0166")).to_be_visible()
    assert found == []


def come_by_ticket(office: Office, page: Page) -> None:
    """Post a ticket as routing's page does."""
    pages = office.pages
    ticket = pages.ticket(
        "partner-clinic",
        CLINIC,
        CLINIC,
        aud=office.address,
        oidc_iss=pages.app.extensions["warm-handoff"].settings.oidc_issuer,
    )
    page.set_content(
        f'<form method="post" action="{office.address}/disclosures/enter">'
        f'<input type="hidden" name="ticket" value="{ticket}"><button>Go</button></form>'
    )
    press(page, "Go")


def accept(office: Office) -> None:
    """Let routing tell that the clinic accepted; the offer's id is the clinic's for brevity."""
    (referral_id,) = office.pages.sent()
    for what in ("offered", "accepted"):
        office.pages.hear(
            referral_id,
            what,
            offer_id=CLINIC,
            partner_id=CLINIC,
            offer_reference="WH-AAAA-22",
            due=office.pages.today() + timedelta(hours=3),
        )
