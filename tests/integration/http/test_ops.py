"""The operator's page: what is stuck, and the repairs it asks for."""

import re
from uuid import UUID, uuid4

import psycopg
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import TestDatabase
from tests.support.web import add_member, form_token, sign_in


@pytest.fixture
def operator(app: Flask, base_db: TestDatabase) -> FlaskClient:
    add_member(base_db.owner, "olga", "operator")
    client = app.test_client()
    sign_in(client, "olga")
    return client


def park(database: TestDatabase, reason: str = "wrong-shape") -> UUID:
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(
            "insert into parked (consumer, topic, source, key, sequence, type, headers, payload,"
            " reason) values ('routing', 'intake.referral.brva', '/intake/brva', %s, 2,"
            " 'intake.referral.submitted.v1', '{\"secret\": \"header\"}', 'secret payload',"
            " %s) returning parked_id",
            (str(uuid4()), reason),
        ).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


def hold(database: TestDatabase, key: str) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            "insert into held (consumer, source, key, sequence, type, topic, headers, payload)"
            " values ('routing', '/intake/brva', %s, 5, 't', 'intake.referral.brva', '{}', 'x')",
            (key,),
        )


def repairs(database: TestDatabase) -> list[tuple[object, ...]]:
    with psycopg.connect(database.owner) as connection:
        return connection.execute(
            "select action, dry_run, consumer, parked_id, key, reason from repair order by number"
        ).fetchall()


def act(client: FlaskClient, **form: str) -> TestResponse:
    page = client.get("/ops/parked").text
    until = re.search(r'name="until" value="([^"]+)"', page)
    given = {
        "csrf_token": form_token(page),
        "until": until[1] if until else "",
        "reason": "cause-mended",
        "per_second": "5",
        **form,
    }
    return client.post("/ops/parked", data=given)


def led_to(answer: TestResponse) -> str:
    """Return the path in the app, which is mounted at /app."""
    return answer.headers["Location"].removeprefix("/app")


def test_an_empty_pipeline_says_so(operator: FlaskClient) -> None:
    assert "Nothing is held" in operator.get("/ops").text
    assert "Nothing is parked" in operator.get("/ops/parked").text
    assert "Nobody has asked for anything yet" in operator.get("/ops/repairs").text


def test_a_parked_record_shows_its_reason_and_never_its_content(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    parked_id = park(base_db)

    page = operator.get("/ops/parked").text
    one = operator.get(f"/ops/parked?record={parked_id}").text

    for shown in (page, one):
        assert "wrong-shape" in shown
        assert "intake.referral.submitted.v1" in shown
        assert "secret" not in shown


def test_the_numbers_lead_to_where_one_can_act(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    hold(base_db, "r-1")
    park(base_db)
    park(base_db)

    page = BeautifulSoup(operator.get("/ops").text, "html.parser")

    numbers = page.select(".wh-numbers > li")
    assert [link.get_text(" ", strip=True) for item in numbers for link in item.select("a")] == [
        "0 waiting to leave",
        "0 waiting to be read",
        "1 held",
        "2 parked",
    ]
    assert "since" in numbers[2].get_text()
    assert "since" in numbers[3].get_text()
    assert numbers[2].select_one('a[href="#held"]') is not None
    assert numbers[3].select_one('a[href$="/ops/parked"]') is not None


def test_the_filter_in_the_address_narrows_the_list_and_what_is_acted_on(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    first, other = park(base_db), park(base_db, reason="newer-version")

    page = operator.get("/ops/parked?reason_parked=newer-version").text
    act(operator, action="replay", reason_parked="newer-version")

    assert str(other) in page
    assert str(first) not in page
    assert repairs(base_db) == [("replay", False, "routing", other, None, "cause-mended")]


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ({"action": "dry-run"}, ("replay", True)),
        ({"action": "replay"}, ("replay", False)),
        ({"action": "discard", "sure": "yes"}, ("discard", False)),
    ],
)
def test_what_to_do_with_all_is_asked_for_once_and_its_progress_is_shown(
    operator: FlaskClient, base_db: TestDatabase, form: dict[str, str], asked: tuple[str, bool]
) -> None:
    records = {park(base_db), park(base_db)}

    first, again = act(operator, **form), act(operator, **form)
    progress = operator.get(led_to(first)).text

    assert (first.status_code, again.status_code) == (303, 404)
    found = repairs(base_db)
    assert {row[3] for row in found} == records
    assert {row[:2] for row in found} == {asked}
    assert "0 of 2 done" in progress
    assert "You can leave this page" in progress
    assert led_to(first) in operator.get("/ops/repairs").text


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"action": "replay", "reason": "because"}, "Choose the reason"),
        ({"action": "drop"}, "Choose what to do"),
        ({"action": "replay", "per_second": "0"}, "How many a second"),
        ({"action": "replay", "per_second": "900"}, "How many a second"),
        ({"action": "discard"}, "cannot be undone"),
        ({"action": "replay", "until": "tomorrow"}, "Open the page again"),
    ],
)
def test_a_form_that_is_not_whole_does_nothing_and_says_what_is_missing(
    operator: FlaskClient, base_db: TestDatabase, form: dict[str, str], fault: str
) -> None:
    park(base_db)

    answer = act(operator, **form)

    assert answer.status_code == 422
    assert fault in answer.text
    assert repairs(base_db) == []


