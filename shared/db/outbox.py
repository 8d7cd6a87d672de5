"""The outbox: an event is a row of the transaction that it tells of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from shared import log
from shared.contracts.catalogue import dump_data, topic_of
from shared.contracts.event import Event, headers_of
from shared.db.pool import Tx

MAX_PAYLOAD_BYTES = 256 * 1024

INSERT = """
insert into outbox (event_id, topic, key, sequence, type, headers, payload)
values (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Writes the events of one source ("/intake/<agency>", "/routing/<site>")."""

    source: str

    def add(  # noqa: PLR0913  (the parts of an event)
        self,
        tx: Tx,
        *,
        type: str,  # noqa: A002  (CloudEvents' own word)
        agency: str,
        key: UUID | str,
        sequence: int,
        data: Mapping[str, Any],
    ) -> UUID:
        """Write one event and return its id.

        `sequence` is gapless from 1 for the key, taken from the locked aggregate's row.

        Raises:
            ValueError: the data does not have the type's shape, or is too large to send.

        """
        row = self.row(type=type, agency=agency, key=key, sequence=sequence, data=data)
        tx.execute(INSERT, row)
        event_id: UUID = row[0]
        return event_id

    def row(
        self,
        *,
        type: str,  # noqa: A002
        agency: str,
        key: UUID | str,
        sequence: int,
        data: Mapping[str, Any],
    ) -> tuple[Any, ...]:
        """Return the values of INSERT, for a caller that writes several rows in one statement."""
        payload = dump_data(type, data)
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"{type}: {len(payload)} bytes are too many for the bus")
        event = Event(
            id=uuid4(),
            source=self.source,
            type=type,
            key=str(key),
            time=datetime.now(UTC),
            sequence=sequence,
            correlation_id=log.correlation(),
            traceparent=log.traceparent(),
            data={},
        )
        headers = json.dumps(headers_of(event))
        return (event.id, topic_of(type, agency), event.key, sequence, type, headers, payload)
