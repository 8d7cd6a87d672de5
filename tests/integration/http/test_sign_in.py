"""Sign-in by a real OpenID Connect provider, and what a member may do."""

import re
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from services.local.provider import Provider
from shared.http.signin import safe_next
from tests.support.databases import TestDatabase
from tests.support.web import add_member, form_token, sign_in


def at_provider(location: str, subject: str) -> str:
    """Sign in at the provider; return the callback's path and query below the mount."""
    answer = requests.post(location, data={"sub": subject}, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    assert back.path == "/app/sign-in/callback"
    return f"/sign-in/callback?{back.query}"


def cookie_of(client: FlaskClient) -> str | None:
    cookie = client.get_cookie("wh-sample", path="/app")
    return None if cookie is None else cookie.value


def test_a_member_signs_in_and_comes_back_to_the_page_that_was_asked_for(
    provided_app: Flask, base_db: TestDatabase, provider: Provider
) -> None:
    add_member(base_db.owner, "ada", "advocate", issuer=provider.issuer)
    client = provided_app.test_client()

    asked = client.get("/mine?tab=2")
    to_provider = client.get(asked.location.removeprefix("/app"))
    before = cookie_of(client)
    back = client.get(at_provider(to_provider.location, "ada"))

    sent = parse_qs(urlsplit(to_provider.location).query)
    assert sent["code_challenge_method"] == ["S256"]
    assert sent["prompt"] == ["login"]
    assert {"state", "nonce", "code_challenge"} <= set(sent)
    assert back.location == "/app/mine?tab=2"
    assert client.get("/mine").text == "Invented ada"
    assert cookie_of(client) != before, "the token is rotated at sign-in"


def test_somebody_without_a_member_row_is_told_and_stays_signed_out(
    provided_app: Flask, base_db: TestDatabase
) -> None:
    client = provided_app.test_client()

    to_provider = client.get("/sign-in")
    answer = client.get(at_provider(to_provider.location, "stranger"))

    assert answer.status_code == 403
    assert "not a member here" in answer.text
    assert cookie_of(client) is None
    assert client.get("/mine").status_code == 302


def test_a_callback_with_a_wrong_state_signs_nobody_in(
    provided_app: Flask, base_db: TestDatabase, provider: Provider
) -> None:
    add_member(base_db.owner, "ada", "advocate", issuer=provider.issuer)
    client = provided_app.test_client()

    path = at_provider(client.get("/sign-in").location, "ada")
    answer = client.get(re.sub(r"state=[^&]+", "state=forged", path))

    assert answer.status_code == 400
    assert client.get("/mine").status_code == 302


def test_a_removed_member_loses_access_at_the_next_request(
    app: Flask, base_db: TestDatabase
) -> None:
    add_member(base_db.owner, "ada", "advocate")
    client = app.test_client()
    sign_in(client, "ada")
    assert client.get("/mine").status_code == 200

    with psycopg.connect(base_db.owner) as connection:
        connection.execute("update member set active = false")

    assert client.get("/mine").status_code == 403


def test_another_role_is_refused(app: Flask, base_db: TestDatabase) -> None:
    add_member(base_db.owner, "olga", "operator")
    client = app.test_client()
    sign_in(client, "olga")

    assert client.get("/mine").status_code == 403
    assert client.get("/ops").status_code == 200


def test_a_form_sent_after_the_sign_in_ended_does_nothing_and_says_so(app: Flask) -> None:
    answer = app.test_client().post("/mine", data={"name": "x"})

    assert answer.status_code == 401
    assert "nothing was done" in answer.text


def test_a_list_that_refreshes_itself_leads_to_the_timed_out_page(app: Flask) -> None:
    answer = app.test_client().get("/mine", headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/app/timed-out"


def test_a_form_without_its_token_is_refused(app: Flask, base_db: TestDatabase) -> None:
    add_member(base_db.owner, "ada", "advocate")
    client = app.test_client()
    sign_in(client, "ada")

    without = client.post("/mine")
    token = form_token(client.get("/nothing-here").text)
    with_token = client.post("/mine", data={"csrf_token": token})

    assert without.status_code == 400
    assert with_token.status_code == 200


def test_signing_out_ends_the_session_in_the_database(app: Flask, base_db: TestDatabase) -> None:
    add_member(base_db.owner, "ada", "advocate")
    client = app.test_client()
    sign_in(client, "ada")
    token = form_token(client.get("/nothing-here").text)

    client.post("/sign-out", data={"csrf_token": token})

    assert sessions(base_db) == 0
    assert client.get("/mine").status_code == 302


def test_a_provider_that_is_away_gives_a_page_with_the_crisis_numbers(app: Flask) -> None:
    answer = app.test_client().get("/sign-in")

    assert answer.status_code == 503
    assert 'href="tel:988"' in answer.text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\nb", "/ x"],
)
def test_an_address_elsewhere_is_never_gone_to_after_sign_in(target: str) -> None:
    assert safe_next(target) == "/"


def sessions(database: TestDatabase) -> int:
    with psycopg.connect(database.owner) as connection:
        row = connection.execute("select count(*) from session").fetchone()
    assert row is not None
    return int(row[0])
