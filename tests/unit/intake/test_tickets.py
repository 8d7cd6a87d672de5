"""Tickets of routing: one issuer, one intake, sixty seconds."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from intake.adapters.tickets import TicketVerifier
from shared.errors import NotAllowed

ROUTING = "http://127.0.0.1:8080/routing"
INTAKE = "http://127.0.0.1:8080/intake"
KEY = OKPKey.generate_key("Ed25519")


@pytest.fixture
def verifier(tmp_path: Path) -> TicketVerifier:
    file = tmp_path / "routing.jwk"
    file.write_text(json.dumps(KEY.as_dict(private=False)))
    return TicketVerifier(file, issuer=ROUTING, audience=f"{INTAKE}/")


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    found = {
        "iss": ROUTING,
        "aud": INTAKE,
        "sub": "partner-cypress",
        "oidc_iss": "https://id.example.org",
        "offer_id": str(uuid4()),
        "organization_id": str(uuid4()),
        "iat": now,
        "exp": now + 60,
        "jti": "ticket-1",
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def signed(key: OKPKey = KEY, **changes: Any) -> str:
    return jwt.encode({"alg": "Ed25519"}, claims(**changes), key, algorithms=["Ed25519"])


def test_a_ticket_opens_one_offer_for_one_person(verifier: TicketVerifier) -> None:
    offer, organization = uuid4(), uuid4()

    ticket = verifier.verify(signed(offer_id=str(offer), organization_id=str(organization)))

    assert ticket.ticket_id == "ticket-1"
    assert (ticket.grant.offer_id, ticket.grant.organization_id) == (offer, organization)
    assert ticket.grant.subject == "partner-cypress"
    assert ticket.grant.issuer == "https://id.example.org"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://elsewhere.example.org"},
        {"aud": "http://other-agency.example.org"},
        {"exp": int(time.time()) - 60},
        {"exp": int(time.time()) + 3600},
        {"iat": None},
        {"jti": None},
        {"sub": None},
        {"exp": "soon"},
        {"offer_id": "not-an-id"},
        {"organization_id": None},
        {"oidc_iss": None},
    ],
)
def test_any_other_ticket_is_refused(verifier: TicketVerifier, changes: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed):
        verifier.verify(signed(**changes))


def test_another_key_is_refused(verifier: TicketVerifier) -> None:
    with pytest.raises(NotAllowed):
        verifier.verify(signed(OKPKey.generate_key("Ed25519")))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é"])
def test_what_is_no_ticket_is_refused(verifier: TicketVerifier, text: str) -> None:
    with pytest.raises(NotAllowed):
        verifier.verify(text)


def test_a_ticket_without_a_signature_is_refused(verifier: TicketVerifier) -> None:
    header, body, _ = signed().split(".")

    with pytest.raises(NotAllowed):
        verifier.verify(f"{header}.{body}.")
