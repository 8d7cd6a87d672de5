"""Intake's pages behind a real address, a real sign-in provider, and a Chromium."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, Locator, Page
from werkzeug.serving import make_server

from services.local.ports import choose
from services.local.provider import Provider
from tests.integration.intake_pages.builders import Pages, intake_pages
from tests.support.browsers import DESKTOP
from tests.support.databases import TestDatabase


@dataclass
class Office:
    """Windows of a Chromium on intake's pages."""

    pages: Pages
    browser: Browser
    address: str

    def window(self, *, width: int = DESKTOP, scripts: bool = True) -> Page:
        """Return an empty window of this width in which nobody is signed in."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            base_url=self.address,
        )
        context.set_default_timeout(10_000)
        return context.new_page()

    def signed_in(
        self, subject: str = "advocate", *, width: int = DESKTOP, scripts: bool = True
    ) -> Page:
        """Return a window in which somebody signed in at the provider."""
        page = self.window(width=width, scripts=scripts)
        page.goto("/referrals")
        page.fill("#sub", subject)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**/referrals")
        return page


@contextmanager
def an_office(
    browser: Browser, database: TestDatabase, keys: TestDatabase, folder: Path
) -> Iterator[Office]:
    """Serve intake alone, with its provider, and give windows on it."""
    port = choose()
    address = f"http://127.0.0.1:{port}"
    with (
        a_provider(folder, port) as issuer,
        intake_pages(database, keys, folder, public_url=address, issuer=issuer) as pages,
        served(pages.app, port),
    ):
        yield Office(pages, browser, address)
        for context in browser.contexts:
            context.close()


@contextmanager
def a_provider(folder: Path, taken: int) -> Iterator[str]:
    """Start the sign-in provider of a demo; give its address."""
    key_file = folder / "provider.json"
    key_file.write_text(json.dumps(RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)))
    provider = Provider(choose([taken]), key_file, [], {})
    provider.start()
    yield provider.issuer
    provider.stop()


@contextmanager
def served(app: Flask, port: int) -> Iterator[None]:
    """Serve the app on a loopback port."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join(10)


def faults(page: Page) -> list[str]:
    """Return what axe finds, and whether the page scrolls sideways."""
    found = [
        f"{page.url}: {fault['id']}: {[node['html'][:120] for node in fault['nodes']][:3]}"
        for fault in Axe().run(page).response["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append(f"{page.url}: scrolls sideways")
    return found


def tick(box: Locator) -> None:
    """Press a tile."""
    page, name = box.page, box.first.get_attribute("id")
    page.locator(f'label[for="{name}"]').click()


def choose_tile(page: Page, name: str, value: str) -> None:
    """Press the tile of a question that has this value."""
    tick(page.locator(f'[name="{name}"][value="{value}"]'))


def press(page: Page, name: str) -> None:
    """Press a button by its words."""
    page.get_by_role("button", name=name, exact=True).click()
