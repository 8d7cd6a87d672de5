"""The coordinator's console: what it shows, what it never shows, and its coded actions."""

from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from routing.domain.model import Referral
from tests.integration.routing_pages.builders import (
    CYPRESS,
    HOA_SEN,
    SECOND_LINE,
    Browser,
    Pages,
    a_referral,
    a_release,
)


@pytest.fixture
def coordinator(pages: Pages) -> Browser:
    return pages.browser("coordinator")


@pytest.fixture
def offered(pages: Pages) -> Referral:
    """Return a referral that Cypress Bend holds and Hoa Sen would get next."""
    referral = a_referral(a_release(CYPRESS, 1), a_release(HOA_SEN, 2))
    pages.receive(referral)
    return referral


@pytest.fixture
def nobody_fits(pages: Pages) -> Referral:
    """Return a referral with a need that nobody serves."""
    referral = a_referral(a_release(CYPRESS), reference="WH-2B4C-11", needs=("immigration-help",))
    pages.receive(referral)
    return referral


def path_of(referral: Referral) -> str:
    return f"/console/referrals/{referral.referral_id}"


def make_overdue(pages: Pages, referral: Referral) -> None:
    """Have Cypress Bend accept, and its time for first contact pass, as the clock notes it."""
    reference = pages.offer_reference(referral.referral_id)
    pages.browser("cypress").post(f"/offers/{reference}/accept")
    pages.ask(
        "update offer set first_contact_by = now() - interval '2 hours' where reference = %s",
        reference,
    )
    pages.run_clock()


def test_the_queues_show_counts_and_the_oldest_age(
    offered: Referral, nobody_fits: Referral, coordinator: Browser
) -> None:
    page = coordinator.get("/console")

    tiles = [" ".join(tile.get_text(" ").split()) for tile in page.soup.select(".wh-numbers li")]
    assert [tile.split(" ", 1)[0] for tile in tiles] == ["0", "0", "1", "0", "1", "0"]
    assert tiles[0] == "0 To match none waits"
    assert tiles[2].startswith("1 Offered oldest")


def test_a_row_tells_the_clock_the_holder_and_the_last_event(
    offered: Referral, coordinator: Browser
) -> None:
    page = coordinator.get("/console")

    row = page.soup.select_one("tbody tr")
    assert row is not None
    words = " ".join(row.get_text(" ").split())
    assert words.startswith("WH-7K3F-92 Offered answer due in")
    assert "Counseling or therapy" in words
    assert "Cypress Bend Healing Center (invented)" in words
    assert "Offered, less than a minute ago" in words


def test_a_queue_is_a_link_and_shows_its_own_rows(
    offered: Referral, nobody_fits: Referral, coordinator: Browser
) -> None:
    page = coordinator.get("/console?queue=needs-new-release")

    assert "WH-2B4C-11" in page.text
    assert "WH-7K3F-92" not in page.text


def test_an_empty_queue_says_what_would_be_here(coordinator: Browser) -> None:
    assert "No referral yet" in coordinator.get("/console").text
    assert "It fills by itself" in coordinator.get("/console?queue=overdue").text


def test_an_unknown_queue_is_not_there(coordinator: Browser) -> None:
    assert coordinator.get("/console?queue=everything").status == 404


def test_the_overdue_come_first(
    pages: Pages, offered: Referral, nobody_fits: Referral, coordinator: Browser
) -> None:
    late = a_referral(a_release(CYPRESS), reference="WH-9XQ2-40")
    pages.receive(late)
    make_overdue(pages, late)

    page = coordinator.get("/console")

    first = page.soup.select_one("tbody tr")
    assert first is not None
    assert "WH-9XQ2-40" in first.get_text()
    assert "overdue by 2 h" in " ".join(first.get_text(" ").split())


def test_what_waits_for_a_person_comes_before_what_a_partner_holds(
    pages: Pages, offered: Referral, nobody_fits: Referral, coordinator: Browser
) -> None:
    done = a_referral(a_release(CYPRESS), reference="WH-4MNP-07")
    reference = pages.receive(done)
    cypress = pages.browser("cypress")
    cypress.post(f"/offers/{reference}/accept")
    cypress.post(f"/offers/{reference}/contact", kind="contacted")

    page = coordinator.get("/console")

    rows = [row.get_text() for row in page.soup.select("tbody tr th")]
    assert [row.strip() for row in rows] == ["WH-2B4C-11", "WH-7K3F-92", "WH-4MNP-07"]