def test_a_finished_trial_offers_to_replay_what_would_be_applied(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    ready, broken = park(base_db), park(base_db)
    batch = led_to(act(operator, action="dry-run"))
    with psycopg.connect(base_db.owner) as connection:
        for record, outcome in ((ready, "replayed"), (broken, "handler-failed")):
            connection.execute(
                "update repair set done_at = now(), outcome = %s where parked_id = %s",
                (outcome, record),
            )

    page = operator.get(batch).text
    real = operator.post(f"{batch}/for-real", data={"csrf_token": form_token(page)})

    assert "Would be applied" in page
    assert "Would fail: handler-failed" in page
    assert real.status_code == 303
    assert repairs(base_db)[2:] == [("replay", False, "routing", ready, None, "cause-mended")]


def test_the_rest_of_a_batch_is_stopped_on_request(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    park(base_db)
    batch = led_to(act(operator, action="replay"))
    token = form_token(operator.get(batch).text)

    answer = operator.post(f"{batch}/stop", data={"csrf_token": token})

    assert answer.status_code == 303
    assert "Stopped by an operator" in operator.get(batch).text


def test_nothing_acts_on_get(operator: FlaskClient, base_db: TestDatabase) -> None:
    park(base_db)
    batch = led_to(act(operator, action="replay"))

    for path in (f"{batch}/stop", f"{batch}/for-real", "/ops/gaps", "/ops/outbox"):
        assert operator.get(path).status_code == 405
    operator.get("/ops/parked?action=discard&sure=yes&reason=obsolete&per_second=5")
    assert len(repairs(base_db)) == 1


def test_a_form_without_its_token_is_refused(operator: FlaskClient, base_db: TestDatabase) -> None:
    park(base_db)

    assert act(operator, action="replay", csrf_token="").status_code == 400
    assert repairs(base_db) == []


def test_the_charts_have_words_and_a_table_and_say_what_was_not_measured(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(
            "insert into pipeline_sample"
            " select date_trunc('minute', now()) - n * interval '1 minute', n, 2 * n, n, 0, 1"
            " from generate_series(0, 29) n"
        )

    page = BeautifulSoup(operator.get("/ops").text, "html.parser")

    words = [str(chart["aria-label"]) for chart in page.select("svg[role=img]")]
    assert len(words) == 12
    assert words[0] == ("Events out, last hour: 435, at most 29 in 1 min; 30 of 60 not measured")
    assert words[4] == "Waiting to leave, last hour: at most 29, last 0; 30 of 60 not measured"
    hour = page.select("details table")[0]
    assert len(hour.select("tbody tr")) == 60
    assert len(hour.find_all("td", string="not measured")) == 30 * 6


@pytest.mark.parametrize(
    ("age", "silent"), [("10 seconds", False), ("5 minutes", True), (None, True)]
)
def test_a_worker_that_is_silent_is_told_of_first(
    operator: FlaskClient, base_db: TestDatabase, age: str | None, *, silent: bool
) -> None:
    if age:
        with psycopg.connect(base_db.owner) as connection:
            connection.execute(
                "insert into pipeline_sample values"
                " (date_trunc('minute', now() - %s::interval), 0, 0, 0, 0, 0)",
                (age,),
            )

    assert ("The worker is silent" in operator.get("/ops").text) is silent


def a_form(client: FlaskClient, **fields: str) -> dict[str, str]:
    """Return the fields of a form on the overview."""
    page = client.get("/ops").text
    until = re.search(r'name="until" value="([^"]+)"', page)
    return {
        "csrf_token": form_token(page),
        "until": until[1] if until else "",
        "per_second": "5",
        **fields,
    }


def test_a_held_record_shows_what_it_waits_for_since_when_and_how_often_it_came(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    hold(base_db, "r-1")
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(
            "update held set attempts = 7, held_at = now() - interval '3 hours',"
            " last_at = now() - interval '2 hours'"
        )

    page = BeautifulSoup(operator.get("/ops").text, "html.parser")

    row = page.select("section[aria-labelledby=held] tbody tr")[0]
    cells = {str(cell["data-label"]): cell.get_text(" ", strip=True) for cell in row.select("td")}
    shown = ("Waits for", "Held", "Attempts", "First", "Last")
    assert [cells[name] for name in shown] == ["number 1 to 4", "1", "7", "3 h ago", "2 h ago"]


@pytest.mark.parametrize(("action", "dry"), [("dry-run", True), ("close-gap", False)])
def test_a_gap_is_tried_or_closed_only_where_something_waits(
    operator: FlaskClient, base_db: TestDatabase, action: str, *, dry: bool
) -> None:
    hold(base_db, "r-1")
    stream = {"consumer": "routing", "source": "/intake/brva", "key": "r-1"}
    form = a_form(operator, action=action, reason="lost-in-retention", **stream)

    done = operator.post("/ops/gaps", data=form)
    nothing = operator.post("/ops/gaps", data={**form, "key": "r-2"})

    assert (done.status_code, nothing.status_code) == (303, 404)
    assert repairs(base_db) == [("close-gap", dry, "routing", None, "r-1", "lost-in-retention")]
    progress = operator.get(led_to(done)).text
    assert ("Nothing is changed" in progress) is dry
    assert "At most 5 a second" in progress


def test_all_gaps_are_closed_in_one_batch_but_those_behind_a_parked_record(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    for key in ("r-1", "r-2", "r-3"):
        hold(base_db, key)
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(
            "insert into parked (consumer, topic, source, key, sequence, headers, reason)"
            " values ('routing', 't', '/intake/brva', 'r-3', 1, '{}', 'wrong-shape')"
        )

    page = operator.get("/ops").text
    form = a_form(operator, action="close-gap", reason="lost-in-retention")
    operator.post("/ops/gaps", data=form)

    assert "All 2 gaps" in page
    assert "Act on the parked record" in page
    assert [row[4] for row in repairs(base_db)] == ["r-1", "r-2"]


@pytest.mark.parametrize(
    "changes", [{"reason": "because"}, {"action": "drop"}, {"per_second": "900"}, {"until": "now"}]
)
def test_a_gap_or_topic_needs_a_reason_an_action_a_pace_and_a_page(
    operator: FlaskClient, base_db: TestDatabase, changes: dict[str, str]
) -> None:
    hold(base_db, "r-1")
    form = a_form(operator, action="dry-run", reason="lost-in-retention")

    assert operator.post("/ops/gaps", data={**form, **changes}).status_code == 422
    assert operator.post("/ops/outbox", data={**form, **changes}).status_code == 422
    assert repairs(base_db) == []


@pytest.mark.parametrize("role", ["advocate", "partner", "coordinator", "client"])
def test_nobody_but_an_operator_sees_or_repairs_anything(
    app: Flask, base_db: TestDatabase, role: str
) -> None:
    parked_id = park(base_db)
    add_member(base_db.owner, "ada", role)
    client = app.test_client()
    sign_in(client, "ada")
    token = form_token(client.get("/nothing").text)

    pages = ("/ops", "/ops/parked", "/ops/repairs", f"/ops/repairs/{parked_id}", "/ops/services")
    shown = {client.get(path).status_code for path in pages}
    done = client.post(
        "/ops/parked",
        data={"csrf_token": token, "action": "replay", "reason": "obsolete", "per_second": "5"},
    )

    assert (shown, done.status_code) == ({403}, 403)
    assert repairs(base_db) == []


@pytest.mark.parametrize(("action", "dry"), [("dry-run", True), ("resend", False)])
def test_what_the_bus_refused_is_tried_or_sent_again_on_request(
    operator: FlaskClient, base_db: TestDatabase, action: str, *, dry: bool
) -> None:
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(
            "insert into outbox (event_id, topic, key, sequence, type, headers, payload,"
            " failed_at, failure) select gen_random_uuid(), 'intake.referral.brva', 'k' || n, 1,"
            " 't', '{}', '', now(), 'not-allowed' from generate_series(1, 2) n"
        )
    topic = {"topic": "intake.referral.brva"}
    form = a_form(operator, action=action, reason="cause-mended", **topic)

    answers = [
        operator.post("/ops/outbox", data={**form, **changes}).status_code
        for changes in ({"topic": "another"}, {}, {})
    ]

    assert answers == [404, 303, 404]
    assert repairs(base_db) == [
        ("resend", dry, "sample", None, key, "cause-mended") for key in ("k1", "k2")
    ]
    assert ("Asked, waits for the worker" in operator.get("/ops").text) is not dry
