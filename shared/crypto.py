"""Sealing of identity: AES-256-GCM under a key for each person, wrapped by the agency's key.

A sealed value names the key that opens it, and is bound to its place (agency, person, field) by
its associated data, so that it cannot be moved to another person's row.
"""

import secrets
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class CannotOpen(Exception):
    """The value was sealed with another key or for another place, or was changed."""


class KeyWrapper(Protocol):
    """The agency's key: it wraps the keys of people and never leaves its store."""

    @property
    def key_id(self) -> str:
        """The name of the wrapping key."""

    def wrap(self, key: bytes) -> bytes:
        """Return a person's key, wrapped."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return a person's key; raises CannotOpen when it was wrapped by another."""


class FileKeyWrapper:
    """The agency's key in a file of 32 bytes that only the service can read (RFC 3394 wrap)."""

    def __init__(self, path: Path) -> None:
        """Read the key.

        Raises:
            ValueError: the file does not hold 32 bytes.

        """
        self._key = path.read_bytes()
        if len(self._key) != KEY_BYTES:
            raise ValueError(f"{path}: the agency's key must be {KEY_BYTES} random bytes")
        self.key_id = path.stem

    def wrap(self, key: bytes) -> bytes:
        """Return a person's key, wrapped."""
        return aes_key_wrap(self._key, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return a person's key."""
        try:
            return aes_key_unwrap(self._key, wrapped)
        except InvalidUnwrap as wrong:
            raise CannotOpen("wrapped by another agency's key") from wrong


def new_data_key() -> bytes:
    """Return a new key for one person or draft."""
    return secrets.token_bytes(KEY_BYTES)


def encrypt(key: bytes, plain: bytes, *, key_name: str, aad: bytes) -> bytes:
    """Seal `plain`: version, length and name of the key, nonce, ciphertext with tag."""
    name = key_name.encode()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    header = _VERSION + bytes([len(name)]) + name
    return header + nonce + AESGCM(key).encrypt(nonce, plain, header + aad)


def decrypt(key: bytes, sealed: bytes, *, aad: bytes) -> bytes:
    """Open a sealed value.

    Raises:
        CannotOpen: wrong key, wrong place, or changed.

    """
    try:
        end = 2 + sealed[1]
        header, body = sealed[:end], sealed[end:]
        return AESGCM(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], header + aad)
    except (InvalidTag, IndexError, ValueError) as wrong:
        raise CannotOpen("sealed with another key or for another place") from wrong


def key_name_of(sealed: bytes) -> str:
    """Return the name of the key that opens a sealed value."""
    return sealed[2 : 2 + sealed[1]].decode()
