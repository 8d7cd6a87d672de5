"""What stands outside: the partners' webhook endpoint and a mail server; both count."""

import time
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook, WebhookVerificationError

from services.local.ports import HOST
from tests.support.sinks import Behaviour, answering

SECRET = "whsec_NhiknabA2htFtYRFEIWPVG6UNnukPLDiyBTHbTVJNm8="
GOOD = "good"
_HANG_SECONDS = 11.0


@dataclass(frozen=True, slots=True)
class Call:
    """One webhook as it arrived. `answer` is how the endpoint answered it."""

    at: float
    webhook_id: str
    path: str
    body: bytes
    answer: str
    traceparent: str = ""
    signed: bool = True


def _hang(request: BaseHTTPRequestHandler) -> None:
    """Say nothing for longer than anybody waits."""
    time.sleep(_HANG_SECONDS)
    request.close_connection = True


def _close(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def _answer_wrong(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"\x15\x03\x01 this is no HTTP\r\n\r\n")
    request.close_connection = True


BEHAVIOURS: dict[str, Behaviour] = {
    GOOD: answering(),
    "hangs": _hang,
    "answers-500": answering(500),
    "redirects": answering(302, headers={"Location": "http://127.0.0.1:9/elsewhere"}),
    "closes": _close,
    "answers-wrong": _answer_wrong,
    "refuses-signature": answering(401),
}


@dataclass(slots=True)
class Webhooks:
    """The behaviour of the endpoint: checks and keeps every call, answers by its mode."""

    mode: str = GOOD
    calls: list[Call] = field(default_factory=list)

    def __call__(self, request: Any) -> None:
        """Answer one call; the body has been read."""
        headers = dict(request.headers)
        signed = _is_signed(headers, request.body)
        answer = self.mode if signed else "refuses-signature"
        call = Call(
            at=time.time(),
            webhook_id=headers["webhook-id"],
            path=request.path,
            body=request.body,
            answer=answer,
            traceparent=headers.get("traceparent", ""),
            signed=signed,
        )
        self.calls.append(call)
        BEHAVIOURS[answer](request)


def _is_signed(headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(SECRET).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that was taken."""

    at: float
    message_id: str
    recipient: str
    content: bytes


class MailServer:
    """A mail server on a loopback port. `mode`: good, refuses (550) or greylists (451)."""

    def __init__(self, port: int) -> None:
        """Name the port; nothing listens yet."""
        self.mode = GOOD
        self.mails: list[Mail] = []
        self.refused: Counter[str] = Counter()
        self._port = port
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._controller = Controller(self, hostname=HOST, port=self._port)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; it may start again."""
        if self._controller is not None:
            self._controller.stop()
            self._controller.loop.close()
            self._controller = None

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, or not."""
        if self.mode == "refuses":
            self.refused[address] += 1
            return "550 No such user here"
        if self.mode == "greylists":
            return "451 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail."""
        content = envelope.original_content or b""
        message_id = str(message_from_bytes(content)["Message-ID"])
        self.mails.append(Mail(time.time(), message_id, envelope.rcpt_tos[0], content))
        return "250 Kept"
