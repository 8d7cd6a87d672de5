"""The bus on Kafka, by kafka-python.

Its sharp edges decide the shape: no deserializers (a record that they refuse makes the consumer
spin for ever), nothing connected before the first use (a client does not survive a fork), commits
from the polling thread only, and a new consumer after an error that Kafka does not know.
"""

import contextlib
import re
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kafka import (
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    OffsetAndMetadata,
    OffsetSpec,
    TopicPartition,
)
from kafka.errors import (
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from kafka.net.compat import KafkaNetClient

from shared.bus.port import (
    LARGEST_VALUE,
    Behind,
    Message,
    Record,
    SendFailed,
    TopicSpec,
    one_pattern,
)
from shared.errors import TransientError
from shared.log import get_logger

_BATCH = 500
# Together below 28 seconds, after which a loop that is in one step counts as stuck.
_CONNECT_MS = 4_000
_LISTEN_SECONDS = 1.5
_REQUEST_MS = 6_000
_DELIVERY_MS = 10_000
_CLOSE_SECONDS = 3.0
_NEW_TOPICS_MS = 1_000
_SESSION_MS = 10_000
_COMMIT_MS = 5_000
_PEEK_BYTES = 65_536
_PEEK_SECONDS = 2.0
# A message waits for those sent with it, so that they travel together; none waits for this long,
# as all are flushed.
_LINGER_MS = 50

_REFUSED = {
    MessageSizeTooLargeError: SendFailed("too-large", permanent=True),
    RecordListTooLargeError: SendFailed("too-large", permanent=True),
    TopicAuthorizationFailedError: SendFailed("not-allowed", permanent=True),
    InvalidTopicError: SendFailed("bad-topic", permanent=True),
    UnknownTopicOrPartitionError: SendFailed("unknown-topic", permanent=False),
}
_AUTHORIZATION_FAILED = 29
_NO_TEXT = "\N{REPLACEMENT CHARACTER}"

_log = get_logger(__name__)


class KafkaBus:
    """The engine; see shared.bus.port.Bus."""

    def __init__(
        self, servers: Sequence[str], *, user: str = "", password: str = "", ca: str = ""
    ) -> None:
        """Use the brokers at `servers`; with a user sign in by SCRAM, with `ca` speak TLS."""
        self._settings: dict[str, Any] = {
            "bootstrap_servers": list(servers),
            "bootstrap_timeout_ms": _CONNECT_MS,
            "request_timeout_ms": _REQUEST_MS,
            "reconnect_backoff_max_ms": 1_000,
            "security_protocol": _protocol(user, ca),
        }
        if ca:
            self._settings["ssl_cafile"] = ca
        if user:
            self._settings |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": user,
                "sasl_plain_password": password,
            }

    def producer(self, client: str) -> "KafkaBusProducer":
        """Return a producer."""
        return KafkaBusProducer(self._settings, client)

    def subscribe(
        self, group: str, topics: Sequence[str], patterns: Sequence[str] = ()
    ) -> "KafkaSubscription":
        """Return a subscription."""
        return KafkaSubscription(self._settings, group, one_pattern(topics, patterns))

    def create_topics(self, topics: Mapping[str, TopicSpec]) -> None:
        """Make the topics that do not exist yet, with the replication that the brokers set."""
        with _admin(self._settings) as admin:
            for name, spec in topics.items():
                with contextlib.suppress(TopicAlreadyExistsError):
                    admin.create_topics(
                        {name: {"num_partitions": spec.partitions, "configs": _configs(spec)}},
                        wait_for_metadata=True,
                    )

    def unread(self) -> int:
        """Return how many records some group has not committed, or nobody reads."""
        with _admin(self._settings) as admin:
            groups = [group["group_id"] for group in admin.list_groups()]
            reached = [_committed(admin, group) for group in groups]
            partitions = _partitions(admin, lambda name: not name.startswith("__"))
            first, end = _offsets(admin, partitions)
        unread = 0
        for partition in partitions:
            readers = [offsets[partition] for offsets in reached if partition in offsets]
            unread += end[partition] - max(min(readers, default=0), first[partition])
        return unread


