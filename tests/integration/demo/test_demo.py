"""`make demo` as a person meets it: started, refused, cut off, started again."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import requests
from playwright.sync_api import Browser

from services.local import ports
from services.local.folder import VERSION, Folder
from services.sample import Sample
from shared.bus import Message, open_bus
from tests.browser.acting import a_person
from tests.support.browsers import DESKTOP, PHONE
from tests.support.demos import RunningDemo, a_demo, a_folder, start_demo

SERVICES = ("intake", "routing", "notifications")
LISTENING = psutil.CONN_LISTEN


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    with a_folder() as data, a_demo(data) as running:
        yield running


@pytest.fixture
def data() -> Iterator[Path]:
    with a_folder() as path:
        yield path


def refusal(demo: RunningDemo) -> str:
    """Return why a start was refused; a traceback is no reason."""
    assert demo.wait() == 1
    assert "Traceback" not in demo.output
    return demo.output


def children_of(demo: RunningDemo) -> list[psutil.Process]:
    return list(psutil.Process(demo.process.pid).children(recursive=True))


def wait_until(what: str, holds: object) -> None:
    deadline = time.monotonic() + 40
    assert callable(holds)
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def referrals(demo: RunningDemo, condition: str = "true") -> int:
    """Return how many referrals routing knows."""
    dsn = demo.place.postgres.dsn("routing", "routing_owner")
    with psycopg.connect(dsn) as connection:
        row = connection.execute(f"select count(*) from referral where {condition}").fetchone()
    assert row is not None
    return int(row[0])


def submit(demo: RunningDemo, count: int) -> int:
    sample = Sample(demo.place.folder, random.Random(7))
    return sum(sample.intake() for _ in range(count))


def test_a_start_says_the_address_and_one_user_for_each_role(demo: RunningDemo) -> None:
    assert demo.place.origin in demo.output
    for role in ("advocate", "agency-admin", "coordinator", "partner-cahs", "operator"):
        assert f"  {role} " in demo.output
    assert "invented people only" in demo.output


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_healthy_and_ready(demo: RunningDemo, service: str) -> None:
    for page in ("healthz", "readyz"):
        assert requests.get(f"{demo.place.origin}/{service}/{page}", timeout=10).ok


@pytest.mark.parametrize(
    "page", ["/", "/mail", "/webhooks-received", "/nothing", "/intake/crisis"]
)
def test_every_page_says_that_people_are_invented_and_shows_the_crisis_lines(
    demo: RunningDemo, page: str
) -> None:
    answer = requests.get(f"{demo.place.origin}{page}", timeout=10)

    assert "Invented people only." in answer.text
    assert 'href="tel:988"' in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_axe_finds_nothing_on_the_demos_own_pages_and_none_scrolls_sideways(
    demo: RunningDemo, chromium: Browser
) -> None:
    submit(demo, 5)
    pages = ["/", "/mail", "/webhooks-received", "/nothing", "/intake/referrals"]
    for width in (PHONE, DESKTOP):
        with a_person(chromium, demo.place.origin, "", width=width, checks_axe=True) as person:
            for page in pages:
                person.page.goto(f"{demo.place.origin}{page}")
                person.look()
                sideways = "document.documentElement.scrollWidth > window.innerWidth"
                assert not person.page.evaluate(sideways), page
            assert person.faults == []


def test_nothing_listens_outside_this_machine(demo: RunningDemo) -> None:
    processes = [psutil.Process(demo.process.pid), *children_of(demo)]
    found = [c.laddr.ip for p in processes for c in p.net_connections() if c.status == LISTENING]

    assert found
    assert set(found) == {"127.0.0.1"}


def test_a_second_start_on_the_same_folder_is_refused(demo: RunningDemo) -> None:
    second = start_demo(demo.place.folder.path)

    assert f"already running on {demo.place.folder.path}: {demo.place.origin}" in refusal(second)
    assert requests.get(f"{demo.place.origin}/intake/readyz", timeout=10).ok


def test_a_port_in_use_is_refused(demo: RunningDemo, data: Path) -> None:
    second = start_demo(data, port=demo.place.port)

    assert f"Port {demo.place.port} is in use: give another one with PORT=" in refusal(second)


def test_an_intake_reaches_a_partner_by_mail(demo: RunningDemo) -> None:
    assert submit(demo, 3)

    wait_until("a mail", lambda: list(demo.place.folder.mail.glob("*.eml")))
    page = requests.get(f"{demo.place.origin}/mail", timeout=10).text
    assert "A referral needs an answer (WH-" in page


def test_a_webhook_without_a_right_signature_is_not_kept(demo: RunningDemo) -> None:
    answer = requests.post(f"{demo.place.origin}/hooks/cypress", data="{}", timeout=10)

    assert answer.status_code == 401
    assert requests.post(f"{demo.place.origin}/hooks/nobody", timeout=10).status_code == 404


def test_a_folder_of_a_newer_version_is_refused(data: Path) -> None:
    data.mkdir()
    stamp = {"kind": "demo", "version": VERSION + 1, "bus": "postgres", "complete": True}
    (data / "warm-handoff.json").write_text(json.dumps(stamp))

    assert "made by a newer version" in refusal(start_demo(data))
    assert [file.name for file in data.iterdir()] == ["warm-handoff.json"]


def test_somebody_elses_folder_is_refused(data: Path) -> None:
    data.mkdir()
    (data / "letter.txt").write_text("Dear mother")

    assert "is not the data folder of a demo" in refusal(start_demo(data))
    assert [file.name for file in data.iterdir()] == ["letter.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the database as another account")
def test_a_private_parent_is_refused_and_stays_private(data: Path) -> None:
    private = data.parent / "private"
    private.mkdir(mode=0o700)

    assert f"{private} is private" in refusal(start_demo(private / "data"))
    assert private.stat().st_mode & 0o777 == 0o700


def test_kafka_without_java_is_refused_and_the_folder_is_free_for_the_other_engine(
    data: Path,
) -> None:
    start = start_demo(data, "--bus", "kafka", environment={"PATH": "/nowhere"})

    assert "Kafka needs Java" in refusal(start)
    assert Folder(data).stamp() is None


def test_the_engine_is_not_changed_while_events_wait(data: Path) -> None:
    with a_demo(data) as demo:
        place = demo.place
    place.postgres.start()
    bus = open_bus(place.bus()).producer("test")
    bus.send([Message("intake.referral.brva", "key", {}, b"{}")] * 3)
    bus.close()
    place.postgres.stop()

    text = refusal(start_demo(data, "--bus", "kafka"))

    assert "wait on the bus engine postgres: 3." in text
    stamp = Folder(data).stamp()
    assert stamp is not None
    assert stamp.bus == "postgres"


def test_after_kill_9_nothing_is_left_behind_and_the_next_start_has_the_data(data: Path) -> None:
    with a_demo(data) as demo:
        submitted = submit(demo, 3)
        wait_until("routing's referrals", lambda: referrals(demo) == submitted)
        children = children_of(demo)
        demo.kill()
        wait_until("the end of web and worker", lambda: not any(c.is_running() for c in children))
        database = demo.place.postgres.pid()

        with a_demo(data) as again:
            assert again.place.postgres.pid() == database
            assert referrals(again) == submitted


def test_a_database_that_was_killed_recovers(demo: RunningDemo) -> None:
    before = referrals(demo)

    demo.place.postgres.kill()

    wait_until("the database", lambda: demo.place.postgres.pid() is not None)
    wait_until(
        "the pages",
        lambda: requests.get(f"{demo.place.origin}/intake/readyz", timeout=30).ok,
    )
    assert referrals(demo) == before


def test_a_worker_that_was_killed_is_started_again(demo: RunningDemo) -> None:
    worker = next(c for c in children_of(demo) if "services.local.worker" in " ".join(c.cmdline()))

    worker.kill()

    before = referrals(demo)
    submitted = submit(demo, 2)
    wait_until("routing's referrals", lambda: referrals(demo) == before + submitted)


def test_sigterm_finishes_what_is_held_and_nothing_is_lost(data: Path) -> None:
    with a_demo(data) as demo:
        submitted = submit(demo, 6)
        assert demo.stop(signal.SIGTERM) == 0
        assert demo.place.postgres.pid() is None

        with a_demo(data) as again:
            wait_until("routing's referrals", lambda: referrals(again) == submitted)
            waiting = "state = 'to-match'"
            wait_until("decisions", lambda: referrals(again, waiting) == 0)


def test_a_port_is_chosen_outside_of_those_that_are_taken() -> None:
    first = ports.choose()

    assert ports.choose({first}) != first
