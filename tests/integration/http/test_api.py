"""The JSON API: tokens, problems and its description."""

import json
import time
from typing import Any

import psycopg
import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from services.local.provider import Provider
from shared.http import bearer
from tests.support.databases import TestDatabase
from tests.support.web import add_member

AUDIENCE = "http://localhost/app"


def post(app: Flask, token: str | None, body: object = None, **more: Any) -> TestResponse:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    values: dict[str, Any] = {"json": {"name": "x"} if body is None else body, **more}
    return app.test_client().post("/api/things", headers=headers, **values)


@pytest.fixture
def token(provider: Provider, base_db: TestDatabase) -> str:
    add_member(base_db.owner, "agency-system", "client", issuer=provider.issuer)
    return provider.token("agency-system", AUDIENCE)


def test_a_client_with_a_valid_token_is_known(provided_app: Flask, token: str) -> None:
    answer = post(provided_app, token)

    assert answer.status_code == 200
    assert answer.json == {"by": "agency-system"}


def test_no_token_is_401_before_the_body_is_looked_at(provided_app: Flask) -> None:
    answer = post(provided_app, None, {"wrong": 1})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")
    assert answer.content_type == "application/problem+json"


def test_a_token_for_another_audience_is_refused(provided_app: Flask, provider: Provider) -> None:
    answer = post(provided_app, provider.token("agency-system", "http://localhost/other"))

    assert answer.status_code == 401
    assert "error=invalid_token" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("change", ["expired", "type", "issuer", "key", "garbage"])
def test_a_token_that_does_not_hold_is_refused(
    provided_app: Flask, provider: Provider, change: str
) -> None:
    key = RSAKey.generate_key(2048, auto_kid=True) if change == "key" else provider._key  # noqa: SLF001
    claims = {
        "iss": "http://elsewhere" if change == "issuer" else provider.issuer,
        "aud": AUDIENCE,
        "sub": "agency-system",
        "client_id": "agency-system",
        "exp": int(time.time()) + (-120 if change == "expired" else 60),
    }
    header = {"alg": "RS256", "typ": "JWT" if change == "type" else "at+jwt", "kid": key.kid}
    token = "no.token" if change == "garbage" else jwt.encode(header, claims, key)

    assert post(provided_app, token).status_code == 401


def test_a_client_that_is_no_member_is_refused(provided_app: Flask, provider: Provider) -> None:
    assert post(provided_app, provider.token("agency-system", AUDIENCE)).status_code == 403


def test_what_is_wrong_in_a_body_is_told_by_field(provided_app: Flask, token: str) -> None:
    answer = post(provided_app, token, {"name": "much too long for it", "extra": 1})

    assert answer.status_code == 422
    assert answer.json is not None
    assert set(answer.json["errors"]) == {"name", "extra"}
    assert "much too long for it" not in answer.text


def test_another_content_type_is_415(provided_app: Flask, token: str) -> None:
    answer = post(provided_app, token, None, json=None, data="name=x", content_type="text/plain")

    assert answer.status_code == 415


def test_a_body_over_256_kib_is_413(provided_app: Flask, token: str) -> None:
    assert post(provided_app, token, {"name": "x" * 300_000}).status_code == 413


def test_a_body_that_is_no_json_is_400(provided_app: Flask, token: str) -> None:
    answer = post(provided_app, token, json=None, data="{", content_type="application/json")

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_the_description_is_openapi_31_with_the_mount_and_the_problem(provided_app: Flask) -> None:
    answer = provided_app.test_client().get("/api/openapi.json")

    described = json.loads(answer.text)
    assert described["openapi"] == "3.1.0"
    assert described["servers"] == [{"url": "/app"}]
    assert "token" in described["components"]["securitySchemes"]
    assert "/api/things" in described["paths"]


def test_an_unknown_address_and_a_wrong_method_are_problems(provided_app: Flask) -> None:
    client = provided_app.test_client()

    missing, method = client.get("/api/nothing"), client.delete("/api/things")

    assert (missing.status_code, method.status_code) == (404, 405)
    assert {missing.content_type, method.content_type} == {"application/problem+json"}
    assert "POST" in method.headers["Allow"]


def test_a_known_token_opens_nothing_once_its_client_is_removed(
    provided_app: Flask, token: str, base_db: TestDatabase
) -> None:
    """R-59: what was found about a token is kept, what its client may do is not."""
    assert post(provided_app, token).status_code == 200
    with psycopg.connect(base_db.owner) as connection:
        connection.execute("update member set active = false")

    assert post(provided_app, token).status_code == 403


def test_a_known_token_is_refused_once_it_has_expired(
    provided_app: Flask, provider: Provider, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(provided_app, token).status_code == 200
    later = time.time() + 3600

    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(bearer, "time", lambda: later)

    assert post(provided_app, token).status_code == 401
