"""The faults that last: each begins, holds for a while, and ends with everything whole again."""

import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import requests
from kafka import KafkaAdminClient

from services.databases import SERVICES
from services.local.settings import AGENCY
from services.topics import read_by
from shared.bus import LARGEST_VALUE
from shared.bus.kafka import open_client
from tests.faults import ahead, records
from tests.faults.receivers import GOOD
from tests.faults.run import BROKER, DATABASE, Outage, Run

STUCK_SECONDS = 30.0
_WEBS = [f"{service}-web" for service in SERVICES]
_WORKERS = [f"{service}-worker" for service in SERVICES]
# While the broker cannot write, what intake accepts with is left alone: it has to do as before.
_ACCEPTING = frozenset({BROKER, DATABASE, "intake-web"})
_LONG_RUN, _MINUTES_AWAY = 600.0, 125.0
_FOLLOW_SECONDS, _HOLD_SECONDS = 60.0, 300.0
_LIVE = 8
_TOO_LARGE = """
insert into outbox (event_id, topic, key, sequence, type, headers, payload)
select %(id)s::uuid, topic, %(id)s::text, 1, type, headers,
  convert_to(jsonb_build_object('too', repeat('x', %(size)s::int))::text, 'utf8')
from outbox order by id desc limit 1
"""
_OFF = Path(__file__).parent / "off"
_SESSION_SECONDS = 14.0
_TOGETHER_SECONDS = 3.0
_TWO_HUNDRED, _FIVE_THREE = 200, 503
_START_SECONDS = 20.0
_WELL_SECONDS = 90.0
_ANSWER_SECONDS = 20.0
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
    away = _MINUTES_AWAY if seconds > _LONG_RUN else _within(seconds, 0.12, 5, 60)
    infrastructure = [
        Act("broker away", away, _ACCEPTING, broker_away),
        Act(
            "database away",
            _within(seconds, 0.04, 3, 30),
            frozenset({DATABASE, *_WEBS}),
            database_away,
        ),
        Act("log's disk full", _within(seconds, 0.03, 3, 20), _ACCEPTING, log_full),
        Act(
            "database's disk full",
            _within(seconds, 0.03, 3, 20),
            frozenset({DATABASE}),
            database_full,
        ),
    ]
    stops = [_stopped(name) for name in _WORKERS]
    clocks = [_hour_off(name, hours) for name in (*_WORKERS, *_WEBS) for hours in (-1, 1)]
    processes = _some(stops, seconds / 90, chance) + _some(clocks, seconds / 60, chance)
    modes = ("hangs", "answers-500", "redirects", "closes", "answers-wrong")
    endpoints = [_webhooks(mode) for mode in modes]
    mails = [
        *[_mail(mode) for mode in ("refuses", "greylists")],
        Act("mail server away", 4.0, frozenset({"mail"}), mail_away),
    ]
    streams = [
        _out_of_order("intake"),
        _out_of_order("notifications"),
        _out_of_order("routing"),
        Act("records repeated", 0.0, frozenset({BROKER}), repeated),
        Act("records that nobody may take", 0.0, frozenset({BROKER}), poisoned),
        Act("an event too large to send", 0.0, frozenset({DATABASE}), oversize),
    ]
    often = max(1, round(seconds / 90))
    outside = [track * often for track in (endpoints, mails, streams)]
    found = [infrastructure * rounds, processes, *outside]
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
    _expect_well(run, ["intake-web"])
    begun = time.time()
    run.system.kafka.kill()
    yield
    run.outages.append(Outage("broker away", begun, time.time()))
    for name, url in run.system.urls.items():
        status = _status(f"{url}/readyz")
        down = name in {"intake", "routing", "notifications"} and status not in {200, None}
        run.expect(holds=not down, otherwise=f"{name} answers {status} without the broker")
    run.keep_servers_alive(frozenset({DATABASE}))


@contextmanager
def database_away(run: Run) -> Iterator[None]:
    """Stop the database; pages and API say 503, the page with the crisis panel."""
    _expect_well(run, _WEBS)
    run.system.postgres.stop()
    yield
    for name, url in run.system.urls.items():
        _expect_away(run, name, url)
        status = _status(f"{url}/crisis")
        run.expect(holds=status == _TWO_HUNDRED, otherwise=f"{name}: /crisis answers {status}")
    run.keep_servers_alive(frozenset({BROKER}))


def _expect_well(run: Run, names: Sequence[str]) -> None:
    """Wait for processes that somebody has just ended; left alone, they come back."""
    programs = [run.system.programs[name] for name in names]
    urls = [run.system.urls[name.removesuffix("-web")] for name in names]
    well = _wait_until(
        lambda: (
            not any(program.leaving for program in programs)
            and all(_status(f"{url}/readyz") == _TWO_HUNDRED for url in urls)
        ),
        _WELL_SECONDS,
    )
    run.expect(holds=well, otherwise=f"{names} did not come back by themselves")