class KafkaBusProducer:
    """See shared.bus.port.Producer."""

    def __init__(self, settings: Mapping[str, Any], client: str) -> None:
        self._settings = settings
        self._client = client
        self._producer: Any = None
        self._known: set[str] = set()

    def send(self, messages: Sequence[Message]) -> list[SendFailed | None]:
        """Send all, then wait for every acknowledgement."""
        deadline = time.monotonic() + _DELIVERY_MS / 1000 + 1
        try:
            producer = self._connected()
            refused = self._unusable({message.topic for message in messages})
            sent = [refused.get(message.topic) or _send(producer, message) for message in messages]
            with contextlib.suppress(KafkaTimeoutError):  # the outcomes tell which
                producer.flush(timeout=_DELIVERY_MS / 1000)
            return [_outcome(future, deadline) for future in sent]
        except TransientError:
            raise
        except Exception as failure:
            # What was on its way may still arrive: sent again, it is dropped as a duplicate.
            self.close(0.0)
            raise TransientError("Kafka is away") from failure

    def close(self, seconds: float = _CLOSE_SECONDS) -> None:
        """Let go of the connection."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=seconds)
        except KafkaError:
            # It gives up with its thread still sending what nobody waits for any more.
            producer._sender.force_close()  # noqa: SLF001  (there is no other way)

    def _connected(self) -> Any:  # noqa: ANN401  (the client is untyped)
        if self._producer is None:
            self._producer = open_client(
                KafkaProducer,
                self._settings,
                client_id=self._client,
                acks="all",
                enable_idempotence=True,
                linger_ms=_LINGER_MS,
                delivery_timeout_ms=_DELIVERY_MS,
                max_block_ms=_CONNECT_MS,
                allow_auto_create_topics=False,
            )
        return self._producer

    def _unusable(self, topics: set[str]) -> dict[str, SendFailed]:
        """Return why some of the topics cannot be sent to.

        Sending to a missing topic would block for seconds, with everything that is behind it.
        """
        new = topics - self._known
        if not new:
            return {}
        with _admin(self._settings) as admin:
            found = {
                topic["name"]: topic["error_code"] for topic in admin.describe_topics(list(new))
            }
        self._known |= {topic for topic in new if found.get(topic) == 0}
        return {topic: _why(found.get(topic)) for topic in new - self._known}


class KafkaSubscription:
    """See shared.bus.port.Subscription."""

    def __init__(self, settings: Mapping[str, Any], group: str, pattern: str) -> None:
        self._settings = settings
        self._group = group
        self._pattern = pattern
        self._consumer: Any = None
        self._committing: Any = None
        self._came_at: dict[Any, datetime] = {}

    def poll(self, timeout: float) -> list[Record]:
        """Return what has come."""
        try:
            taken = self._connected().poll(timeout_ms=int(timeout * 1000), max_records=_BATCH)
        except KafkaError as failure:
            raise TransientError("Kafka is away") from failure
        except Exception as failure:
            # Polled again after this, kafka-python may spin without end.
            _log.exception("bus-consumer-rebuilt", group=self._group)
            self._leave()
            raise TransientError("the Kafka consumer broke") from failure
        return [_record(found) for records in taken.values() for found in records]

    def commit(self, records: Sequence[Record]) -> None:
        """Keep how far the group has read."""
        reached: dict[Any, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            reached[partition] = max(record.offset + 1, reached.get(partition, 0))
        offsets = {p: OffsetAndMetadata(offset, "", -1) for p, offset in reached.items()}
        try:
            if self._consumer is not None and offsets:
                self._committing = self._consumer.commit_async(offsets, self._committed)
        except KafkaError as failure:
            self._committed(offsets, failure)

    def _committed(self, _: object, outcome: object) -> None:
        if isinstance(outcome, Exception):
            # Mostly a rebalance: whoever has the partition now may get the records once more.
            _log.warning("bus-commit-failed", group=self._group, exc_info=outcome)

    def lag(self) -> Mapping[str, Behind]:
        """Return what of each topic is not committed."""
        wanted = re.compile(self._pattern)
        with _admin(self._settings) as admin:
            partitions = _partitions(admin, lambda name: bool(wanted.match(name)))
            committed = _committed(admin, self._group)
            first, end = _offsets(admin, partitions)
        starts = {p: max(committed.get(p, 0), first[p]) for p in partitions}
        waiting = {p: start for p, start in starts.items() if start < end[p]}
        known = self._came_at | _came_at(self._settings, waiting)
        self._came_at = {
            partition: known[partition] for partition in waiting if partition in known
        }
        lag = {partition.topic: Behind(0) for partition in partitions}
        for topic in {partition.topic for partition in waiting}:
            behind = [partition for partition in waiting if partition.topic == topic]
            records = sum(end[partition] - waiting[partition] for partition in behind)
            times = (
                self._came_at[partition] for partition in behind if partition in self._came_at
            )
            lag[topic] = Behind(records, min(times, default=None))
        return lag

    def close(self) -> None:
        """Leave the group."""
        self._leave()

    def _connected(self) -> Any:  # noqa: ANN401  (the client is untyped)
        if self._consumer is None:
            self._consumer = open_client(
                KafkaConsumer,
                self._settings,
                client_id=self._group,
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=_SESSION_MS,
                metadata_max_age_ms=_NEW_TOPICS_MS,
                allow_auto_create_topics=False,
            )
            self._consumer.subscribe(pattern=self._pattern)
        return self._consumer

    def _wait_for_commit(self) -> None:
        committing, self._committing = self._committing, None
        deadline = time.monotonic() + _COMMIT_MS / 1000
        while committing is not None and not committing.is_done and time.monotonic() < deadline:
            time.sleep(0.005)

    def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            self._wait_for_commit()
            with contextlib.suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=int(_CLOSE_SECONDS * 1000))


def open_client(kind: Any, settings: Mapping[str, Any], **more: Any) -> Any:  # noqa: ANN401  (untyped)
    """Return a connected client of kafka-python.

    One that fails to connect would leave its thread and its sockets behind: none is made while
    no broker listens, and what a failed one made is closed here.
    """
    if not any(_listens(server) for server in settings["bootstrap_servers"]):
        raise KafkaConnectionError("no broker listens")
    made: list[Any] = []

    def make(**given: Any) -> Any:  # noqa: ANN401  (untyped)
        made.append(KafkaNetClient(**given))
        return made[0]

    try:
        return kind(**settings, **more, kafka_client=make)
    except BaseException:
        for client in made:
            client.close()
        raise


def _listens(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_LISTEN_SECONDS).close()
    except OSError:
        return False
    return True


def _protocol(user: str, ca: str) -> str:
    return ("SASL_" if user else "") + ("SSL" if ca else "PLAINTEXT")


def _configs(spec: TopicSpec) -> dict[str, str]:
    if spec.compacted:
        return {"cleanup.policy": "compact"}
    milliseconds = int(spec.retention.total_seconds() * 1000)
    return {"cleanup.policy": "delete", "retention.ms": str(milliseconds)}


@contextlib.contextmanager
def _admin(settings: Mapping[str, Any]) -> Iterator[Any]:
    """Give an admin client; what it cannot reach is TransientError."""
    try:
        admin = open_client(KafkaAdminClient, settings)
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as failure:
        raise TransientError("Kafka is away") from failure


def _send(producer: Any, message: Message) -> Any:  # noqa: ANN401  (the client is untyped)
    """Hand a message to the producer; return its future, or why it is refused."""
    if len(message.value) > LARGEST_VALUE:
        return _REFUSED[MessageSizeTooLargeError]
    try:
        return producer.send(
            message.topic,
            key=message.key.encode(),
            value=message.value,
            headers=[(name, value.encode()) for name, value in message.headers.items()],
        )
    except MessageSizeTooLargeError:
        return _REFUSED[MessageSizeTooLargeError]


def _outcome(sent: Any, deadline: float) -> SendFailed | None:  # noqa: ANN401  (untyped)
    if isinstance(sent, SendFailed):
        return sent
    try:
        sent.get(timeout=max(0.0, deadline - time.monotonic()))
    except tuple(_REFUSED) as refused:
        return _REFUSED[type(refused)]
    return None


def _why(error_code: int | None) -> SendFailed:
    if error_code == _AUTHORIZATION_FAILED:
        return _REFUSED[TopicAuthorizationFailedError]
    return _REFUSED[UnknownTopicOrPartitionError]


def _record(found: Any) -> Record:  # noqa: ANN401  (the client is untyped)
    """Decode what is ours; what is not stays recognisable and is somebody else's to judge."""
    return Record(
        found.topic,
        found.partition,
        found.offset,
        _text(found.key or b""),
        {name.replace("\0", _NO_TEXT): _text(value or b"") for name, value in found.headers},
        found.value,
        datetime.fromtimestamp(found.timestamp / 1000, UTC),
    )


