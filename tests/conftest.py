"""Fixtures of all tests: a database of each service, cloned from a migrated template; a broker."""

import io
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator

import hypothesis
import pytest
import structlog
from playwright.sync_api import Browser

from shared.log import configure
from tests.support.brokers import a_broker
from tests.support.browsers import a_chromium, skip_without_chromium
from tests.support.databases import Server, TestDatabase, a_server

# A machine that is busy with other things is no fault of what is tested.
hypothesis.settings.register_profile("steady", deadline=None)
hypothesis.settings.load_profile("steady")

# Its own way shows every variable of every frame, which takes seconds where a failure is logged.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


_names: dict[str, str] = {}


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return a name that is the same in every process of a parallel run: ids are numbered."""
    if not isinstance(val, str) or not _UUID.search(val):
        return None
    return _UUID.sub(lambda found: _names.setdefault(found[0], f"id{len(_names)}"), val)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Start one PostgreSQL server for the run."""
    with a_server() as server:
        yield server


@pytest.fixture
def base_db(postgres: Server) -> Iterator[TestDatabase]:
    """Give only the tables that every service has."""
    with postgres.clone("base") as database:
        yield database


@pytest.fixture
def intake_db(postgres: Server) -> Iterator[TestDatabase]:
    """Give intake's database."""
    with postgres.clone("intake") as database:
        yield database


@pytest.fixture
def intake_keys_db(postgres: Server) -> Iterator[TestDatabase]:
    """Give the database of wrapped keys."""
    with postgres.clone("intake_keys") as database:
        yield database


@pytest.fixture
def routing_db(postgres: Server) -> Iterator[TestDatabase]:
    """Give routing's database."""
    with postgres.clone("routing") as database:
        yield database


@pytest.fixture
def notifications_db(postgres: Server) -> Iterator[TestDatabase]:
    """Give the database of notifications."""
    with postgres.clone("notifications") as database:
        yield database


@pytest.fixture
def bus_db(postgres: Server) -> Iterator[TestDatabase]:
    """Give the database of the bus, with its schema and without topics."""
    with postgres.clone("bus") as database:
        yield database


@pytest.fixture(scope="session")
def kafka_url() -> Iterator[str]:
    """Give the address of a Kafka broker; tests share it, so their names must be their own."""
    with a_broker() as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a real browser."""
    skip_without_chromium()
    with a_chromium() as browser:
        yield browser


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Log as a process does; give what was written so far."""
    handlers, level = logging.root.handlers[:], logging.root.level
    before = structlog.get_config()
    hooks = sys.excepthook, threading.excepthook
    logging.root.handlers.clear()
    written = io.StringIO()
    configure("test")
    structlog.configure(
        **{
            **structlog.get_config(),
            "logger_factory": structlog.PrintLoggerFactory(written),
            "cache_logger_on_first_use": False,
        }
    )
    logging.root.handlers = [logging.StreamHandler(written)]
    yield written.getvalue
    structlog.configure(**before)
    logging.root.handlers, logging.root.level = handlers, level
    sys.excepthook, threading.excepthook = hooks
