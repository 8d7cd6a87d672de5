"""Web apps for tests: settings, a site, signing in without a provider, reading a form's token."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask.testing import FlaskClient

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
