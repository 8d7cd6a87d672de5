"""One effect for a request that a client sends again (Idempotency-Key, IETF draft 07)."""

import json
from typing import Any

from shared.db.pool import Tx
from shared.errors import Conflict, Rejected


def begin(tx: Tx, *, client: str, key: str, fingerprint: bytes) -> dict[str, Any] | None:
    """Claim the key in the caller's transaction; return the answer already given, if any.

    `fingerprint` is a hash of the body. A second request waits for the first one's transaction.

    Raises:
        Rejected: the key was used with another body.
        Conflict: the first request has not been answered.

    """
    claimed = tx.execute(
        "insert into idempotency (client, key, fingerprint) values (%s, %s, %s)"
        " on conflict do nothing",
        (client, key, fingerprint),
    ).rowcount
    if claimed:
        return None
    row = tx.execute(
        "select fingerprint, answer from idempotency where client = %s and key = %s", (client, key)
    ).fetchone()
    if row is None or row["answer"] is None:
        raise Conflict("The first request with this Idempotency-Key is still being worked on.")
    if bytes(row["fingerprint"]) != fingerprint:
        raise Rejected("This Idempotency-Key was used with another body. Use a new key.")
    answer: dict[str, Any] = row["answer"]
    return answer


def remember(tx: Tx, *, client: str, key: str, answer: dict[str, Any]) -> None:
    """Keep the answer beside the effect, so that both commit or neither."""
    tx.execute(
        "update idempotency set answer = %s where client = %s and key = %s",
        (json.dumps(answer), client, key),
    )