def _expect_away(run: Run, name: str, url: str) -> None:
    """Check a page while the database is away: to hang, or to close, is no answer."""
    page, cookie = f"{url}/ops", {f"wh-{name}": "somebody"}
    try:
        answer = requests.get(page, cookies=cookie, timeout=_ANSWER_SECONDS)
    except requests.RequestException as failure:
        run.expect(holds=False, otherwise=f"{name} says nothing without its database: {failure}")
        return
    shows = "988" in answer.text and 'href="tel:988"' in answer.text
    run.expect(
        holds=answer.status_code == _FIVE_THREE and shows,
        otherwise=f"{name} answers {answer.status_code} without its database, panel: {shows}",
    )


@contextmanager
def log_full(run: Run) -> Iterator[None]:
    """Leave the broker no byte to write; intake accepts as before."""
    _expect_well(run, ["intake-web"])
    disk, begun = run.system.disks["log"], time.time()
    disk.fill()
    yield
    run.outages.append(Outage("log's disk full", begun, time.time()))
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
    """Return the status of a page, None when nobody answers."""
    try:
        return requests.get(url, timeout=_ANSWER_SECONDS).status_code
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
        gone = _wait_until(lambda: not stopped & _members(run, service), _START_SECONDS)
        run.expect(holds=gone, otherwise=f"{name}, stopped, is still in its group")
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


def _out_of_order(service: str) -> Act:
    """Return events of a service that come before those that they follow."""

    @contextmanager
    def come(run: Run) -> Iterator[None]:
        with ahead.relayless(run.system.dsn(service)) as outbox:
            yield
            _overtake(run, service, outbox)

    outside = ["webhooks", "mail"] if service == "notifications" else []
    touched = frozenset({BROKER, DATABASE, *_WORKERS, f"{service}-web", *outside})
    return Act(f"events of {service} before those that they follow", 2.0, touched, come)


def _overtake(run: Run, service: str, outbox: ahead.Relayless) -> None:
    _wait_until(lambda: bool(outbox.followers()), _FOLLOW_SECONDS)
    early = outbox.followers()
    if not early:
        run.say(f"{service} told nothing that follows in {_FOLLOW_SECONDS} s")
        return
    records.produce(run.system.kafka.servers, [each.record for each in early])
    for reader in sorted({reader for each in early for reader in each.readers}):
        _expect_held(run, reader, [each for each in early if reader in each.readers])
    run.ahead[service] += len(early)


def _expect_held(run: Run, reader: str, early: Sequence[ahead.Early]) -> None:
    dsn = run.system.dsn(reader)
    held = _wait_until(lambda: ahead.number_held(dsn, early) == len(early), _HOLD_SECONDS)
    run.expect(holds=held, otherwise=f"{reader} did not hold back what came early")


@contextmanager
def repeated(run: Run) -> Iterator[None]:
    """Deliver real records again, in any order."""
    run.replayed += records.replay(run.system.kafka.servers, run.chance)
    yield


@contextmanager
def poisoned(run: Run) -> Iterator[None]:
    """Put records there that no consumer may take."""
    newest = list(run.load.ledger.submitted)[-_LIVE:]
    live = [str(referral_id).encode() for referral_id in run.chance.sample(newest, 1)]
    found = [*records.poisons(), *(poison for key in live for poison in records.poisons_of(key))]
    records.produce(run.system.kafka.servers, [poison.record for poison in found])
    run.poisons += found
    yield


@contextmanager
def oversize(run: Run) -> Iterator[None]:
    """Put an event into an outbox that no broker takes; it must hold up nobody else."""
    service, event_id = run.chance.choice(SERVICES), str(uuid4())
    with psycopg.connect(run.system.dsn(service)) as connection:
        there = connection.execute(_TOO_LARGE, {"id": event_id, "size": LARGEST_VALUE}).rowcount
    if there:
        run.oversize[event_id] = service
    yield


def stuck(run: Run, service: str) -> None:
    """Let a consumer stop making progress, and see its own watchdog end the process.

    Its positions are locked away, so that the statement of its next record never returns. From
    then on nothing new comes in: the others can come to rest meanwhile.
    """
    program = run.system.programs[f"{service}-worker"]
    lives, size = len(program.ends), program.log.stat().st_size
    run.say(f"{program.name}'s consumer stuck")
    with psycopg.connect(run.system.dsn(service)) as connection:
        connection.execute("lock table stream_position in access exclusive mode")
        _wait_until(lambda: _somebody_waits(connection), _START_SECONDS * 4)
        run.load.no_more()
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
