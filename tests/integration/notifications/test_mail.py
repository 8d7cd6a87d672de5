"""Mail against a real SMTP server, willing and not."""

import email
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from notifications.adapters.mail import MailSender, MailServer
from notifications.adapters.texts import SignIn, Texts
from notifications.domain.attempts import Answer, Verdict
from notifications.domain.notices import Template
from shared.site import load_site
from tests.support.notifications import REFERENCE, a_message
from tests.support.sinks import an_authority

SITE = load_site(Path("deploy/sites/baton-rouge"))
SIGN_IN = "https://routing.example.org/sign-in"
SIGN_IN_PAGES = SignIn("https://routing.example.org", {"brva": "https://routing.example.org/"})
SENDER = "no-reply@example.org"


@dataclass(slots=True)
class Mailbox:
    """What an SMTP server took; `refusals` are given first, by command."""

    refusals: dict[str, list[str]] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802
        self, _s: Any, _n: Any, envelope: Envelope, address: str, _o: Any
    ) -> str:
        refusal = self._refusal("RCPT")
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, _s: Any, _n: Any, envelope: Envelope) -> str:  # noqa: N802
        refusal = self._refusal("DATA")
        if refusal is None:
            content = envelope.content
            assert isinstance(content, bytes)
            self.mails.append(email.message_from_bytes(content, policy=default))
        return refusal or "250 OK"

    async def handle_QUIT(self, _s: Any, _n: Any, _e: Any) -> str:  # noqa: N802
        return self._refusal("QUIT") or "221 Bye"

    def _refusal(self, command: str) -> str | None:
        waiting = self.refusals.get(command, [])
        return waiting.pop(0) if waiting else None


@contextmanager
def a_mail_server(mailbox: Mailbox, **options: Any) -> Iterator[Mailbox]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        mailbox.port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **options)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


