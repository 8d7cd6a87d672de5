"""Secrets of webhooks in the database: sealed under a key of the service, or plain in a demo."""

from dataclasses import dataclass
from uuid import UUID

from shared.crypto import decrypt, encrypt

_KEY_NAME = "contact-points"


@dataclass(frozen=True, slots=True)
class Safe:
    """Seals an endpoint's secret, bound to the endpoint; without a key it is kept as it is."""

    key: bytes | None = None

    def seal(self, endpoint_id: UUID, secret: str) -> bytes:
        """Return what the database keeps."""
        plain = secret.encode()
        if self.key is None:
            return plain
        return encrypt(self.key, plain, key_name=_KEY_NAME, aad=endpoint_id.bytes)

    def open(self, endpoint_id: UUID, kept: bytes) -> str:
        """Return the secret.

        Raises:
            CannotOpen: it was sealed with another key or for another endpoint.

        """
        if self.key is None:
            return kept.decode()
        return decrypt(self.key, kept, aad=endpoint_id.bytes).decode()
