"""relay: outbox rows per second to acknowledged records / bare kafka-python, acks all.

10,000 rows wait, four of each referral, one referral's between the others'. Both send the same
bytes; what the topic then holds is read, and each key must have kept its order.
"""

import json
import time
from collections.abc import Mapping, Sequence

import psycopg

from bench.apart import apart
from bench.events import TOPIC, of_referrals
from bench.ground import Ground, a_ground
from bench.pairs import Bench, Result, alternate
from bench.peers import bare_kafka
from shared.bus import Message
from shared.db.outbox import INSERT
from shared.worker import Relay

NEEDS = ("kafka",)
BENCHES = (Bench("relay", "rows/s", must=0.3, aim=0.5, better="higher"),)
_REFERRALS = 2_500
_EACH = 4


def run(pairs: int) -> list[Result]:
    """Measure."""
    with a_ground() as ground:
        reader = _Reader(ground)
        messages = of_referrals(_REFERRALS, _EACH)
        return alternate(
            BENCHES,
            lambda: _ours(ground, messages, reader),
            lambda: _bare(ground, messages, reader),
            pairs,
        )


def _ours(ground: Ground, messages: Sequence[Message], reader: "_Reader") -> Mapping[str, float]:
    _fill_outbox(ground, messages)
    seconds = apart(relay_waiting, ground)
    reader.check(messages)
    return {"relay": len(messages) / seconds}


def _bare(ground: Ground, messages: Sequence[Message], reader: "_Reader") -> Mapping[str, float]:
    seconds = apart(bare_kafka.produce, ground.servers, TOPIC, messages)
    reader.check(messages)
    return {"relay": len(messages) / seconds}


def relay_waiting(ground: Ground) -> float:
    """Relay all that waits; return the seconds."""
    relay = Relay(ground.dsn, ground.bus.producer("bench"))
    begun = time.perf_counter()
    while relay.step():
        pass
    seconds = time.perf_counter() - begun
    relay.close()
    return seconds


def _fill_outbox(ground: Ground, messages: Sequence[Message]) -> None:
    """Store the messages as a service would have."""
    with psycopg.connect(ground.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("truncate outbox")
        cursor.executemany(INSERT, [_row(message) for message in messages])
    ground.execute("vacuum analyze outbox")


def _row(message: Message) -> tuple[object, ...]:
    headers = message.headers
    numbered = (headers["ce_id"], message.topic, message.key, int(headers["ce_sequence"]))
    return (*numbered, headers["ce_type"], json.dumps(dict(headers)), message.value)


class _Reader:
    """Reads what has been sent since it last looked."""

    def __init__(self, ground: Ground) -> None:
        ground.fill_topic(TOPIC, [])
        self._subscription = ground.bus.subscribe("check", [TOPIC])

    def check(self, messages: Sequence[Message]) -> None:
        """Refuse a run that lost, doubled or reordered something."""
        found: list[tuple[str, str]] = []
        while len(found) < len(messages):
            records = self._subscription.poll(5.0)
            if not records:
                break
            found += [(record.key, record.headers["ce_sequence"]) for record in records]
        sent = [(message.key, message.headers["ce_sequence"]) for message in messages]
        # Sorting keeps the order of one key's records.
        if sorted(found, key=_key) != sorted(sent, key=_key):
            raise RuntimeError("What was sent is not what the topic holds, in order for each key.")


def _key(sent: tuple[str, str]) -> str:
    return sent[0]
