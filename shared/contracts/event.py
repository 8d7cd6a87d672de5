"""The envelope of an event: CloudEvents 1.0 in Kafka's binary mode, plus sequence and trace."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.contracts.trace import correlation_of, traceparent_of
from shared.errors import InvalidEvent

CONTENT_TYPE = "application/json"
LONGEST_KEY = 200
"""Characters of a key or a source: what an index can hold, many times what ours have."""
_MOST_EVENTS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `sequence` is gapless from 1 per source and key; `data` holds codes and ids."""

    id: UUID
    source: str
    type: str
    key: str
    time: datetime
    sequence: int
    correlation_id: str
    traceparent: str
    data: Mapping[str, Any]

    @property
    def agency(self) -> str:
        """Return the agency of an intake's event: the last part of its source."""
        return self.source.rsplit("/", 1)[-1]


def ids_of(events: Iterable[Event]) -> list[UUID]:
    """Return the keys that are ids, each once, in order; any other is left to its reader."""
    found = set()
    for event in events:
        with suppress(ValueError):
            found.add(UUID(event.key))
    return sorted(found)


def headers_of(event: Event) -> dict[str, str]:
    """Return the record headers of an event (CloudEvents Kafka binding, section 3.2)."""
    return {
        "ce_specversion": "1.0",
        "ce_id": str(event.id),
        "ce_source": event.source,
        "ce_type": event.type,
        "ce_subject": event.key,
        "ce_time": event.time.astimezone(UTC).isoformat(),
        "ce_sequence": str(event.sequence),
        "ce_correlationid": event.correlation_id,
        "traceparent": event.traceparent,
        "content-type": CONTENT_TYPE,
    }


def read_envelope(key: str, headers: Mapping[str, str], value: bytes | None) -> Event:
    """Return the event in a record, its data as plain JSON.

    Raises:
        InvalidEvent: a header is missing or wrong, the mode is not binary (decided by the
            content type, R-56), the body is not a JSON object, or a part is too large to be kept.

    """
    if not headers.get("content-type", "").lower().startswith(CONTENT_TYPE):
        raise InvalidEvent("not-binary-json")
    if headers.get("ce_subject", key) != key:
        raise InvalidEvent("key-mismatch")
    try:
        data = json.loads(value or b"")
        event = Event(
            id=UUID(headers["ce_id"]),
            source=headers["ce_source"],
            type=headers["ce_type"],
            key=key,
            time=datetime.fromisoformat(headers["ce_time"]),
            sequence=int(headers["ce_sequence"]),
            correlation_id=correlation_of(headers.get("ce_correlationid", "")),
            traceparent=traceparent_of(headers.get("traceparent", "")),
            data=data,
        )
    except KeyError as missing:
        raise InvalidEvent("header-missing") from missing
    except (ValueError, RecursionError) as malformed:
        raise InvalidEvent("malformed") from malformed
    if not isinstance(data, dict) or not _can_be_kept(event):
        raise InvalidEvent("malformed")
    return event


def _can_be_kept(event: Event) -> bool:
    lengths = (len(event.key), len(event.source))
    return 1 <= event.sequence <= _MOST_EVENTS and max(lengths) <= LONGEST_KEY
