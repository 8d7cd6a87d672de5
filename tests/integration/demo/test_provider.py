import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from services.local import ports
from services.local.folder import Folder
from services.local.people import ReadyUser
from services.local.provider import Provider

USERS = [ReadyUser("advocate", "Renee Baptiste", "advocate")]
CLIENTS = {"agency-system": "secret-of-the-agency"}
BACK = "http://127.0.0.1:1/callback"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "data")
    folder.hold("http://127.0.0.1:1")
    folder.begin("postgres")
    folder.release()
    return folder


@pytest.fixture
def provider(folder: Folder) -> Iterator[Provider]:
    provider = Provider(ports.choose(), folder.provider_key, USERS, CLIENTS)
    provider.start()
    yield provider
    provider.stop()


def ask_token(provider: Provider, **changes: str) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": "agency-system",
        "client_secret": CLIENTS["agency-system"],
        "audience": "http://127.0.0.1:8080/intake",
    }
    return requests.post(f"{provider.issuer}/oauth2/token", data=form | changes, timeout=5)


def keys_of(provider: Provider) -> KeySet:
    about = requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=5).json()
    return KeySet.import_key_set(requests.get(about["jwks_uri"], timeout=5).json())


def sign_in(provider: Provider) -> dict[str, Any]:
    query = f"response_type=code&client_id=intake&redirect_uri={BACK}&scope=openid&nonce=n-1"
    answer = requests.post(
        f"{provider.issuer}/oauth2/authorize?{query}",
        data={"sub": "advocate"},
        timeout=5,
        allow_redirects=False,
    )
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    found = requests.post(
        f"{provider.issuer}/oauth2/token", data=form, auth=("intake", "any"), timeout=5
    )
    body: dict[str, Any] = found.json()
    return body


def test_the_sign_in_page_offers_the_ready_users_and_asks_nobody_else(provider: Provider) -> None:
    query = f"response_type=code&client_id=intake&redirect_uri={BACK}&scope=openid"

    page = requests.get(f"{provider.issuer}/oauth2/authorize?{query}", timeout=5)

    assert 'value="advocate"' in page.text
    assert "Renee Baptiste" in page.text
    assert "https://" not in page.text


def test_a_person_signs_in_with_one_click(provider: Provider) -> None:
    token = jwt.decode(sign_in(provider)["id_token"], keys_of(provider))

    assert token.claims["sub"] == "advocate"
    assert token.claims["iss"] == provider.issuer
    assert token.claims["nonce"] == "n-1"


def test_a_machine_gets_an_access_token_for_one_audience(provider: Provider) -> None:
    token = jwt.decode(ask_token(provider).json()["access_token"], keys_of(provider))

    assert token.header["typ"] == "at+jwt"
    assert token.claims["aud"] == "http://127.0.0.1:8080/intake"
    assert token.claims["client_id"] == token.claims["sub"] == "agency-system"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_secret": "wrong"}, 401),
        ({"client_id": "nobody"}, 401),
        ({"audience": ""}, 400),
    ],
    ids=["wrong secret", "unknown client", "no audience"],
)
def test_a_machine_without_proof_gets_nothing(
    provider: Provider, changes: dict[str, str], status: int
) -> None:
    assert ask_token(provider, **changes).status_code == status


def test_the_key_outlives_a_restart(provider: Provider, folder: Folder) -> None:
    again = Provider(ports.choose(), folder.provider_key, USERS, CLIENTS)
    token = sign_in(provider)["id_token"]

    again.start()
    try:
        assert jwt.decode(token, keys_of(again)).claims["sub"] == "advocate"
    finally:
        again.stop()
    assert json.loads(folder.provider_key.read_text())["kid"]


def test_nobody_adds_users_or_clients_by_http(provider: Provider) -> None:
    answer = requests.put(f"{provider.issuer}/users/advocate", json={"name": "Other"}, timeout=5)

    assert answer.status_code == 404
    assert (
        requests.post(f"{provider.issuer}/oauth2/clients", json={}, timeout=5).status_code == 404
    )
