"""Each process by itself, as production starts it: from the environment."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import requests

from intake.domain.facts import Facts
from services.intake_web import preview_by_http
from services.local import ports, settings
from services.local.settings import Place
from shared.config import PREFIX, Settings
from tests.support.demos import ROOT, a_demo, a_folder

WEB = {
    "intake": settings.intake_web,
    "routing": settings.routing_web,
    "notifications": settings.notifications_web,
}
WORKERS = {
    "intake": settings.intake_worker,
    "routing": settings.routing_worker,
    "notifications": settings.notifications_worker,
}


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Give a running demo: its databases, bus, provider and mail server."""
    with a_folder() as data, a_demo(data) as demo:
        yield demo.place


def environment(found: Settings, **changes: str) -> dict[str, str]:
    """Return the settings as the environment that a process would be given."""
    own = {
        f"{PREFIX}{field.name.upper()}": as_text(getattr(found, field.name))
        for field in dataclasses.fields(found)
    }
    clean = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    return clean | own | changes


def as_text(value: object) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={text}" for name, text in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def start(environment: Mapping[str, str], log: Path, *command: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=output, stderr=output
        )


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 40
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)


@pytest.mark.parametrize("service", WEB)
def test_a_web_process_starts_from_its_environment_and_stops_at_sigterm(
    place: Place, tmp_path: Path, service: str
) -> None:
    port, log = ports.choose(), tmp_path / "log"
    gunicorn = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py")
    bind = ("--bind", f"127.0.0.1:{port}", f"services.{service}_web:create_app()")
    process = start(environment(WEB[service](place)), log, *gunicorn, *bind)

    wait_for(f"http://127.0.0.1:{port}/readyz", process, log)
    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0


@pytest.mark.parametrize("service", WORKERS)
def test_a_worker_starts_from_its_environment_and_stops_at_sigterm(
    place: Place, tmp_path: Path, service: str
) -> None:
    port, log = ports.choose(), tmp_path / "log"
    given = environment(WORKERS[service](place), WH_METRICS_PORT=str(port))
    process = start(given, log, "-m", f"services.{service}_worker")

    wait_for(f"http://127.0.0.1:{port}/metrics", process, log)
    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda given: given.pop("WH_BUS"), "WH_BUS is missing"),
        (lambda given: given.update(WH_BUSS="x"), "WH_BUSS is no setting"),
        (lambda given: given.update(WH_METRICS_PORT="many"), "WH_METRICS_PORT cannot be read"),
    ],
    ids=["missing", "unknown", "of the wrong kind"],
)
def test_a_wrong_setting_is_named_at_the_start(
    place: Place, tmp_path: Path, spoil: Callable[[dict[str, str]], object], named: str
) -> None:
    given, log = environment(settings.routing_worker(place)), tmp_path / "log"
    spoil(given)

    process = start(given, log, "-m", "services.routing_worker")

    assert process.wait(30) == 2
    assert named in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_process_refuses_a_host_with_a_tie_to_law_enforcement(
    place: Place, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    text = (place.folder.site / "site.toml").read_text()
    tied = text.replace("le_ties = []", 'le_ties = ["baton-rouge-police"]')
    assert tied != text
    (site / "site.toml").write_text(tied)
    log = tmp_path / "log"

    given = environment(settings.routing_worker(place), WH_SITE=str(site))
    process = start(given, log, "-m", "services.routing_worker")

    assert process.wait(30) == 2
    assert "cannot host the site" in log.read_text()


def test_the_preview_comes_over_routings_api_with_a_token(place: Place) -> None:
    facts = Facts(
        needs=("trauma-therapy",),
        urgency="routine",
        age_band="25-59",
        languages=("en",),
        interpreter=False,
        access_needs=(),
        county="22033",
        preferences=(),
        contact_route="through-advocate",
    )

    preview = preview_by_http(settings.intake_web(place))
    answers = (preview.preview(facts, []) for _ in range(5))  # half a second each, or none
    found = next((answer for answer in answers if answer is not None), None)

    assert found is not None
    assert any(partner.fits for partner in found)
    assert any(not partner.fits for partner in found)
