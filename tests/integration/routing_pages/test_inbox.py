"""The partner's inbox: every step of an offer, and everything that must not work."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from joserfc import jwt

from routing.domain.model import Referral, Release
from tests.integration.routing_pages.builders import (
    CYPRESS,
    HOA_SEN,
    INTAKE,
    PROVIDER,
    ROUTING,
    SECOND_LINE,
    Browser,
    Pages,
    a_referral,
    a_release,
)


@dataclass
class Offered:
    """A referral that Cypress Bend was offered, and that Hoa Sen would get next."""

    referral: Referral
    release: Release
    reference: str

    @property
    def path(self) -> str:
        """Where the offer's page is."""
        return f"/offers/{self.reference}"


@pytest.fixture
def offered(pages: Pages) -> Offered:
    release = a_release(CYPRESS, 1)
    referral = a_referral(release, a_release(HOA_SEN, 2))
    return Offered(referral, release, pages.receive(referral))


@pytest.fixture
def staff(pages: Pages) -> Browser:
    return pages.browser("cypress")


def test_an_offer_waits_in_the_inbox_with_its_clock(offered: Offered, staff: Browser) -> None:
    page = staff.get("/inbox")

    assert page.status == 200
    assert offered.reference in page.text
    assert "answer due in" in page.text


def test_an_empty_inbox_says_what_would_be_here(staff: Browser) -> None:
    page = staff.get("/inbox")

    assert "No referral waits for your answer" in page.text


def test_an_offer_shows_the_released_facts_in_words(offered: Offered, staff: Browser) -> None:
    page = staff.get(offered.path)

    assert "Counseling or therapy" in page.text
    assert "25 to 59" in page.text
    assert "East Baton Rouge Parish" in page.text
    assert "trauma-therapy" not in page.text


def test_facts_that_were_not_released_are_not_shown(pages: Pages, staff: Browser) -> None:
    """A release names its items; the rest stays with the agency (R-12)."""
    reference = pages.receive(a_referral(a_release(CYPRESS, items=("needs",))))

    page = staff.get(f"/offers/{reference}")

    assert "Counseling or therapy" in page.text
    assert "25 to 59" not in page.text
    assert "East Baton Rouge" not in page.text


