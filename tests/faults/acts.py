"""The faults that last: each begins, holds for a while, and ends with everything whole again."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import psycopg
import requests
from kafka import KafkaAdminClient

from services.databases import SERVICES
from services.local.settings import AGENCY
from services.topics import read_by
from shared.bus.kafka import open_client
from tests.faults import records
from tests.faults.receivers import GOOD
from tests.faults.run import BROKER, DATABASE, Run

STUCK_SECONDS = 30.0
# While the broker cannot write, intake's web process is left alone: it has to accept as before.
_ACCEPTING = frozenset({BROKER, "intake-web"})
_OFF = Path(__file__).parent / "off"
_SESSION_SECONDS = 14.0
_TOGETHER_SECONDS = 3.0
_FIVE_THREE = 503
_START_SECONDS = 20.0
_SLOW_SECONDS = 3.0  # of a busy machine, beside what is promised


@dataclass(frozen=True, slots=True)
class Act:
    """A fault that holds for `seconds`; nothing else happens to what it `touches` meanwhile."""

    name: str
    seconds: float
    touches: frozenset[str]
    happen: Callable[[Run], AbstractContextManager[None]]


def tracks(seconds: float, chance: random.Random) -> list[list[Act]]:
    """Return the acts of a run of that length, in tracks that go on beside each other.

    A short run stops one worker and has one clock off, a long one all of them both ways.
    """
    rounds = max(1, round(seconds / 300))
    workers = [f"{service}-worker" for service in SERVICES]
    webs = [f"{service}-web" for service in SERVICES]
    infrastructure = [
        Act("broker away", _within(seconds, 0.12, 5, 150), _ACCEPTING, broker_away),
        Act("database away", _within(seconds, 0.04, 3, 30), frozenset({DATABASE}), database_away),
        Act("log's disk full", _within(seconds, 0.03, 3, 20), _ACCEPTING, log_full),
        Act(
            "database's disk full",
            _within(seconds, 0.03, 3, 20),
            frozenset({DATABASE}),
            database_full,
        ),
    ]
    stops = [_stopped(name) for name in workers]
    clocks = [_hour_off(name, hours) for name in (*workers, *webs) for hours in (-1, 1)]
    processes = _some(stops, seconds / 90, chance) + _some(clocks, seconds / 60, chance)
    outside = [
        *[_webhooks(mode) for mode in ("hangs", "answers-500", "redirects", "closes")],
        _webhooks("answers-wrong"),
        *[_mail(mode) for mode in ("refuses", "greylists")],
        Act("mail server away", 4.0, frozenset({"mail"}), mail_away),
        Act("records repeated, out of order", 0.0, frozenset({BROKER}), repeated),
        Act("records that nobody may take", 0.0, frozenset({BROKER}), poisoned),
    ]
    found = [infrastructure * rounds, processes, outside * max(1, round(seconds / 90))]
    for track in found:
        chance.shuffle(track)
    return found


def _some(acts: list[Act], number: float, chance: random.Random) -> list[Act]:
    return chance.sample(acts, min(len(acts), max(1, int(number))))


def _within(seconds: float, share: float, least: float, most: float) -> float:
    return min(most, max(least, share * seconds))


@contextmanager
def broker_away(run: Run) -> Iterator[None]:
    """Kill the broker; intake accepts as before."""
    before = len(run.load.ledger.submitted)
    run.system.kafka.kill()
    yield
    run.expect(holds=run.accepted_since(before), otherwise="nothing accepted without the broker")
    for name, url in run.system.urls.items():
        status = _status(f"{url}/readyz")
        down = name in {"intake", "routing", "notifications"} and status not in {200, None}
        run.expect(holds=not down, otherwise=f"{name} answers {status} without the broker")
    run.keep_servers_alive(frozenset({DATABASE}))


@contextmanager
def database_away(run: Run) -> Iterator[None]:
    """Stop the database; pages and API say 503, the page with the crisis panel."""
    run.system.postgres.stop()
    yield
    for name, url in run.system.urls.items():
        _expect_away(run, name, url)
        status = _status(f"{url}/crisis")
        run.expect(holds=status in {200, None}, otherwise=f"{name}: /crisis answers {status}")
    run.keep_servers_alive(frozenset({BROKER}))


def _expect_away(run: Run, name: str, url: str) -> None:
    """Check a page while the database is away; a process that is just starting is let off."""
    try:
        answer = requests.get(f"{url}/ops", cookies={f"wh-{name}": "somebody"}, timeout=20)
    except requests.RequestException:
        return
    shows = "988" in answer.text and 'href="tel:988"' in answer.text
    run.expect(
        holds=answer.status_code == _FIVE_THREE and shows,
        otherwise=f"{name} answers {answer.status_code} without its database, panel: {shows}",
    )


@contextmanager
def log_full(run: Run) -> Iterator[None]:
    """Leave the broker no byte to write; intake accepts as before."""
    disk = run.system.disks["log"]
    before = len(run.load.ledger.submitted)
    disk.fill()
    yield
    run.expect(holds=run.accepted_since(before), otherwise="nothing accepted, the log being full")
    disk.empty()
    run.keep_servers_alive(frozenset({DATABASE}))


@contextmanager
def database_full(run: Run) -> Iterator[None]:
    """Leave the database no byte to write."""
    disk = run.system.disks["database"]
    disk.fill()
    yield
    disk.empty()
    run.keep_servers_alive(frozenset({BROKER}))


def _status(url: str) -> int | None:
    """Return the status of a page, None when the process is just starting."""
    try:
        return requests.get(url, timeout=20).status_code
    except requests.RequestException:
        return None


def _stopped(name: str) -> Act:
    """Return a worker that is stopped until its group goes on without it, then resumed."""

    @contextmanager
    def stop(run: Run) -> Iterator[None]:
        program, service = run.system.programs[name], name.removesuffix("-worker")
        stopped = _members(run, service)
        program.signal(signal.SIGSTOP)
        other = replace(program, name=f"{name}-2", ends=[], _process=None)
        other.start()
        yield
        still = stopped & _members(run, service)
        run.expect(holds=not still, otherwise=f"{name}, stopped, is still in its group")
        program.signal(signal.SIGCONT)
        time.sleep(_TOGETHER_SECONDS)
        other.stop()

    touched = frozenset({name, BROKER})
    return Act(f"{name} stopped, thrown out, resumed", _SESSION_SECONDS, touched, stop)


def _members(run: Run, service: str) -> set[str]:
    """Return who is in the group of a service's worker."""
    group = read_by(service, AGENCY if service == "intake" else None).group
    settings: dict[str, Any] = {"bootstrap_servers": [run.system.kafka.servers]}
    admin = open_client(KafkaAdminClient, settings)
    try:
        members = admin.describe_groups([group])[group]["members"]
        return {member["member_id"] for member in members}
    finally:
        admin.close()


