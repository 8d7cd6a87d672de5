"""Secrets of webhooks in the database: sealed under a key of the service, or plain in a demo."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from uuid import UUID

from shared.crypto import KEY_BYTES, decrypt, encrypt

_KEY_NAME = "contact-points"


class WrongKey(Exception):
    """The key of the safe cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Safe:
    """Seals an endpoint's secret, bound to the endpoint; without a key it is kept as it is."""

    key: bytes | None = field(default=None, repr=False)

    @classmethod
    def of_file(cls, path: str) -> Self:
        """Return the safe of a key file.

        Raises:
            WrongKey: the file cannot be read, or does not hold 32 bytes.

        """
        try:
            key = Path(path).read_bytes()
        except OSError as missing:
            raise WrongKey(f"{path}: the key cannot be read ({missing.strerror}).") from missing
        if len(key) != KEY_BYTES:
            raise WrongKey(f"{path}: the key must be {KEY_BYTES} random bytes.")
        return cls(key)

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