def test_a_protected_need_reads_health_everywhere(pages: Pages, coordinator: Browser) -> None:
    """The name of the need, and a service that gives it away, stay with the partner (R-20)."""
    items = ("needs", "facts", "name", "contact", "substance-use")
    referral = a_referral(a_release(SECOND_LINE, items=items), needs=("substance-use",))
    pages.receive(referral)

    for path in ("/console", path_of(referral), f"{path_of(referral)}/today"):
        page = coordinator.get(path)
        html = page.response.get_data(as_text=True)
        assert "alcohol" not in html
        assert "substance" not in html
        assert "Recovery program" not in html
        assert "Health" in page.text


def test_search_is_posted_and_opens_the_one_it_finds(
    offered: Referral, coordinator: Browser
) -> None:
    answer = coordinator.post("/console/search", reference=" wh-7k3f ")

    assert answer.status == 303
    assert urlsplit(answer.response.location).path == path_of(offered)


def test_search_finds_an_offers_own_reference(
    pages: Pages, offered: Referral, coordinator: Browser
) -> None:
    answer = coordinator.post(
        "/console/search", reference=pages.offer_reference(offered.referral_id)
    )

    assert answer.status == 303


def test_search_lists_several_and_says_when_there_is_none(
    offered: Referral, nobody_fits: Referral, coordinator: Browser
) -> None:
    several = coordinator.post("/console/search", reference="WH-")
    nothing = coordinator.post("/console/search", reference="WH-ZZZZ")

    assert "WH-7K3F-92" in several.text
    assert "WH-2B4C-11" in several.text
    assert "No referral has this reference" in nothing.text


def test_the_decision_is_explained_in_a_sentence_and_rule_by_rule(
    offered: Referral, coordinator: Browser
) -> None:
    """Every partner, chosen or not, with the rule and the value that decided (R-40)."""
    page = coordinator.get(path_of(offered))

    assert "Offered to Cypress Bend Healing Center (invented): the best place" in page.text
    assert "Rule set 2, directory version 1." in page.text
    rows = {
        row.find("th").get_text(" ", strip=True).split(" (")[0]: row.get_text(" ", strip=True)  # type: ignore[union-attr]
        for row in page.soup.select("#decision ~ table tbody tr, details table tbody tr")
    }
    assert "Chosen" in rows["Cypress Bend Healing Center"]
    assert "Fits, place 2" in rows["Hoa Sen Family Services"]
    assert "no release to this partner" in rows["Second Line Recovery"]
    assert "serves ages 18 and over" in rows["Hoa Sen Family Services"]
    assert "speaks Vietnamese, English" in rows["Hoa Sen Family Services"]


def test_when_nobody_fits_the_sentence_says_why(
    nobody_fits: Referral, coordinator: Browser
) -> None:
    page = coordinator.get(path_of(nobody_fits))

    assert "Nobody was chosen." in page.text
    assert "Cypress Bend Healing Center (invented): offers: Counseling or therapy" in page.text
    assert "only the person can sign a new release" in page.text


def test_comparing_with_todays_directory_stores_nothing(
    pages: Pages, offered: Referral, coordinator: Browser
) -> None:
    before = pages.ask("select count(*) from decision")

    page = coordinator.get(f"{path_of(offered)}/today")

    assert page.status == 200
    assert "Nothing is decided or stored" in page.text
    assert pages.ask("select count(*) from decision") == before
    assert pages.events() == ["offered"]


def test_the_timeline_names_roles_and_organizations_and_no_person(
    pages: Pages, offered: Referral, coordinator: Browser
) -> None:
    reference = pages.offer_reference(offered.referral_id)
    pages.browser("cypress").post(f"/offers/{reference}/decline", reason="no-capacity")

    page = coordinator.get(path_of(offered))

    assert "Declined : No room now · The partner, Cypress Bend" in page.text
    assert "Imani" not in page.text


