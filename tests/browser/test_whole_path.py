"""One referral goes all the way, through real processes, on both engines of the bus."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.acting import CAHS, a_person, fill_in, release_to
from tests.support.brokers import skip_without_kafka
from tests.support.demos import RunningDemo, a_demo, a_folder

MID_CITY = "144f2eab-de18-4411-8602-65cdfba63f69"


@pytest.fixture(scope="module", params=["postgres", "kafka"])
def demo(request: pytest.FixtureRequest) -> Iterator[RunningDemo]:
    if request.param == "kafka":
        skip_without_kafka()
    with a_folder() as data, a_demo(data, "--bus", request.param) as running:
        yield running


def offer_reference(text: str) -> str:
    found = re.search(r"WH-[A-Z0-9]{4}-[0-9]{2}", text)
    assert found is not None, text
    return found[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no javascript"])
def test_a_person_is_referred_and_contact_is_made(
    demo: RunningDemo, chromium: Browser, *, scripts: bool
) -> None:
    """Form, match, message, acceptance, disclosure, contact, outcome; each side sees it happen."""
    origin = demo.place.origin
    once = scripts and not demo.place.bus().startswith("kafka")  # the pages are the same on both
    everyone = {"scripts": scripts, "checks_axe": once}
    with (
        a_person(chromium, origin, "advocate", **everyone) as advocate,
        a_person(chromium, origin, "partner-cahs", width=360, **everyone) as partner,
        a_person(chromium, origin, "coordinator", **everyone) as coordinator,
    ):
        fill_in(advocate)
        release_to(advocate, [CAHS, MID_CITY])
        reference = offer_reference(advocate.text())
        advocate.press("See this referral")
        advocate.sees("was asked")

        partner.open("/routing/inbox")
        partner.page.get_by_role("link", name=re.compile("WH-")).first.click()
        partner.look()
        assert "Blue Kettle" not in partner.text()
        partner.press("Accept this referral")
        advocate.sees("Accepted")

        partner.press(re.compile("Go to the agency's page"))
        partner.press(re.compile("Continue to"))
        partner.press("Sign in")
        partner.page.locator("button[value=partner-cahs]").click()
        partner.look()
        partner.press("Show how to make contact")
        shown = partner.text()
        assert shown.index("Never leave a message") < shown.index("225-555-0166")
        assert "Blue Kettle" in shown

        partner.open("/routing/inbox")
        partner.page.get_by_role("link", name=re.compile("WH-")).first.click()
        partner.answer({"kind": "introduced-live"})
        partner.press("Record first contact")
        advocate.sees("introduced to the person live")
        partner.press("Record that the service started")
        partner.answer({"outcome": "service-completed"})
        partner.press("Finish with this referral")
        advocate.sees("Closed")

        coordinator.open("/routing/console")
        coordinator.answer({"reference": reference})
        coordinator.press("Find")
        assert "Capital Area Human Services" in coordinator.text()
        assert "Blue Kettle" not in coordinator.page.content()
        assert advocate.faults + partner.faults + coordinator.faults == []


def test_a_declined_offer_goes_to_the_next_partner_by_itself(
    demo: RunningDemo, chromium: Browser
) -> None:
    """R-46: nothing is asked again, only released partners are asked, and a silent end is none."""
    origin = demo.place.origin
    with (
        a_person(chromium, origin, "advocate") as advocate,
        a_person(chromium, origin, "partner-cahs") as partner,
        a_person(chromium, origin, "partner-mid-city") as second,
    ):
        fill_in(advocate)
        release_to(advocate, [CAHS, MID_CITY])
        advocate.press("See this referral")
        for person in (partner, second):
            person.open("/routing/inbox")
            person.sees("WH-")
            person.page.get_by_role("link", name=re.compile("WH-")).first.click()
            person.answer({"reason": "no-capacity"})
            person.press("Decline this referral")

        advocate.sees("Needs a new release")
        advocate.open("/mail")
        advocate.sees("A referral of yours needs you, to advocate@brva.example.org")


def test_a_revoked_release_closes_the_door_at_once(demo: RunningDemo, chromium: Browser) -> None:
    """R-15: one click by the advocate, and the partner that accepted sees nothing more."""
    origin = demo.place.origin
    with (
        a_person(chromium, origin, "advocate") as advocate,
        a_person(chromium, origin, "partner-cahs") as partner,
    ):
        fill_in(advocate)
        release_to(advocate, [CAHS])
        advocate.press("See this referral")
        partner.open("/routing/inbox")
        partner.sees("WH-")
        partner.page.get_by_role("link", name=re.compile("WH-")).first.click()
        partner.press("Accept this referral")
        advocate.sees("Accepted")
        partner.press(re.compile("Go to the agency's page"))
        partner.press(re.compile("Continue to"))
        partner.press("Sign in")
        partner.page.locator("button[value=partner-cahs]").click()
        partner.look()

        advocate.press(re.compile("Take back the release"))
        partner.press("Show how to make contact")

        assert "225-555-0166" not in partner.page.content()
        partner.open("/routing/inbox")
        partner.sees("top")
