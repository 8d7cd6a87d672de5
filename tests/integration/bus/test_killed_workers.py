"""Worker processes are killed in the middle of everything, and nothing is lost or done twice."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from shared.bus import TopicSpec, open_bus
from shared.db import open_pool, transaction
from shared.db.outbox import Outbox
from tests.support.databases import TestDatabase
from tests.support.worker import EFFECTS, TYPE

KEYS, EACH, KILLS = 60, 5, 6
ALL = KEYS * EACH * KILLS
PATIENCE = 90.0


@pytest.fixture(params=["postgres", "kafka"])
def address(request: pytest.FixtureRequest) -> str:
    if request.param == "postgres":
        database: TestDatabase = request.getfixturevalue("bus_db")
        return database.client
    url: str = request.getfixturevalue("kafka_url")
    return url


@contextmanager
def a_worker(database: str, address: str, agency: str, log: Path) -> Iterator[None]:
    """Run a worker in a process of its own, which ends by SIGKILL."""
    command = [sys.executable, "-m", "tests.support.worker", database, address, agency]
    with (
        log.open("ab") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,
    ):
        try:
            yield
        finally:
            process.kill()


def publish(database: TestDatabase, agency: str, sequences: range) -> None:
    """Write events of all keys, each key's in order, over several transactions."""
    with open_pool(database.owner, name="web") as pool:
        for sequence in sequences:
            with transaction(pool) as tx:
                for key in map(UUID, map("{:032x}".format, range(1, KEYS + 1))):
                    Outbox(f"/intake/{agency}").add(
                        tx,
                        type=TYPE,
                        agency=agency,
                        key=key,
                        sequence=sequence,
                        data={"referral_id": key},
                    )


def effects(database: TestDatabase) -> list[tuple[str, int]]:
    with psycopg.connect(database.owner) as connection:
        return connection.execute("select key, sequence from effect order by n").fetchall()


def test_every_event_takes_effect_once_and_in_order_though_workers_are_killed(
    base_db: TestDatabase, address: str, tmp_path: Path
) -> None:
    agency, log = f"t{uuid4().hex[:8]}", tmp_path / "worker.log"
    open_bus(address).create_topics({f"intake.referral.{agency}": TopicSpec()})
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(EFFECTS)
    chance = random.Random(7)

    for n in range(KILLS):
        with a_worker(base_db.owner, address, agency, log):
            time.sleep(chance.uniform(0.8, 2.0))
            publish(base_db, agency, range(1 + n * EACH, 1 + (n + 1) * EACH))
            time.sleep(chance.uniform(0.0, 0.3))
    deadline = time.monotonic() + PATIENCE
    with a_worker(base_db.owner, address, agency, log):
        while len(effects(base_db)) < ALL and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(1.0)

    found = effects(base_db)
    assert sorted(found) == sorted(set(found))
    assert len(found) == ALL, log.read_text()[-2000:]
    for key in {key for key, _ in found}:
        assert [n for of, n in found if of == key] == list(range(1, EACH * KILLS + 1))
