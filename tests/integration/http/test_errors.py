"""Errors, headers and health: safe to show, and never without the crisis panel."""

import json
from collections.abc import Callable

import pytest
from flask import Flask

from shared.db.pool import Pool
from tests.integration.http.conftest import build
from tests.support.databases import TestDatabase
from tests.support.web import add_member, sign_in, web_settings


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/conflict", 409), ("/rejected", 422), ("/broken", 500)],
)
def test_every_error_is_a_page_with_the_crisis_panel_r31(
    app: Flask, path: str, status: int
) -> None:
    answer = app.test_client().get(path)

    assert answer.status_code == status
    assert 'href="tel:988"' in answer.text
    assert 'href="/app/exit"' in answer.text
    assert answer.text.count("<h1>") == 1


def test_an_unknown_error_shows_its_number_and_never_its_text(
    app: Flask, logged: Callable[[], str]
) -> None:
    answer = app.test_client().get("/broken")

    assert "secret text" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    written = logged()
    assert "RuntimeError" in written
    assert "secret text" not in written


def test_rejected_input_has_the_summary_and_the_title_of_an_error(app: Flask) -> None:
    answer = app.test_client().get("/rejected")

    assert "<title>Error: " in answer.text
    assert "Enter the name." in answer.text


def test_the_database_away_is_a_page_that_still_shows_the_crisis_panel_r31(
    pool: Pool, base_db: TestDatabase
) -> None:
    app = build(web_settings(), pool)
    add_member(base_db.owner, "ada", "advocate")
    client = app.test_client()
    sign_in(client, "ada")
    pool.close()

    answer = client.get("/mine")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert 'href="tel:988"' in answer.text
    assert client.get("/crisis").status_code == 200
    assert client.get("/exit").status_code == 303
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_every_answer_forbids_keeping_framing_and_foreign_content(app: Flask) -> None:
    for path in ("/", "/nothing", "/api/nothing", "/crisis"):
        headers = app.test_client().get(path).headers

        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_styles_are_cached_by_their_hash(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/crisis").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]

    with client.get(address) as answer:
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/assets/manifest.json").status_code == 404


def test_the_log_has_the_view_and_no_address_query_or_typed_text_r09(
    app: Flask, logged: Callable[[], str]
) -> None:
    app.test_client().get(
        "/conflict?phone=225-555-0123",
        headers={"X-Correlation-Id": "Jane Canary", "User-Agent": "canary-agent"},
        environ_base={"REMOTE_ADDR": "203.0.113.77"},
    )

    written = logged()
    assert "conflict" in written
    for secret in ("225-555-0123", "203.0.113.77", "Jane Canary", "canary-agent"):
        assert secret not in written


def test_metrics_name_views_and_are_for_the_own_network_only(app: Flask) -> None:
    client = app.test_client()
    client.get("/conflict?phone=225-555-0123")

    inside = client.get("/metrics")

    assert 'endpoint="conflict"' in inside.text
    assert "225-555" not in inside.text
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
    outside = client.get("/metrics", environ_base={"REMOTE_ADDR": "8.8.8.8"})
    assert outside.status_code == 404


def test_the_database_that_answers_is_ready(app: Flask) -> None:
    assert app.test_client().get("/readyz").status_code == 200


TRACES = [f"00-{digit * 32}-{'7' * 16}-01" for digit in "ab"]


def test_the_trace_context_of_a_request_is_in_its_lines(
    app: Flask, logged: Callable[[], str]
) -> None:
    app.test_client().get("/conflict", headers={"traceparent": TRACES[0]})

    lines = [json.loads(line) for line in logged().splitlines()]
    assert {line["traceparent"] for line in lines} == {TRACES[0]}
    assert all(line["request_id"] and line["correlation_id"] for line in lines)


def test_of_several_trace_contexts_none_is_taken_over(
    app: Flask, logged: Callable[[], str]
) -> None:
    app.test_client().get("/conflict", headers=[("traceparent", trace) for trace in TRACES])

    (line,) = (json.loads(line) for line in logged().splitlines())
    assert line["traceparent"] not in {*TRACES, ",".join(TRACES)}
    assert line["traceparent"].startswith("00-")
