"""Machine clients: access tokens of the identity provider (RFC 9068), checked at each request."""

import hashlib
import threading
from dataclasses import dataclass
from time import monotonic, time
from typing import Any
from uuid import UUID

import requests
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.errors import TransientError

_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_SECONDS = 5.0
_LEEWAY = 30
_REST_SECONDS = 10.0
_MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose a token is: the provider, the client's id there, its scopes."""

    issuer: str
    client_id: str
    scopes: frozenset[str]

    def names(self) -> dict[str, str]:
        """Return the values of CLIENT."""
        return {"issuer": self.issuer, "client_id": self.client_id}


@dataclass(frozen=True, slots=True)
class Client:
    """A machine client: its id at the provider, the organization it acts for, its scopes."""

    client_id: str
    organization_id: UUID | None
    scopes: frozenset[str]
    member_id: UUID


class InvalidToken(Exception):
    """The token does not prove what it must."""


class Tokens:
    """Checks access tokens against the provider's published keys, which it keeps.

    What a token was once found to say it says until it expires, so it is looked up by its hash.
    """

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys: KeySet | None = None
        self._fetched = 0.0
        self._lock = threading.Lock()
        self._known: dict[bytes, dict[str, Any]] = {}

    def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a valid token; an unknown key's id has the keys fetched again.

        Raises:
            InvalidToken: signature, type, issuer, audience or time is wrong.
            TransientError: the provider's keys cannot be had.

        """
        name = hashlib.sha256(token.encode()).digest()
        known = self._known.get(name)
        if known is None or known["exp"] < time():
            known = self._known[name] = self._proven(token)
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        return dict(known)

    def _proven(self, token: str) -> dict[str, Any]:
        try:
            return self._checked(token, self._keys_for(_key_id(token)))
        except (JoseError, ValueError) as wrong:
            raise InvalidToken from wrong

    def _checked(self, token: str, keys: KeySet) -> dict[str, Any]:
        found = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        if str(found.header.get("typ", "")).lower() not in _TYPES:
            raise InvalidToken
        registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
        )
        registry.validate(found.claims)
        return dict(found.claims)

    def _keys_for(self, key_id: str) -> KeySet:
        with self._lock:
            known = self._keys is not None and key_id in {key.kid for key in self._keys.keys}
            if self._keys is None or (not known and monotonic() - self._fetched > _REST_SECONDS):
                self._keys = self._fetch()
                self._fetched = monotonic()
            return self._keys

    def _fetch(self) -> KeySet:
        try:
            base = self._issuer.rstrip("/")
            about = _get(f"{base}/.well-known/openid-configuration")
            return KeySet.import_key_set(_get(about["jwks_uri"]))
        except (requests.RequestException, KeyError, ValueError) as away:
            raise TransientError("The identity provider does not answer.") from away


def _key_id(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers().get("kid", ""))


def _get(url: str) -> Any:  # noqa: ANN401  (whatever JSON the provider publishes)
    answer = requests.get(url, timeout=_SECONDS)
    answer.raise_for_status()
    return answer.json()
