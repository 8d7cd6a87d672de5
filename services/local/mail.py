"""A mail catcher for demos and tests: every mail becomes a file, none leaves the machine."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.local.ports import HOST


@dataclass(frozen=True, slots=True)
class Mail:
    """A caught mail, as text."""

    name: str
    sender: str
    recipient: str
    subject: str
    sent: str
    text: str


class MailCatcher:
    """Listens on a loopback port and keeps each mail as NAME.eml in a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        """Name the folder, which exists, and the port; nothing listens yet."""
        self._controller = Controller(_Keeper(folder), hostname=HOST, port=port)

    def start(self) -> None:
        """Listen, in a thread of its own. Raises OSError when the port is in use."""
        try:
            self._controller.start()
        except OSError:
            self._controller.loop.close()
            raise

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()
        self._controller.loop.close()


class _Keeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802  (aiosmtpd's signature)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        content = envelope.original_content or b""
        new = self._folder / f"{name}.eml.tmp"
        new.write_bytes(content)
        new.replace(self._folder / f"{name}.eml")
        return "250 Kept"


def names(folder: Path) -> list[str]:
    """Return the names of the caught mails, the newest first."""
    return sorted((file.stem for file in folder.glob("*.eml")), reverse=True)


def read(folder: Path, name: str) -> Mail | None:
    """Return a caught mail, or None when there is none of that name."""
    if name not in names(folder):
        return None
    parsed = message_from_bytes((folder / f"{name}.eml").read_bytes(), policy=policy.default)
    return Mail(
        name=name,
        sender=str(parsed["From"] or ""),
        recipient=str(parsed["To"] or ""),
        subject=str(parsed["Subject"] or ""),
        sent=str(parsed["Date"] or ""),
        text=_text(parsed),
    )


def _text(parsed: EmailMessage) -> str:
    body = parsed.get_body(("plain", "html"))
    return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""
