"""The frame of every page in a real browser: leaving quickly, the time-out, accessibility."""

import threading
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from shared.db.pool import Pool
from tests.integration.http.conftest import build
from tests.support.browsers import DESKTOP, PHONE
from tests.support.databases import TestDatabase
from tests.support.web import add_member, sign_in, web_settings


@pytest.fixture(scope="module")
def neutral() -> Iterator[str]:
    """Serve the neutral page on another origin; give its address."""
    server = make_server("127.0.0.1", 0, Response("the weather"), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/"
    server.shutdown()
    server.server_close()


SIGN = """
{% extends "layout.html" %}{% from "macros/forms.html" import signature_field %}
{% block scripts %}<script src="{{ asset('signature.js') }}" defer></script>{% endblock %}
{% block main %}<h1>Sign</h1>{{ signature_field("signature", "Sign here") }}{% endblock %}
"""
QUEUE = """
{% extends "layout.html" %}
{% block scripts %}<script src="{{ asset('queue.js') }}" defer></script>{% endblock %}
{% block main %}<h1>Queue</h1><table data-queue><tbody>
{% for name in ["one", "two", "three"] %}
<tr><td><a href="#{{ name }}">{{ name }}</a></td></tr>{% endfor %}
</tbody></table>{% endblock %}
"""


@pytest.fixture
def app(pool: Pool, neutral: str) -> Flask:
    app = build(web_settings(exit_url=neutral), pool)
    app.add_url_rule("/sign", "sign", lambda: render_template_string(SIGN))
    app.add_url_rule("/queue", "queue", lambda: render_template_string(QUEUE))
    return app


@pytest.fixture
def client(app: Flask, base_db: TestDatabase) -> FlaskClient:
    add_member(base_db.owner, "olga", "operator")
    app.config.update(SESSION_COOKIE_PATH="/", APPLICATION_ROOT="/")
    client = app.test_client()
    sign_in(client, "olga")
    return client


def opened(
    chromium: Browser,
    served: str,
    client: FlaskClient,
    *,
    script: bool = True,
    width: int = DESKTOP,
) -> BrowserContext:
    """Open a browser that is signed in."""
    context = chromium.new_context(
        java_script_enabled=script, viewport={"width": width, "height": 800}
    )
    cookie = client.get_cookie("wh-sample")
    assert cookie is not None
    context.add_cookies([{"name": "wh-sample", "value": cookie.value, "url": served}])
    return context


BATCH = UUID(int=77)
CONSOLE = [
    "/ops",
    "/ops/parked",
    "/ops/parked?reason_parked=wrong-shape&type=unknown",
    "/ops/repairs",
    f"/ops/repairs/{BATCH}",
    "/ops/services",
]


def trouble(database: TestDatabase) -> None:
    """Make an operator's bad night: something waits, is held, parked, refused and asked for."""
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            "insert into parked (consumer, topic, source, key, sequence, type, headers, reason)"
            " select 'c', 'intake.referral.brva', '/intake/brva', gen_random_uuid(), 1,"
            " case n when 1 then 'intake.referral.release-revoked.v1' end, '{}', 'wrong-shape'"
            " from generate_series(1, 3) n"
        )
        connection.execute(
            "insert into held (consumer, source, key, sequence, type, topic, headers, payload)"
            " select 'c', '/intake/brva', gen_random_uuid(), n,"
            " 'intake.referral.withdrawn.v1', 't', '{}', '' from generate_series(2, 3) n"
        )
        connection.execute(
            "insert into outbox (event_id, topic, key, sequence, type, headers, payload,"
            " failed_at, failure) values (gen_random_uuid(), 'intake.referral.brva', 'k', 1, 't',"
            " '{}', '', now(), 'too-large')"
        )
        connection.execute("insert into consumer_lag values ('c', 'routing.referral.brva', 12)")
        connection.execute(
            "insert into pipeline_sample select date_trunc('minute', now()) - n * interval"
            " '1 minute', n % 7, n % 5, n % 3, n, 3 from generate_series(0, 600, 2) n"
        )
        connection.execute("insert into repair_batch values (%s, 5)", (BATCH,))
        connection.execute(
            "insert into repair (batch_id, dry_run, action, consumer, parked_id, reason, asked_by)"
            " select %s, true, 'replay', 'c', parked_id, 'cause-mended', %s from parked",
            (BATCH, BATCH),
        )
        connection.execute(
            "update repair set done_at = now(), outcome = 'handler-failed'"
            " where number = (select min(number) from repair)"
        )


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_axe_finds_nothing_on_an_operators_bad_night(
    chromium: Browser, served: str, client: FlaskClient, base_db: TestDatabase, width: int
) -> None:
    trouble(base_db)
    with opened(chromium, served, client, width=width) as context:
        page = context.new_page()
        for path in CONSOLE:
            page.goto(served + path)
            page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")

            found = Axe().run(page)

            assert (path, found.response["violations"]) == (path, [])
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


