"""The operator's page: what is stuck, and the repairs it asks for."""

from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.databases import TestDatabase
from tests.support.web import add_member, form_token, sign_in


@pytest.fixture
def operator(app: Flask, base_db: TestDatabase) -> FlaskClient:
    add_member(base_db.owner, "olga", "operator")
    client = app.test_client()
    sign_in(client, "olga")
    return client


def park(database: TestDatabase) -> UUID:
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(
            "insert into parked (consumer, topic, source, key, sequence, type, headers, payload,"
            " reason) values ('routing', 'intake.referral.brva', '/intake/brva', %s, 2,"
            " 'intake.referral.submitted.v1', '{\"secret\": \"header\"}', 'secret payload',"
            " 'wrong-shape') returning parked_id",
            (str(uuid4()),),
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
            "select action, consumer, parked_id, key, reason from repair"
        ).fetchall()


def test_an_empty_pipeline_says_so(operator: FlaskClient) -> None:
    page = operator.get("/ops").text

    assert "Nothing is parked" in page
    assert "Nothing is held" in page


def test_a_parked_record_shows_its_reason_and_never_its_content(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    park(base_db)

    page = operator.get("/ops").text

    assert "wrong-shape" in page
    assert "intake.referral.submitted.v1" in page
    assert "secret" not in page


@pytest.mark.parametrize("action", ["replay", "discard"])
def test_a_repair_is_asked_for_once_with_its_reason(
    operator: FlaskClient, base_db: TestDatabase, action: str
) -> None:
    parked_id = park(base_db)
    token = form_token(operator.get("/ops").text)
    form = {"csrf_token": token, "action": action, "reason": "cause-mended"}

    first = operator.post(f"/ops/parked/{parked_id}", data=form)
    operator.post(f"/ops/parked/{parked_id}", data=form)

    assert first.status_code == 303
    assert repairs(base_db) == [(action, "routing", parked_id, None, "cause-mended")]
    assert "waits for the worker" in operator.get("/ops").text


def test_a_gap_is_closed_only_where_something_waits(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    hold(base_db, "r-1")
    token = form_token(operator.get("/ops").text)
    form = {
        "csrf_token": token,
        "consumer": "routing",
        "source": "/intake/brva",
        "key": "r-1",
        "reason": "lost-in-retention",
    }

    done = operator.post("/ops/gaps", data=form)
    nothing = operator.post("/ops/gaps", data={**form, "key": "r-2"})

    assert (done.status_code, nothing.status_code) == (303, 404)
    assert repairs(base_db) == [("close-gap", "routing", None, "r-1", "lost-in-retention")]


@pytest.mark.parametrize(
    "form", [{"action": "replay", "reason": "because"}, {"action": "drop", "reason": "obsolete"}]
)
def test_an_unknown_action_or_reason_is_refused(
    operator: FlaskClient, base_db: TestDatabase, form: dict[str, str]
) -> None:
    parked_id = park(base_db)
    token = form_token(operator.get("/ops").text)

    answer = operator.post(f"/ops/parked/{parked_id}", data={"csrf_token": token, **form})

    assert answer.status_code == 422
    assert repairs(base_db) == []


def test_a_record_that_is_gone_is_404(operator: FlaskClient) -> None:
    token = form_token(operator.get("/ops").text)

    answer = operator.post(
        f"/ops/parked/{uuid4()}",
        data={"csrf_token": token, "action": "replay", "reason": "obsolete"},
    )

    assert answer.status_code == 404


@pytest.mark.parametrize("role", ["advocate", "partner", "coordinator", "client"])
def test_nobody_but_an_operator_sees_or_repairs_anything(
    app: Flask, base_db: TestDatabase, role: str
) -> None:
    parked_id = park(base_db)
    add_member(base_db.owner, "ada", role)
    client = app.test_client()
    sign_in(client, "ada")
    token = form_token(client.get("/nothing").text)

    shown = client.get("/ops")
    done = client.post(
        f"/ops/parked/{parked_id}",
        data={"csrf_token": token, "action": "discard", "reason": "obsolete"},
    )

    assert (shown.status_code, done.status_code) == (403, 403)
    assert repairs(base_db) == []


def test_what_the_bus_refused_is_sent_again_on_request(
    operator: FlaskClient, base_db: TestDatabase
) -> None:
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(
            "insert into outbox (event_id, topic, key, sequence, type, headers, payload,"
            " failed_at, failure) values (gen_random_uuid(), 'intake.referral.brva', 'k', 1, 't',"
            " '{}', '', now(), 'not-allowed')"
        )
    form = {
        "csrf_token": form_token(operator.get("/ops").text),
        "topic": "intake.referral.brva",
        "reason": "cause-mended",
    }

    answers = [
        operator.post("/ops/outbox", data={**form, **changes}).status_code
        for changes in ({"reason": "because"}, {"topic": "another"}, {}, {})
    ]

    assert answers == [422, 404, 303, 303]
    assert repairs(base_db) == [("resend", "sample", None, "intake.referral.brva", "cause-mended")]
