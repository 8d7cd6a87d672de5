"""The data folder of a demo: its stamp, its lock and its keys.

The stamp is written at birth and says that the folder is a demo's, the version of its data and
its bus engine. A folder that holds something else, or was used by a newer version, is left alone.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TextIO

from joserfc.jwk import OKPKey, RSAKey

from services.local import ports

VERSION = 1
ENGINES = ("postgres", "kafka")
_KIND = "demo"
_STAMP = "warm-handoff.json"
_LOCK = "running.lock"
_SECRETS = ("forms", "sign-in", "agency-system", "intake-brva", "partner-systems")
_RSA_BITS = 2048


class Refused(Exception):
    """The demo does not start; the text is for the person who started it."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a data folder says of itself; `complete` once every key has been made."""

    kind: str
    version: int
    bus: str
    complete: bool


class Folder:
    """A data folder of a demo."""

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is made or read yet."""
        self.path = path.absolute()
        self.keys = self.path / "keys"
        self.mail = self.path / "mail"
        self.hooks = self.path / "hooks"
        self.site = self.path / "site"
        self.logs = self.path / "logs"
        self.postgres = self.path / "postgres"
        self.kafka = self.path / "kafka"
        self._stamp_file = self.path / _STAMP
        self._lock_file = self.path / _LOCK
        self._lock: TextIO | None = None

    def hold(self, address: str) -> bool:
        """Take the folder for this process; return whether the last use was cut off.

        `address` is what a second start is told. The lock goes with the process.

        Raises:
            Refused: the folder is somebody else's, newer, or in use.

        """
        _refuse_stranger(self.path, self._read_stamp())
        _make_folder(self.path)
        lock = self._lock_file.open("a+", encoding="utf-8")
        lock.seek(0)
        holder = lock.read().strip()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise Refused(
                f"A demo is already running on {self.path}: {holder}."
                " Stop it first, or give this one a folder of its own with DATA=."
            ) from None
        self._lock = lock
        self._note(f"{address} (process {os.getpid()})")
        return bool(holder)

    def release(self) -> None:
        """Let the folder go, everything being stopped."""
        if self._lock is not None:
            self._note("")
            self._lock.close()
            self._lock = None

    def holder(self) -> str:
        """Return what a running demo said of itself, empty when none is running."""
        return self._lock_file.read_text(encoding="utf-8") if self._lock_file.exists() else ""

    def stamp(self) -> Stamp | None:
        """Return what the folder says of itself, None when it is new."""
        return self._read_stamp()

    def begin(self, bus: str) -> Stamp:
        """Stamp a new folder and make its keys; finish a birth that was cut off.

        Raises:
            Refused: a key of an older folder is gone, and what it opens with it.

        """
        stamp = self._read_stamp() or Stamp(_KIND, VERSION, bus, complete=False)
        self._write_stamp(stamp)
        for folder in (self.keys, self.mail, self.hooks, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
        for name, make in _KEYS.items():
            if not (self.keys / name).exists():
                if stamp.complete:
                    raise Refused(
                        f"{self.keys / name} is gone, and without it the data cannot be opened."
                        " Put it back, or begin anew with another folder (DATA=)."
                    )
                write_secret(self.keys / name, make())
        self._publish_ticket_key()
        stamp = replace(stamp, complete=True)
        self._write_stamp(stamp)
        return stamp

    def change_bus(self, bus: str) -> None:
        """Stamp the folder with another bus engine."""
        stamp = self._read_stamp()
        if stamp is not None:
            self._write_stamp(replace(stamp, bus=bus))

    @property
    def agency_key(self) -> Path:
        """The file of the sample agency's wrapping key."""
        return self.keys / "agency-brva.key"

    @property
    def ticket_key(self) -> Path:
        """The file of the private key that signs routing's tickets."""
        return self.keys / "routing-ticket.jwk"

    @property
    def ticket_public_key(self) -> Path:
        """The file of the public key of routing's tickets."""
        return self.keys / "routing-ticket-public.jwk"

    @property
    def provider_key(self) -> Path:
        """The file of the sign-in provider's key."""
        return self.keys / "provider.jwk"

    def secret(self, name: str) -> str:
        """Return one of the random texts that were made at birth."""
        found: dict[str, str] = json.loads((self.keys / "secrets.json").read_text())
        return found[name]

    def ports(self, *names: str) -> Mapping[str, int]:
        """Return a loopback port for each name: chosen once, then always the same.

        The provider's is part of everybody's identity, so it may not change.
        """
        file = self.path / "ports.json"
        kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        for name in names:
            if name not in kept:
                kept[name] = ports.choose(kept.values())
                write_secret(file, json.dumps(kept).encode())
        return kept

    def _publish_ticket_key(self) -> None:
        private = OKPKey.import_key(json.loads(self.ticket_key.read_text()))
        write_secret(self.ticket_public_key, json.dumps(private.as_dict(private=False)).encode())

    def _note(self, text: str) -> None:
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.write(text)
            self._lock.flush()

    def _read_stamp(self) -> Stamp | None:
        try:
            return Stamp(**json.loads(self._stamp_file.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError):
            raise Refused(
                f"{self._stamp_file} cannot be read; the folder is left alone."
            ) from None

    def _write_stamp(self, stamp: Stamp) -> None:
        write_secret(self._stamp_file, json.dumps(asdict(stamp)).encode())


def write_secret(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
        os.fsync(opened.fileno())
    new.replace(file)


def _refuse_stranger(path: Path, stamp: Stamp | None) -> None:
    if stamp is None:
        if path.exists() and (not path.is_dir() or _holds_something(path)):
            raise Refused(
                f"{path} is not the data folder of a demo and is not empty, so it is left alone."
                " Give another one with DATA=."
            )
    elif stamp.kind != _KIND:
        raise Refused(f"{path} is stamped {stamp.kind!r}, not {_KIND!r}: it is left alone.")
    elif stamp.version > VERSION:
        raise Refused(
            f"{path} was made by a newer version (data version {stamp.version}; this one knows"
            f" {VERSION}). Use that version, or another folder with DATA=."
        )


def _holds_something(path: Path) -> bool:
    return any(entry.name not in {_LOCK, f"{_STAMP}.new"} for entry in path.iterdir())


def _make_folder(path: Path) -> None:
    if not path.exists():
        path.mkdir(parents=True)
        path.chmod(0o711)  # the account of PostgreSQL passes through; each part inside is closed


def _secrets() -> bytes:
    return json.dumps({name: secrets.token_urlsafe(32) for name in _SECRETS}).encode()


def _ticket_key() -> bytes:
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)
    return json.dumps(key.as_dict(private=True)).encode()


def _provider_key() -> bytes:
    return json.dumps(RSAKey.generate_key(_RSA_BITS, auto_kid=True).as_dict(private=True)).encode()


_KEYS: Mapping[str, Callable[[], bytes]] = {
    "agency-brva.key": lambda: secrets.token_bytes(32),
    "routing-ticket.jwk": _ticket_key,
    "provider.jwk": _provider_key,
    "secrets.json": _secrets,
}
