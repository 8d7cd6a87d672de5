"""Routing's pages behind a real address, and a Chromium that is signed in there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie

from flask import Flask, session
from playwright.sync_api import Browser, BrowserContext, Playwright
from werkzeug.serving import make_server

from shared.http.access import ISSUER, SUBJECT
from tests.integration.routing_pages.builders import PROVIDER

CHROMIUM = "/usr/bin/chromium"


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


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def signed_in_context(
    browser: Browser, site: tuple[Flask, str], subject: str, *, width: int, scripts: bool = True
) -> BrowserContext:
    """Return a window of this width in which the member is signed in.

    `site` is the app and the address where it is served.
    """
    app, address = site
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts, base_url=address
    )
    name, value = _session_cookie(app, subject)
    context.add_cookies([{"name": name, "value": value, "url": address}])
    return context


def _session_cookie(app: Flask, subject: str) -> tuple[str, str]:
    with app.test_request_context():
        session[ISSUER] = PROVIDER
        session[SUBJECT] = subject
        response = app.process_response(app.make_response(""))
    [(name, morsel)] = SimpleCookie(response.headers["Set-Cookie"]).items()
    return name, morsel.value
