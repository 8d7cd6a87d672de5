"""One page lists the services, each as it answers just now."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from services.local import ports
from shared.db.pool import Pool
from shared.http.ops.numbers import fetch_numbers
from tests.integration.http.conftest import build
from tests.support.databases import TestDatabase
from tests.support.web import add_member, sign_in, web_settings


@pytest.fixture
def other(pool: Pool) -> Iterator[str]:
    """Serve another service's web process; give its address inside the network."""
    server = make_server("127.0.0.1", 0, build(web_settings(), pool), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def app(pool: Pool, other: str) -> Flask:
    return build(
        web_settings(
            ops_links={"routing": "https://routing.example.org"},
            ops_metrics={"routing": other, "away": f"http://127.0.0.1:{ports.choose()}"},
        ),
        pool,
    )


def busy(database: TestDatabase) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            "insert into parked (consumer, topic, key, headers, reason, first_at) values"
            " ('c', 't', 'k', '{}', 'wrong-shape', now() - interval '3 hours')"
        )
        connection.execute(
            "insert into consumer_lag (consumer, topic, records, behind_since)"
            " values ('c', 't', 41, now() - interval '2 hours')"
        )
        connection.execute(
            "insert into held (consumer, source, key, sequence, type, topic, headers, payload,"
            " held_at) select 'c', 's', 'k', n, 't', 't', '{}', '', now() - interval '4 hours'"
            " from generate_series(2, 38) n"
        )
        connection.execute(
            "insert into pipeline_sample values (date_trunc('minute', now()), 0, 0, 0, 0, 0)"
        )


def test_each_service_shows_its_numbers_and_one_that_is_away_says_so(
    app: Flask, base_db: TestDatabase
) -> None:
    busy(base_db)
    add_member(base_db.owner, "olga", "operator")
    client = app.test_client()
    sign_in(client, "olga")

    page = client.get("/ops/services").text

    assert page.count("<strong>41</strong>") == page.count("<strong>37</strong>") == 2
    assert page.count("2 h ago") == page.count("4 h ago") == 2
    assert 'href="https://routing.example.org/ops"' in page
    assert page.count("Waits for long") == 2
    assert page.count("Cannot be reached") == 1


def test_the_numbers_come_whole_through_the_metrics(other: str, base_db: TestDatabase) -> None:
    busy(base_db)

    numbers = fetch_numbers(other)

    assert numbers is not None
    assert (numbers.leaving.count, numbers.reading.count) == (0, 41)
    assert (numbers.held.count, numbers.parked.count) == (37, 1)
    assert numbers.leaving.since is None
    assert numbers.parked.since is not None
    assert numbers.worker_seen is not None


def test_the_numbers_are_told_inside_the_network_only(other: str) -> None:
    through_the_proxy = requests.get(
        f"{other}/metrics", headers={"X-Forwarded-For": "203.0.113.5"}, timeout=5
    )

    assert through_the_proxy.status_code == 404
    assert "wh_pipeline" not in through_the_proxy.text


def test_the_metrics_name_no_organization_and_no_referral(
    other: str, base_db: TestDatabase
) -> None:
    busy(base_db)

    lines = requests.get(f"{other}/metrics", timeout=5).text.splitlines()

    shown = {line.split(" ")[0] for line in lines if line.startswith("wh_pipeline")}
    assert shown == {
        *(
            f'wh_pipeline_waiting{{where="{name}"}}'
            for name in ("leaving", "reading", "held", "parked")
        ),
        'wh_pipeline_oldest_timestamp_seconds{where="reading"}',
        'wh_pipeline_oldest_timestamp_seconds{where="held"}',
        'wh_pipeline_oldest_timestamp_seconds{where="parked"}',
        "wh_pipeline_worker_seen_timestamp_seconds",
    }
