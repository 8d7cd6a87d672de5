"""Signatures of webhooks by Standard Webhooks: `v1`, HMAC-SHA256 over id, time and body."""

import base64
import binascii
import hashlib
import hmac
from typing import Final

PREFIX: Final = "whsec_"
_SHORTEST, _LONGEST = 24, 64


class WrongSecret(ValueError):
    """A webhook's secret is `whsec_` and the base64 of 24 to 64 bytes."""


def key_of(secret: str) -> bytes:
    """Return the key in an endpoint's secret.

    Raises:
        WrongSecret: it does not have the form.

    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as malformed:
        raise WrongSecret("The secret is not base64.") from malformed
    if not secret.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise WrongSecret(f"The secret must be {PREFIX} and the base64 of 24 to 64 bytes.")
    return key


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header webhook-signature; `timestamp` is in Unix seconds."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