def test_the_clock_of_an_offer_that_is_late_is_called_overdue(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    staff.post(f"{offered.path}/accept")
    pages.ask(
        "update offer set first_contact_by = now() - interval '2 hours' where reference = %s",
        offered.reference,
    )

    page = staff.get("/inbox")

    assert "Overdue" in page.text
    assert "first contact overdue by 2 h" in page.text


def test_accepting_shows_what_comes_next_and_wakes_the_worker(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    answer = staff.post(f"{offered.path}/accept")

    assert answer.status == 303
    assert urlsplit(answer.response.location).path == offered.path
    page = staff.get(offered.path)
    assert "Accepted" in page.text
    assert "Go to the agency's page" in page.text
    assert pages.events()[-1] == "accepted"
    assert pages.woken


def test_accepting_twice_has_one_effect_and_says_so(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    staff.post(f"{offered.path}/accept")

    again = staff.post(f"{offered.path}/accept")

    assert again.status == 409
    assert "This referral is now: Accepted" in again.text
    assert pages.events().count("accepted") == 1


def test_declining_asks_the_next_partner(pages: Pages, offered: Offered, staff: Browser) -> None:
    """The next released partner gets it without anything asked again (R-46)."""
    answer = staff.post(f"{offered.path}/decline", reason="no-capacity")

    assert answer.status == 303
    assert "Declined" in staff.get(offered.path).text
    assert pages.events() == ["offered", "declined", "offered"]
    assert "answer due" in pages.browser("hoa-sen").get("/inbox").text


@pytest.mark.parametrize("reason", ["", "because", "Robert'); drop table offer;--"])
def test_declining_needs_one_of_the_reasons(
    pages: Pages, offered: Offered, staff: Browser, reason: str
) -> None:
    page = staff.post(f"{offered.path}/decline", reason=reason)

    assert page.status == 422
    assert page.soup.title is not None
    assert page.soup.title.get_text().startswith("Error:")
    assert page.soup.select_one('#error-summary a[href="#reason"]') is not None
    assert "Choose why you decline." in page.text
    assert pages.events() == ["offered"]


def test_a_reason_that_may_not_be_told_is_not_kept(pages: Pages, staff: Browser) -> None:
    """Without report back the agency learns only that the partner declined."""
    reference = pages.receive(a_referral(a_release(CYPRESS, report_back=())))
    assert "neither kept nor passed on" in staff.get(f"/offers/{reference}").text

    staff.post(f"/offers/{reference}/decline", reason="unsafe")

    row = pages.ask("select reason from offer where reference = %s", reference)
    assert row == (None,)


def test_an_offer_out_of_time_cannot_be_accepted(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    """An answer counts until the answer-by time, whether or not a clock has run."""
    pages.ask(
        "update offer set answer_by = now() - interval '1 minute' where reference = %s",
        offered.reference,
    )

    page = staff.post(f"{offered.path}/accept")

    assert page.status == 409
    assert "Not answered in time" in page.text
    assert "accepted" not in pages.events()


def test_first_contact_stops_the_clock(pages: Pages, offered: Offered, staff: Browser) -> None:
    staff.post(f"{offered.path}/accept")

    staff.post(f"{offered.path}/contact", kind="introduced-live")

    page = staff.get(offered.path)
    assert "Introduced live" in page.text
    assert "first contact due" not in page.text
    assert pages.events()[-1] == "contacted"


def test_first_contact_needs_one_of_the_kinds(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    staff.post(f"{offered.path}/accept")

    page = staff.post(f"{offered.path}/contact")

    assert page.status == 422
    assert "Choose how contact was made." in page.text
    assert "contacted" not in pages.events()


def test_service_started_and_closed_with_an_outcome(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    staff.post(f"{offered.path}/accept")
    staff.post(f"{offered.path}/start")

    assert staff.post(f"{offered.path}/close").status == 422
    closed = staff.post(f"{offered.path}/close", outcome="service-completed")

    assert closed.status == 303
    assert pages.events()[-2:] == ["service-started", "closed"]
    page = staff.get(offered.path)
    assert "Service completed" in page.text
    assert "25 to 59" not in page.text, "a closed offer shows no facts"


def test_without_report_back_the_page_explains_why_a_button_is_absent(
    pages: Pages, staff: Browser
) -> None:
    reference = pages.receive(a_referral(a_release(CYPRESS, report_back=())))
    path = f"/offers/{reference}"
    staff.post(f"{path}/accept")

    page = staff.get(path)

    assert "does not let you report first contact" in page.text
    assert "does not let you report that the service started" in page.text
    assert {form.rsplit("/", 1)[1] for form in page.forms} == {"disclosure", "close"}
    assert staff.post(f"{path}/contact", kind="contacted").status == 403
    assert staff.post(f"{path}/start").status == 403
    assert staff.post(f"{path}/close").status == 303
    assert pages.events() == ["offered", "accepted", "closed"]


def test_a_release_taken_back_shows_stop_and_waits_for_confirmation(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    """The partner is told to stop, and nothing that was released is shown any more (R-15)."""
    staff.post(f"{offered.path}/accept")
    pages.revoke(offered.referral, offered.release)

    assert "Stop work on these" in staff.get("/inbox").text
    page = staff.get(offered.path)
    assert "Do not contact the person" in page.text
    assert "25 to 59" not in page.text
    assert staff.post(f"{offered.path}/disclosure").status == 409

    assert staff.post(f"{offered.path}/confirm-stop").status == 303
    assert "Stop work" not in staff.get("/inbox").text
    assert staff.post(f"{offered.path}/confirm-stop").status == 409


def test_an_open_offer_that_was_taken_back_is_a_friendly_conflict(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    pages.revoke(offered.referral, offered.release)

    page = staff.post(f"{offered.path}/accept")

    assert page.status == 409
    assert "This referral is now: Cancelled" in page.text


def test_the_substance_use_item_comes_with_the_notice_of_part_2(pages: Pages) -> None:
    """42 CFR part 2: the notice accompanies what is disclosed (R-19)."""
    items = ("needs", "facts", "name", "contact", "substance-use")
    reference = pages.receive(
        a_referral(a_release(SECOND_LINE, items=items), needs=("substance-use",))
    )

    page = pages.browser("second-line").get(f"/offers/{reference}")

    assert "Help with alcohol or drugs" in page.text
    assert "42 CFR part 2 prohibits unauthorized use or disclosure" in page.text


def test_the_ticket_to_the_agency_is_posted_and_never_in_an_address(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    staff.post(f"{offered.path}/accept")

    page = staff.post(f"{offered.path}/disclosure")

    form = page.soup.select_one("main form")
    assert form is not None
    assert form["action"] == f"{INTAKE}/disclosures/enter"
    assert form["method"] == "post"
    ticket = str(form.select_one('input[name="ticket"]')["value"])  # type: ignore[index]
    policy = page.response.headers["Content-Security-Policy"]
    assert f"form-action 'self' {INTAKE};" in f"{policy};"
    claims = jwt.decode(ticket, pages.tickets.key, algorithms=["Ed25519"]).claims
    assert claims["iss"] == ROUTING
    assert claims["aud"] == INTAKE
    assert claims["sub"] == "cypress"
    assert claims["oidc_iss"] == PROVIDER
    assert claims["organization_id"] == str(CYPRESS)
    assert claims["exp"] - claims["iat"] == 60
    offer_id = pages.ask("select offer_id from offer where reference = %s", offered.reference)
    assert offer_id is not None
    assert claims["offer_id"] == str(offer_id[0])


def test_two_tickets_are_never_the_same(pages: Pages, offered: Offered, staff: Browser) -> None:
    staff.post(f"{offered.path}/accept")

    def ticket_id() -> str:
        field = staff.post(f"{offered.path}/disclosure").soup.select_one('input[name="ticket"]')
        assert field is not None
        token = jwt.decode(str(field["value"]), pages.tickets.key, algorithms=["Ed25519"])
        return str(token.claims["jti"])

    assert ticket_id() != ticket_id()


def test_no_ticket_before_accepting(offered: Offered, staff: Browser) -> None:
    page = staff.post(f"{offered.path}/disclosure")

    assert page.status == 409
    assert page.soup.select_one('input[name="ticket"]') is None


ACTIONS = ("accept", "decline", "contact", "start", "close", "confirm-stop", "disclosure")


@pytest.mark.parametrize("action", ACTIONS)
def test_another_organizations_offer_is_not_there(
    pages: Pages, offered: Offered, action: str
) -> None:
    """Somebody else's object reads the same as none (404, not 403)."""
    other = pages.browser("hoa-sen")
    form = {"reason": "other", "kind": "contacted", "outcome": "ongoing-support"}

    assert other.get(offered.path).status == 404
    assert other.post(f"{offered.path}/{action}", **form).status == 404
    assert other.post(f"/offers/WH-2222-00/{action}", **form).status == 404
    assert pages.events() == ["offered"]


@pytest.mark.parametrize("subject", ["coordinator", "operator"])
@pytest.mark.parametrize("action", ACTIONS)
def test_only_partner_staff_may_act(
    pages: Pages, offered: Offered, subject: str, action: str
) -> None:
    other = pages.browser(subject)

    assert other.get(offered.path).status == 403
    assert other.get("/inbox").status == 403
    assert other.get("/inbox/ended").status == 403
    assert other.post(f"{offered.path}/{action}").status == 403
    assert pages.events() == ["offered"]


@pytest.mark.parametrize("path", ["/inbox", "/inbox/ended", "/offers/WH-7K3F-92"])
def test_whoever_is_not_signed_in_is_sent_to_sign_in(pages: Pages, path: str) -> None:
    page = pages.browser().get(path)

    assert page.status == 302
    assert urlsplit(page.response.location).path == "/sign-in"


def test_a_form_made_up_by_another_site_does_nothing(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    assert staff.post_without_token(f"{offered.path}/accept").status == 400
    assert pages.events() == ["offered"]


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_acts_on_get(pages: Pages, offered: Offered, staff: Browser, action: str) -> None:
    assert staff.get(f"{offered.path}/{action}").status == 405
    assert pages.events() == ["offered"]


def test_a_removed_member_loses_access_at_the_next_request(
    pages: Pages, offered: Offered, staff: Browser
) -> None:
    """Staff who leave lose access immediately (R-59)."""
    assert staff.get("/inbox").status == 200

    pages.ask("update member set active = false where subject = 'cypress'")

    assert staff.get("/inbox").status == 403
    assert staff.get(offered.path).status == 403


def test_what_ended_is_listed_without_facts(offered: Offered, staff: Browser) -> None:
    staff.post(f"{offered.path}/decline", reason="conflict")

    page = staff.get("/inbox/ended")

    assert offered.reference in page.text
    assert "Declined" in page.text
    assert "Counseling" not in page.text
