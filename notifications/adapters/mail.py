"""Mail over SMTP, in plain text."""

import smtplib
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime
from typing import Final

from notifications.adapters.deadlines import Handle
from notifications.adapters.message import Message
from notifications.adapters.texts import Texts
from notifications.domain.attempts import Answer, Verdict

SECONDS: Final = 10.0
CALL_SECONDS: Final = 60.0
_PERMANENT: Final = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """The relay that takes our mail. With `starttls`, nothing is sent where it is not offered.

    It is waited for `seconds` at a time and for `call_seconds` in all, which a lease outlasts.
    """

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = True
    seconds: float = SECONDS
    call_seconds: float = CALL_SECONDS
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class MailSender:
    """Sends a message as a mail. The same message at every attempt has the same Message-ID."""

    server: MailServer
    texts: Texts

    def send(self, message: Message) -> Answer:
        """Hand the mail to the server once."""
        handle = Handle()
        try:
            with handle.within(self.server.call_seconds):
                self._send(message, handle)
        except smtplib.SMTPRecipientsRefused as refusal:
            return _answer("recipient-refused", *(code for code, _ in refusal.recipients.values()))
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refusal:
            return _answer("mail-refused", refusal.smtp_code)
        except (smtplib.SMTPException, OSError) as failure:
            code = "timeout" if handle.is_cut else _code_of(failure)
            return Answer(code, Verdict.TEMPORARY)
        return Answer("delivered", Verdict.DELIVERED)

    def close(self) -> None:
        """Hold nothing."""

    def _send(self, message: Message, handle: Handle) -> None:
        server = self.server
        with closing(_Connection(server, handle)) as connection:
            if server.starttls:
                connection.starttls(context=ssl.create_default_context(cafile=server.ca_file))
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(self._mail(message), server.sender, [message.address])
            with suppress(OSError):  # the mail is taken, however it says goodbye
                connection.quit()

    def _mail(self, message: Message) -> EmailMessage:
        text = self.texts.of(message)
        domain = Address(addr_spec=self.server.sender).domain
        mail = EmailMessage(policy=MAIL_POLICY)
        mail["From"] = self.server.sender
        mail["To"] = message.address
        mail["Subject"] = text.subject
        mail["Date"] = format_datetime(message.said_at)
        mail["Message-ID"] = f"<{message.delivery_id}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text.body)
        return mail


class _Connection(smtplib.SMTP):
    """Can be cut: a time limit per read alone would let one that trickles outlive its lease."""

    def __init__(self, server: MailServer, handle: Handle) -> None:
        self._handle = handle
        super().__init__(server.host, server.port, timeout=server.seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._handle.keep(made)
        return made

    def close(self) -> None:
        self._handle.close()
        super().close()


def _answer(code: str, *smtp_codes: int) -> Answer:
    """Return what a refusal means: 5xx will be said again, anything else may pass (RFC 5321)."""
    final = bool(smtp_codes) and all(number >= _PERMANENT for number in smtp_codes)
    return Answer(code, Verdict.PERMANENT if final else Verdict.TEMPORARY)


def _code_of(failure: Exception) -> str:
    """Name a failure that is not about this message: the server may be mended."""
    codes = (
        (TimeoutError, "timeout"),
        (ssl.SSLError, "tls-failed"),
        (smtplib.SMTPServerDisconnected, "connection-failed"),
        (smtplib.SMTPException, "mail-server-refused"),
    )
    # smtplib tells of a read that timed out as of a connection that was closed.
    told = failure.__context__ if isinstance(failure.__context__, TimeoutError) else failure
    return next((code for kind, code in codes if isinstance(told, kind)), "connection-failed")
