"""`make tour`: screenshots of every page of a running demo, at phone and desktop width.

It walks the product as people do, so it leaves one more referral in the demo.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from playwright.sync_api import Browser

from services.local.folder import Folder
from tests.browser.acting import (
    ANSWERS,
    CAHS,
    Person,
    fill_in,
    release_to,
)
from tests.support.browsers import DESKTOP, PHONE, a_chromium

WIDTHS = (PHONE, DESKTOP)
HEIGHT = 900
MID_CITY = "144f2eab-de18-4411-8602-65cdfba63f69"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|WH-[A-Z0-9-]+|\d{8}T[\w-]+")


@dataclass(slots=True)
class Tourist(Person):
    """Somebody who takes pictures of every page on the way."""

    folder: Path = Path()
    taken: int = 0

    def look(self) -> None:
        """Take a picture of the page at each width."""
        Person.look(self)
        self.taken += 1
        name = f"{self.subject}-{self.taken:02}-{_slug(self.page.url, self.origin)}"
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            self.page.screenshot(path=self.folder / f"{name}-{width}.png", full_page=True)

    def press_if_there(self, name: str) -> bool:
        """Press a button or link where the page has it."""
        there = self.page.get_by_role("button", name=name).count()
        there = there or self.page.get_by_role("link", name=name).count()
        if there:
            self.press(name)
        return bool(there)

    def open_first(self, words: re.Pattern[str]) -> None:
        """Follow the first link of the main part with these words."""
        self.page.locator("main").get_by_role("link", name=words).first.click()
        self.look()


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path(".local"), show_default=True)
def main(data: Path) -> None:
    """Take the pictures into DATA/tour."""
    origin = Folder(data).holder().split(" ", 1)[0]
    if not origin:
        raise click.ClickException(f"No demo runs on {data}: start one with `make demo`.")
    folder = data / "tour"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with a_chromium() as browser:
        for subject, tour in _TOURS.items():
            with _tourist(browser, origin, subject, folder) as person:
                tour(person)
                click.echo(f"{subject}: {person.taken} pages")
    click.echo(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


@contextmanager
def _tourist(browser: Browser, origin: str, subject: str, folder: Path) -> Iterator[Tourist]:
    context = browser.new_context(viewport={"width": WIDTHS[-1], "height": HEIGHT})
    context.set_default_timeout(20_000)
    yield Tourist(context.new_page(), origin, subject, scripts=True, folder=folder)
    context.close()


def _visitor(person: Tourist) -> None:
    """Whoever comes by, signed in nowhere."""
    for path in ("/", "/mail", "/webhooks-received", "/nothing", "/intake/nothing"):
        person.open(path)
    for service in ("intake", "routing"):
        for page in ("crisis", "exit/about", "signed-out", "timed-out"):
            person.open(f"/{service}/{page}")
    person.page.goto(f"{person.origin}/intake/")
    person.look()


def _stopped(person: Tourist) -> None:
    """Follow the ways on which the form ends early."""
    danger = {"safety": {"danger": "yes", "safe": "no"}}
    minor = {**ANSWERS, "about": {"age_band": "13-17", "guardian": "no", "officer": "no"}}
    fill_in(person, danger)
    fill_in(person, {name: minor[name] for name in ("safety", "about")})
    person.press_if_there("Show the information sheet")


def _advocate(person: Tourist) -> None:
    person.open("/intake/referrals")
    fill_in(person)
    release_to(person, [CAHS, MID_CITY])
    person.press("See this referral")
    person.open("/intake/referrals")
    _stopped(person)


def _partner(person: Tourist) -> None:
    person.open("/routing/inbox")
    person.open_first(re.compile("WH-"))
    person.press("Accept this referral")
    person.press(re.compile("Go to the agency's page"))
    person.press(re.compile("Continue to"))
    person.press("Sign in")
    person.page.locator(f"button[value={person.subject}]").click()
    person.look()
    person.press_if_there("Show how to make contact")
    person.open("/routing/inbox/ended")


def _coordinator(person: Tourist) -> None:
    person.open("/routing/console")
    person.open_first(re.compile("WH-"))
    person.press_if_there("Compare with today's directory")
    person.open("/routing/console/services")
    person.open("/intake/referrals")  # not for this role


def _operator(person: Tourist) -> None:
    for service in ("intake", "routing", "notifications"):
        for path in ("", "/parked", "/repairs"):
            person.open(f"/{service}/ops{path}")
    person.open("/notifications/ops/deliveries")
    person.open("/notifications/ops/services")
    person.open("/mail")
    person.open_first(re.compile("referral"))


_TOURS = {
    "nobody": _visitor,
    "advocate": _advocate,
    "partner-cahs": _partner,
    "coordinator": _coordinator,
    "operator": _operator,
}


def _slug(url: str, origin: str) -> str:
    path = url.removeprefix(origin).split("?", 1)[0]
    if path.startswith("http"):
        return "sign-in-at-the-provider"
    return "-".join(part for part in _ID.sub("", path).split("/") if part) or "start"


if __name__ == "__main__":
    main()
