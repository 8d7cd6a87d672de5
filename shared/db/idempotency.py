"""One effect for a request that a client sends again (Idempotency-Key, IETF draft 07)."""

import json
from typing import Final
from uuid import UUID, uuid4

from psycopg.errors import LockNotAvailable

from shared.db.pool import Tx
from shared.errors import Conflict, Rejected

_PATIENCE: Final = "1s"


def token_of(tx: Tx, *, client: str, key: str, fingerprint: bytes) -> UUID:
    """Return what the client's key stands for: a new token, or the one of the first request.

    What the caller does, it does once for a token, in the same transaction. `fingerprint` is a
    hash of the body. A second request waits a moment for the first one's transaction.

    Raises:
        Rejected: the key was used with another body.
        Conflict: the first request is not done, nor is it within a second.

    """
    token = uuid4()
    values = (_PATIENCE, client, key, fingerprint, json.dumps({"token": str(token)}))
    try:
        claimed = tx.execute(_CLAIM, values).rowcount
    except LockNotAvailable as waiting:
        raise Conflict(
            "The first request with this Idempotency-Key is still being worked on.",
            state="in-progress",
        ) from waiting
    return token if claimed else _earlier(tx, client, key, fingerprint)


def _earlier(tx: Tx, client: str, key: str, fingerprint: bytes) -> UUID:
    row = tx.execute(
        "select fingerprint, answer from idempotency where client = %s and key = %s", (client, key)
    ).fetchone()
    if row is None or bytes(row["fingerprint"]) != fingerprint:
        raise Rejected("This Idempotency-Key was used with another body. Use a new key.")
    return UUID(row["answer"]["token"])


_CLAIM: Final = """
with patience as materialized (select set_config('lock_timeout', %s, true))
insert into idempotency (client, key, fingerprint, answer)
select %s, %s, %s, %s from patience
on conflict do nothing
"""