def _text(raw: bytes) -> str:
    """Decode as far as it goes; NUL, which PostgreSQL refuses in any text, is no part of it."""
    return raw.decode(errors="replace").replace("\0", _NO_TEXT)


def _partitions(admin: Any, wanted: Any) -> list[Any]:  # noqa: ANN401  (the client is untyped)
    return [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics()
        if wanted(topic["name"])
        for partition in topic["partitions"]
    ]


def _came_at(settings: Mapping[str, Any], offsets: Mapping[Any, int]) -> dict[Any, datetime]:
    """Return when the records at these offsets came; only the broker knows, so they are read."""
    if not offsets:
        return {}
    found: dict[Any, datetime] = {}
    try:
        consumer = open_client(
            KafkaConsumer,
            settings,
            enable_auto_commit=False,
            max_partition_fetch_bytes=_PEEK_BYTES,
            allow_auto_create_topics=False,
        )
        try:
            consumer.assign(list(offsets))
            for partition, offset in offsets.items():
                consumer.seek(partition, offset)
            deadline = time.monotonic() + _PEEK_SECONDS
            while len(found) < len(offsets) and time.monotonic() < deadline:
                for partition, records in consumer.poll(timeout_ms=200).items():
                    found.setdefault(partition, _record(records[0]).timestamp)
                    consumer.pause(partition)
        finally:
            consumer.close(autocommit=False)
    except KafkaError as failure:
        raise TransientError("Kafka is away") from failure
    return found


def _committed(admin: Any, group: str) -> dict[Any, int]:  # noqa: ANN401  (untyped)
    offsets = admin.list_group_offsets({group: None})[group]
    return {partition: found.offset for partition, found in offsets.items() if found.offset >= 0}


def _offsets(admin: Any, partitions: Iterable[Any]) -> tuple[dict[Any, int], dict[Any, int]]:  # noqa: ANN401
    """Return the first offset that is kept of each partition and the one after the last."""
    wanted = list(partitions)
    if not wanted:
        return {}, {}
    first, end = (
        admin.list_partition_offsets(dict.fromkeys(wanted, spec))
        for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST)
    )
    return (
        {partition: found.offset for partition, found in first.items()},
        {partition: found.offset for partition, found in end.items()},
    )
