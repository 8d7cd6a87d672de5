"""One request is followed through every process that it passes, over real Kafka."""

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import requests

from services.local import machines
from services.sample import a_release
from shared.contracts.trace import read_traceparent
from tests.faults.receivers import GOOD
from tests.faults.system import System, a_system
from tests.support.brokers import skip_without_kafka

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FACTS = {
    "age_band": "25-59",
    "languages": ["en"],
    "interpreter": False,
    "needs": ["trauma-therapy"],
    "urgency": "routine",
    "county": "22033",
    "preferences": [],
    "access_needs": [],
    "contact_route": "through-advocate",
}
# What each process writes on the way there and back.
PASSED = {
    "intake-web": {"request"},
    "intake-worker": {"events-sent", "events-read"},
    "routing-worker": {"events-sent", "events-read"},
    "notifications-worker": {"events-sent", "events-read", "attempt"},
}


def post(system: System, service: str, client: str, path: str, body: object) -> Any:
    secret = machines.client_secrets(system.place.folder)[client]
    token = requests.post(
        f"{system.place.issuer}/oauth2/token",
        data={"grant_type": "client_credentials", "audience": system.urls[service]},
        auth=(client, secret),
        timeout=20,
    ).json()["access_token"]
    headers = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": f'"{uuid4()}"',
        "traceparent": TRACE,
    }
    url = f"{system.urls[service]}/api{path}"
    answer = requests.post(url, json=body, headers=headers, timeout=20)
    answer.raise_for_status()
    return answer.json()


def submit(system: System) -> None:
    asked = {"facts": FACTS, "barred_partners": []}
    found = post(system, "routing", machines.INTAKE, "/previews", asked)
    partner = next(each["partner_id"] for each in found["partners"] if each["fits"])
    assert wait_until(lambda: is_known(system, partner)), "intake was not told of the partner"
    person = {name: FACTS[name] for name in ("age_band", "languages", "interpreter")}
    wishes = {name: FACTS[name] for name in ("needs", "urgency", "county", "preferences")}
    body = {
        "person": {"pseudonym": "Cedar 12", **person, "access_needs": []},
        "contact": {"route": "through-advocate"},
        "encounter": {"role": "directly-injured"},
        "wishes": wishes,
        "releases": [a_release(random.Random(1), partner, 1)],
    }
    post(system, "intake", machines.AGENCY_SYSTEM, "/referrals", body)


def is_known(system: System, partner: str) -> bool:
    """Tell whether intake has read of the partner, which it would refuse before."""
    with psycopg.connect(system.dsn("intake")) as connection:
        found = connection.execute("select from partner where partner_id = %s", (partner,))
        return found.rowcount > 0


def lines(system: System, process: str) -> list[Mapping[str, Any]]:
    """Return the lines of a process's log; each of them names its process and a trace."""
    written = (system.logs / f"{process}.log").read_text().splitlines(keepends=True)
    found = [json.loads(line) for line in written if line.endswith("\n")]
    for line in found:
        assert line["process"] == process
        assert read_traceparent(line["traceparent"]) == line["traceparent"], line
    return found


def followed(system: System, process: str) -> list[Mapping[str, Any]]:
    """Return the lines of a process's log that are about the request."""
    return [
        line
        for line in lines(system, process)
        if TRACE in {line["traceparent"], *line.get("traceparents", ())}
    ]


def wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 90
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.2)
    return holds()


@pytest.mark.timeout(600)
def test_one_trace_goes_from_the_api_through_every_log_and_the_partner_gets_another() -> None:
    skip_without_kafka()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    with a_system() as system:
        webhooks = system.webhooks
        webhooks.mode = "answers-500"

        submit(system)
        assert wait_until(lambda: len(webhooks.calls) == 1)
        webhooks.mode = GOOD
        assert wait_until(lambda: len(webhooks.calls) == 2)

        def events(process: str) -> set[str]:
            return {line["event"] for line in followed(system, process)}

        wait_until(lambda: all(PASSED[name] <= events(name) for name in PASSED))
        passed = {name: events(name) & PASSED[name] for name in PASSED}
        ids = {
            line["correlation_id"]
            for process, event in (("intake-web", "request"), ("notifications-worker", "attempt"))
            for line in followed(system, process)
            if line["event"] == event
        }

        system.kafka.kill()
        submit(system)
        without_bus = {"relay-waits", "lag-unknown"}
        waits = wait_until(
            lambda: without_bus <= {line["event"] for line in lines(system, "intake-worker")}
        )
        every_line = [line for process in system.programs for line in lines(system, process)]

    assert passed == PASSED
    assert len({call.webhook_id for call in webhooks.calls}) == 1
    of_delivery = UUID(webhooks.calls[0].webhook_id).hex
    assert {call.traceparent.split("-")[1] for call in webhooks.calls} == {of_delivery}
    assert len(ids) == 1
    assert waits
    assert len(every_line) > len(PASSED)