@pytest.mark.parametrize("script", [True, False])
def test_records_are_discarded_by_keyboard_alone(
    chromium: Browser, served: str, client: FlaskClient, base_db: TestDatabase, *, script: bool
) -> None:
    trouble(base_db)
    with opened(chromium, served, client, script=script) as context:
        page = context.new_page()
        page.goto(f"{served}/ops/parked?reason_parked=wrong-shape")

        page.get_by_label("Reason", exact=True).focus()
        press(page, "ArrowDown", "Tab", "Tab", "Tab", "Tab", "Space", "Tab", "Enter")
        page.wait_for_url("**/ops/repairs/*")

        assert page.get_by_role("heading", level=1).inner_text() == "Discard: 3 records"
        assert page.get_by_text("You can leave this page").is_visible()


def test_progress_moves_by_itself_until_all_is_done(
    chromium: Browser, served: str, client: FlaskClient, base_db: TestDatabase
) -> None:
    trouble(base_db)
    with opened(chromium, served, client) as context:
        page = context.new_page()
        page.goto(f"{served}/ops/repairs/{BATCH}")
        assert page.get_by_text("1 of 3 done").is_visible()

        with psycopg.connect(base_db.owner) as connection:
            connection.execute(
                "update repair set done_at = now(), outcome = 'replayed' where done_at is null"
            )

        page.get_by_text("3 of 3 done").wait_for()
        assert page.get_by_role("button", name="Replay: the 2 that would work").is_visible()


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("path", ["/ops", "/crisis", "/exit/about", "/timed-out", "/rejected"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    chromium: Browser, served: str, client: FlaskClient, path: str, width: int
) -> None:
    with opened(chromium, served, client, width=width) as context:
        page = context.new_page()
        page.goto(served + path)

        found = Axe().run(page)

        assert found.response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("script", [True, False])
def test_the_exit_button_leads_away_and_ends_the_session_r30(
    chromium: Browser, served: str, client: FlaskClient, neutral: str, *, script: bool
) -> None:
    with opened(chromium, served, client, script=script) as context:
        page = context.new_page()
        page.goto(f"{served}/ops")

        page.get_by_role("link", name="Exit this page").click()
        page.wait_for_url(neutral)

        assert context.cookies(served) == []
    assert client.get("/ops").status_code == 302


def test_shift_three_times_leaves_and_two_times_do_not_r30(
    chromium: Browser, served: str, client: FlaskClient, neutral: str
) -> None:
    with opened(chromium, served, client) as context:
        page = context.new_page()
        page.goto(f"{served}/ops")

        press(page, "Shift", "Shift", "a", "Shift")
        stayed = page.url
        press(page, "Shift", "Shift")
        page.wait_for_url(neutral)

        assert stayed == f"{served}/ops"


def test_the_reader_is_warned_before_the_time_out_and_signed_out_at_its_end(
    chromium: Browser, served: str, client: FlaskClient
) -> None:
    with opened(chromium, served, client) as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{served}/ops")

        page.clock.fast_forward("12:50")
        assert page.get_by_role("dialog").count() == 0
        page.clock.fast_forward("00:20")
        page.get_by_role("button", name="Stay signed in").click()
        page.clock.fast_forward("12:50")
        stayed = page.get_by_role("dialog").count()
        page.clock.fast_forward("02:20")
        page.wait_for_url(f"{served}/timed-out")

        assert stayed == 0
    assert client.get("/ops").status_code == 302


def test_a_drawn_signature_is_a_picture_in_the_form_and_can_be_cleared(
    chromium: Browser, served: str, client: FlaskClient
) -> None:
    with opened(chromium, served, client) as context:
        page = context.new_page()
        page.goto(f"{served}/sign")
        field = page.locator('input[name="signature"]')
        box = page.locator("canvas").bounding_box()
        assert box is not None

        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 120, box["y"] + 60)
        page.mouse.up()
        drawn = field.input_value()
        page.get_by_role("button", name="Clear and draw again").click()

        assert drawn.startswith("data:image/png;base64,")
        assert field.input_value() == ""


def test_a_signature_without_javascript_says_what_to_do_instead(
    chromium: Browser, served: str, client: FlaskClient
) -> None:
    with opened(chromium, served, client, script=False) as context:
        page = context.new_page()
        page.goto(f"{served}/sign")

        assert page.get_by_text("Use paper below instead").is_visible()
        assert not page.locator("canvas").is_visible()


def test_a_queue_is_walked_by_j_and_k_and_opened_by_enter(
    chromium: Browser, served: str, client: FlaskClient
) -> None:
    with opened(chromium, served, client) as context:
        page = context.new_page()
        page.goto(f"{served}/queue")

        press(page, "j", "j", "j", "k", "Enter")

        assert page.url.endswith("#two")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
