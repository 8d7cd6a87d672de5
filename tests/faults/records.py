"""What lies in the topics, read from the first offset, and what a stranger puts there."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from services.local.settings import AGENCY
from services.topics import all_topics
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.event import CONTENT_TYPE

Headers = tuple[tuple[str, bytes], ...]
_INTAKE, _ROUTING = f"intake.referral.{AGENCY}", f"routing.referral.{AGENCY}"
_DELIVERY = "notifications.delivery"
_SOURCES = {_INTAKE: "/intake/brva", _ROUTING: "/routing/baton-rouge"}
_SOURCES[_DELIVERY] = "/notifications/baton-rouge"
_REPLAYED = 120
_OVERSIZE = 850_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as the broker keeps it."""

    topic: str
    key: bytes
    headers: Headers
    value: bytes

    def header(self, name: str) -> str:
        """Return a header's text, empty when it is not there."""
        return next((value.decode() for found, value in self.headers if found == name), "")


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that no consumer may take; each of `parked_by` sets it aside with `reason`."""

    record: Kept
    reason: str
    parked_by: tuple[str, ...]


def read(servers: str, topics: Iterable[str], newest: int | None = None) -> list[Kept]:
    """Return every record of the topics, or the newest ones of each partition."""
    consumer = KafkaConsumer(bootstrap_servers=[servers], enable_auto_commit=False)
    with closing(consumer):
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        consumer.assign(partitions)
        first, ends = (consumer.beginning_offsets(partitions), consumer.end_offsets(partitions))
        for partition, end in ends.items():
            start = first[partition] if newest is None else max(first[partition], end - newest)
            consumer.seek(partition, start)
        return list(_until(consumer, ends))


def read_all(servers: str) -> list[Kept]:
    """Return every record of every topic of the product."""
    return read(servers, all_topics([AGENCY]))


def _until(consumer: Any, ends: Mapping[Any, int]) -> Iterator[Kept]:
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        for records in consumer.poll(timeout_ms=500).values():
            for found in records:
                headers = tuple(found.headers)
                yield Kept(found.topic, found.key or b"", headers, found.value or b"")


def produce(servers: str, records: Sequence[Kept]) -> None:
    """Put records onto their topics, in this order, and wait until they are there."""
    with closing(KafkaProducer(bootstrap_servers=[servers], acks="all")) as producer:
        sent = [
            producer.send(found.topic, key=found.key, value=found.value, headers=[*found.headers])
            for found in records
        ]
        for future in sent:
            future.get(timeout=30)


def replay(servers: str, chance: random.Random) -> int:
    """Put real records of every topic there once more, in any order; return how many."""
    recent = read(servers, all_topics([AGENCY]), newest=_REPLAYED)
    mixed = chance.sample(recent, min(_REPLAYED, len(recent)))
    produce(servers, mixed)
    return len(mixed)


def poisons_of(key: bytes) -> list[Poison]:
    """Return records with a live referral's key that nobody can place in its order.

    They are set aside beside it: it has to go on as if they were not there.
    """
    submitted, offered = "intake.referral.submitted.v1", "routing.referral.offered.v1"
    both = ("intake", "notifications")
    known = [
        (_record(_INTAKE, submitted, key, value=b"{"), "malformed", ("routing",)),
        (_record(_INTAKE, submitted, key, ce_sequence=None), "header-missing", ("routing",)),
        (_record(_INTAKE, submitted, key, ce_subject="another"), "key-mismatch", ("routing",)),
        (_record(_INTAKE, offered, key, ce_sequence="2"), "wrong-source", ("routing",)),
        (_record(_ROUTING, offered, key, value=b"{"), "malformed", both),
        (_record(_ROUTING, offered, key, ce_source="/intake/brva"), "wrong-source", both),
        (
            _record(_DELIVERY, "notifications.delivery.delivered.v1", key, value=b"{"),
            "malformed",
            ("routing",),
        ),
    ]
    return [Poison(*each) for each in known]


def poisons() -> list[Poison]:
    """Return one record of each kind that must be set aside, each of a key of its own."""
    submitted, offered = "intake.referral.submitted.v1", "routing.referral.offered.v1"
    both = ("intake", "notifications")
    return [
        Poison(Kept(_INTAKE, _key(), (), b"\xff\x00 no event"), "not-binary-json", ("routing",)),
        Poison(_record(_INTAKE, submitted, value=b"{"), "malformed", ("routing",)),
        Poison(_record(_INTAKE, submitted, value=b"[" * 5000), "malformed", ("routing",)),
        Poison(_record(_INTAKE, submitted, ce_sequence=str(2**63)), "malformed", ("routing",)),
        Poison(_record(_INTAKE, submitted, ce_subject="another"), "key-mismatch", ("routing",)),
        Poison(_record(_INTAKE, submitted, ce_time="\0"), "malformed", ("routing",)),
        Poison(_record(_INTAKE, submitted, ce_sequence=None), "header-missing", ("routing",)),
        Poison(_record(_INTAKE, submitted, value=_oversize()), "wrong-shape", ("routing",)),
        Poison(_record(_INTAKE, "intake.referral.submitted.v9"), "newer-version", ("routing",)),
        Poison(_record(_ROUTING, "routing.referral.offered.v9"), "newer-version", both),
        Poison(
            _record(_INTAKE, submitted, ce_source="/intake/other"), "wrong-source", ("routing",)
        ),
        Poison(_record(_INTAKE, offered), "wrong-source", ("routing",)),
        Poison(_record(_ROUTING, offered, ce_source="/intake/brva"), "wrong-source", both),
        Poison(_record(_INTAKE, submitted), "key-mismatch", ("routing",)),
    ]


def _record(
    topic: str,
    type_: str,
    key: bytes | None = None,
    *,
    value: bytes | None = None,
    **headers: str | None,
) -> Kept:
    """Return a whole event with an example's data; headers go over its own, None takes one out."""
    key = key or _key()
    known = CATALOGUE.get(type_)
    body = json.dumps(known.example if known else {}).encode()
    given = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_source": _SOURCES[topic],
        "ce_type": type_,
        "ce_subject": key.decode(),
        "ce_time": "2026-11-25T12:00:00+00:00",
        "ce_sequence": "1",
        "content-type": CONTENT_TYPE,
        **headers,
    }
    kept = tuple((name, text.encode()) for name, text in given.items() if text is not None)
    return Kept(topic, key, kept, body if value is None else value)


def _oversize() -> bytes:
    return json.dumps({"referral_id": "x" * _OVERSIZE}).encode()


def _key() -> bytes:
    return str(uuid4()).encode()
