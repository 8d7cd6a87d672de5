"""An identity typed wherever something can be typed stays in intake, sealed (R-02, R-09, R-28).

The canary is looked for in every column of every database, every log, mail, webhook, address and
metric, as text and as the bytes of a binary column.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest
import requests
from playwright.sync_api import Browser

from services.databases import SERVICES
from services.local import machines
from tests.browser.acting import (
    ANSWERS,
    CAHS,
    Person,
    a_person,
    fill_in,
    release_to,
)
from tests.support.demos import RunningDemo, a_demo, a_folder

NAME: Final = "Zyxwellia Quandrymont"
PHONE: Final = "225-555-0177"
BORN: Final = "1979-03-17"
ADDRESS: Final = "9 Vexbarrow Lane"
MAIL: Final = "zyxwellia@quandrymont.example.org"
CANARIES: Final = (NAME, PHONE, BORN, ADDRESS, MAIL, "Zyxwellia", "Quandrymont", "Vexbarrow")
WAYS: Final = {
    "call": PHONE,
    "text": PHONE,
    "email": MAIL,
    "post": ADDRESS,
    "in-person": ADDRESS,
}
TYPED: Final = {
    **ANSWERS,
    "name": {"called": NAME, "legal_name": f"{NAME} {BORN}"},
    "channels": {"channels": list(WAYS)},
    **{
        channel: {
            "value": value,
            **({} if channel == "in-person" else {"leave_message": "no"}),
            "name_agency": "no",
            "times": f"after {BORN}",
            "who_may_answer": NAME,
            "ask_for": NAME,
        }
        for channel, value in WAYS.items()
    },
}


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    with a_folder() as data, a_demo(data, "--bus", "postgres") as running:
        yield running


def columns(demo: RunningDemo) -> Iterator[tuple[str, str]]:
    """Give every row of every table of every database as text, with its place."""
    postgres = demo.place.postgres
    for name in ("intake", "intake_keys", "routing", "notifications", "bus"):
        with psycopg.connect(postgres.dsn(name)) as connection:
            tables = connection.execute(
                "select quote_ident(schemaname) || '.' || quote_ident(tablename)"
                " from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
            ).fetchall()
            for (table,) in tables:
                for (row,) in connection.execute(f"select t::text from {table} t"):
                    yield f"{name}: {table}", row


def files(demo: RunningDemo) -> Iterator[tuple[str, str]]:
    """Give every log, caught mail and caught webhook."""
    folder = demo.place.folder
    yield str(demo.log), demo.output
    for path in (file for top in (folder.logs, folder.mail, folder.hooks) for file in _in(top)):
        yield str(path), path.read_text(encoding="utf-8", errors="replace")


def _in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def found_in(places: Iterator[tuple[str, str]]) -> list[str]:
    needles = [*CANARIES, *(canary.encode().hex() for canary in CANARIES)]
    return [
        f"{place}: {needle}"
        for place, text in places
        for needle in needles
        if needle.casefold() in text.casefold()
    ]


def metrics(demo: RunningDemo) -> Iterator[tuple[str, str]]:
    """Give what a scraper gets from each service."""
    for service in SERVICES:
        address = f"{demo.place.origin}/{service}/metrics"
        yield address, requests.get(address, timeout=10).text


def admitted(demo: RunningDemo, service: str, client: str) -> dict[str, str]:
    """Return the headers of a machine client that the service lets in."""
    answer = requests.post(
        f"{demo.place.issuer}/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "audience": f"{demo.place.origin}/{service}",
        },
        auth=(client, machines.client_secrets(demo.place.folder)[client]),
        timeout=10,
    )
    return {
        "Authorization": f"Bearer {answer.json()['access_token']}",
        "Idempotency-Key": f'"{uuid4()}"',
    }


def type_everywhere(person: Person, path: str) -> None:
    """Type the canary into each text field of a page, one form after the other."""
    person.open(path)
    for number in range(person.page.locator("main form").count()):
        person.open(path)
        form = person.page.locator("main form").nth(number)
        fields = form.locator("input[type=text], input[type=search], textarea")
        if fields.count():
            fields.first.fill(NAME)
            form.locator("button").first.click()
            person.look()


def the_referral_goes_all_the_way(advocate: Person, partner: Person) -> None:
    advocate.open("/intake/referrals")
    fill_in(advocate, TYPED)
    release_to(advocate, [CAHS], witness=NAME)
    advocate.press("See this referral")
    partner.open("/routing/inbox")
    partner.sees("WH-")
    partner.page.get_by_role("link", name=re.compile("WH-")).first.click()
    partner.press("Accept this referral")
    advocate.sees("Accepted")
    partner.press(re.compile("Go to the agency's page"))
    partner.press(re.compile("Continue to"))
    partner.press("Sign in")
    partner.page.locator("button[value=partner-cahs]").click()
    partner.look()
    partner.press("Show how to make contact")
    for canary in (NAME, PHONE, ADDRESS, MAIL):
        assert canary in partner.page.content(), "what the release allows is shown"


def test_the_canary_is_nowhere_but_sealed_in_intake(demo: RunningDemo, chromium: Browser) -> None:
    """R-13, R-24: with the pages open to those who may see it, and nowhere else."""
    origin = demo.place.origin
    with (
        a_person(chromium, origin, "advocate", scripts=False) as advocate,
        a_person(chromium, origin, "partner-cahs") as partner,
        a_person(chromium, origin, "coordinator") as coordinator,
        a_person(chromium, origin, "operator") as operator,
    ):
        the_referral_goes_all_the_way(advocate, partner)
        type_everywhere(advocate, "/intake/referrals")
        type_everywhere(partner, "/routing/inbox")
        type_everywhere(partner, partner.first_link("/routing/inbox", "WH-"))
        type_everywhere(coordinator, "/routing/console")
        type_everywhere(coordinator, coordinator.first_link("/routing/console", "WH-"))
        for service in SERVICES:
            for page in ("", "/parked", "/repairs"):
                type_everywhere(operator, f"/{service}/ops{page}")
        type_everywhere(operator, "/notifications/ops/deliveries")
        addresses = [
            url for who in (advocate, partner, coordinator, operator) for url in who.visited
        ]
        pages = [("coordinator", coordinator.page.content())]

    assert found_in(columns(demo)) == []
    assert found_in(files(demo)) == []
    assert found_in(metrics(demo)) == []
    assert found_in(("address", url) for url in addresses) == []
    assert found_in(iter(pages)) == []


@pytest.mark.parametrize("path", ["/intake/api/referrals", "/routing/api/previews"])
def test_an_error_of_the_api_repeats_nothing(demo: RunningDemo, path: str) -> None:
    body = {"name": NAME, "facts": {"needs": [PHONE]}, NAME: ADDRESS}

    answers = [
        requests.post(f"{demo.place.origin}{path}", timeout=10, **request)
        for request in (
            {"json": body},
            {"data": json.dumps(body), "headers": {"Content-Type": "text/plain"}},
            {"json": body, "headers": {"Authorization": f"Bearer {NAME}"}},
            {"json": body, "headers": {"Idempotency-Key": NAME, "X-Request-Id": NAME}},
        )
    ]

    assert all(answer.status_code in {401, 415} for answer in answers)
    assert found_in((path, answer.text + str(answer.headers)) for answer in answers) == []
    assert found_in(files(demo)) == []


@pytest.mark.parametrize(
    ("service", "client", "path"),
    [
        ("intake", machines.AGENCY_SYSTEM, "referrals"),
        ("routing", machines.INTAKE, "previews"),
    ],
)
def test_a_refusal_of_a_body_repeats_nothing(
    demo: RunningDemo, service: str, client: str, path: str
) -> None:
    """R-13: in whatever field a client puts it; what it calls its fields is told."""
    facts = {
        "languages": [NAME],
        "needs": [PHONE],
        "age_band": BORN,
        "county": ADDRESS,
        "unheard-of": MAIL,
    }
    bodies = [
        dict.fromkeys(("person", "contact", "encounter", "wishes", "facts", "more"), facts),
        {"person": facts, "contact": {"route": NAME}, "encounter": {"do_not_tell": [NAME]}},
        {"releases": [{"partner_id": NAME, "signed_by": NAME}], "barred_partners": [PHONE]},
        [NAME],
    ]

    answers = [
        requests.post(
            f"{demo.place.origin}/{service}/api/{path}",
            json=body,
            headers=admitted(demo, service, client),
            timeout=10,
        )
        for body in bodies
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert found_in((path, answer.text + str(answer.headers)) for answer in answers) == []
    assert found_in(files(demo)) == []
    assert found_in(columns(demo)) == []
    assert found_in(metrics(demo)) == []


def test_the_canary_can_be_found(demo: RunningDemo) -> None:
    """The search itself works: a canary put in clear into a column is seen."""
    dsn = demo.place.postgres.dsn("notifications")
    with psycopg.connect(dsn) as connection:
        connection.execute("create table trap (text text, bytes bytea)")
        connection.execute("insert into trap values (%s, %s)", (NAME, PHONE.encode()))
    try:
        found = found_in(columns(demo))
    finally:
        with psycopg.connect(dsn) as connection:
            connection.execute("drop table trap")

    assert any(NAME in place for place in found)
    assert any(PHONE.encode().hex() in place for place in found)
