"""kafka-python with nothing around it: the least that reading and writing cost in Python."""

import time
from collections.abc import Sequence

from kafka import KafkaConsumer, KafkaProducer

from shared.bus import Message

_BATCH = 500
_LINGER_MS = 5  # faster than 0 when many messages wait
_ACKNOWLEDGED_SECONDS = 30


def consume(servers: str, topic: str, group: str, count: int) -> float:
    """Poll and commit `count` records, then leave; return the seconds from the first in hand."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    done, begun = 0, 0.0
    while done < count:
        taken = consumer.poll(timeout_ms=500, max_records=_BATCH)
        if taken:
            begun = begun or time.perf_counter()
            consumer.commit()
            done += sum(len(records) for records in taken.values())
    consumer.close()
    return time.perf_counter() - begun


def produce(servers: str, topic: str, messages: Sequence[Message]) -> float:
    """Send the messages and wait for every acknowledgement; return the seconds."""
    producer = KafkaProducer(
        bootstrap_servers=servers, acks="all", enable_idempotence=True, linger_ms=_LINGER_MS
    )
    ready = [
        (m.key.encode(), m.value, [(name, value.encode()) for name, value in m.headers.items()])
        for m in messages
    ]
    producer.partitions_for(topic)  # connects
    begun = time.perf_counter()
    sent = [producer.send(topic, key=key, value=v, headers=h) for key, v, h in ready]
    for future in sent:
        future.get(_ACKNOWLEDGED_SECONDS)
    seconds = time.perf_counter() - begun
    producer.close()
    return seconds
