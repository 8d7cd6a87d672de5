"""Signed webhooks against real receivers, well-behaved and not."""

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from notifications.adapters import connections
from notifications.adapters.addresses import Gate, IPAddress
from notifications.adapters.webhook import WebhookSender
from notifications.domain.attempts import Answer, Verdict
from notifications.domain.notices import Template
from tests.support.notifications import REFERENCE, SECRET, a_message
from tests.support.sinks import Authority, a_sink, an_authority, answering, in_turn

NAME = "partner.example.org"
TEMPORARY, DOUBTFUL = Verdict.TEMPORARY, Verdict.DOUBTFUL


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return an_authority(tmp_path_factory.mktemp("ca"))


def at_home(**changes: float) -> WebhookSender:
    return WebhookSender(Gate(demo=True), **changes)  # type: ignore[arg-type]


def anywhere(_: IPAddress) -> bool:
    return True


def test_a_receiver_verifies_what_it_gets() -> None:
    """R-58: type, reference and time, signed by Standard Webhooks."""
    with a_sink() as sink:
        message = a_message(address=sink.url)

        answer = at_home().send(message)

    (got,) = sink.received
    assert answer == Answer("delivered", Verdict.DELIVERED)
    assert Webhook(SECRET).verify(got.body, _lower(got.headers)) == {
        "type": "referral.offered",
        "timestamp": "2026-11-24T15:00:00Z",
        "data": {"reference": REFERENCE, "answer_by": "2026-11-24T19:00:00Z"},
    }
    assert got.headers["traceparent"].startswith(f"00-{message.delivery_id.hex}-")
    assert got.headers["webhook-id"] == str(message.delivery_id)
    assert not [name for name in got.headers if name.lower().startswith("x-")]


def test_a_message_without_a_reference_says_nothing_but_its_type() -> None:
    with a_sink() as sink:
        at_home().send(
            a_message(
                address=sink.url,
                template=Template.NEEDS_NEW_RELEASE,
                reference=None,
                answer_by=None,
            )
        )

    assert json.loads(sink.received[0].body) == {
        "type": "referral.needs-new-release",
        "timestamp": "2026-11-24T15:00:00Z",
        "data": {},
    }


def test_each_attempt_is_signed_anew_under_the_same_id_at_the_databases_time() -> None:
    """The clock of this process may be wrong, and a receiver refuses what is signed by it."""
    moments = [datetime.now(UTC) - timedelta(seconds=60), datetime.now(UTC)]
    with a_sink() as sink:
        message = a_message(address=sink.url)
        for moment in moments:
            at_home().send(replace(message, leased_at=moment))

    first, second = (_lower(got.headers) for got in sink.received)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 60
    assert sink.received[0].body == sink.received[1].body
    for got in sink.received:
        Webhook(SECRET).verify(got.body, _lower(got.headers))


def test_the_connection_is_kept_for_the_next_message() -> None:
    with a_sink(answering(200, b'{"ok": true}')) as sink:
        sender = at_home()
        for _ in range(3):
            sender.send(a_message(address=sink.url))
        sender.close()

    assert (len(sink.received), sink.connections) == (3, 1)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (202, Verdict.DELIVERED),
        (400, DOUBTFUL),
        (401, DOUBTFUL),
        (404, DOUBTFUL),
        (408, TEMPORARY),
        (410, Verdict.GONE),
        (425, TEMPORARY),
        (429, TEMPORARY),
        (500, TEMPORARY),
        (502, TEMPORARY),
        (503, TEMPORARY),
    ],
)
def test_an_answer_is_judged_by_its_status(status: int, verdict: Verdict) -> None:
    with a_sink(answering(status, b"some text of theirs")) as sink:
        answer = at_home().send(a_message(address=sink.url))

    code = "delivered" if verdict is Verdict.DELIVERED else f"status-{status}"
    assert (answer.code, answer.verdict) == (code, verdict)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with a_sink() as other, a_sink(answering(status, headers={"Location": other.url})) as sink:
        answer = at_home().send(a_message(address=sink.url))

    assert (answer.code, answer.verdict) == (f"status-{status}", DOUBTFUL)
    assert len(sink.received) == 1
    assert other.received == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_wish_to_wait_is_heard_in_seconds_and_as_a_date(status: int) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    with a_sink(
        in_turn(
            answering(status, headers={"Retry-After": "120"}),
            answering(status, headers={"Retry-After": until}),
            answering(status, headers={"Retry-After": "soon"}),
        )
    ) as sink:
        waits = [at_home().send(a_message(address=sink.url)).retry_after for _ in range(3)]

    assert waits[0] == timedelta(seconds=120)
    assert waits[1] is not None
    assert timedelta(minutes=9) < waits[1] <= timedelta(minutes=10)
    assert waits[2] is None


def test_a_receiver_that_hangs_is_left_after_a_while() -> None:
    with a_sink(lambda _: time.sleep(2)) as sink:
        began = time.monotonic()
        answer = at_home(read_seconds=0.2).send(a_message(address=sink.url))

    assert answer == Answer("timeout", TEMPORARY)
    assert time.monotonic() - began < 1.5


