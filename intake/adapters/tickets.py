"""Tickets: routing vouches for 60 seconds that somebody may ask for one offer's details."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from intake.application.commands import Grant
from shared.errors import NotAllowed

_ALGORITHMS: Final = ["EdDSA", "Ed25519"]
_LONGEST_SECONDS: Final = 60
_LEEWAY: Final = 5


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a valid ticket says; `ticket_id` may be used once."""

    ticket_id: str
    grant: Grant


class TicketVerifier:
    """Checks tickets against routing's public key."""

    def __init__(self, jwk: Path, *, issuer: str, audience: str) -> None:
        """Read the key; `issuer` is routing's address and `audience` this intake's."""
        self._key = OKPKey.import_key(json.loads(jwk.read_text(encoding="utf-8")))
        self._claims = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": issuer.rstrip("/")},
            aud={"essential": True, "value": audience.rstrip("/")},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            jti={"essential": True},
            offer_id={"essential": True},
            organization_id={"essential": True},
            oidc_iss={"essential": True},
        )

    def verify(self, token: str) -> Ticket:
        """Return what the ticket says.

        Raises:
            NotAllowed: wrong signature, issuer or audience, ended, or too long-lived.

        """
        try:
            claims = jwt.decode(token, self._key, algorithms=_ALGORITHMS).claims
            self._claims.validate(claims)
            if int(claims["exp"]) - int(claims["iat"]) > _LONGEST_SECONDS:
                raise _refused()
            return Ticket(
                ticket_id=str(claims["jti"]),
                grant=Grant(
                    offer_id=UUID(str(claims["offer_id"])),
                    organization_id=UUID(str(claims["organization_id"])),
                    issuer=str(claims["oidc_iss"]),
                    subject=str(claims["sub"]),
                    opened_at=datetime.fromtimestamp(int(claims["iat"]), UTC),
                ),
            )
        except (JoseError, KeyError, TypeError, ValueError) as wrong:
            raise _refused() from wrong


def _refused() -> NotAllowed:
    return NotAllowed("This link has ended. Open the details from your inbox again.")