def test_offering_to_another_partner_takes_the_open_offer_back(
    pages: Pages, offered: Referral, coordinator: Browser
) -> None:
    answer = coordinator.post(
        f"{path_of(offered)}/offer-to", partner=str(HOA_SEN), offer_reason="partner-asked"
    )

    assert answer.status == 303
    assert pages.events() == ["offered", "cancelled", "offered"]
    page = coordinator.get(path_of(offered))
    assert "Hoa Sen Family Services (invented) has it and has not answered yet" in page.text
    assert "The partner asked" in page.text


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"partner": str(HOA_SEN), "offer_reason": ""}, "Choose a reason."),
        ({"partner": str(HOA_SEN), "offer_reason": "i-felt-like-it"}, "Choose a reason."),
        ({"partner": "", "offer_reason": "safety"}, "Choose a partner."),
        ({"partner": "somebody", "offer_reason": "safety"}, "Choose a partner."),
    ],
)
def test_offering_needs_a_partner_and_a_coded_reason(
    pages: Pages, offered: Referral, coordinator: Browser, form: dict[str, str], complaint: str
) -> None:
    page = coordinator.post(f"{path_of(offered)}/offer-to", **form)

    assert page.status == 422
    summary = page.soup.select_one("#error-summary")
    assert summary is not None
    assert complaint in summary.get_text()
    checked = page.soup.select("input[checked]")
    assert bool(checked) == (form["partner"] == str(HOA_SEN)), "what was chosen is kept"
    assert pages.events() == ["offered"]


@pytest.mark.parametrize("partner", [SECOND_LINE, CYPRESS, uuid4()])
def test_only_a_partner_with_a_release_that_was_not_asked_can_be_offered(
    pages: Pages, offered: Referral, coordinator: Browser, partner: object
) -> None:
    """A new recipient needs a new release (R-46): no coordinator can do without."""
    page = coordinator.post(
        f"{path_of(offered)}/offer-to", partner=str(partner), offer_reason="safety"
    )

    assert page.status == 409
    assert "This was not done" in page.text
    assert pages.events() == ["offered"]


def test_an_accepted_referral_must_be_cancelled_before_it_goes_elsewhere(
    pages: Pages, offered: Referral, coordinator: Browser
) -> None:
    reference = pages.offer_reference(offered.referral_id)
    pages.browser("cypress").post(f"/offers/{reference}/accept")

    page = coordinator.post(
        f"{path_of(offered)}/offer-to", partner=str(HOA_SEN), offer_reason="no-answer"
    )

    assert page.status == 409
    assert "A partner has accepted it. Cancel that first" in page.text


def test_cancelling_an_open_offer_asks_the_next_partner(
    pages: Pages, offered: Referral, coordinator: Browser
) -> None:
    form = {
        "offer": pages.offer_reference(offered.referral_id),
        "cancel_reason": "no-answer",
    }

    answer = coordinator.post(f"{path_of(offered)}/cancel", **form)
    again = coordinator.post(f"{path_of(offered)}/cancel", **form)

    assert answer.status == 303
    assert again.status == 409
    assert "nothing was taken back or ended" in again.text
    assert pages.events() == ["offered", "cancelled", "offered"]


def test_cancelling_an_accepted_referral_tells_the_partner_to_stop(
    pages: Pages, offered: Referral, coordinator: Browser
) -> None:
    reference = pages.offer_reference(offered.referral_id)
    cypress = pages.browser("cypress")
    cypress.post(f"/offers/{reference}/accept")

    coordinator.post(f"{path_of(offered)}/cancel", offer=reference, cancel_reason="safety")

    assert "Stop work on this referral" in cypress.get(f"/offers/{reference}").text
    page = coordinator.get(path_of(offered))
    assert "Needs a person" in page.text
    assert "confirmation of the stop due in" in page.text


@pytest.mark.parametrize("reason", ["", "release-revoked", "<script>"])
def test_cancelling_needs_a_coded_reason(
    pages: Pages, offered: Referral, coordinator: Browser, reason: str
) -> None:
    page = coordinator.post(f"{path_of(offered)}/cancel", cancel_reason=reason)

    assert page.status == 422
    assert "Choose a reason." in page.text
    assert pages.events() == ["offered"]


def test_overdue_is_cleared_with_the_advocates_word(
    pages: Pages, offered: Referral, coordinator: Browser
) -> None:
    make_overdue(pages, offered)
    before = coordinator.get(path_of(offered))
    assert "First contact is overdue" in before.text

    assert coordinator.post(f"{path_of(offered)}/clear-overdue").status == 422
    answer = coordinator.post(
        f"{path_of(offered)}/clear-overdue", clear_reason="advocate-confirmed-contact"
    )

    assert answer.status == 303
    page = coordinator.get(path_of(offered))
    assert "First contact is overdue Since" not in page.text
    assert "The advocate confirmed that contact was made" in page.text


