"""The sign-in provider of a demo: anybody may be anybody, so it stays on loopback.

oidc-provider-mock with what it lacks: a key that outlives a restart, access tokens for machine
clients (RFC 9068), and a page on which a person picks one of the ready users.
"""

import json
import secrets
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from authlib.deprecate import AuthlibDeprecationWarning
from flask import Flask, abort, g, jsonify, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from services.local.people import ReadyUser
from services.local.ports import HOST, issuer

with warnings.catch_warnings():  # the mock stands on what Authlib is about to leave
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    import oidc_provider_mock
    from authlib import jose

_TOKEN_SECONDS = 600


class Provider:
    """The provider on its own loopback port; `clients` are machine clients with their secrets."""

    def __init__(
        self, port: int, key_file: Path, users: Sequence[ReadyUser], clients: Mapping[str, str]
    ) -> None:
        """Build the provider; nothing listens yet."""
        self.issuer = issuer(port)
        self._port = port
        self._key = RSAKey.import_key(json.loads(key_file.read_text()))
        self._clients = clients
        self.app = self._build(users)
        self._server: BaseWSGIServer | None = None

    def start(self) -> None:
        """Listen, in a thread of its own. Raises OSError when the port is in use."""
        self._server = make_server(
            HOST, self._port, self.app, threaded=True, request_handler=_Quiet
        )
        threading.Thread(target=self._server.serve_forever, name="provider", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _build(self, users: Sequence[ReadyUser]) -> Flask:
        app = Flask(__name__, template_folder="templates/provider", static_folder=None)
        app.secret_key = secrets.token_bytes(16)
        plain = app.wsgi_app
        listed = [
            oidc_provider_mock.User(sub=user.subject, claims={"name": user.name}) for user in users
        ]
        oidc_provider_mock.init_app(app, user_claims=listed)
        app.debug, app.wsgi_app = False, plain  # type: ignore[method-assign]  # no debugger
        app.jinja_env.globals["ready_users"] = users
        kept = jose.RSAKey.import_key(self._key.as_dict(private=True))

        @app.before_request
        def extend() -> ResponseReturnValue | None:
            g.oidc_provider_mock_storage.jwk = kept
            if request.path.startswith(("/users/", "/oauth2/clients")):
                abort(404)
            if request.path == "/oauth2/token" and _asks_for_machine():
                return self._machine_token()
            return None

        @app.after_request
        def close(response: Any) -> Any:  # noqa: ANN401
            response.headers["Cache-Control"] = "no-store"
            return response

        return app

    def _machine_token(self) -> ResponseReturnValue:
        given = request.authorization or request.form
        client = (given.get("username") or given.get("client_id") or "") if given else ""
        secret = (given.get("password") or given.get("client_secret") or "") if given else ""
        known = self._clients.get(client)
        if known is None or not secrets.compare_digest(known, secret):
            return jsonify(error="invalid_client"), 401
        audience = request.form.get("audience") or request.form.get("resource")
        if not audience:
            return jsonify(error="invalid_target"), 400
        return jsonify(
            access_token=self.token(client, audience, request.form.get("scope", "")),
            token_type="Bearer",  # noqa: S106  (not a secret)
            expires_in=_TOKEN_SECONDS,
        )

    def token(self, client: str, audience: str, scope: str = "") -> str:
        """Return an access token of a machine client for one audience."""
        moment = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": audience,
            "sub": client,
            "client_id": client,
            "iat": moment,
            "exp": moment + _TOKEN_SECONDS,
            "jti": secrets.token_urlsafe(16),
            "scope": scope,
        }
        header = {"alg": "RS256", "typ": "at+jwt", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  (its signature)
        """Keep no log: the addresses hold codes."""


def _asks_for_machine() -> bool:
    return request.method == "POST" and request.form.get("grant_type") == "client_credentials"