@contextmanager
def a_talking_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Give the port of a server that has one connection, and talks as it is told."""

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def a_sender(port: int, **changes: Any) -> MailSender:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "sender": SENDER,
        "starttls": False,
        "seconds": 0.5,
    }
    return MailSender(MailServer(**(values | changes)), Texts(SITE, SIGN_IN_PAGES))


def test_a_mail_says_that_something_waits_and_nothing_more() -> None:
    """R-28: a neutral subject, plain text, the sign-in page with no id in its address."""
    message = a_message(channel="email", address="referrals@partner.example.org")
    with a_mail_server(Mailbox()) as box:
        assert a_sender(box.port).send(message) == Answer("delivered", Verdict.DELIVERED)

    (mail,) = box.mails
    assert mail["Subject"] == f"A referral needs an answer ({REFERENCE})"
    assert (mail["From"], mail["To"]) == (SENDER, "referrals@partner.example.org")
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == (
        f"A referral is waiting for your answer. Reference {REFERENCE}.\n"
        "Please answer by Tuesday, November 24, 1:00 PM.\n\n"
        "Sign in to see it:\n"
        f"{SIGN_IN}\n"
    )


def test_every_attempt_is_the_same_mail() -> None:
    message = a_message(channel="email", address="staff@example.org")
    with a_mail_server(Mailbox()) as box:
        for _ in range(2):
            a_sender(box.port).send(message)

    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"] == f"<{message.delivery_id}@example.org>"
    assert first.as_string() == second.as_string()


@pytest.mark.parametrize(
    ("command", "refusal", "answer"),
    [
        ("RCPT", "550 5.1.1 no such user", Answer("recipient-refused", Verdict.PERMANENT)),
        ("RCPT", "450 4.2.0 greylisted", Answer("recipient-refused", Verdict.TEMPORARY)),
        ("DATA", "554 5.7.1 spam", Answer("mail-refused", Verdict.PERMANENT)),
        ("DATA", "451 4.3.0 try later", Answer("mail-refused", Verdict.TEMPORARY)),
    ],
)
def test_a_refusal_is_judged_by_its_code(command: str, refusal: str, answer: Answer) -> None:
    with a_mail_server(Mailbox({command: [refusal]})) as box:
        sender = a_sender(box.port)
        first = sender.send(a_message(channel="email", address="staff@example.org"))
        second = sender.send(a_message(channel="email", address="staff@example.org"))

    assert first == answer
    assert second.verdict is Verdict.DELIVERED


def test_nobody_listening_is_tried_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    answer = a_sender(port).send(a_message(channel="email", address="staff@example.org"))

    assert answer == Answer("connection-failed", Verdict.TEMPORARY)


def test_a_server_that_says_nothing_is_left_after_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = a_sender(silent.getsockname()[1], seconds=0.2)
        answer = sender.send(a_message(channel="email", address="staff@example.org"))

    assert answer == Answer("timeout", Verdict.TEMPORARY)


def test_a_server_that_trickles_is_cut_and_gets_no_mail() -> None:
    """A time limit per read would be renewed by each line: the call would outlive its lease."""

    def trickle(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(b"220 here\r\n")
            for _ in range(60):
                connection.sendall(b"250-more\r\n")
                time.sleep(0.1)

    with a_talking_server(trickle) as port:
        sender = a_sender(port, seconds=5.0, call_seconds=0.5)
        answer = sender.send(a_message(channel="email", address="staff@example.org"))

    assert answer == Answer("timeout", Verdict.TEMPORARY)


def test_a_mail_that_was_taken_is_delivered_however_the_server_says_goodbye() -> None:
    with a_mail_server(Mailbox({"QUIT": ["421 4.3.2 shutting down"]})) as box:
        answer = a_sender(box.port).send(a_message(channel="email", address="staff@example.org"))

    assert answer == Answer("delivered", Verdict.DELIVERED)
    assert len(box.mails) == 1


def test_nothing_is_sent_in_clear_where_encryption_was_asked_for() -> None:
    with a_mail_server(Mailbox()) as box:
        sender = a_sender(box.port, starttls=True)
        answer = sender.send(a_message(channel="email", address="staff@example.org"))

    assert answer == Answer("mail-server-refused", Verdict.TEMPORARY)
    assert box.mails == []


@pytest.mark.parametrize(
    ("password", "code"), [("right", "delivered"), ("wrong", "mail-server-refused")]
)
def test_it_signs_in_over_an_encrypted_connection(
    tmp_path: Path, password: str, code: str
) -> None:
    authority = an_authority(tmp_path)
    options: dict[str, Any] = {
        "tls_context": authority.server_context("localhost"),
        "require_starttls": True,
        "auth_required": True,
        "authenticator": _authenticator("relay", "right"),
    }
    with a_mail_server(Mailbox(), **options) as box:
        sender = a_sender(
            box.port,
            host="localhost",
            starttls=True,
            user="relay",
            password=password,
            seconds=5.0,
            ca_file=str(authority.file),
        )
        answer = sender.send(a_message(channel="email", address="staff@example.org"))

    assert answer.code == code
    assert len(box.mails) == (code == "delivered")


def test_a_server_with_an_unknown_certificate_gets_nothing(tmp_path: Path) -> None:
    context: ssl.SSLContext = an_authority(tmp_path).server_context("localhost")
    with a_mail_server(Mailbox(), tls_context=context) as box:
        sender = a_sender(box.port, host="localhost", starttls=True)
        answer = sender.send(a_message(channel="email", address="staff@example.org"))

    assert answer == Answer("tls-failed", Verdict.TEMPORARY)
    assert box.mails == []


def test_the_message_to_stop_says_when_to_confirm() -> None:
    message = a_message(channel="email", address="a@example.org", template=Template.OFFER_STOPPED)

    text = Texts(SITE, SIGN_IN_PAGES).of(message)

    assert text.subject == f"A referral has changed: please stop ({REFERENCE})"
    assert "Please confirm by Tuesday, November 24, 1:00 PM that you have stopped." in text.body


def _authenticator(user: str, password: str) -> Callable[..., AuthResult]:
    def check(_s: Any, _n: Any, _e: Any, _m: Any, given: LoginPassword) -> AuthResult:
        fits = (given.login, given.password) == (user.encode(), password.encode())
        return AuthResult(success=fits, handled=False)

    return check
