"""One effect for a request that a client sends again (Idempotency-Key, IETF draft 07).

What a key stands for is read with EARLIER before the effect, and kept by the statement that has
the effect: of two requests that come at once, only one's statement goes well.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from psycopg.errors import LockNotAvailable, UniqueViolation

from shared.db.writes import Writes
from shared.errors import Conflict, Rejected, TransientError

EARLIER: Final = """
select fingerprint, answer from idempotency where client = %(client_id)s and key = %(key)s
"""
_PATIENCE: Final = "1s"


class Overtaken(TransientError):
    """Another request took meanwhile what must be one's alone: looked at anew, it is seen."""


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A client's request with its key; `fingerprint` is a hash of the body."""

    client_id: str
    key: str
    fingerprint: bytes

    def was_answered(self, found: Mapping[str, Any]) -> bool:
        """Tell whether EARLIER `found` an answer to this request.

        Raises:
            Rejected: the key was used with another body.

        """
        if found["fingerprint"] is None:
            return False
        if bytes(found["fingerprint"]) != self.fingerprint:
            raise Rejected("This Idempotency-Key was used with another body. Use a new key.")
        return True

    def keep(self, answer: Mapping[str, Any], writes: Writes) -> None:
        """Keep what the key stands for from now on, in the statement of its effect."""
        values = (_PATIENCE, self.client_id, self.key, self.fingerprint, json.dumps(answer))
        writes.add(_KEEP, values)


@contextmanager
def one_effect() -> Iterator[None]:
    """Have the block's effect, or none if another request with its key is first.

    A second request waits a moment for the first one.

    Raises:
        Conflict: the first request is not done, nor is it within a second.
        Overtaken: the first request is done.

    """
    try:
        yield
    except LockNotAvailable as waiting:
        raise Conflict(
            "The first request with this Idempotency-Key is still being worked on.",
            state="in-progress",
        ) from waiting
    except UniqueViolation as taken:
        raise Overtaken from taken


_KEEP: Final = """
with patience as materialized (select set_config('lock_timeout', %s, true))
insert into idempotency (client, key, fingerprint, answer)
select %s, %s, %s, %s from patience
"""
