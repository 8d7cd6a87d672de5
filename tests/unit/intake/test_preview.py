"""The preview asks with facts only, and is left out when it does not answer in time."""

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.contextvars import bound_contextvars

from intake.adapters.preview import ClientToken, HttpPreview, WithinTime
from intake.application.ports import Fit
from intake.application.queries import preview_matches
from intake.domain.facts import Facts
from intake.domain.partners import Partner
from shared.contracts.trace import new_traceparent
from tests.unit.intake.builders import POLICE, a_partner, a_story, a_tie, some_wishes
from tests.unit.intake.fakes import FakeUnits

PARTNER = uuid4()
ANSWER = {
    "directory_version": 1,
    "rule_set": "1",
    "partners": [
        {
            "partner_id": str(PARTNER),
            "fits": True,
            "rank": 1,
            "reasons": [{"rule": "language", "passed": True, "value": "es"}],
            "services": [str(PARTNER)],
            "expected_first_contact": "2 days",
        }
    ],
}


class Routing(HTTPServer):
    """A provider and routing in one, that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: tuple[int, bytes] = (200, json.dumps(ANSWER).encode())
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Routing

    def do_GET(self) -> None:
        self.say(200, json.dumps({"token_endpoint": f"{self.server.url}/token"}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        if self.path == "/token":
            self.say(200, b'{"access_token": "t", "expires_in": 300}')
        else:
            self.server.may_answer.wait(30)
            self.say(*self.server.answer)

    def say(self, status: int, body: bytes) -> None:
        try:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            return

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def routing() -> Iterator[Routing]:
    server = Routing()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.may_answer.set()
    server.shutdown()
    thread.join()
    server.server_close()


def a_preview(routing: Routing) -> HttpPreview:
    token = ClientToken(routing.url, "intake-brva", "secret", routing.url)
    return HttpPreview(routing.url, token)


def units_with(*partners: Partner) -> FakeUnits:
    units = FakeUnits()
    with units.work() as work:
        for partner in partners:
            work.partners.put(partner, 1)
    return units


def test_a_preview_holds_facts_and_barred_partners_only(routing: Routing) -> None:
    barred = a_partner(ties=(a_tie(POLICE),))

    with units_with(barred, a_partner()).work() as work:
        story = a_story(wishes=some_wishes(needs=("substance-use",)))
        fits = preview_matches(story, a_preview(routing), work=work)

    assert fits is not None
    assert (fits[0].partner_id, fits[0].reasons[0].value) == (PARTNER, "es")
    path, headers, body = routing.asked[-1]
    assert (path, headers["Authorization"]) == ("/api/previews", "Bearer t")
    asked = json.loads(body)
    assert set(asked) == {"facts", "barred_partners"}
    assert [UUID(p) for p in asked["barred_partners"]] == [barred.partner_id]
    assert asked["facts"]["needs"] == ["substance-use"]
    assert b"Jordan" not in body
    assert POLICE.encode() not in body


def test_a_token_is_asked_for_once(routing: Routing) -> None:
    preview = a_preview(routing)

    with units_with().work() as work:
        for _ in range(3):
            preview_matches(a_story(), preview, work=work)

    assert [path for path, _, _ in routing.asked].count("/token") == 1
    assert b"audience=" in routing.asked[0][2]


@pytest.mark.parametrize(
    "answer", [(500, b""), (401, b"{}"), (302, b""), (200, b"nonsense"), (200, b"{}")]
)
def test_an_answer_that_is_none_is_left_out(routing: Routing, answer: tuple[int, bytes]) -> None:
    routing.answer = answer

    with units_with().work() as work:
        assert preview_matches(a_story(), a_preview(routing), work=work) is None


def test_an_answer_that_takes_too_long_is_left_out(routing: Routing) -> None:
    routing.may_answer.clear()

    with units_with().work() as work:
        assert preview_matches(a_story(), a_preview(routing), work=work) is None

    assert not routing.may_answer.is_set()


class Waiting:
    """A preview that waits: for a token, for a connection, for whatever it may be."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.said: list[bool] = []

    def preview(self, facts: Facts, barred: Sequence[UUID]) -> Sequence[Fit] | None:
        self.said.append(self.may_answer.wait(30))
        return []


def test_whatever_a_preview_waits_for_it_is_left_out() -> None:
    waiting = Waiting()
    preview = WithinTime(waiting, seconds=0.01)

    with units_with().work() as work:
        found = [preview_matches(a_story(), preview, work=work) for _ in range(20)]

    assert found == [None] * 20
    assert waiting.said == []
    waiting.may_answer.set()


def test_an_answer_in_time_is_given() -> None:
    waiting = Waiting()
    waiting.may_answer.set()

    with units_with().work() as work:
        assert preview_matches(a_story(), WithinTime(waiting, seconds=30), work=work) == []


def test_the_trace_goes_on_into_routing(routing: Routing) -> None:
    trace = new_traceparent()

    with bound_contextvars(traceparent=trace), units_with().work() as work:
        preview_matches(a_story(), WithinTime(a_preview(routing), seconds=30), work=work)

    assert routing.asked[-1][1]["traceparent"] == trace


def test_nobody_there_is_left_out() -> None:
    token = ClientToken("http://127.0.0.1:9", "intake-brva", "secret", "x")

    with units_with().work() as work:
        fits = preview_matches(a_story(), HttpPreview("http://127.0.0.1:9", token), work=work)

    assert fits is None
