"""Tickets: how routing tells an intake that somebody comes from an accepted offer.

Signed with routing's own key, good for 60 seconds and for one use, for one intake and one
signed-in person. A ticket is a claim about where the person comes from, never a right: intake
checks the accepted offer and the release itself.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import OKPKey

from shared.db.members import Member

SECONDS: Final = 60
_ALGORITHM: Final = "Ed25519"


@dataclass(frozen=True, slots=True)
class Tickets:
    """Signs tickets. `issuer` is routing's own address; the key an Ed25519 private JWK."""

    issuer: str
    key: OKPKey
    new_id: Callable[[], UUID] = uuid4

    def sign(self, member: Member, offer_id: UUID, intake_url: str, now: datetime) -> str:
        """Return a ticket for one member, one offer and one intake, good for 60 s from `now`."""
        issued = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": intake_url,
            "sub": member.subject,
            "oidc_iss": member.issuer,
            "offer_id": str(offer_id),
            "organization_id": str(member.organization_id),
            "iat": issued,
            "exp": issued + SECONDS,
            "jti": str(self.new_id()),
        }
        header = {"alg": _ALGORITHM, "kid": self.key.thumbprint()}
        return jwt.encode(header, claims, self.key, algorithms=[_ALGORITHM])


def read_key(path: Path) -> OKPKey:
    """Read routing's private key from its file."""
    return OKPKey.import_key(json.loads(path.read_text(encoding="utf-8")))
