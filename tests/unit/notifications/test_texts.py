"""What messages say, and what they never say."""

from dataclasses import replace
from pathlib import Path

import pytest

from notifications.adapters.texts import SignIn, Texts
from notifications.domain.notices import Owner, Template
from shared.contracts.codes import NEEDS
from shared.http.labels import LABELS
from shared.site import load_site
from tests.support.notifications import REFERENCE, a_message

SITE = load_site(Path("deploy/sites/baton-rouge"))
SIGN_IN = "https://w.example.org/sign-in"
SIGN_IN_PAGES = SignIn("https://w.example.org", {"brva": "https://w.example.org/"})


def text_of(template: Template, site_languages: tuple[str, ...] = ("en",)) -> str:
    site = replace(SITE, languages=site_languages)
    text = Texts(site, SIGN_IN_PAGES).of(a_message(template=template))
    return f"{text.subject}\n{text.body}"


@pytest.mark.parametrize("template", Template)
def test_a_message_names_no_agency_no_need_and_no_place(template: Template) -> None:
    """R-28."""
    words = text_of(template).lower()

    need_words = [str(LABELS["needs"][need]).lower() for need in NEEDS]
    hidden = [SITE.name, *(agency.name for agency in SITE.agencies), SITE.host.name, "police"]
    hidden += ["victim", "advocate", "crisis", "counsel", "legal", "louisiana", *need_words]
    assert [word for word in hidden if word.lower() in words] == []


@pytest.mark.parametrize("template", Template)
def test_the_only_address_is_the_sign_in_page(template: Template) -> None:
    addresses = [word for word in text_of(template).split() if "://" in word]

    assert addresses == [SIGN_IN]


@pytest.mark.parametrize("template", Template)
def test_the_subject_is_one_line_and_the_text_is_not_empty(template: Template) -> None:
    subject, *body = text_of(template).splitlines()

    assert subject.startswith("A referral")
    assert len(body) >= 3
    assert "{" not in text_of(template)


def test_the_reference_is_what_people_say_on_the_phone() -> None:
    assert f"Reference {REFERENCE}." in text_of(Template.OFFER_WAITING)


@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("en", "Tuesday, November 24, 1:00 PM"),
        ("es", "martes, 24 de noviembre, 13:00"),
        ("vi", "Thứ Ba, 24 tháng 11, 13:00"),
    ],
)
def test_the_time_is_the_sites_and_its_words_are_the_languages(language: str, day: str) -> None:
    assert day in text_of(Template.OFFER_WAITING, (language,))


@pytest.mark.parametrize(
    ("owner", "agency", "page"),
    [
        (Owner.PARTNER, "brva", "https://routing.example.org/sign-in"),
        (Owner.HOST, "brva", "https://routing.example.org/sign-in"),
        (Owner.MEMBER, "brva", "https://one.example.org/sign-in"),
        (Owner.AGENCY, "other", "https://two.example.org/sign-in"),
    ],
)
def test_everybody_is_led_to_the_own_sign_in(owner: Owner, agency: str, page: str) -> None:
    """R-13: each agency has an intake of its own."""
    intakes = {"brva": "https://one.example.org", "other": "https://two.example.org/"}
    sign_in = SignIn("https://routing.example.org/", intakes)

    assert sign_in.of(a_message(owner=owner, agency=agency)) == page