def _hour_off(name: str, hours: int) -> Act:
    """Return a process that starts anew with its clock off."""

    @contextmanager
    def off(run: Run) -> Iterator[None]:
        program = run.system.programs[name]
        program.extra |= {"PYTHONPATH": str(_OFF), "HOURS_OFF": str(hours)}
        size = program.log.stat().st_size
        program.signal(signal.SIGTERM)
        yield
        url = run.system.urls[name.rpartition("-")[0]] if name.endswith("-web") else ""
        seen = _wait_until(lambda: _is_off(program.log, size, url, hours), _START_SECONDS)
        run.expect(holds=seen, otherwise=f"the clock of {name} was not off")
        program.extra.clear()
        program.signal(signal.SIGTERM)

    touched = frozenset({name, BROKER})  # so that a worker has something to write to its log
    return Act(f"{name}, clock {hours:+d} h", 8.0, touched, off)


def _is_off(log: Path, size: int, url: str, hours: int) -> bool:
    """Tell whether a web process answers with that hour, or a worker has written it to its log."""
    there = datetime.now(UTC) + timedelta(hours=hours)
    if url:
        try:
            told = requests.get(f"{url}/healthz", timeout=5).headers["Date"]
        except requests.RequestException:
            return False
        return abs(parsedate_to_datetime(told) - there) < timedelta(minutes=1)
    minutes = [there + timedelta(minutes=number) for number in range(-1, 2)]
    said = log.read_bytes()[size:]
    return any(f"{minute:%Y-%m-%dT%H:%M}".encode() in said for minute in minutes)


def _webhooks(mode: str) -> Act:
    @contextmanager
    def behave(run: Run) -> Iterator[None]:
        run.system.webhooks.mode = mode
        yield
        run.system.webhooks.mode = GOOD

    return Act(f"webhook endpoint {mode}", 4.0, frozenset({"webhooks"}), behave)


def _mail(mode: str) -> Act:
    @contextmanager
    def behave(run: Run) -> Iterator[None]:
        run.system.mail.mode = mode
        yield
        run.system.mail.mode = GOOD

    return Act(f"mail server {mode}", 4.0, frozenset({"mail"}), behave)


@contextmanager
def mail_away(run: Run) -> Iterator[None]:
    """Let nobody listen at the mail server's port."""
    run.system.mail.stop()
    yield
    run.system.mail.start()


@contextmanager
def repeated(run: Run) -> Iterator[None]:
    """Deliver real records again, out of order."""
    run.replayed += records.replay(run.system.kafka.servers, run.chance)
    yield


@contextmanager
def poisoned(run: Run) -> Iterator[None]:
    """Put records there that no consumer may take."""
    found = records.poisons()
    records.produce(run.system.kafka.servers, [poison.record for poison in found])
    run.poisons += found
    yield


def stuck(run: Run, service: str) -> None:
    """Let a consumer stop making progress, and see its own watchdog end the process.

    Its positions are locked away, so that the statement of its next record never returns.
    """
    program = run.system.programs[f"{service}-worker"]
    lives, size = len(program.ends), program.log.stat().st_size
    run.say(f"{program.name}'s consumer stuck")
    with psycopg.connect(run.system.dsn(service)) as connection:
        connection.execute("lock table stream_position in access exclusive mode")
        _wait_until(lambda: _somebody_waits(connection), _START_SECONDS * 4)
        begun = time.monotonic()
        _wait_until(lambda: len(program.ends) > lives, STUCK_SECONDS + _SLOW_SECONDS)
        run.watchdog_seconds = time.monotonic() - begun
        connection.rollback()
    said = program.log.read_bytes()[size:]
    noticed = program.ends[lives:] == [1] and b"loop-stuck" in said
    run.faults["a consumer stuck"] += 1
    run.expect(holds=noticed, otherwise=f"the watchdog of {service} did not notice")


def _somebody_waits(connection: psycopg.Connection) -> bool:
    waiting = "select from pg_locks where relation = 'stream_position'::regclass and not granted"
    return bool(connection.execute(waiting).rowcount)


def _wait_until(there: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if there():
            return True
        time.sleep(0.1)
    return False


def possible(run: Run, act: Act) -> bool:
    """Tell whether an act can happen here; note why not."""
    if "disk full" in act.name and not all(disk.small for disk in run.system.disks.values()):
        run.not_run[act.name] = "no file system can be mounted here"
        return False
    return True