def test_what_is_not_overdue_cannot_be_cleared(offered: Referral, coordinator: Browser) -> None:
    page = coordinator.post(
        f"{path_of(offered)}/clear-overdue", clear_reason="advocate-confirmed-contact"
    )

    assert page.status == 409


def test_a_paused_service_is_offered_nothing_until_it_is_resumed(
    pages: Pages, coordinator: Browser
) -> None:
    service = pages.service_of(CYPRESS)

    assert coordinator.post(f"/console/services/{service}/pause", reason="staffing").status == 303
    referral = a_referral(a_release(CYPRESS))
    assert pages.receive(referral) == ""
    assert "Waiting for a place" in coordinator.get(path_of(referral)).text
    assert "paused: not enough staff" in coordinator.get(path_of(referral)).text

    assert coordinator.post(f"/console/services/{service}/resume").status == 303
    pages.run_clock()
    assert pages.offer_reference(referral.referral_id)


def test_pausing_needs_a_coded_reason(pages: Pages, coordinator: Browser) -> None:
    service = pages.service_of(CYPRESS)

    page = coordinator.post(f"/console/services/{service}/pause", reason="a grudge")

    assert page.status == 422
    assert page.soup.select_one(f'#error-summary a[href="#reason-{service}"]') is not None


def test_a_second_pause_or_resume_is_a_friendly_conflict(
    pages: Pages, coordinator: Browser
) -> None:
    service = pages.service_of(CYPRESS)

    assert coordinator.post(f"/console/services/{service}/resume").status == 409
    coordinator.post(f"/console/services/{service}/pause", reason="quality")
    page = coordinator.post(f"/console/services/{service}/pause", reason="quality")

    assert page.status == 409
    assert "This service is paused already." in page.text


REFERRAL_ACTIONS = ("offer-to", "cancel", "clear-overdue")


@pytest.mark.parametrize("action", REFERRAL_ACTIONS)
def test_a_referral_that_is_not_there_is_not_found(coordinator: Browser, action: str) -> None:
    path = f"/console/referrals/{uuid4()}"
    form = {
        "partner": str(HOA_SEN),
        "offer_reason": "safety",
        "cancel_reason": "safety",
        "clear_reason": "advocate-confirmed-contact",
    }

    assert coordinator.get(path).status == 404
    assert coordinator.get(f"{path}/today").status == 404
    assert coordinator.post(f"{path}/{action}", **form).status == 404


def test_a_service_that_is_not_there_is_not_found(coordinator: Browser) -> None:
    path = f"/console/services/{uuid4()}"

    assert coordinator.post(f"{path}/pause", reason="closed").status == 404
    assert coordinator.post(f"{path}/resume").status == 404


@pytest.mark.parametrize("subject", ["cypress", "operator"])
def test_only_the_coordinator_may_see_and_act(
    pages: Pages, offered: Referral, subject: str
) -> None:
    other = pages.browser(subject)
    service = pages.service_of(CYPRESS)

    for path in ("/console", "/console/services", path_of(offered), f"{path_of(offered)}/today"):
        assert other.get(path).status == 403, path
    for action in REFERRAL_ACTIONS:
        assert other.post(f"{path_of(offered)}/{action}").status == 403, action
    for action in ("pause", "resume"):
        assert other.post(f"/console/services/{service}/{action}").status == 403, action
    assert other.post("/console/search", reference="WH-").status == 403
    assert pages.events() == ["offered"]


def test_nobody_signed_in_is_sent_to_sign_in(pages: Pages, offered: Referral) -> None:
    for path in ("/console", "/console/services", path_of(offered)):
        page = pages.browser().get(path)
        assert page.status == 302
        assert urlsplit(page.response.location).path == "/sign-in"


def test_what_the_browser_asks_by_itself_is_the_same_page(
    offered: Referral, coordinator: Browser
) -> None:
    """The live part is cut out of the page that also works without JavaScript."""
    page = coordinator.get("/console", **{"HX-Request": "true", "X-Background": "1"})

    live = page.soup.select_one("#live")
    assert live is not None
    assert live["hx-trigger"] == "every 10s"
    assert "WH-7K3F-92" in live.get_text()
    assert page.soup.select_one('#live a[href="/console"]') is not None, "a plain Refresh link"
