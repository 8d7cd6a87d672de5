"""Sessions live in the database and end when they must."""

import psycopg
from flask import Flask, session
from flask.testing import FlaskClient

from shared.db.pool import Pool
from shared.http.sessions import BACKGROUND_HEADER
from tests.integration.http.conftest import build
from tests.support.databases import TestDatabase
from tests.support.web import add_member, sign_in, web_settings


def age(database: TestDatabase, minutes: int) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            "update session set last_seen_at = now() - %s * interval '1 minute'", (minutes,)
        )


def seen_minutes_ago(database: TestDatabase) -> float:
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(
            "select extract(epoch from now() - last_seen_at) / 60 from session"
        ).fetchone()
    assert row is not None
    return float(row[0])


def signed_in(app: Flask, database: TestDatabase) -> FlaskClient:
    add_member(database.owner, "ada", "advocate")
    client = app.test_client()
    sign_in(client, "ada")
    return client


def test_a_sign_in_ends_after_the_idle_time(app: Flask, base_db: TestDatabase) -> None:
    client = signed_in(app, base_db)

    age(base_db, 14)
    assert client.get("/mine").status_code == 200
    age(base_db, 16)

    assert client.get("/mine").status_code == 302


def test_use_extends_a_sign_in_and_the_scripts_own_requests_do_not(
    app: Flask, base_db: TestDatabase
) -> None:
    client = signed_in(app, base_db)
    age(base_db, 10)

    client.get("/mine", headers={BACKGROUND_HEADER: "1"})
    after_background = seen_minutes_ago(base_db)
    client.get("/mine")

    assert after_background > 9
    assert seen_minutes_ago(base_db) < 1


def test_the_time_of_use_is_not_written_at_every_request(
    app: Flask, base_db: TestDatabase
) -> None:
    client = signed_in(app, base_db)
    with psycopg.connect(base_db.owner) as connection:
        connection.execute("update session set last_seen_at = now() - interval '20 seconds'")

    client.get("/mine")

    assert seen_minutes_ago(base_db) > 0.3


def test_quick_exit_ends_the_session_and_leads_to_the_neutral_page_r30(
    app: Flask, base_db: TestDatabase
) -> None:
    client = signed_in(app, base_db)

    answer = client.get("/exit")

    assert answer.status_code == 303
    assert answer.location == "https://www.weather.gov/"
    assert answer.headers["Clear-Site-Data"] == '"cookies", "storage"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/mine").status_code == 302
    with psycopg.connect(base_db.owner) as connection:
        assert connection.execute("select * from session").fetchall() == []


def test_a_page_in_flight_does_not_bring_back_a_session_that_was_ended(
    app: Flask, base_db: TestDatabase
) -> None:
    client = signed_in(app, base_db)

    @app.get("/slow")
    def slow() -> str:
        session["late"] = "write"
        with psycopg.connect(base_db.owner) as connection:
            connection.execute("delete from session")
        return "done"

    client.get("/slow")

    assert client.get("/mine").status_code == 302


def test_the_table_alone_opens_nothing(app: Flask, base_db: TestDatabase) -> None:
    client = signed_in(app, base_db)
    cookie = client.get_cookie("wh-sample", path="/app")
    assert cookie is not None

    with psycopg.connect(base_db.owner) as connection:
        row = connection.execute("select id_hash, data from session").fetchone()

    assert row is not None
    assert cookie.value.encode() not in bytes(row[0]) + bytes(row[1])
    assert b"ada" not in bytes(row[1])


def test_a_visitor_who_leaves_nothing_gets_no_cookie(app: Flask, base_db: TestDatabase) -> None:
    answer = app.test_client().get("/crisis")

    assert "Set-Cookie" not in answer.headers


def test_the_cookie_is_bound_to_the_host_on_https(pool: Pool, base_db: TestDatabase) -> None:
    app = build(web_settings(public_url="https://intake.example.org"), pool)
    client = app.test_client()

    with client.session_transaction(base_url="https://intake.example.org") as session:
        session["x"] = "y"

    cookie = client.get_cookie("__Host-wh-sample", domain="intake.example.org")
    assert cookie is not None
    assert (cookie.secure, cookie.http_only, cookie.path) == (True, True, "/")
    assert cookie.same_site == "Lax"
