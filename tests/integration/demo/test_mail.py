import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.local import mail, ports
from services.local.mail import MailCatcher


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    port = ports.choose()
    catcher = MailCatcher(tmp_path, port)
    catcher.start()
    yield port
    catcher.stop()


def a_mail(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "no-reply@example.org", "referrals@example.org"
    message["Subject"] = subject
    message.set_content("A referral is waiting. Sí, señora.\n")
    return message


def send(port: int, *messages: EmailMessage) -> None:
    with smtplib.SMTP(ports.HOST, port) as server:
        for message in messages:
            server.send_message(message)


def test_a_caught_mail_can_be_read_as_text(port: int, tmp_path: Path) -> None:
    send(port, a_mail("A referral needs an answer"))

    found = mail.read(tmp_path, mail.names(tmp_path)[0])

    assert found is not None
    assert found.subject == "A referral needs an answer"
    assert found.recipient == "referrals@example.org"
    assert found.text == "A referral is waiting. Sí, señora.\n"


def test_mails_are_listed_with_the_newest_first(port: int, tmp_path: Path) -> None:
    send(port, a_mail("first"), a_mail("second"))

    found = [mail.read(tmp_path, name) for name in mail.names(tmp_path)]

    assert [one.subject for one in found if one] == ["second", "first"]


def test_a_name_that_is_no_caught_mail_opens_no_file(tmp_path: Path) -> None:
    (tmp_path.parent / "secret.eml").write_text("Subject: secret\n\n")

    assert mail.read(tmp_path, "../secret") is None


def test_a_port_in_use_is_told(port: int, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="in use"):
        MailCatcher(tmp_path, port).start()
