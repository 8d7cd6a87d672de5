"""Mail over SMTP, in plain text."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime
from typing import Final

from notifications.adapters.message import Message
from notifications.adapters.texts import Texts
from notifications.domain.attempts import Answer, Verdict

SECONDS: Final = 10.0
_PERMANENT: Final = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """The relay that takes our mail. With `starttls`, nothing is sent where it is not offered."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = True
    seconds: float = SECONDS
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class MailSender:
    """Sends a message as a mail. The same message at every attempt has the same Message-ID."""

    server: MailServer
    texts: Texts

    def send(self, message: Message) -> Answer:
        """Hand the mail to the server once."""
        try:
            self._send(message)
        except smtplib.SMTPRecipientsRefused as refusal:
            return _answer("recipient-refused", *(code for code, _ in refusal.recipients.values()))
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refusal:
            return _answer("mail-refused", refusal.smtp_code)
        except (smtplib.SMTPException, OSError) as failure:
            return Answer(_code_of(failure), Verdict.TEMPORARY)
        return Answer("delivered", Verdict.DELIVERED)

    def close(self) -> None:
        """Hold nothing."""

    def _send(self, message: Message) -> None:
        server = self.server
        with smtplib.SMTP(server.host, server.port, timeout=server.seconds) as connection:
            if server.starttls:
                connection.starttls(context=ssl.create_default_context(cafile=server.ca_file))
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(self._mail(message), server.sender, [message.address])

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
