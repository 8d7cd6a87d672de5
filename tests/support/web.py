"""Web apps for tests: settings, a site, signing in without a provider, reading a form's token."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.local.ports import choose
from services.local.provider import Provider
from shared.config import WebSettings
from shared.http.access import ISSUER, SUBJECT
from shared.site import Site, load_site

SITE = Path("deploy/sites/baton-rouge")
PROVIDER = "http://provider.example.org"


def a_site() -> Site:
    """Return the sample site."""
    return load_site(SITE)


def web_settings(**changes: Any) -> WebSettings:
    """Return settings of a web process that is mounted at /app."""
    settings = WebSettings(
        site=SITE,
        database="",
        demo=True,
        public_url="http://localhost/app",
        secret_key="a-secret-of-tests-of-32-characters",
        oidc_issuer=PROVIDER,
        oidc_client_id="app",
        oidc_client_secret="app-secret",
    )
    return replace(settings, **changes)


def add_member(
    database: str,
    subject: str,
    role: str,
    *,
    issuer: str = PROVIDER,
    organization: UUID | None = None,
) -> UUID:
    """Add a member row with the owner's rights; return the member's id."""
    member_id = uuid4()
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into member (member_id, issuer, subject, role, organization_id, name)"
            " values (%s, %s, %s, %s, %s, %s)",
            (member_id, issuer, subject, role, organization or uuid4(), f"Invented {subject}"),
        )
    return member_id


def sign_in(client: FlaskClient, subject: str, *, issuer: str = PROVIDER) -> None:
    """Sign the browser in as the subject, as the callback would."""
    with client.session_transaction() as session:
        session[ISSUER] = issuer
        session[SUBJECT] = subject


def form_token(html: str) -> str:
    """Return the CSRF token of a page's first form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found is not None, "the page has no form with a token"
    return found[1]


def page_token(client: FlaskClient) -> str:
    """Return the CSRF token that the forms of a browser's pages carry."""
    html = client.get("/no-such-page").text
    found = re.search(r'name="csrf-token" content="([^"]+)"', html)
    assert found is not None, "the page has no token"
    return found[1]


@contextmanager
def a_provider(folder: Path) -> Iterator[Provider]:
    """Give a running sign-in provider that knows one machine client."""
    key_file = folder / "key.json"
    key_file.write_text(json.dumps(RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)))
    found = Provider(choose(), key_file, [], {"agency-system": "system-secret"})
    found.start()
    yield found
    found.stop()


def expired_token(provider: Provider, client: str, audience: str) -> str:
    """Return a machine client's token that ended two minutes ago."""
    key = provider._key  # noqa: SLF001  (the provider makes none that has ended)
    claims = {
        "iss": provider.issuer,
        "aud": audience,
        "sub": client,
        "client_id": client,
        "exp": int(time.time()) - 120,
    }
    return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": key.kid}, claims, key)