def test_a_receiver_that_trickles_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time limit per read would be renewed by each byte."""
    monkeypatch.setattr(connections._PlainConnection, "call_seconds", 0.5)  # noqa: SLF001

    def trickle(request: BaseHTTPRequestHandler) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" * 10:
            request.wfile.write(bytes([byte]))
            request.wfile.flush()
            time.sleep(0.1)

    with a_sink(trickle) as sink:
        began = time.monotonic()
        answer = at_home(read_seconds=1.0).send(a_message(address=sink.url))

    assert answer.verdict is TEMPORARY
    assert time.monotonic() - began < 2


def test_a_large_answer_is_not_read() -> None:
    with a_sink(answering(200, b"x" * 5_000_000)) as sink:
        began = time.monotonic()
        answer = at_home().send(a_message(address=sink.url))

    assert answer.verdict is Verdict.DELIVERED
    assert time.monotonic() - began < 1


def test_a_receiver_that_hangs_up_is_tried_later() -> None:
    def hang_up(request: BaseHTTPRequestHandler) -> None:
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    with a_sink(hang_up) as sink:
        answer = at_home().send(a_message(address=sink.url))

    assert answer == Answer("connection-failed", TEMPORARY)


def test_an_answer_that_is_no_http_is_tried_later() -> None:
    def babble(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"220 mail.example.org ESMTP\r\n\r\n")
        request.close_connection = True

    with a_sink(babble) as sink:
        answer = at_home().send(a_message(address=sink.url))

    assert answer == Answer("connection-failed", TEMPORARY)


def test_nobody_listening_is_tried_later() -> None:
    with a_sink() as sink:
        url = sink.url

    assert at_home().send(a_message(address=url)) == Answer("connection-failed", TEMPORARY)


def test_a_secret_that_cannot_be_used_is_an_answer_too() -> None:
    answer = at_home().send(a_message(address="http://127.0.0.1:9/", secret=b"whsec_no"))

    assert answer == Answer("secret-unusable", DOUBTFUL)


def test_a_name_with_a_private_address_is_never_called() -> None:
    """One good address beside it does not help."""
    with a_sink() as sink:
        for found in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"]):
            gate = Gate(resolver=lambda _host, _port, found=found: found)  # type: ignore[misc]
            answer = WebhookSender(gate).send(a_message(address=f"https://{NAME}:{sink.port}/"))
            assert answer == Answer("address-refused", DOUBTFUL)

    assert sink.connections == 0


def test_production_does_not_call_this_machine() -> None:
    with a_sink() as sink:
        assert WebhookSender().send(a_message(address=sink.url)).code == "address-refused"

    assert sink.connections == 0


def test_a_name_that_changes_its_mind_leads_nowhere_else(authority: Authority) -> None:
    """DNS rebinding: the name is asked once, and the call goes to the address that was checked."""
    asked = []

    def resolver(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.3"]

    context = authority.server_context(NAME)
    with a_sink(ip="127.0.0.2", tls=context) as checked, a_sink(ip="127.0.0.3") as inner:
        gate = Gate(resolver=resolver, is_permitted=lambda ip: str(ip) == "127.0.0.2")
        sender = WebhookSender(gate, ca_file=str(authority.file))
        message = a_message(address=f"https://{NAME}:{checked.port}/hooks")

        first, second = sender.send(message), sender.send(message)

    assert (first.code, second.code) == ("delivered", "address-refused")
    assert asked == [NAME, NAME]
    assert (len(checked.received), checked.connections, inner.connections) == (1, 1, 0)
    assert checked.received[0].headers["Host"] == f"{NAME}:{checked.port}"


@pytest.mark.parametrize(("certified", "trusted"), [("other.example.org", True), (NAME, False)])
def test_the_certificate_must_be_of_the_name_and_trusted(
    authority: Authority, certified: str, *, trusted: bool
) -> None:
    with a_sink(tls=authority.server_context(certified)) as sink:
        gate = Gate(resolver=lambda _host, _port: ["127.0.0.1"], is_permitted=anywhere)
        sender = WebhookSender(gate, ca_file=str(authority.file) if trusted else None)
        answer = sender.send(a_message(address=f"https://{NAME}:{sink.port}/"))

    assert answer == Answer("tls-failed", TEMPORARY)
    assert sink.received == []


def test_no_proxy_of_the_environment_sees_a_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_sink() as proxy, a_sink() as sink:
        monkeypatch.setenv("http_proxy", proxy.url)
        at_home().send(a_message(address=sink.url))

    assert (proxy.connections, len(sink.received)) == (0, 1)


def test_a_name_that_is_not_there_is_tried_later(tmp_path: Path) -> None:
    answer = WebhookSender().send(a_message(address="https://nowhere.invalid/hooks"))

    assert answer == Answer("name-not-found", TEMPORARY)


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
