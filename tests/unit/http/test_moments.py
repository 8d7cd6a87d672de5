"""Clocks read in the site's zone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from flask import Flask
from flask_babel import Babel

from shared.http.moments import ago, clock, duration, full_time
from shared.http.web import Web, attach
from tests.support.web import a_site

# A Tuesday, 11:00 in Baton Rouge.
NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def request_in_baton_rouge() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app)
    attach(app, cast("Web", SimpleNamespace(site=a_site())))
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (30, "less than a minute"),
        (300, "5 min"),
        (12_000, "3 h 20 min"),
        (7200, "2 h"),
        (86_400, "1 day"),
        (2 * 86_400 + 3 * 3600, "2 days 3 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: int, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("minutes", "kind"),
    [
        (200, "running"),
        (61, "running"),
        (60, "soon"),
        (1, "soon"),
        (0, "overdue"),
        (-5, "overdue"),
    ],
)
def test_a_clock_is_soon_in_its_last_hour_and_overdue_at_its_end(minutes: int, kind: str) -> None:
    assert clock(NOW + timedelta(minutes=minutes), NOW).kind == kind


def test_a_clock_names_the_time_in_the_sites_zone() -> None:
    running = clock(NOW + timedelta(hours=6), NOW)

    assert running.left == "6 h"
    assert running.at.endswith("5:00 PM")
    assert running.iso == "2026-11-24T23:00:00Z"
    assert full_time(NOW) == "Tuesday, November 24, 2026, 11:00 AM"


def test_the_past_is_told_as_ago() -> None:
    assert ago(NOW - timedelta(minutes=5), NOW) == "5 min ago"
