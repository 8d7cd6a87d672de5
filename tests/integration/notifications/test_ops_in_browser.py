"""The page of deliveries in a real browser: accessible, within a phone's width."""

import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from notifications.domain.attempts import State
from tests.integration.notifications import test_ops
from tests.integration.notifications.conftest import PostgresWorld
from tests.support.browsers import DESKTOP, PHONE

woken, client, failed = test_ops.woken, test_ops.client, test_ops.failed


@pytest.fixture
def page(client: FlaskClient, chromium: Browser) -> Iterator[Page]:
    """Open a browser that is signed in as the operator."""
    server = make_server("127.0.0.1", 0, client.application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cookie = client.get_cookie("wh-notifications")
    assert cookie is not None
    context = chromium.new_context(base_url=f"http://127.0.0.1:{server.port}")
    context.add_cookies(
        [{"name": cookie.key, "value": cookie.value, "url": f"http://127.0.0.1:{server.port}"}]
    )
    yield context.new_page()
    context.close()
    server.shutdown()
    server.server_close()


def test_axe_finds_nothing_and_all_that_failed_is_sent_again(
    page: Page, world: PostgresWorld, failed: Callable[..., UUID]
) -> None:
    referral = failed()
    failed(State.DELIVERED)
    for path in ("/ops", "/ops/deliveries", "/ops/deliveries?state=exhausted"):
        for width in (PHONE, DESKTOP):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(path)

            assert (path, Axe().run(page).response["violations"]) == (path, [])
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path

    page.get_by_label("Reason").select_option("cause-mended")
    page.get_by_role("button", name="Send 1 again").click()

    page.get_by_role("heading", name="What was sent again last").wait_for()
    assert [row.state for row in world.rows(referral)] == [State.WAITING]
