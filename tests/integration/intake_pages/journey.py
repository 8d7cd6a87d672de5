"""Walks through the form as an advocate does."""

import io
from typing import Any
from uuid import UUID

from intake.adapters.pages.answers import Answers
from intake.adapters.pages.reader import Typed
from tests.integration.intake_pages.builders import CLINIC, PDF, Browser, Page

ANSWERS: dict[str, dict[str, Any]] = {
    "safety": {"danger": "no", "safe": "yes"},
    "about": {"age_band": "25-59", "guardian": "no", "officer": "no"},
    "name": {"called": "Blue Kettle", "legal_name": "Jordan Invented"},
    "language": {"languages": ["es"], "other_language": "French", "interpreter": "yes"},
    "access": {"access_needs": ["large-print"]},
    "contact": {"contact_route": "partner-contacts"},
    "channels": {"channels": ["call"]},
    "call": {
        "value": "225-555-0166",
        "leave_message": "no",
        "name_agency": "no",
        "times": "weekdays before 3 PM",
    },
    "happened": {
        "role": "directly-injured",
        "happened_on_month": "9",
        "happened_on_day": "14",
        "happened_on_year": "2026",
    },
    "involved": {"involved": ["baton-rouge-police"]},
    "not-told": {},
    "needs": {"needs": ["trauma-therapy"]},
    "urgency": {"urgency": "urgent"},
    "place": {"county": "22033"},
    "partners": {"partners": [str(CLINIC)]},
}
"""What is typed on each page, in order; the channel's page goes by its channel."""


def begin(browser: Browser) -> Page:
    """Press start."""
    return browser.post("/new")


def walk(browser: Browser, page: Page, until: str, **changes: dict[str, Any]) -> Page:
    """Answer page by page until the page of this name is open."""
    while page.path.split("/")[3] != until and page.path.rsplit("/", 1)[-1] != until:
        name = next(name for name in reversed(page.path.split("/")) if name in ANSWERS)
        page = browser.send(page, **{**ANSWERS[name], **changes.get(name.replace("-", "_"), {})})
        assert page.status == 200, (name, page.problems)
    return page


def to(browser: Browser, until: str, **changes: dict[str, Any]) -> Page:
    """Open a form that was saved when everything before this page was answered."""
    typed: dict[str, Typed] = {}
    for name, answers in ANSWERS.items():
        if name == until:
            break
        given = {**answers, **changes.get(name.replace("-", "_"), {})}
        typed["channel/call" if name == "call" else name] = _typed(given)
    page = browser.get(f"/drafts/{browser.save(Answers(typed))}")
    assert f"/{until}" in page.path, (page.path, page.text)
    return page


def _typed(answers: dict[str, Any]) -> Typed:
    return {
        name: value if isinstance(value, list) else [value]
        for name, value in answers.items()
        if value is not None
    }


def sign_on_paper(browser: Browser, page: Page) -> Page:
    """Accept the release as it is offered, and sign it on paper."""
    if "/release/" in page.path:
        page = browser.send(page)
    return browser.send(
        page,
        files={"scan": (io.BytesIO(PDF), "scan.pdf")},
        voluntary="yes",
        method="paper",
        witness="Ana Witness",
    )


def walk_to_check(browser: Browser) -> Page:
    """Answer everything page by page and sign, up to the check page."""
    return _sign_all(browser, walk(browser, begin(browser), "release"))


def to_check(browser: Browser, **changes: dict[str, Any]) -> Page:
    """Sign what was saved, up to the check page."""
    return _sign_all(browser, to(browser, "release", **changes))


def _sign_all(browser: Browser, page: Page) -> Page:
    while "/check" not in page.path:
        page = sign_on_paper(browser, page)
        assert page.status == 200, page.problems
    return page


def refer(browser: Browser, **changes: dict[str, Any]) -> UUID:
    """Send a referral; return its id."""
    sent = browser.send(to_check(browser, **changes))
    assert sent.heading == "The referral is sent", sent.text
    return UUID(sent.path.split("/")[2])
