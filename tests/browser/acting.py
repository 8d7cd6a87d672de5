"""People at work in a running demo: each has a window of their own and is signed in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FilePayload, Page, expect

from shared.contracts.codes import REPORT_BACK_ITEMS

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_AXE = Axe()

Answers = Mapping[str, Mapping[str, str | Sequence[str]]]
CAHS = "6d1f0b52-3f0e-4c39-9a41-0d6f3a7c1e01"
ANSWERS: Answers = {
    "safety": {"danger": "no", "safe": "yes"},
    "about": {"age_band": "25-59", "guardian": "no", "officer": "no"},
    "name": {"called": "Blue Kettle", "legal_name": "Jordan Invented"},
    "language": {"languages": ["en"], "interpreter": "no"},
    "access": {},
    "contact": {"contact_route": "partner-contacts"},
    "channels": {"channels": ["call"]},
    "call": {"value": "225-555-0166", "leave_message": "no", "name_agency": "no"},
    "happened": {"role": "directly-injured"},
    "involved": {"involved": ["baton-rouge-police"]},
    "not-told": {},
    "needs": {"needs": ["trauma-therapy"]},
    "urgency": {"urgency": "urgent"},
    "place": {"county": "22033"},
}
"""What the advocate answers on each page up to the choice of partners."""


@dataclass(slots=True)
class Person:
    """Somebody with a browser window; `visited` are the addresses that the window was at."""

    page: Page
    origin: str
    subject: str
    scripts: bool
    checks_axe: bool = False
    visited: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page, signing in on the way where it asks."""
        self.page.goto(f"{self.origin}{path}")
        if self.page.get_by_role("heading", name="Who are you today?").count():
            self.page.locator(f"button[value={self.subject}]").click()
        self.look()

    def look(self) -> None:
        """Note the address, and what axe finds on the page."""
        self.page.wait_for_load_state()
        self.visited.append(self.page.url)
        if self.checks_axe:
            found = _AXE.run(self.page)
            if found.violations_count:
                self.faults.append(f"{self.page.url}: {found.generate_report()}")

    def first_link(self, path: str, words: str) -> str:
        """Return where the first link with these words on a page leads to."""
        self.open(path)
        link = self.page.locator("main").get_by_role("link", name=re.compile(words)).first
        return link.get_attribute("href") or ""

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press the button or link of this name."""
        button = self.page.get_by_role("button", name=name)
        button.or_(self.page.get_by_role("link", name=name)).first.click()
        self.look()

    def answer(self, answers: Mapping[str, str | Sequence[str]]) -> None:
        """Fill in fields by their names: ticks, choices and text."""
        for name, values in answers.items():
            for value in [values] if isinstance(values, str) else values:
                self._answer(name, value)

    def _answer(self, name: str, value: str) -> None:
        tick = self.page.locator(f"main [name='{name}'][value='{value}']:not([type=hidden])")
        if tick.count() and tick.first.get_attribute("type") in {"radio", "checkbox"}:
            tick.first.evaluate("e => { e.checked || e.labels[0].click() }")
        else:
            self.page.locator(f"main [name='{name}']").first.fill(value)

    def text(self) -> str:
        """Return what the page says."""
        return self.page.locator("main").inner_text()

    def sees(self, words: str) -> None:
        """Wait, reloading as a person does, until the page says it."""
        for _ in range(20):
            if words in self.text():
                return
            self.page.wait_for_timeout(250)
            self.page.reload()
        expect(self.page.locator("main")).to_contain_text(words)


@contextmanager
def a_person(  # noqa: PLR0913  (who, where and with what window)
    browser: Browser,
    origin: str,
    subject: str,
    *,
    scripts: bool = True,
    checks_axe: bool = False,
    width: int = 1280,
) -> Iterator[Person]:
    """Give somebody a window of their own."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts
    )
    context.set_default_timeout(20_000)
    try:
        yield Person(context.new_page(), origin, subject, scripts, checks_axe)
    finally:
        context.close()


def fill_in(advocate: Person, answers: Answers = ANSWERS) -> None:
    """Start a form and answer it up to the choice of partners."""
    advocate.open("/intake/new")
    advocate.press(re.compile("start"))
    while (name := _page_name(advocate.page.url, answers)) is not None:
        advocate.answer(answers[name])
        advocate.press("Continue")


def release_to(advocate: Person, partners: Sequence[str], *, witness: str = "Ana Witness") -> None:
    """Choose the partners in this order and sign a release for each, then send."""
    advocate.answer({"partners": partners})
    advocate.press("Continue with the chosen partners")
    if "/order" in advocate.page.url:
        advocate.answer({f"place-{p}": str(n) for n, p in enumerate(partners, 1)})
        advocate.press("Continue")
    while "/check" not in advocate.page.url:
        if "/sign/" in advocate.page.url:
            _sign(advocate, witness)
        else:
            advocate.answer({"report_back": REPORT_BACK_ITEMS})
            advocate.press("Continue")
    advocate.press(re.compile("Send this referral"))


def _sign(advocate: Person, witness: str) -> None:
    advocate.answer({"voluntary": "yes"})
    if advocate.scripts:
        advocate.answer({"method": "drawn"})
        canvas = advocate.page.locator("canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        mouse = advocate.page.mouse
        mouse.move(box["x"] + 20, box["y"] + 20)
        mouse.down()
        mouse.move(box["x"] + 120, box["y"] + 60)
        mouse.up()
    else:
        advocate.answer({"method": "paper", "witness": witness})
        scan = FilePayload(name="scan.pdf", mimeType="application/pdf", buffer=PDF)
        advocate.page.locator("[name=scan]").set_input_files([scan])
    advocate.press(re.compile("Keep this signed release"))


def _page_name(url: str, answers: Answers) -> str | None:
    return next((part for part in reversed(url.split("/")) if part in answers), None)
