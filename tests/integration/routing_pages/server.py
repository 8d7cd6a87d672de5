"""Routing's pages behind a real address, and a Chromium that is signed in there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask, session
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from shared.http.access import ISSUER, SUBJECT
from tests.integration.routing_pages.builders import PROVIDER, Pages
from tests.support.browsers import DESKTOP


@dataclass
class Desktop:
    """Windows of a Chromium on routing's pages."""

    pages: Pages
    browser: Browser
    address: str

    def window(self, subject: str, *, width: int = DESKTOP, scripts: bool = True) -> Page:
        """Return an empty window of this width in which the member is signed in."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            base_url=self.address,
        )
        name, value = _session_cookie(self.pages.app, subject)
        context.add_cookies([{"name": name, "value": value, "url": self.address}])
        return context.new_page()

    def close(self) -> None:
        """Close every window."""
        for context in self.browser.contexts:
            context.close()


@contextmanager
def a_desktop(pages: Pages, browser: Browser) -> Iterator[Desktop]:
    """Serve the pages and give windows on them, closed afterwards."""
    with served(pages.app) as address:
        desktop = Desktop(pages, browser, address)
        yield desktop
        desktop.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve the app on a free loopback port and give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def faults(page: Page) -> list[str]:
    """Return what axe finds wrong on the page, and whether it scrolls sideways."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    wrong = [f"{v['id']}: {node['html'][:120]}" for v in found for node in v["nodes"]]
    if page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    ):
        wrong.append("scrolls sideways")
    return wrong


def _session_cookie(app: Flask, subject: str) -> tuple[str, str]:
    with app.test_request_context():
        session[ISSUER] = PROVIDER
        session[SUBJECT] = subject
        response = app.process_response(app.make_response(""))
    [(name, morsel)] = SimpleCookie(response.headers["Set-Cookie"]).items()
    return name, morsel.value
